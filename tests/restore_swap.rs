//! `dbops restore --swap`, `--undo-swap`, `--overwrite`: what is live is there until what replaces it is whole.

use std::fs;

use dbops_postgres::{DatabaseUrl, quote_identifier};
use dbops_testbed::{create_database, superuser_url, unique};
use serde_json::{Value, json};

use crate::backup::{back_up, sample};
use crate::project::{Held, Project, execute, query};

fn oid(name: &str) -> String {
    let literal = dbops_postgres::quote_literal(name);
    let found = query(&superuser_url(), &format!("SELECT oid FROM pg_database WHERE datname = {literal}"));
    found.into_iter().next().unwrap_or_default()
}

/// A database with a name that needs quotes, a backup of it, and a change since.
fn changed() -> (Project, DatabaseUrl) {
    let url = superuser_url().with_database(&unique("Swap \"it's\""));
    execute(&superuser_url(), &format!("CREATE DATABASE {}", quote_identifier(url.database())));
    execute(&url, "CREATE TABLE t AS SELECT generate_series(1, 5) AS id");
    let project = Project::with_database(&url);
    back_up(&project);
    execute(&url, "DELETE FROM t WHERE id > 2");
    (project, url)
}

fn count(url: &DatabaseUrl) -> Vec<String> {
    query(url, "SELECT count(*) FROM t")
}

#[test]
fn what_is_restored_takes_the_place_of_the_live_one_and_gives_it_back() {
    let (project, url) = changed();
    let name = quote_identifier(url.database());
    let role = unique("connects");
    execute(&superuser_url(), &format!("CREATE ROLE {role}"));
    execute(
        &superuser_url(),
        &format!("GRANT CONNECT ON DATABASE {name} TO {role}; ALTER DATABASE {name} SET work_mem = '7MB'"),
    );
    execute(
        &superuser_url(),
        &format!(
            "ALTER DATABASE {name} SET search_path = \"$user\", \"a,b\", public; COMMENT ON DATABASE {name} IS 'ours'"
        ),
    );
    let place = "SELECT datacl, (SELECT setconfig FROM pg_db_role_setting WHERE setdatabase = d.oid), \
                 shobj_description(d.oid, 'pg_database') FROM pg_database AS d WHERE datname = current_database()";
    let (before, live) = (query(&url, place), oid(url.database()));

    let swapped = project.json(0, &["restore", "latest", "app", "--swap"]);
    let kept = swapped["targets"][0]["kept"].as_str().expect("a name").to_owned();
    assert_eq!(swapped["targets"][0]["differences"], json!([]));
    assert_eq!((count(&url), count(&url.with_database(&kept))), (vec!["5".into()], vec!["2".into()]));
    assert_eq!(oid(&kept), live);
    assert_eq!(query(&url, place), before, "owner, privileges and settings are those of the live one");

    // And back, and forth again.
    let undone = project.json(0, &["restore", "--undo-swap", "app"]);
    assert_eq!(undone["targets"][0]["from"], json!(kept));
    assert_eq!((count(&url), oid(url.database())), (vec!["2".into()], live.clone()));
    project.ok(&["restore", "--undo-swap", "app"]);
    assert_eq!(count(&url), ["5"]);
    let run = project.run(&["restore", "--undo-swap"]);
    assert!(run.code == 2 && run.stderr.contains("dbops restore --undo-swap TARGET"), "{run}");
}

#[test]
fn an_overwritten_database_is_gone_and_nothing_else() {
    let (project, url) = changed();
    let live = oid(url.database());
    let done = project.json(0, &["restore", "latest", "app", "--overwrite"]);
    assert_eq!(done["targets"][0]["kept"], Value::Null);
    assert_eq!(count(&url), ["5"]);
    let query_all = format!("SELECT count(*) FROM pg_database WHERE oid = {live}");
    assert_eq!(query(&superuser_url(), &query_all), ["0"]);
    let run = project.run(&["restore", "--undo-swap", "app"]);
    assert!(run.code == 1 && run.stderr.contains("has given its name to"), "{run}");
}

