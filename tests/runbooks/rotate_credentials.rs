//! `rotate-credentials.sh`: a password that is known to others.

use dbops_postgres::{ConnectErrorKind, DatabaseUrl, connect};

use super::{done, in_front_of_dbops, stopped};
use crate::project::{Held, execute, query};
use crate::stack::Stack;

const KNOWN: &str = "known to others, alas";
const NEW: &str = r#"it's a "new" pass\word: 100%"#;
const OWN: &str = "what dbops itself has from now on";

fn login(stack: &Stack, role: &str, password: &str) -> DatabaseUrl {
    let revealed = stack.url("bot_db").reveal();
    let (_, place) = revealed.rsplit_once('@').expect("a password");
    DatabaseUrl::parse(&format!("postgresql://{role}@{place}"), "postgres").expect("a URL").with_password(password)
}

fn is_refused(url: &DatabaseUrl) -> bool {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    match runtime.block_on(connect(url)) {
        Ok(_) => false,
        Err(error) => {
            assert_eq!(error.kind, ConnectErrorKind::Password, "{error}");
            true
        }
    }
}

/// A stack whose application logs in as `bot`, and whose server logs every statement.
fn stack() -> Stack {
    let stack = Stack::filled();
    let bot = format!("CREATE ROLE bot LOGIN PASSWORD '{KNOWN}'; GRANT ALL ON ALL TABLES IN SCHEMA public TO bot");
    execute(&stack.url("bot_db"), &bot);
    execute(&stack.url("postgres"), "ALTER SYSTEM SET log_statement = 'all'");
    execute(&stack.url("postgres"), "SELECT pg_reload_conf()");
    for (name, password) in [("known", KNOWN), ("new", NEW), ("own", OWN), ("short", "too short")] {
        stack.project.write(&format!("{name}.password"), &format!("{password}\n"));
    }
    stack
}

fn log(stack: &Stack) -> String {
    query(&stack.url("postgres"), "SELECT pg_read_file(current_setting('data_directory') || '/../log')").join("\n")
}

/// The command line with these files.
fn rotate(new: &str, old: &str, rest: &str) -> String {
    format!("NEW_PASSWORD_FILE={new}.password OLD_PASSWORD_FILE={old}.password rotate-credentials.sh bot_db {rest}")
}

#[test]
fn the_application_takes_another_role_and_the_known_password_is_refused() {
    let stack = stack();
    let project = &stack.project;
    let known = login(&stack, "bot", KNOWN);
    assert!(!is_refused(&known), "the fault");
    stopped(project, &rotate("short", "known", "bot"), 2, &["a password has at least 16 characters"]);
    stopped(project, &rotate("new", "known", "nobody"), 2, &["there is no role nobody", "--like OTHER"]);

    done(project, &rotate("new", "known", "bot_2 --like bot"));
    let other = login(&stack, "bot_2", NEW);
    let roles = query(&other, "SELECT session_user, current_user, count(*) > 0 FROM users");
    assert_eq!(roles, ["bot_2|bot|t"]);
    // A role for the next time is like the first one, and not like the one before it.
    done(project, &rotate("new", "known", "bot_3 --like bot_2"));
    assert_eq!(query(&login(&stack, "bot_3", NEW), "SELECT current_user"), ["bot"]);

    // An application that has had the superuser's name until now.
    done(project, &rotate("new", "known", "backend --like postgres"));
    assert_eq!(query(&login(&stack, "backend", NEW), "SELECT session_user, current_user"), ["backend|postgres"]);

    let session = Held::new(&known.clone().with_application_name("backend"), "SELECT 1");
    let said = ["bot has 1 sessions, whose next login would fail", "--like bot makes one"];
    stopped(project, &rotate("new", "known", "bot"), 4, &said);
    assert!(!is_refused(&known), "nothing was changed");
    done(project, &rotate("new", "known", "bot --in-use"));
    session.commit("SELECT 1");
    assert!(is_refused(&known));
    assert!(!is_refused(&login(&stack, "bot", NEW)));
    let again = done(project, &rotate("new", "known", "bot"));
    assert!(again.stdout.contains("the new password is in force already"), "{again}");

    // The server is gone when the old password is tried: nobody has refused it.
    let gone = r#"
case "$*" in *connect*)
    if [ -e tried ]; then export DATABASE_URL_SYNC=postgresql://nobody@127.0.0.1:1/nowhere; fi
    touch tried ;;
esac
exec DBOPS "$@""#;
    let line = format!("{} {}", in_front_of_dbops(project, gone), rotate("new", "known", "bot"));
    let run = stopped(project, &line, 1, &["stopped at: try the old password", "this is no refusal of the password"]);
    assert!(run.stdout.contains("127.0.0.1:1") && !run.stdout.contains("with the new password only"), "{run}");
    stopped(project, &rotate("none", "known", "bot"), 2, &["NEW_PASSWORD_FILE is none.password, which is no file"]);

    let log = log(&stack);
    assert!(log.contains("SCRAM-SHA-256$"), "statements are logged: {log}");
    assert!(!log.contains("\"new\" pass"), "{log}");
}

#[test]
fn the_role_of_dbops_gets_its_password_in_two_runs() {
    let mut stack = stack();
    let line = rotate("own", "known", "postgres");
    let said =
        ["postgres has the new password", "put the new password where the configuration takes that of bot_db from"];
    stopped(&stack.project, &line, 1, &said);
    let said = ["stopped at: log in to bot_db as dbops does", "When an earlier run has changed the password of dbops"];
    stopped(&stack.project, &line, 1, &said);
    let own = login(&stack, "postgres", OWN);
    stack.project = stack.project.env("DATABASE_URL_SYNC", &own.reveal());
    let run = done(&stack.project, &line);
    assert!(run.stdout.contains("postgres gets in with the new password only"), "{run}");
}

#[test]
fn a_server_that_asks_for_no_password_is_found() {
    let stack = stack();
    let superuser = stack.url("postgres");
    let file = query(&superuser, "SHOW hba_file").remove(0);
    execute(&superuser, &format!("COPY (SELECT 'host all all 127.0.0.1/32 trust') TO '{file}'"));
    execute(&superuser, "SELECT pg_reload_conf()");
    stopped(&stack.project, &rotate("new", "known", "bot"), 1, &["another password than the new one opens the door"]);
}
