//! `dbops migrate` broken off at each statement: whatever was left, the next runs lead to the same database.

use std::thread;

use dbops_postgres::DatabaseUrl;
use dbops_testbed::create_database;

use crate::project::{Held, Project, is_exhaustive, query, until_waiting};
use crate::proxy::{Break, Proxy};

/// Twenty revisions: most in a transaction, some without, with a branch and its merge. None can run twice unnoticed.
fn project(url: &DatabaseUrl) -> Project {
    let project = Project::with_database(url);
    let write = |number: usize, parents: &str, options: &str, up: &str, down: &str| {
        let id = format!("r{number:03}");
        let header = format!("-- revision: {id}\n-- revises: {parents}\n-- message: step {number}\n{options}");
        project.write(&format!("versions/{id}.sql"), &format!("{header}\n-- +up\n{up}\n-- +down\n{down}\n"));
    };
    let off = "-- transaction: off";
    write(
        0,
        "",
        "",
        "CREATE TABLE steps (number int, note text);\nCREATE TABLE wide (id int PRIMARY KEY, n int DEFAULT 0, v int);\n\
         INSERT INTO wide SELECT g, 0, g % 10 FROM generate_series(1, 250) g;\n\
         CREATE TABLE parted (a int) PARTITION BY LIST (a);\nCREATE TABLE part_1 PARTITION OF parted FOR VALUES IN (1);",
        "DROP TABLE parted;\nDROP TABLE wide;\nDROP TABLE steps;",
    );
    let alone = [
        ("CREATE INDEX CONCURRENTLY wide_v ON wide (v);", "DROP INDEX CONCURRENTLY wide_v;"),
        (
            "INSERT INTO steps VALUES (-1, 'once');\nREINDEX INDEX CONCURRENTLY wide_v;\nINSERT INTO steps VALUES (-2, 'once');",
            "DELETE FROM steps WHERE number IN (-1, -2);",
        ),
        (
            "SET search_path = pg_catalog;\nVACUUM public.wide;\nINSERT INTO public.steps VALUES (-3, current_setting('search_path'));",
            "DELETE FROM steps WHERE number = -3;",
        ),
        (
            "-- +batch table=wide key=id size=100\nUPDATE wide SET n = n + 1 WHERE dbops_batch(wide);\n-- +end",
            "UPDATE wide SET n = n - 1;",
        ),
        (
            "ALTER TABLE parted DETACH PARTITION part_1 CONCURRENTLY;\nINSERT INTO steps VALUES (-4, 'once');",
            "ALTER TABLE parted ATTACH PARTITION part_1 FOR VALUES IN (1);\nDELETE FROM steps WHERE number = -4;",
        ),
        (
            "DROP INDEX CONCURRENTLY wide_v;\nCREATE UNIQUE INDEX CONCURRENTLY wide_n ON wide (id, n);",
            "DROP INDEX CONCURRENTLY wide_n;\nCREATE INDEX CONCURRENTLY wide_v ON wide (v);",
        ),
    ];
    for number in 1..20 {
        let parents = match number {
            8 => "r006".to_owned(),
            9 => "r007, r008".to_owned(),
            _ => format!("r{:03}", number - 1),
        };
        if number % 3 == 0 {
            let (up, down) = alone[number / 3 - 1];
            write(number, &parents, off, up, down);
        } else {
            let up = format!(
                "CREATE TABLE t{number} (a int);\nINSERT INTO steps VALUES ({number}, 'up');\nUPDATE wide SET v = v + 1;"
            );
            let down = format!(
                "UPDATE wide SET v = v - 1;\nDELETE FROM steps WHERE number = {number};\nDROP TABLE t{number};"
            );
            write(number, &parents, "", &up, &down);
        }
    }
    project
}

/// All that a database holds: version rows, data, schema, invalid indexes.
fn state(project: &Project, url: &DatabaseUrl) -> Vec<String> {
    let mut state = query(
        url,
        "SELECT version_num FROM alembic_version ORDER BY 1; SELECT indexrelid::regclass FROM pg_index WHERE NOT indisvalid",
    );
    if !query(url, "SELECT 1 FROM pg_tables WHERE tablename = 'steps'").is_empty() {
        state.extend(query(url, "SELECT * FROM steps ORDER BY 1; SELECT sum(n), max(n), sum(v) FROM wide"));
    }
    state.push(project.ok(&["schema", "dump", "app"]).stdout);
    state.push(query(url, "SELECT count(*) FROM dbops.migration_unfinished").concat());
    state
}

/// Goes on as the messages say, until nothing is left to do.
fn recover(project: &Project, arguments: &[&str]) {
    for _ in 0..4 {
        let run = project.run(arguments);
        match run.code {
            0 => return,
            4 if run.stderr.contains("`dbops migrate resume`") => drop(project.ok(&["migrate", "resume"])),
            _ => panic!("{run}"),
        }
    }
    panic!("it is never done");
}

