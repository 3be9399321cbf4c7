//! kill -9 at moments spread over a whole run: of a backup, a restore beside, a swap, an overwriting, a prune. Whatever was
//! left, no damaged set is listed, no live row is lost, no password is in a file, and the next run works.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use dbops_postgres::{DatabaseUrl, Throwaway, ThrowawayOptions, quote_identifier, quote_literal};
use dbops_testbed::installation;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;

use crate::backup::{back_up, copy_set, list, names};
use crate::backup_sealed::{encrypt, key};
use crate::project::{PATIENCE, Project, execute, is_exhaustive, query};

const PASSWORD: &str = r"s3cret: p@ss/w\ord%";
/// In every row.
const MARKER: &str = "these rows are nobody's business";
const ROWS: &str = "
    CREATE EXTENSION vector;
    CREATE TABLE owners (id int PRIMARY KEY, name text NOT NULL UNIQUE);
    INSERT INTO owners SELECT n, 'MARKER ' || n FROM generate_series(1, 500) AS n;
    CREATE TABLE items (id int PRIMARY KEY, owner int NOT NULL REFERENCES owners, noise text, embedding vector(3));
    INSERT INTO items SELECT n, n % 500 + 1, 'MARKER ' || md5(n::text) || md5((-n)::text), ARRAY[n % 7, n % 11, n % 13]
        FROM generate_series(1, 15000) AS n;
    CREATE INDEX items_noise ON items (noise);
    CREATE INDEX items_near ON items USING hnsw (embedding vector_l2_ops) WHERE id <= 500;
    CREATE VIEW named AS SELECT i.id, o.name FROM items AS i JOIN owners AS o ON o.id = i.owner";
/// Rows, and what belongs to them: two databases with the same answer are the same here.
const STATE: &str = "
    SELECT count(*), md5(string_agg(o::text, '|' ORDER BY id)) FROM owners AS o;
    SELECT count(*), md5(string_agg(i::text, '|' ORDER BY id)) FROM items AS i;
    SELECT count(*) FROM named;
    SELECT indexdef, i.indisvalid FROM pg_indexes JOIN pg_index AS i
        ON i.indexrelid = (quote_ident(schemaname) || '.' || quote_ident(indexname))::regclass
        WHERE schemaname = 'public' ORDER BY 1;
    SELECT conname, pg_get_constraintdef(oid), convalidated FROM pg_constraint
        WHERE connamespace = 'public'::regnamespace ORDER BY 1";

/// A server of the test's own: whatever is left on it is the test's doing.
fn server() -> Throwaway {
    // A worker of autovacuum would be in the way of a rename, and hide what a kill left.
    let options = ThrowawayOptions { tcp_password: Some(PASSWORD.into()), settings: vec!["autovacuum=off".into()] };
    Throwaway::start(&installation(), &options).expect("a throwaway server")
}

fn filled(server: &Throwaway, name: &str) -> DatabaseUrl {
    execute(&server.url("postgres"), &format!("CREATE DATABASE {}", quote_identifier(name)));
    execute(&server.url(name), &ROWS.replace("MARKER", &MARKER.replace('\'', "''")));
    server.url(name)
}

/// A project whose temporary files are in a folder of its own.
fn project(url: &DatabaseUrl) -> Project {
    let project = Project::with_database(url);
    let folder = project.path("temporary");
    fs::create_dir(&folder).expect("a folder");
    let folder = folder.display().to_string();
    project.env("TMPDIR", &folder)
}

/// How long an undisturbed run takes.
pub(crate) fn duration(project: &Project, arguments: &[&str]) -> Duration {
    let start = Instant::now();
    project.ok(arguments);
    start.elapsed()
}

/// When to kill: spread evenly over a duration, however many there are, by the golden ratio.
pub(crate) fn moments(duration: Duration, few: u32) -> impl Iterator<Item = Duration> {
    let count = if is_exhaustive() { 100 } else { few };
    (1..=count).map(move |number| duration.mul_f64((f64::from(number) * 0.618_033_988_75).fract()))
}

