//! What `dbops migrate` says of the revision graph, and how revisions are added to it.

use dbops_postgres::DatabaseUrl;
use dbops_testbed::create_database;
use serde_json::json;

use crate::migrate::{line, version_rows};
use crate::project::{Project, execute};

/// Two bases; a branch point, a label, a dependency, a merge.
fn branched(url: &DatabaseUrl) -> Project {
    let project = Project::with_database(url);
    let files = [
        ("1", "aaaa1111", "", "", "", "create users table"),
        ("2", "bbbb2222", "aaaa1111", "billing", "", "create invoices table"),
        ("3", "cccc3333", "aaaa1111", "", "", "add email to users"),
        ("4", "dddd4444", "bbbb2222, cccc3333", "", "", "join billing and email"),
        ("5", "eeee5555", "", "search-index", "billing", "create documents table"),
    ];
    for (order, id, parents, label, needs, message) in files {
        project.write(
            &format!("versions/{order}_{id}.sql"),
            &format!(
                "-- revision: {id}\n-- revises: {parents}\n-- branch_labels: {label}\n-- depends_on: {needs}\n\
                 -- message: {message}\n-- created: 2026-11-22T21:05:01Z\n\n-- +up\n\n-- +down\n-- nothing to undo\n"
            ),
        );
    }
    project
}

#[test]
fn the_graph_is_drawn_listed_and_shown() {
    let url = create_database("migrate");
    let project = branched(&url);
    project.ok(&["migrate", "upgrade", "bbbb2222"]);
    assert_eq!(
        project.ok(&["migrate", "history", "--graph"]).stdout,
        "* eeee5555 (search-index) [needs billing] create documents table (pending)\n\
         \n\
         * dddd4444 join billing and email (pending)\n\
         |\\\n\
         | * cccc3333 add email to users (pending)\n\
         * | bbbb2222 (billing) create invoices table\n\
         |/\n\
         * aaaa1111 create users table\n"
    );
    assert_eq!(
        project.ok(&["migrate", "branches"]).stdout,
        "app: aaaa1111 create users table\n  -> bbbb2222 (billing) create invoices table\n  -> cccc3333 add email to users\n"
    );
    let ids = |arguments: &[&str]| -> Vec<String> {
        let document = project.json(0, arguments);
        let revisions = document["targets"][0]["revisions"].as_array().expect("revisions").iter();
        revisions.map(|it| it["revision"].as_str().expect("an id").to_owned()).collect()
    };
    let ranges = [
        ("current:", &["dddd4444", "bbbb2222"][..]),
        (":cccc", &["cccc3333", "aaaa1111"]),
        ("-1:current", &["bbbb2222", "aaaa1111"]),
        ("aaaa1111:billing", &["bbbb2222", "aaaa1111"]),
    ];
    for (range, expected) in ranges {
        assert_eq!(ids(&["migrate", "history", range]), expected, "{range}");
    }
    for (revision, expected) in
        [("bil", "bbbb2222"), ("current", "bbbb2222"), ("search-index@head", "eeee5555"), ("+1", "dddd4444")]
    {
        assert_eq!(ids(&["migrate", "show", revision]), [expected], "{revision}");
    }
    let shown = project.ok(&["migrate", "show", "bbbb"]).stdout;
    assert!(
        shown.starts_with("app: bbbb2222 create invoices table\nfile:       versions/2_bbbb2222.sql\nrevised by: dddd4444\n\n-- revision: bbbb2222\n"),
        "{shown}"
    );
    let verbose = project.ok(&["migrate", "history", "bbbb2222:bbbb2222", "--verbose"]).stdout;
    for part in
        ["app: bbbb2222 (billing) create invoices table\n", "  revises:    aaaa1111\n", "  log:        up      20", "@"]
    {
        assert!(verbose.contains(part), "{verbose}");
    }
    let document = project.json(0, &["migrate", "history", "--verbose"]);
    assert_eq!(document["targets"][0]["revisions"][3]["log"][0]["direction"], "up");
    for (arguments, code, message) in [
        (&["migrate", "history", "aaaa1111"][..], 2, "`aaaa1111` is not a range"),
        (&["migrate", "history", "eeee5555:dddd4444"], 2, "eeee5555 is not below `dddd4444`"),
        (&["migrate", "show", "nosuch"], 2, "there is no revision or branch `nosuch`"),
    ] {
        let run = project.run(arguments);
        assert!(run.code == code && run.stderr.contains(message) && run.stderr.contains("hint: "), "{run}");
    }
    for (wrong, nearest) in
        [("bbbb2x22", "bbbb2222"), ("biling@head", "billing"), ("search_index", "search-index"), ("haed", "head")]
    {
        let run = project.run(&["migrate", "show", wrong]);
        assert!(run.code == 2 && run.stderr.contains(&format!("hint: did you mean `{nearest}`? ")), "{run}");
    }
}

