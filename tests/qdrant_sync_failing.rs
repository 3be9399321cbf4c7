//! Collections that cannot be synchronised, compared or measured: told, and no hindrance to the others.

use dbops_testbed::unique;
use serde_json::{Value, json};

use crate::project::Held;
use crate::qdrant_sync::{Bot, FROM_NOTES};

#[test]
fn a_database_that_is_no_target_is_said_before_any_work() {
    let bot = Bot::notes();
    assert!(bot.project.ok(&["config", "check"]).stdout.ends_with(": 2 targets, nothing wrong\n"));
    bot.declare("{size: 4, distance: Cosine}", &FROM_NOTES.replace("target: app", "target: apt"));
    let commands: [&[&str]; 5] =
        [&["config", "check"], &["qdrant", "plan"], &["qdrant", "apply"], &["qdrant", "sync"], &["qdrant", "recall"]];
    for arguments in commands {
        let run = bot.project.run(arguments);
        assert_eq!(run.code, 2, "{arguments:?}: {run}");
        let said =
            "error: PROJECT/collections.yaml:6:7: there is no PostgreSQL target `apt`\nhint: did you mean `app`?";
        assert!(run.stderr.contains(said), "{arguments:?}: {run}");
    }
}

/// The first is locked, the second has no table, the third a row that cannot be written, and nothing is wrong with the last.
#[test]
fn collections_that_fail_do_not_stop_the_others() {
    let tables = "CREATE EXTENSION vector;
        CREATE TABLE good (id int PRIMARY KEY, v vector); INSERT INTO good VALUES (1, '[1, 2, 3]'), (2, '[1, 2, 4]');
        CREATE TABLE bad (id int PRIMARY KEY, v vector); INSERT INTO bad VALUES (1, '[1, 2, 3]'), (7, '[1, 2]')";
    let bot = Bot::new(tables, "{size: 3, distance: Dot}", "from: {target: app, table: good, key: id, vector: v}");
    let names = ["a_locked", "b_none", "c_bad", "d_good"].map(unique);
    let [locked, none, bad, good] = &names;
    let mut text = "version: 1\ncollections:\n".to_owned();
    for (name, table) in names.iter().zip(["good", "none", "bad", "good"]) {
        let from = format!("from: {{target: app, table: {table}, key: id, vector: v}}");
        text.push_str(&format!("  {name}:\n    vectors: {{size: 3, distance: Dot}}\n    {from}\n"));
    }
    bot.project.write("collections.yaml", &text);
    bot.project.ok(&["qdrant", "apply"]);

    let lock =
        Held::new(&bot.url, &format!("SELECT pg_advisory_xact_lock(hashtext('dbops sync'), hashtext('{locked}'))"));
    let run = bot.project.run(&["qdrant", "sync"]);
    assert_eq!(run.code, 5, "the first failure's: {run}");
    assert!(run.stdout.starts_with(&format!("search: {good}: 2 rows, 2 inserted")), "{run}");
    let told = format!("error: search: {none}\n  there is no table \"public\".\"none\" in the database");
    assert!(run.stderr.contains(&told) && run.stderr.contains("hint: correct `from`"), "{run}");
    let told = format!("error: search: {bad}\n  the row 7 of \"public\".\"bad\" has a vector of dimension 2");
    assert!(run.stderr.contains(&told) && run.stderr.matches("error:").count() == 3, "{run}");
    lock.commit("");

    let fields = |found: &Value, list: &str, field: &str| {
        let list = found[list].as_array().expect("a list").iter();
        list.map(|one| one[field].as_str().unwrap_or_default().to_owned()).collect::<Vec<_>>()
    };
    let cases: [(&str, &[&String], &[&String]); 3] = [
        ("sync", &[locked, good], &[none, bad]),
        ("verify", &[locked, bad, good], &[none]),
        ("recall", &[locked, good], &[none, bad]),
    ];
    for (command, done, failed) in cases {
        let found = bot.project.json(1, &["qdrant", command]);
        let seen = (fields(&found, "collections", "collection"), fields(&found, "failed", "collection"));
        assert!(
            seen.0.iter().eq(done.iter().copied()) && seen.1.iter().eq(failed.iter().copied()),
            "{command}: {found}"
        );
        let error = &found["failed"][0]["error"];
        assert_eq!(
            (&error["kind"], &error["message"]),
            (&json!("failed"), &json!(format!("search: {none}"))),
            "{found}"
        );
    }
    // A single one fails as any command does.
    assert_eq!(bot.project.json(1, &["qdrant", "sync", none])["error"]["kind"], "failed");
}
