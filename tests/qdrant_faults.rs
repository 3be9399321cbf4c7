//! What goes wrong between PostgreSQL, dbops and Qdrant: it is said, and the next run goes on.

use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Stdio};
use std::thread;

use dbops_postgres::process;
use dbops_testbed::{programs, start_qdrant_with, unique};

use crate::backup_killed::{duration, moments};
use crate::cut::{Away, Cut};
use crate::project::{Project, Run, execute};
use crate::qdrant::on_server;
use crate::qdrant_sync::Bot;

/// The side that goes away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    Postgres,
    Qdrant,
}

const BOTH: [Side; 2] = [Side::Postgres, Side::Qdrant];

/// Runs dbops with one side behind a proxy, and gives how many bytes passed there.
fn through(bot: &Bot, side: Side, after: usize, away: Away, arguments: &[&str]) -> (Run, usize) {
    let mut command = bot.project.command(arguments);
    let cut = match side {
        Side::Postgres => {
            let (_, port) = bot.url.servers().remove(0);
            let cut = Cut::new(&[SocketAddr::from(([127, 0, 0, 1], port))], after, away);
            let text = bot.url.reveal();
            let (account, rest) = text.rsplit_once('@').expect("an account");
            let (_, database) = rest.split_once('/').expect("a database");
            command.env("APP_URL", format!("{account}@127.0.0.1:{}/{database}", cut.ports[0]));
            cut
        }
        Side::Qdrant => {
            let qdrant = dbops_testbed::qdrant();
            let http = qdrant.url.rsplit(':').next().and_then(|port| port.parse().ok()).expect("a port");
            let server = |port: u16| SocketAddr::from(([127, 0, 0, 1], port));
            let cut = Cut::new(&[server(http), server(qdrant.grpc_port)], after, away);
            command.env("SEARCH_URL", format!("http://127.0.0.1:{}", cut.ports[0]));
            command.env("SEARCH_GRPC_PORT", cut.ports[1].to_string());
            cut
        }
    };
    (bot.project.finish(command), cut.passed())
}

/// Cuts the connection in the middle of a command, in several places: it succeeds all the same or says what is wrong, and
/// succeeds when it is run again. `prepare` makes ready for each run, `check` looks at what came of it.
fn cut_everywhere(bot: &Bot, sides: &[Side], arguments: &[&str], prepare: impl Fn(), check: impl Fn()) {
    for side in sides {
        prepare();
        let (run, bytes) = through(bot, *side, usize::MAX, Away::Once, arguments);
        assert_eq!(run.code, 0, "{arguments:?}: {run}");
        let places = [(Away::Once, 20), (Away::Once, 50), (Away::Once, 80), (Away::ForGood, 50)];
        let mut failed = 0;
        for (away, percent) in places {
            prepare();
            let (run, _) = through(bot, *side, bytes * percent / 100, away, arguments);
            let what = format!("{arguments:?}: {side:?} goes away at {percent} %, {away:?}");
            if run.code != 0 {
                failed += 1;
                assert_eq!(run.code, 1, "{what}: {run}");
                let last = run.stderr.split("error: ").nth(1).unwrap_or_else(|| panic!("{what}: {run}"));
                assert!(!last.contains("panicked") && last.len() > 20, "{what}: {run}");
                let again = bot.project.run(arguments);
                assert_eq!(again.code, 0, "{what}, then again: {again}");
            }
            check();
        }
        assert!(failed > 0, "{arguments:?}: {side:?} was never missed");
    }
}

/// As it was before any points came.
fn emptied(bot: &Bot) {
    on_server(async |server| server.delete_collection(&bot.collection).await);
    bot.project.ok(&["qdrant", "apply"]);
}

#[test]
fn a_load_that_breaks_off_is_gone_on_with() {
    let bot = Bot::notes();
    let same = || assert_eq!(bot.verify(&["--deep"]), [0; 3]);
    cut_everywhere(&bot, &BOTH, &["qdrant", "sync"], || emptied(&bot), same);
}

#[test]
fn a_comparison_that_breaks_off_is_gone_on_with() {
    let bot = Bot::notes();
    bot.sync(&[]);
    let change = || {
        execute(&bot.url, "UPDATE notes SET body = body || '.' WHERE place IS NOT NULL AND random() < 0.5");
        execute(&bot.url, "DELETE FROM notes WHERE id = (SELECT id FROM notes WHERE place IS NOT NULL LIMIT 1)");
    };
    let same = || assert_eq!(bot.verify(&["--deep"]), [0; 3]);
    cut_everywhere(&bot, &BOTH, &["qdrant", "sync", "--full"], change, same);
}

#[test]
fn reading_that_breaks_off_says_so() {
    let bot = Bot::notes();
    bot.sync(&[]);
    let nothing = || {};
    cut_everywhere(&bot, &BOTH, &["qdrant", "verify", "--deep"], nothing, nothing);
    let (collection, row) = (bot.collection.as_str(), bot.id(7));
    cut_everywhere(&bot, &BOTH, &["qdrant", "search", collection, "--row", &row], nothing, nothing);
    cut_everywhere(&bot, &BOTH, &["qdrant", "recall", collection, "-k", "3"], nothing, nothing);
}