#[test]
fn sessions_are_in_the_way_unless_they_may_be_ended() {
    let (project, url) = changed();
    let session = Held::new(&url, "SELECT 1");
    for arguments in [&["restore", "latest", "app", "--swap"][..], &["restore", "latest", "app", "--overwrite"]] {
        let run = project.run(arguments);
        assert_eq!(run.code, 4, "{run}");
        assert!(run.stderr.contains("is in use by 1 session: ") && run.stderr.contains("with --disconnect"), "{run}");
    }
    assert_eq!(count(&url), ["2"]);
    project.ok(&["restore", "latest", "app", "--swap", "--disconnect"]);
    assert_eq!(count(&url), ["5"]);
    drop(session);
    // One that comes while it is restored: what was restored is not thrown away.
    execute(&url, "CREATE TABLE slow AS SELECT md5(n::text) FROM generate_series(1, 3) AS n");
    execute(&url, "CREATE FUNCTION waits() RETURNS int LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(2); RETURN 1; END'");
    execute(&url, "CREATE MATERIALIZED VIEW v AS SELECT waits()");
    back_up(&project);
    let restore = project.command(&["restore", "latest", "app", "--swap"]).spawn().expect("dbops starts");
    while query(
        &superuser_url(),
        "SELECT 1 FROM pg_stat_activity WHERE datname ~ '^dbops_restore_' AND wait_event = 'PgSleep'",
    )
    .is_empty()
    {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    let session = Held::new(&url, "SELECT 1");
    let output = restore.wait_with_output().expect("dbops ends");
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("what was restored is whole, as database ") && said.contains("--undo-swap"), "{said}");
    let run = project.run(&["restore", "--undo-swap", "app"]);
    assert!(run.code == 1 && run.stderr.contains("it is in use by 1 session: "), "{run}");
    drop(session);
    project.ok(&["restore", "--undo-swap", "app"]);
    assert_eq!(query(&url, "SELECT count(*) FROM slow"), ["3"]);
}

/// What does not come out as it was dumped never takes the place of anything.
#[test]
fn a_backup_that_differs_does_not_take_the_place() {
    let (project, url) = changed();
    // The rows of the dump are those of the snapshot; a domain's check that fills another table is not among them.
    execute(
        &url,
        "CREATE TABLE filled (id int); CREATE FUNCTION fill() RETURNS bool LANGUAGE plpgsql AS \
         'BEGIN INSERT INTO public.filled VALUES (1); RETURN true; END'; \
         CREATE TABLE zz (id int CHECK (public.fill())); INSERT INTO zz VALUES (1); TRUNCATE filled",
    );
    back_up(&project);
    let live = oid(url.database());
    let run = project.run(&["restore", "latest", "app", "--swap", "--jobs", "1"]);
    assert_eq!(run.code, 1, "{run}");
    assert!(run.stderr.contains("is as it was, for what was restored is not what was dumped: "), "{run}");
    assert!(run.stderr.contains("\"filled\" has 1 row"), "{run}");
    assert_eq!(oid(url.database()), live);
}

#[test]
fn owners_are_kept_mapped_or_dropped_and_missing_roles_made() {
    let url = create_database("owners");
    let role = unique("owner \"of\" t");
    let quoted = quote_identifier(&role);
    execute(
        &url,
        &format!("CREATE ROLE {quoted} NOLOGIN CREATEDB; CREATE TABLE t (id int); ALTER TABLE t OWNER TO {quoted}"),
    );
    let project = Project::with_database(&url);
    let id = back_up(&project);
    let other = unique("other");
    execute(&superuser_url(), &format!("CREATE ROLE {other}"));
    let owner = |name: &str| query(&url.with_database(name), "SELECT tableowner FROM pg_tables WHERE tablename = 't'");
    let restore = |code: i32, more: &[&str]| {
        let into = unique("owners");
        let run = project.run(&[&["restore", &id, "app", "--into", &into][..], more].concat());
        assert_eq!(run.code, code, "{more:?}: {run}");
        (into, run)
    };
    let (kept, _) = restore(0, &[]);
    assert_eq!(owner(&kept), [role.as_str()]);
    execute(&superuser_url(), &format!("DROP DATABASE {kept}"));
    assert_eq!(owner(&restore(0, &["--no-owner"]).0), ["postgres"]);
    assert_eq!(owner(&restore(0, &["--role", &other]).0), [other.as_str()]);
    let (_, run) = restore(2, &["--role", "nobody at all"]);
    assert!(run.stderr.contains("has no role `nobody at all`"), "{run}");

    execute(&url, &format!("ALTER TABLE t OWNER TO postgres; DROP ROLE {quoted}"));
    let (_, run) = restore(4, &[]);
    assert!(run.stderr.contains("create them with --create-roles, or do without: --no-owner"), "{run}");
    let (into, run) = restore(0, &["--create-roles"]);
    assert!(run.stdout.contains("created the roles "), "{run}");
    assert_eq!(owner(&into), [role.as_str()]);
    let attributes =
        format!("SELECT rolcreatedb FROM pg_roles WHERE rolname = {}", dbops_postgres::quote_literal(&role));
    assert_eq!(query(&url, &attributes), ["t"], "as it was");
}