#[test]
fn revisions_are_added_where_the_graph_has_room() {
    let url = create_database("migrate");
    let project = branched(&url);
    let new = ["migrate", "revision", "-m", "add roles to users", "--rev-id"];
    let refused = [
        (&["ffff6666"][..], "there are several heads, and a new revision follows one: dddd4444, eeee5555"),
        (&["ffff6666", "--head", "cccc"], "cccc3333 is not a head"),
        (&["aaaa1111", "--head", "dddd"], "revision aaaa1111 exists"),
        (&["ff-6666", "--head", "dddd"], "`ff-6666` cannot be a revision's id"),
        (
            &["ffff6666", "--head", "dddd", "--branch-label", "billing"],
            "`billing` is already used by revision bbbb2222",
        ),
        (&["ffff6666", "--head", "dddd", "--depends-on", "nosuch"], "there is no revision or branch `nosuch`"),
    ];
    for (arguments, message) in refused {
        let run = project.run(&[&new[..], arguments].concat());
        assert!(run.code == 2 && run.stderr.contains(message) && run.stderr.contains("hint: "), "{run}");
    }
    let add = |arguments: &[&str]| {
        let document = project.json(0, &[&new[..], arguments].concat());
        let path = document["path"].as_str().expect("a path").replace("PROJECT/", "");
        std::fs::read_to_string(project.path(path)).expect("the file").lines().take(4).collect::<Vec<_>>().join("|")
    };
    assert_eq!(
        add(&["ffff6666", "--head", "search-index@head", "--depends-on", "billing", "--depends-on", "cccc"]),
        "-- revision: ffff6666|-- revises: eeee5555|-- branch_labels:|-- depends_on: billing, cccc3333"
    );
    assert_eq!(
        add(&["abab7777", "--head", "cccc", "--splice", "--branch-label", "mail"]),
        "-- revision: abab7777|-- revises: cccc3333|-- branch_labels: mail|-- depends_on:"
    );
    assert_eq!(
        add(&["acac8888", "--head", "base"]),
        "-- revision: acac8888|-- revises:|-- branch_labels:|-- depends_on:"
    );

    let run = project.run(&["migrate", "merge", "-m", "join", "dddd4444", "bbbb2222"]);
    assert!(run.code == 2 && run.stderr.contains("the revisions dddd4444 and bbbb2222 overlap"), "{run}");
    let merged = project.json(0, &["migrate", "merge", "-m", "join all branches", "--rev-id", "adad9999"]);
    let mut revises: Vec<_> = merged["revises"].as_array().expect("ids").iter().filter_map(|id| id.as_str()).collect();
    revises.sort_unstable();
    assert_eq!(revises, ["abab7777", "acac8888", "dddd4444", "ffff6666"]);
    project.ok(&["migrate"]);
    assert_eq!(version_rows(&url), ["adad9999"]);
    let run = project.run(&["migrate", "merge", "-m", "join"]);
    assert!(run.code == 2 && run.stderr.contains("there is nothing to merge: adad9999 is one revision"), "{run}");
    project.ok(&["migrate", "downgrade", "-t", "app", "adad9999", "--yes"]);
    project.ok(&["migrate", "downgrade", "dddd4444", "--yes"]);
    assert_eq!(version_rows(&url), ["abab7777", "acac8888", "dddd4444", "ffff6666"]);
}

#[test]
fn check_is_a_gate() {
    let url = create_database("migrate");
    let project = line(&url);
    let pending = project.json(3, &["migrate", "check"]);
    assert_eq!(pending["targets"][0]["pending"], json!(["aaaa1111", "bbbb2222", "cccc3333"]));
    project.ok(&["migrate"]);
    assert_eq!(project.ok(&["migrate", "check"]).stdout, "app: ok\n");

    let path = "versions/20261122T210501Z_bbbb2222_add_bbbb2222.sql";
    let before = std::fs::read_to_string(project.path(path)).expect("a file");
    project.write(path, &before.replace('\n', "\r\n"));
    project.ok(&["migrate", "check"]);
    project.write(path, &before.replace("VALUES (1)", "VALUES (2)"));
    let run = project.run(&["migrate", "check"]);
    assert_eq!(
        (run.code, run.stdout.as_str()),
        (
            3,
            "app: changed after it was applied: bbbb2222\n  bring the file back as it was; \
             `dbops migrate accept REV -t app` takes it as it is\n"
        )
    );
    let run = project.run(&["migrate", "accept", "aaaa"]);
    assert!(run.code == 2 && run.stderr.contains("no file that differs belongs to `aaaa`"), "{run}");
    assert!(project.ok(&["migrate", "accept", "bbbb"]).stderr.contains("app: accepted bbbb2222"));
    project.ok(&["migrate", "check"]);

    // Somebody merges a revision in below.
    project.revision("abab0000", "aaaa1111", "CREATE TABLE late ();", "DROP TABLE late;");
    project.write(path, &before.replace("-- revises: aaaa1111", "-- revises: abab0000"));
    let found = &project.json(3, &["migrate", "check"])["targets"][0];
    assert_eq!((&found["merged_below"], &found["changed"]), (&json!(["abab0000"]), &json!(["bbbb2222"])));
    project.ok(&["migrate", "accept"]);
    project.ok(&["migrate", "check"]);

    project.revision("eeee5555", "bbbb2222", "", "");
    let found = &project.json(3, &["migrate", "check"])["targets"][0];
    assert_eq!((&found["heads"], &found["pending"]), (&json!(["cccc3333", "eeee5555"]), &json!(["eeee5555"])));
    std::fs::remove_file(project.path("versions/20261122T210501Z_eeee5555_add_eeee5555.sql")).expect("delete");

    execute(&url, "UPDATE alembic_version SET version_num = 'zzzz'");
    let run = project.run(&["migrate", "check"]);
    assert!(run.code == 3 && run.stdout.contains("in the version table, and no file has it: zzzz"), "{run}");
    execute(&url, "UPDATE alembic_version SET version_num = 'cccc3333'");
    std::fs::remove_file(project.path("versions/20261122T210501Z_cccc3333_add_cccc3333.sql")).expect("delete");
    execute(&url, "UPDATE alembic_version SET version_num = 'bbbb2222'");
    let found = &project.json(3, &["migrate", "check"])["targets"][0];
    assert_eq!(found["deleted"], json!(["cccc3333"]));
}