/// Runs dbops and kills it after a time. Whether it was still at work: where it was not, it has succeeded.
///
/// Comes back when the programs that it had started are gone too; nobody tells them to go.
fn killed_after(project: &Project, arguments: &[&str], time: Duration) -> bool {
    let mut dbops = project.command(arguments).spawn().expect("dbops starts");
    thread::sleep(time);
    // So that it starts nothing while its programs are looked for.
    kill_process(Pid::from_child(&dbops), Signal::STOP).expect("a process to stop");
    let programs = descendants(dbops.id());
    dbops.kill().expect("kill -9");
    let output = dbops.wait_with_output().expect("dbops ends");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(matches!(output.status.code(), None | Some(0)), "after {time:?}: {said}");
    let deadline = Instant::now() + PATIENCE;
    while programs.iter().any(|id| PathBuf::from(format!("/proc/{id}")).exists()) {
        assert!(Instant::now() < deadline, "killed after {time:?}, its programs go on and on");
        thread::sleep(Duration::from_millis(5));
    }
    assert_no_password(project);
    output.status.code().is_none()
}

/// The processes that a process started, and those that they started.
fn descendants(id: u32) -> HashSet<u32> {
    let processes = fs::read_dir("/proc").expect("processes").flatten();
    let parents: Vec<(u32, u32)> = processes
        .filter_map(|process| {
            let status = fs::read_to_string(process.path().join("status")).ok()?;
            let parent = status.lines().find_map(|line| line.strip_prefix("PPid:"))?;
            Some((process.file_name().to_str()?.parse().ok()?, parent.trim().parse().ok()?))
        })
        .collect();
    let mut found = HashSet::from([id]);
    loop {
        let more = parents.iter().filter(|(_, parent)| found.contains(parent)).map(|(child, _)| *child);
        let more: Vec<_> = more.filter(|child| !found.contains(child)).collect();
        if more.is_empty() {
            break;
        }
        found.extend(more);
    }
    found.remove(&id);
    found
}

/// Every file of the repository and the temporary folder in which a text is.
fn files_with(project: &Project, text: &str) -> Vec<PathBuf> {
    fn walk(folder: &Path, files: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() { walk(&path, files) } else { files.push(path) }
        }
    }
    let mut files = Vec::new();
    ["backups", "temporary"].iter().for_each(|folder| walk(&project.path(folder), &mut files));
    files.retain(|file| String::from_utf8_lossy(&fs::read(file).unwrap_or_default()).contains(text));
    files
}

fn assert_no_password(project: &Project) {
    // As it is, and as it stands in a URL and in a password file.
    for secret in [PASSWORD, "s3cret%3A", r"s3cret\:"] {
        assert_eq!(files_with(project, secret), Vec::<PathBuf>::new());
    }
}

/// Every set that is listed is whole.
fn assert_sets_are_whole(project: &Project) {
    let listed = list(project);
    assert!(listed.iter().all(|set| set["complete"] == true), "{listed:?}");
    let verified = project.json(0, &["backup", "verify", "--all"]);
    let verified = verified["backups"].as_array().expect("a list");
    assert_eq!(verified.len(), listed.len());
    assert!(verified.iter().all(|set| set["ok"] == true), "{verified:?}");
}

fn killed_backups(is_encrypted: bool, options: &[&str]) {
    let server = server();
    let project = project(&filled(&server, "live"));
    if is_encrypted {
        let recipient = key(&project, "key.txt");
        encrypt(&project, &format!("{{recipients: [{recipient}], identity: key.txt}}"));
    }
    let arguments = [&["backup"], options].concat();
    // The first one finds nothing in the caches.
    project.ok(&arguments);
    let mut kills = 0;
    for moment in moments(duration(&project, &arguments), 2) {
        kills += u32::from(killed_after(&project, &arguments, moment));
        assert!(!is_encrypted || files_with(&project, MARKER).is_empty(), "{:?}", files_with(&project, MARKER));
        assert_sets_are_whole(&project);
        let next = project.json(0, &arguments)["id"].clone();
        // The last verified one stays, and this is to be the only one.
        project.ok(&["backup", "verify"]);
        let pruned = project.json(0, &PRUNE);
        assert_eq!(names(&project, "20"), [next.as_str().expect("an id")], "{pruned}");
        assert_eq!(project.json(0, &PRUNE)["unfinished"], json!([]), "killed after {moment:?}");
    }
    assert!(kills > 0, "all of them had ended before");
    // What is looked for is found where it is.
    assert!(!options.contains(&"plain") || !files_with(&project, MARKER).is_empty());
}