#[test]
fn a_table_comes_with_what_belongs_to_it() {
    let url = sample("table");
    execute(
        &url,
        "CREATE SCHEMA \"a b\"; CREATE TYPE \"a b\".mood AS ENUM ('x'); \
         CREATE TABLE \"a b\".t (id serial PRIMARY KEY, m \"a b\".mood, c int CHECK (c > 0)); \
         CREATE INDEX t_m ON \"a b\".t (m); INSERT INTO \"a b\".t (m) VALUES ('x'), ('x'); \
         CREATE TABLE u (id int REFERENCES \"a b\".t)",
    );
    let project = Project::with_database(&url);
    back_up(&project);
    let into = unique("table");
    let done = project.json(0, &["restore", "latest", "app", "--into", &into, "--table", "a b.t"]);
    assert_eq!((&done["targets"][0]["tables"], &done["targets"][0]["differences"]), (&json!(1), &json!([])));
    let copy = url.with_database(&into);
    assert_eq!(query(&copy, "SELECT indexname FROM pg_indexes WHERE schemaname = 'a b' ORDER BY 1"), ["t_m", "t_pkey"]);
    execute(&copy, "INSERT INTO \"a b\".t (m) VALUES ('x')");
    assert_eq!(query(&copy, "SELECT max(id) FROM \"a b\".t"), ["3"], "the sequence goes on");
    let run = project.ok(&["restore", "latest", "app", "--into", &unique("table"), "--table", "u"]);
    assert!(
        run.stderr.contains("left out, for it needs a table that is not restored: FK CONSTRAINT public u"),
        "{run}"
    );
    for (arguments, message) in [
        (&["--table", "none"][..], "does not hold the table public.none"),
        (&["--table", "a.b.c"], "--table takes [SCHEMA.]NAME"),
        (&["--table", "u", "--swap"], "cannot take the place of a whole database"),
    ] {
        let run = project.run(&[&["restore", "latest", "app", "--into", &unique("table")][..], arguments].concat());
        assert!(run.code == 2 && run.stderr.contains(message), "{run}");
    }
}

#[test]
fn a_part_finds_its_schema_and_extension() {
    let url = create_database("part");
    execute(&url, "CREATE EXTENSION vector; CREATE SCHEMA s; CREATE TABLE s.t AS SELECT '[1,2]'::vector AS v");
    let project = Project::with_database(&url);
    project.ok(&["backup", "--table", "s.t"]);
    let id = project.json(0, &["backup", "list"])["backups"][0]["id"].as_str().expect("an id").to_owned();
    let into = unique("part");
    project.ok(&["restore", &id, "app", "--into", &into]);
    assert_eq!(query(&url.with_database(&into), "SELECT v FROM s.t"), ["[1,2]"]);
}

#[test]
fn folders_and_tar_files_are_archives_too() {
    let url = sample("forms");
    let project = Project::with_database(&url);
    project.ok(&["backup", "--format", "directory", "--jobs", "2"]);
    let done = project.json(0, &["restore", "latest", "app", "--into", &unique("forms"), "--jobs", "3"]);
    assert_eq!(done["targets"][0]["differences"], json!([]));
    for format in ["tar", "directory"] {
        let path = project.path(format);
        let mut command = dbops_postgres::process::command(dbops_testbed::installation().program("pg_dump"));
        command.arg("--format").arg(format).arg("--file").arg(&path).arg(url.reveal());
        assert!(command.status().expect("pg_dump").success());
        let into = unique("forms");
        project.ok(&["restore", &format!("./{format}"), "app", "--into", &into]);
        assert_eq!(query(&url.with_database(&into), "SELECT count(*) FROM players"), ["50"], "{format}");
    }
    fs::create_dir(project.path("nothing")).expect("a folder");
    let run = project.run(&["restore", "./nothing", "app", "--into", &unique("forms")]);
    assert!(run.code == 2 && run.stderr.contains("it is a folder without toc.dat"), "{run}");
}