#[test]
fn snapshots_that_break_off_are_made_again() {
    let bot = Bot::notes();
    bot.sync(&[]);
    let (collection, nothing) = (bot.collection.as_str(), || {});
    let qdrant = [Side::Qdrant];
    cut_everywhere(&bot, &qdrant, &["qdrant", "snapshot", "create", collection], nothing, nothing);

    let listed = bot.project.json(0, &["qdrant", "snapshot", "list", collection]);
    let name = listed["targets"][0]["snapshots"][0]["name"].as_str().expect("a snapshot").to_owned();
    let file = bot.project.path("file");
    let gone = || drop(std::fs::remove_file(&file));
    let download = ["qdrant", "snapshot", "download", collection, &name, "--to", "file"];
    cut_everywhere(&bot, &qdrant, &download, gone, || assert!(file.exists()));

    let copy = unique("copy");
    let restore = ["qdrant", "snapshot", "restore", copy.as_str(), "file", "--overwrite"];
    let is_whole = || assert_eq!(on_server(async |server| server.count(&copy).await), 1000);
    let deleted = || {
        if on_server(async |server| server.has_collection(&copy).await) {
            on_server(async |server| server.delete_collection(&copy).await);
        }
    };
    cut_everywhere(&bot, &qdrant, &restore, deleted, is_whole);
}

#[test]
fn changes_that_break_off_are_made_by_the_next_run() {
    let bot = Bot::notes();
    let alias = unique("moved");
    let leads = || {
        let listed = bot.project.run(&["qdrant", "alias", "list"]).stdout;
        assert_eq!(listed.matches(&alias).count(), 1, "{listed}");
    };
    let removed = || drop(bot.project.run(&["qdrant", "alias", "delete", &alias, "--yes"]));
    cut_everywhere(&bot, &[Side::Qdrant], &["qdrant", "alias", "set", &alias, &bot.collection], removed, leads);
    let deleted = || _ = on_server(async |server| server.delete_collection(&bot.collection).await);
    let planned = || {
        let plan = bot.project.run(&["qdrant", "plan"]);
        assert!(plan.stdout.contains("nothing to do"), "{plan}");
    };
    cut_everywhere(&bot, &[Side::Qdrant], &["qdrant", "apply"], deleted, planned);
}

/// Kills at moments that are spread over the time of a run: the next one goes on, and both sides are the same.
fn killed(bot: &Bot, arguments: &[&str], prepare: impl Fn()) {
    prepare();
    let whole = duration(&bot.project, arguments);
    let mut count = 0;
    for moment in moments(whole, 4) {
        prepare();
        let mut dbops = bot.project.command(arguments).spawn().expect("it starts");
        thread::sleep(moment);
        count += u32::from(dbops.try_wait().expect("a process").is_none());
        dbops.kill().expect("kill -9");
        dbops.wait().expect("it ends");
        bot.sync(&[]);
        assert_eq!(bot.verify(&["--deep"]), [0; 3], "killed after {moment:?}");
        assert_eq!(bot.sync(&[]).1[1..], [0; 3], "killed after {moment:?}");
    }
    assert!(count > 0, "it was always faster");
}

const MORE: &str = "INSERT INTO notes (id, body, place)
    SELECT md5('more ' || n)::uuid, 'more', ARRAY[n, 1, 1, 1]::vector FROM generate_series(1, 8000) AS n";

#[test]
fn a_killed_load_is_gone_on_with() {
    let bot = Bot::notes();
    execute(&bot.url, MORE);
    killed(&bot, &["qdrant", "sync"], || emptied(&bot));
}

#[test]
fn a_killed_comparison_is_gone_on_with() {
    let bot = Bot::notes();
    execute(&bot.url, MORE);
    bot.sync(&[]);
    killed(&bot, &["qdrant", "sync", "--full"], || {
        execute(&bot.url, "DELETE FROM notes WHERE id IN (SELECT id FROM notes ORDER BY id LIMIT 9)");
        execute(&bot.url, "UPDATE notes SET body = body || '.'");
    });
}

/// The server wants a key: none, a wrong one, and the right one.
#[test]
fn the_key_is_asked_for() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = start_qdrant_with(&folder.path().join("data"), Some("the-right-s3cret"));
    let project = Project::empty();
    project.write("collections.yaml", "version: 1\ncollections:\n  c: {vectors: {size: 4, distance: Dot}}\n");
    for (key, code, said) in [
        ("", 1, "set `api_key`: the server asks for one"),
        ("some-wr0ng-key", 1, "check `api_key`: the server knows another key"),
        ("the-right-s3cret", 0, ""),
    ] {
        project.write(
            "dbops.yaml",
            &format!(
                "version: 1\ntargets:\n  q:\n    kind: qdrant\n    url: {}\n    grpc_port: {}\n    api_key: '{key}'\n    \
                 collections: collections.yaml\n",
                server.url, server.grpc_port
            ),
        );
        let commands: [&[&str]; 5] = [
            &["qdrant", "status"],
            &["qdrant", "apply"],
            &["qdrant", "plan"],
            &["qdrant", "snapshot", "list"],
            &["qdrant", "alias", "list"],
        ];
        for arguments in commands {
            let run = project.run(arguments);
            assert_eq!(run.code, code, "{key}: {arguments:?}: {run}");
            assert!(run.stderr.contains(said), "{key}: {arguments:?}: {run}");
            assert!(!run.to_string().contains("s3cret") && !run.to_string().contains("wr0ng"), "{run}");
        }
    }
}