const PRUNE: [&str; 5] = ["backup", "prune", "--keep-last", "1", "--yes"];

#[test]
fn a_killed_backup_is_no_set_as_one_file() {
    killed_backups(false, &["--compress", "gzip:1"]);
}

#[test]
fn a_killed_backup_is_no_set_as_a_folder() {
    killed_backups(false, &["--format", "directory", "--jobs", "2"]);
}

#[test]
fn a_killed_backup_is_no_set_as_a_script() {
    killed_backups(false, &["--format", "plain"]);
}

#[test]
fn a_killed_backup_is_no_set_and_unreadable_when_encrypted() {
    killed_backups(true, &["--compress", "none"]);
}

#[test]
fn a_killed_prune_leaves_whole_sets() {
    let server = server();
    let url = server.url("live");
    execute(&server.url("postgres"), "CREATE DATABASE live");
    execute(&url, "CREATE TABLE t AS SELECT 1 AS id");
    let project = project(&url);
    let last = back_up(&project);
    project.ok(&["backup", "verify"]);
    let with_older = || {
        for number in 0..60 {
            let id = format!("20260101T0000{number:02}Z-abcd");
            copy_set(&project.path("backups").join(&last), &project.path("backups").join(&id), &id);
        }
    };
    with_older();
    let mut kills = 0;
    for moment in moments(duration(&project, &PRUNE), 6) {
        with_older();
        kills += u32::from(killed_after(&project, &PRUNE, moment));
        assert_sets_are_whole(&project);
        // A set that is verified is kept: the newest of those that the kill left is not the last verified one.
        project.ok(&["backup", "verify", &last]);
        project.ok(&PRUNE);
        assert_eq!(names(&project, "20"), [last.as_str()], "killed after {moment:?}");
    }
    assert!(kills > 0, "all of them had ended before");
}

/// Waits until nobody is connected any more: what the killed one had sent to the server may still run there.
fn until_quiet(server: &Throwaway) {
    let others = "SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()";
    let deadline = Instant::now() + PATIENCE;
    while !query(&server.url("postgres"), others).is_empty() {
        assert!(Instant::now() < deadline, "what a kill left on the server goes on and on");
        thread::sleep(Duration::from_millis(5));
    }
}

/// The databases whose names begin so.
fn databases(server: &Throwaway, prefix: &str) -> Vec<String> {
    let prefix = quote_literal(prefix);
    let names = format!("SELECT datname FROM pg_database WHERE starts_with(datname, {prefix}) ORDER BY 1");
    query(&server.url("postgres"), &names)
}

fn drop_databases(server: &Throwaway, names: &[String]) {
    names
        .iter()
        .for_each(|name| execute(&server.url("postgres"), &format!("DROP DATABASE {}", quote_identifier(name))));
}

/// Restores once more; what a kill left is told, and the statement that removes it does.
fn restore_again(project: &Project, server: &Throwaway, arguments: &[&str]) {
    let left = databases(server, "dbops_restore_");
    let run = project.ok(arguments);
    for name in left {
        let statement = format!("DROP DATABASE {}", quote_identifier(&name));
        assert!(run.stderr.contains(&format!("a killed restore left the database {name} ")), "{run}");
        assert!(run.stderr.contains(&statement), "{run}");
        execute(&server.url("postgres"), &statement);
    }
    assert_eq!(databases(server, "dbops_restore_"), Vec::<String>::new());
}

