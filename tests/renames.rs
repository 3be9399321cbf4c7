//! What has another name and keeps what it holds: by the command line, by comments, by an answer on a terminal.

use std::fs;

use dbops_postgres::{DatabaseUrl, process};

use crate::project::{Project, execute, query};

const BEFORE: &str = "CREATE TYPE mood AS ENUM ('ok', 'bad');\n\
    CREATE TABLE users (id serial PRIMARY KEY, name text UNIQUE, mood mood, CONSTRAINT sane CHECK (id > 0));\n\
    CREATE INDEX users_mood ON users (mood);\n";

/// Another name for everything in it.
const AFTER: &str = "CREATE TYPE mood AS ENUM ('fine', 'bad');\n\
    CREATE TABLE accounts (id serial PRIMARY KEY, full_name text UNIQUE, mood mood, CONSTRAINT sound CHECK (id > 0));\n\
    CREATE INDEX accounts_mood ON accounts (mood);\n";

/// A project whose database has [`BEFORE`] and a row.
fn project() -> (Project, DatabaseUrl) {
    let url = dbops_testbed::create_database("renames");
    let project = Project::empty().env("APP_URL", &url.reveal());
    project.write(
        "dbops.yaml",
        "version: 1\ntargets:\n  app:\n    kind: postgres\n    url: ${APP_URL}\n    versions: versions\n    schema: \
         schema.sql\n",
    );
    project.revision("aaaa1111", "", BEFORE, "DROP TABLE users; DROP TYPE mood;");
    project.ok(&["migrate"]);
    execute(&url, "INSERT INTO users (name, mood) VALUES ('Ada', 'ok')");
    (project, url)
}

const AUTOGENERATE: [&str; 5] = ["migrate", "revision", "--autogenerate", "-m", "give things their names"];

/// The newest revision's SQL.
fn written(project: &Project) -> String {
    let entries = fs::read_dir(project.path("versions")).expect("revisions");
    let newest = entries
        .map(|entry| entry.expect("a file").path())
        .max_by_key(|path| path.metadata().and_then(|it| it.modified()).expect("a time"));
    fs::read_to_string(newest.expect("a revision")).expect("a revision")
}

#[test]
fn everything_can_have_another_name_and_keeps_its_rows() {
    let (project, url) = project();
    // A part may be told by its table's old name. The last one was done long ago.
    project.write(
        "schema.sql",
        &format!(
            "-- dbops:rename users=accounts\n-- dbops:rename users.name=full_name\n-- dbops:rename users.old=full_name\n\
             {AFTER}-- dbops:rename mood.ok=fine\n"
        ),
    );
    project.ok(&AUTOGENERATE);
    let text = written(&project);
    for part in [
        r#"ALTER TABLE public.users RENAME COLUMN name TO "full_name";"#,
        r#"ALTER TABLE public.users RENAME TO "accounts";"#,
        "ALTER TYPE public.mood RENAME VALUE 'ok' TO 'fine';",
        "ALTER TABLE public.accounts RENAME CONSTRAINT sane TO sound;",
        "ALTER INDEX public.users_mood RENAME TO accounts_mood;",
        "ALTER SEQUENCE public.users_id_seq RENAME TO accounts_id_seq;",
        "RENAME CONSTRAINT users_name_key TO accounts_full_name_key;",
        "ALTER TYPE public.mood RENAME VALUE 'fine' TO 'ok';",
    ] {
        assert!(text.contains(part), "no `{part}` in\n{text}");
    }
    for part in ["DROP", "CREATE", "loses data", "SET DEFAULT"] {
        assert!(!text.contains(part), "`{part}` in\n{text}");
    }
    project.ok(&["migrate"]);
    assert_eq!(query(&url, "SELECT id, full_name, mood FROM accounts"), ["1|Ada|fine"]);
    // The comments stay, and do no harm.
    assert_eq!(project.ok(&["schema", "drift"]).stdout, "app: equal to schema.sql\n");
    assert!(project.json(0, &AUTOGENERATE)["revision"].is_null());
    project.ok(&["migrate", "downgrade", "-1", "--yes"]);
    assert_eq!(query(&url, "SELECT id, name, mood FROM users"), ["1|Ada|ok"]);
}

