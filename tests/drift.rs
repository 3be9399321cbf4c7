//! `schema drift`: which of the declared schema, the revisions and the database differs, and that the ways out are ones.

use dbops_testbed::create_database;
use serde_json::{Value, json};

use crate::project::{Project, execute};

const USERS: &str = "CREATE TABLE users (id integer PRIMARY KEY, name text NOT NULL);\n";

fn project(url: &str) -> Project {
    let project = Project::empty().env("APP_URL", url);
    project.write(
        "dbops.yaml",
        "version: 1\ntargets:\n  app:\n    kind: postgres\n    url: ${APP_URL}\n    versions: versions\n    schema: \
         schema.sql\n",
    );
    project.write("schema.sql", USERS);
    project.revision("aaaa1111", "", USERS, "DROP TABLE users;");
    project
}

/// What drift says of the only target.
fn drift(project: &Project, code: i32) -> Value {
    project.json(code, &["schema", "drift"])["targets"][0].take()
}

/// The statements of a way out.
fn way(target: &Value, name: &str) -> String {
    let ways = target["ways_out"].as_array().expect("an array");
    let way = ways.iter().find(|way| way["way"] == name).unwrap_or_else(|| panic!("no way `{name}`: {target}"));
    let statements = way["statements"].as_array().expect("an array").iter();
    statements.map(|statement| format!("{};\n", statement["sql"].as_str().expect("SQL"))).collect()
}

#[test]
fn a_change_by_hand_is_taken_back_or_adopted() {
    let url = dbops_testbed::create_database("drift");
    let project = project(&url.reveal());
    project.ok(&["migrate"]);
    let equal = json!({
        "name": "app", "equal": true, "verdict": "equal", "pending": [], "unrecorded": false, "unknown": [],
        "differences": [], "ways_out": []
    });
    assert_eq!(drift(&project, 0), equal);

    execute(&url, "ALTER TABLE users ADD note text");
    let run = project.run(&["schema", "drift"]);
    let expected = "app: the database differs from schema.sql and the revisions, which agree:\n  \
        someone changed it by hand\n  changed  table public.users\n      + note text\n\n  \
        to take back what the database has by hand, run this in it:\n\n      \
        -- loses data: the column's values\n      ALTER TABLE public.users DROP COLUMN note;\n\n  \
        to keep it, write it into schema.sql, make a revision of that, and record\n  \
        that the database has it:\n    dbops migrate revision --autogenerate -t app -m \"…\"\n    \
        dbops migrate stamp heads -t app\n\n      ALTER TABLE public.users ADD COLUMN note text;\n";
    assert_eq!((run.code, run.stdout.as_str()), (3, expected), "{run}");
    assert!(expected.lines().all(|line| line.chars().count() <= 80), "{expected}");

    // The steps that it names.
    let live = drift(&project, 3);
    assert_eq!(live["verdict"], "live");
    project.write("schema.sql", &format!("{USERS}{}", way(&live, "adopt")));
    let revisions = drift(&project, 3);
    assert_eq!((&revisions["verdict"], &revisions["pending"]), (&json!("revisions"), &json!([])), "{revisions}");
    project.ok(&["migrate", "revision", "--autogenerate", "-t", "app", "-m", "add note to users"]);
    let unrecorded = drift(&project, 3);
    assert_eq!((&unrecorded["verdict"], &unrecorded["unrecorded"]), (&json!("equal"), &json!(true)), "{unrecorded}");
    project.ok(&["migrate", "stamp", "heads", "-t", "app"]);
    assert_eq!(drift(&project, 0), equal);
}

#[test]
fn what_is_pending_is_no_change_by_hand() {
    let url = dbops_testbed::create_database("drift");
    let project = project(&url.reveal());
    project.ok(&["migrate"]);
    project.write("schema.sql", &format!("{USERS}ALTER TABLE users ADD age integer;\n"));
    let declared = drift(&project, 3);
    assert_eq!(declared["verdict"], "declared", "{declared}");
    assert_eq!(way(&declared, "write_revision"), "ALTER TABLE public.users ADD COLUMN age integer;\n");

    project.revision("bbbb2222", "aaaa1111", "ALTER TABLE users ADD age integer;", "ALTER TABLE users DROP age;");
    let pending = drift(&project, 3);
    assert_eq!((&pending["verdict"], &pending["pending"]), (&json!("equal"), &json!(["bbbb2222"])), "{pending}");
    execute(&url, "CREATE INDEX by_hand ON users (name); GRANT SELECT ON users TO PUBLIC");
    let live = drift(&project, 3);
    assert_eq!(live["verdict"], "live", "{live}");
    assert!(way(&live, "revert").contains("by_hand") && !way(&live, "revert").contains("age"), "{live}");
    // CONCURRENTLY goes by itself.
    way(&live, "revert").lines().for_each(|statement| execute(&url, statement));
    assert_eq!(drift(&project, 3), pending);

    // All three differ: the straight way makes the database what is declared.
    execute(&url, "ALTER TABLE users ADD by_hand text");
    project.write("schema.sql", &format!("{USERS}ALTER TABLE users ADD nick text;\n"));
    let all = drift(&project, 3);
    assert_eq!(all["verdict"], "all", "{all}");
    execute(&url, &way(&all, "align"));
    assert_eq!(drift(&project, 3)["verdict"], "revisions");
}

#[test]
fn without_a_database_the_files_are_compared() {
    let project = project("postgresql://nobody@127.0.0.1:1/nothing");
    let run = project.run(&["schema", "drift"]);
    assert!(run.code == 1 && run.stderr.contains("`--offline` compares the files alone"), "{run}");
    let run = project.ok(&["schema", "drift", "--offline"]);
    assert_eq!(run.stdout, "app: the revisions lead to schema.sql\n");
    project.write("schema.sql", &format!("{USERS}CREATE VIEW v AS SELECT 1 AS one;\n"));
    let run = project.run(&["schema", "drift", "--offline"]);
    assert!(
        run.code == 3 && run.stdout.starts_with("app: schema.sql differs from the revisions\n  added    view"),
        "{run}"
    );
}

/// `dbops health` says the same, where it is asked to; else what is quickly told.
#[test]
fn health_compares_with_the_files_when_it_is_asked_to() {
    let url = create_database("drift");
    let project = Project::with_database(&url);
    project.revision("aaaa1111", "", "CREATE TABLE a (id int);", "DROP TABLE a;");
    project.ok(&["migrate"]);
    let drift = |code: i32| {
        let document = project.json(code, &["health", "--check", "drift"]);
        let checks = document["checks"].as_array().expect("checks");
        let [check] = &checks[..] else { panic!("one check: {document:#}") };
        [&check["status"], &check["summary"]].map(|value| value.as_str().expect("text").to_owned()).join(": ")
    };
    assert_eq!(drift(0), "ok: database, revisions and declared schema agree");
    execute(&url, "ALTER TABLE a ADD COLUMN by_hand int");
    assert_eq!(drift(3), "warning: the database was changed by hand");
    let all = project.run(&["health", "--json"]);
    assert!(all.stdout.contains("something else changed it: table public.a is changed"), "{all}");
    project.revision("bbbb2222", "aaaa1111", "nonsense;", "");
    assert!(drift(3).starts_with("unknown: "), "a revision that cannot be run");
}