#[test]
fn a_killed_restore_leaves_a_whole_database_or_none() {
    let server = server();
    let url = filled(&server, "live");
    let project = project(&url);
    back_up(&project);
    let whole = query(&url, STATE);
    let restore = ["restore", "latest", "app", "--into", "other \"one\""];
    let other = server.url(restore[4]);
    let mut kills = 0;
    let duration = duration(&project, &restore);
    for moment in moments(duration, 3) {
        drop_databases(&server, &databases(&server, "other"));
        let was_killed = killed_after(&project, &restore, moment);
        kills += u32::from(was_killed);
        until_quiet(&server);
        let is_there = !databases(&server, "other").is_empty();
        assert!(is_there || was_killed);
        if is_there {
            assert_eq!(query(&other, STATE), whole, "killed after {moment:?}");
            drop_databases(&server, &databases(&server, "other"));
        }
        restore_again(&project, &server, &restore);
        assert_eq!(query(&other, STATE), whole, "after one that was killed after {moment:?}");
    }
    assert!(kills > 0, "all of them had ended before");
    assert_eq!(query(&url, STATE), whole);
}

/// Does something while a database is seen to be there the whole time.
fn always_there<T>(server: &Throwaway, name: &str, work: impl FnOnce() -> T) -> T {
    struct Stop<'a>(&'a AtomicBool);
    impl Drop for Stop<'_> {
        fn drop(&mut self) {
            self.0.store(true, Ordering::Relaxed);
        }
    }
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        let stop = Stop(&is_over);
        let look = || {
            while !is_over.load(Ordering::Relaxed) {
                assert_eq!(databases(server, name).first().map(String::as_str), Some(name));
                thread::sleep(Duration::from_millis(2));
            }
        };
        let looking = scope.spawn(look);
        let done = work();
        drop(stop);
        looking.join().expect("the name is there all the time");
        done
    })
}

fn killed_swaps(option: &str) {
    const LIVE: &str = "live \"it's\"";
    let server = server();
    let url = filled(&server, LIVE);
    let project = project(&url);
    back_up(&project);
    let new = query(&url, STATE);
    execute(&url, "DELETE FROM items WHERE id > 9000; UPDATE owners SET name = 'changed' WHERE id = 7");
    let old = query(&url, STATE);
    let (live, maintenance) = (quote_identifier(LIVE), server.url("postgres"));
    execute(&maintenance, &format!("CREATE DATABASE old TEMPLATE {live}"));
    let restore = ["restore", "latest", "app", option];
    let duration = duration(&project, &restore);
    let mut kills = 0;
    for moment in moments(duration, 2) {
        drop_databases(&server, &databases(&server, "live"));
        execute(&maintenance, &format!("CREATE DATABASE {live} TEMPLATE old"));
        let was_killed = always_there(&server, LIVE, || killed_after(&project, &restore, moment));
        kills += u32::from(was_killed);
        until_quiet(&server);
        let found = query(&url, STATE);
        let is_swapped = found == new;
        assert!(found == old && was_killed || is_swapped, "killed after {moment:?}: {found:?}");
        let kept = databases(&server, LIVE).len() == 2;
        // Overwritten, what was live is kept until it is dropped, and a kill may come before.
        assert!(kept == is_swapped || option == "--overwrite" && is_swapped, "killed after {moment:?}");
        if kept {
            project.ok(&["restore", "--undo-swap", "app"]);
            assert_eq!(query(&url, STATE), old, "killed after {moment:?}");
        }
        until_quiet(&server);
        restore_again(&project, &server, &restore);
        assert_eq!(query(&url, STATE), new, "after one that was killed after {moment:?}");
        if option == "--swap" {
            project.ok(&["restore", "--undo-swap", "app"]);
            assert_eq!(query(&url, STATE), old);
        }
    }
    assert!(kills > 0, "all of them had ended before");
}

#[test]
fn a_killed_swap_leaves_the_old_rows_or_the_new_ones() {
    killed_swaps("--swap");
}

#[test]
fn a_killed_overwriting_leaves_the_old_rows_or_the_new_ones() {
    killed_swaps("--overwrite");
}