#[test]
fn a_difference_can_have_renames_too() {
    let (project, url) = project();
    project.write("schema.sql", AFTER);
    let renames = ["--rename", "users.name=full_name", "--rename", "users=accounts", "--rename", "mood.ok=fine"];
    let diff = project.ok(&[&["schema", "diff", "--from", "app", "--to", "schema.sql"], &renames[..]].concat());
    assert!(diff.stdout.contains(r#"ALTER TABLE public.users RENAME TO "accounts";"#), "{}", diff.stdout);
    assert!(!diff.stdout.contains("DROP"), "{}", diff.stdout);
    execute(&url, &diff.stdout);
    assert_eq!(query(&url, "SELECT id, full_name, mood FROM accounts"), ["1|Ada|fine"]);
    assert_eq!(project.ok(&["schema", "diff", "--from", "app", "--to", "schema.sql"]).stdout, "");
}

#[test]
fn a_name_that_says_nothing_is_refused() {
    let (project, _) = project();
    // What is added to the declared schema, further arguments, the exit code and what is said.
    let cases: [(&str, &[&str], i32, &str); 6] = [
        (
            "\n-- dbops:rename users.nome=full_name",
            &[],
            2,
            "PROJECT/schema.sql:4: `dbops:rename users.nome=full_name` is",
        ),
        ("-- dbops:rename users.name", &[], 2, "PROJECT/schema.sql:4: the comment has no OLD=NEW"),
        ("-- dbops:rename users.name=nothing", &[], 2, "is about nothing that is there or declared"),
        ("", &["--rename", "mood.good=fine"], 2, "there is nothing of the name `mood.good`"),
        ("", &["--rename", "mood.ok"], 2, "there is no `OLD=NEW` in it"),
        ("", &[], 4, "--rename users=accounts"),
    ];
    for (text, arguments, code, message) in cases {
        let text = if text.starts_with('\n') { text.trim_start().to_owned() } else { text.to_owned() };
        project.write("schema.sql", &format!("{}{text}\n", AFTER.replace("full_name", "name")));
        let run = project.run(&[&AUTOGENERATE[..], arguments].concat());
        assert!(run.code == code && run.stderr.contains(message), "{text} {arguments:?}: no `{message}`: {run}");
    }
    // A label goes without loss, and may have another name all the same.
    project.write("schema.sql", &BEFORE.replace("'ok'", "'fine'"));
    let run = project.ok(&AUTOGENERATE);
    assert!(run.stderr.contains("if it has another name now, add `--rename mood.ok=fine`"), "{run}");
}

/// Runs a command on a terminal of its own, gives each question an answer, and prints what stood there.
const TERMINAL: &str = r#"
import os, pty, sys
answers = sys.argv[1].split(",")
pid, terminal = pty.fork()
if pid == 0:
    os.execvp(sys.argv[2], sys.argv[2:])
text = b""
while True:
    try:
        piece = os.read(terminal, 65536)
    except OSError:
        break
    if not piece:
        break
    text += piece
    if text.count(b"[y/N] ") > len(sys.argv[1].split(",")) - len(answers) and answers:
        os.write(terminal, answers.pop(0).encode() + b"\n")
sys.stdout.buffer.write(text)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
"#;

#[test]
fn a_terminal_is_asked_what_has_another_name() {
    let (project, url) = project();
    project.write("schema.sql", AFTER);
    project.write("terminal.py", TERMINAL);
    let plain = project.command(&[]);
    let mut command = process::command("python3");
    command.args([project.path("terminal.py").to_str().expect("UTF-8"), "y,y,y", env!("CARGO_BIN_EXE_dbops")]);
    command.args(AUTOGENERATE).current_dir(project.path("")).env_clear();
    command.envs(plain.get_envs().filter_map(|(name, value)| Some((name, value?)))).env("NO_COLOR", "1");
    let output = command.output().expect("python3");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}");
    for question in [
        "Is `ok` of enum public.mood called `fine` now, and keeps what it holds? [y/N]",
        "Is table public.users called `accounts` now",
        "Is column public.accounts.name called `full_name` now",
    ] {
        assert!(text.contains(question), "no `{question}` in\n{text}");
    }
    project.ok(&["migrate"]);
    assert_eq!(query(&url, "SELECT id, full_name, mood FROM accounts"), ["1|Ada|fine"]);
}