/// Runs a command through a proxy that breaks off; gives the number of statements that passed.
fn broken_off(url: &DatabaseUrl, arguments: &[&str], at: usize, what: Break) -> usize {
    let proxy = Proxy::new(url, at, what);
    let through = format!("postgresql://postgres@127.0.0.1:{}/{}", proxy.port, url.database());
    let through = match url.reveal().split_once('@').and_then(|(user, _)| user.split_once("://")) {
        Some((_, user)) => through.replace("postgres@", &format!("{user}@")),
        None => through,
    };
    let project = project(&DatabaseUrl::parse(&through, "postgres").expect("a URL"));
    let child = project.command(arguments).spawn().expect("start");
    proxy.watch(child.id());
    let output = child.wait_with_output().expect("end");
    let code = output.status.code();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let is_expected = if at == usize::MAX { code == Some(0) } else { matches!(code, None | Some(0 | 1)) };
    assert!(is_expected && !said.contains("panicked"), "{what:?} at {at}: {code:?}\n{said}");
    proxy.passed()
}

fn break_everywhere(first: &[&str], arguments: &[&str], stride: usize) {
    let start = || {
        let url = create_database("broken");
        if !first.is_empty() {
            project(&url).ok(first);
        }
        url
    };
    let undisturbed = start();
    let statements = broken_off(&undisturbed, arguments, usize::MAX, Break::Cut);
    let expected = state(&project(&undisturbed), &undisturbed);
    let stride = if is_exhaustive() { 1 } else { stride };
    let modes = [Break::Cut, Break::CutAfter, Break::Kill, Break::KillAfter];
    let cases: Vec<_> = modes
        .iter()
        .enumerate()
        .flat_map(|(offset, what)| (offset * stride / modes.len()..statements).step_by(stride).map(|at| (at, *what)))
        .collect();
    assert!(cases.len() >= modes.len(), "{statements} statements");
    let halves: Vec<Vec<_>> = (0..2).map(|half| cases.iter().skip(half).step_by(2).copied().collect()).collect();
    thread::scope(|scope| {
        for half in &halves {
            let (start, expected) = (&start, &expected);
            scope.spawn(move || {
                for (at, what) in half {
                    let url = start();
                    broken_off(&url, arguments, *at, *what);
                    let project = project(&url);
                    recover(&project, arguments);
                    assert_eq!(&state(&project, &url), expected, "{what:?} at {at} of {statements}");
                }
            });
        }
    });
}

#[test]
fn an_upgrade_broken_off_anywhere_can_be_completed() {
    break_everywhere(&[], &["migrate", "upgrade", "heads"], 19);
}

#[test]
fn a_downgrade_broken_off_anywhere_can_be_completed() {
    break_everywhere(&["migrate", "upgrade", "heads"], &["migrate", "downgrade", "base", "--yes"], 37);
}

#[test]
fn ten_at_once_run_each_revision_once() {
    let url = create_database("ten");
    let project = project(&url);
    let runs: Vec<_> = (0..10).map(|_| project.command(&["migrate"]).spawn().expect("start")).collect();
    let outputs: Vec<_> = runs.into_iter().map(|run| run.wait_with_output().expect("end")).collect();
    let said: Vec<_> = outputs.iter().map(|output| String::from_utf8_lossy(&output.stderr).into_owned()).collect();
    assert!(outputs.iter().all(|output| output.status.success()), "{said:?}");
    let did_nothing = said.iter().filter(|said| said.contains("app: nothing to do")).count();
    assert_eq!((did_nothing, said.iter().filter(|said| said.contains("app: + r019")).count()), (9, 1), "{said:?}");
    assert_eq!(query(&url, "SELECT count(*), count(DISTINCT revision) FROM dbops.migration_log"), ["20|20"]);
}

/// Of a procedure that commits, nobody can tell whether it ran.
#[test]
fn what_cannot_be_known_is_asked() {
    for (flag, expected) in [("--rerun", "2"), ("--skip", "1")] {
        let url = create_database("broken");
        let project = Project::with_database(&url);
        project.revision(
            "aaaa1111",
            "",
            "CREATE TABLE done (a int); CREATE PROCEDURE p() LANGUAGE plpgsql AS $$ BEGIN INSERT INTO done VALUES (1); COMMIT; PERFORM pg_advisory_xact_lock(1); END $$;",
            "-- none",
        );
        project.ok(&["migrate"]);
        project.write(
            "versions/bbbb2222.sql",
            "-- revision: bbbb2222\n-- revises: aaaa1111\n-- message: call p\n-- transaction: off\n-- +up\nSELECT 1;\nCALL p();\nSELECT 2;\n-- +down\n-- none\n",
        );
        let gate = Held::new(&url, "SELECT pg_advisory_xact_lock(1)");
        let mut child = project.command(&["migrate"]).spawn().expect("start");
        until_waiting(&url, |sessions| sessions == 1);
        child.kill().expect("kill -9");
        child.wait().expect("end");
        drop(gate);
        let run = project.run(&["migrate", "resume"]);
        assert!(run.code == 4 && run.stderr.contains("whether it took effect cannot be told"), "{run}");
        assert!(run.stderr.contains("versions/bbbb2222.sql:7\n") && run.stderr.contains("CALL p()"), "{run}");
        project.ok(&["migrate", "resume", flag]);
        assert_eq!(query(&url, "SELECT count(*) FROM done"), [expected]);
        assert_eq!(query(&url, "SELECT version_num FROM alembic_version"), ["bbbb2222"]);
    }
}