/// A file system in memory, which only root may mount; it is gone when this is dropped.
pub(crate) struct Small(PathBuf);

impl Small {
    pub(crate) fn new(folder: PathBuf) -> Option<Self> {
        std::fs::create_dir_all(&folder).expect("a folder");
        let mut mount = process::command("mount");
        mount.args(["-t", "tmpfs", "-o", "size=400m", "tmpfs"]).arg(&folder);
        mount.output().is_ok_and(|output| output.status.success()).then_some(Self(folder))
    }

    /// Leaves so many bytes free.
    pub(crate) fn fill(&self, free: u64) {
        let zeros = File::create(self.0.join("ballast")).expect("a file");
        while let Ok(1..) = (&zeros).write(&[0; 65536]) {}
        let length = zeros.metadata().expect("a file").len();
        zeros.set_len(length.saturating_sub(free)).expect("a shorter file");
    }

    pub(crate) fn empty(&self) {
        std::fs::remove_file(self.0.join("ballast")).expect("it is there");
    }

    /// The server with its data here, and where it listens: HTTP and gRPC.
    fn server(&self) -> (Child, String, String) {
        let mut command = process::command(programs().join("dbops-qdrant-embedded"));
        command.args(["--http-port", "0", "--grpc-port", "0", "--parent-stdin", "--data"]).arg(self.0.join("data"));
        let mut server = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("the server");
        let mut line = String::new();
        BufReader::new(server.stdout.take().expect("piped")).read_line(&mut line).expect("its first line");
        let word = |key: &str| line.split_whitespace().find_map(|word| word.strip_prefix(key)).expect(key).to_owned();
        let (http, grpc) = (word("http="), word("grpc="));
        (server, format!("http://{http}"), grpc.rsplit(':').next().expect("a port").to_owned())
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        drop(process::command("umount").arg("-l").arg(&self.0).status());
    }
}

/// Where nobody may mount anything there is nothing to try.
#[test]
fn a_full_disk_is_told_and_gone_on_after() {
    let mut bot = Bot::notes();
    let Some(small) = Small::new(bot.project.path("small")) else { return };
    let (mut server, url, port) = small.server();
    bot.project = bot.project.env("SEARCH_URL", &url).env("SEARCH_GRPC_PORT", &port);
    for command in [&["qdrant", "apply"][..], &["qdrant", "sync"]] {
        bot.project.ok(command);
    }
    let collection = bot.collection.clone();
    let made = bot.project.json(0, &["qdrant", "snapshot", "create", &collection]);
    let name = made["targets"][0]["snapshots"][0]["name"].as_str().expect("a name").to_owned();
    bot.project.ok(&["qdrant", "snapshot", "download", &collection, &name, "--to", "file"]);
    bot.project.ok(&["qdrant", "snapshot", "delete", &collection, &name, "--yes"]);

    small.fill(100_000);
    let commands: [&[&str]; 2] =
        [&["qdrant", "snapshot", "create", &collection], &["qdrant", "snapshot", "restore", "copy", "file"]];
    for command in commands {
        let run = bot.project.run(command);
        assert_eq!(run.code, 1, "{command:?}: {run}");
        assert!(run.stderr.contains("No space left on device"), "{command:?}: {run}");
        assert!(run.stderr.contains("hint: free some space on the server's disk"), "{command:?}: {run}");
    }
    small.empty();
    for command in commands {
        bot.project.ok(command);
    }

    // What the engine writes through mapped memory ends it when the disk is full; else it says so.
    small.fill(100_000);
    execute(&bot.url, "UPDATE notes SET body = repeat(md5(random()::text), 200)");
    let run = bot.project.run(&["qdrant", "sync"]);
    assert_eq!(run.code, 1, "{run}");
    let said =
        [["No space left on device", "hint: free some space"], ["cannot reach Qdrant", "hint: start the server"]];
    assert!(said.iter().any(|words| words.iter().all(|word| run.stderr.contains(word))), "{run}");
    drop(server.stdin.take());
    server.wait().expect("it ends");
    small.empty();
    let (mut server, url, port) = small.server();
    bot.project = bot.project.env("SEARCH_URL", &url).env("SEARCH_GRPC_PORT", &port);
    bot.sync(&[]);
    assert_eq!((bot.verify(&["--deep"]), bot.sync(&[]).1), ([0; 3], [1000, 0, 0, 0]));
    drop(server.stdin.take());
    server.wait().expect("it ends");
}
