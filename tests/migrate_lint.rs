//! `dbops migrate lint`: findings, formats, configuration.

use std::path::Path;

use dbops_testbed::create_database;
use serde_json::json;

use crate::project::Project;

fn project() -> Project {
    let project = Project::with_database(&create_database("migrate"));
    project.revision("aaaa1111", "", "CREATE TABLE users (id bigint PRIMARY KEY);", "DROP TABLE users;");
    project.revision("bbbb2222", "aaaa1111", "CREATE INDEX users_id ON users (id);", "DROP INDEX users_id;");
    project
}

const SECOND: &str = "versions/20261122T210501Z_bbbb2222_add_bbbb2222.sql";

#[test]
fn findings_for_people_programs_and_annotations() {
    let project = project();
    let run = project.run(&["migrate", "lint"]);
    assert_eq!(run.code, 3, "{run}");
    assert_eq!(run.stderr, "1 finding in 2 revisions\n");
    assert!(run.stdout.starts_with(&format!("{SECOND}:9:1: require-concurrent-index-creation\n  During ")), "{run}");
    let finding = &project.json(3, &["migrate", "lint", SECOND])["findings"][0];
    assert_eq!((&finding["target"], &finding["line"], &finding["column"]), (&json!("app"), &json!(9), &json!(1)));
    let run = project.run(&["migrate", "lint", "--format", "github"]);
    let annotation = format!("::warning file={SECOND},line=9,col=1,title=require-concurrent-index-creation::During ");
    assert!(run.code == 3 && run.stdout.starts_with(&annotation) && run.stdout.lines().count() == 1, "{run}");

    // Run together, the table is new when the index comes.
    let first = "versions/20261122T210501Z_aaaa1111_add_aaaa1111.sql";
    assert_eq!(project.ok(&["migrate", "lint", SECOND, first]).stderr, "no findings in 2 revisions\n");
    let run = project.run(&["migrate", "lint", "dbops.yaml"]);
    assert!(run.code == 2 && run.stderr.contains("not every file is a revision of a target"), "{run}");
}

#[test]
fn rules_are_configured() {
    let project = project();
    let config = std::fs::read_to_string(project.path("dbops.yaml")).expect("the configuration");
    let with = |rules: &str| project.write("dbops.yaml", &format!("{config}lint:\n  rules:\n    {rules}\n"));
    with("require-concurrent-index-creation: off");
    project.ok(&["migrate", "lint"]);
    with("require-concurent-index-creation: off");
    let run = project.run(&["migrate", "lint"]);
    assert!(run.code == 2 && run.stderr.contains("dbops.yaml:13: there is no rule"), "{run}");
    assert!(run.stderr.contains("did you mean `require-concurrent-index-creation`?"), "{run}");
    project.write("dbops.yaml", &config);

    project.revision("cccc3333", "aaaa1111", "", "-- nothing");
    let findings = project.json(3, &["migrate", "lint"])["findings"].clone();
    assert_eq!(findings[1]["code"], "several-heads");
    std::fs::remove_file(project.path("versions/20261122T210501Z_cccc3333_add_cccc3333.sql")).expect("delete");
    let run = project.ok(&["migrate", "revision", "-m", "update db"]);
    assert!(run.stderr.contains("warning: message: \"update db\" does not say what is done"), "{run}");
}

#[test]
fn the_projects_own_revisions_are_clean() {
    let config = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../config/dbops.yaml");
    let run = Project::empty().run(&["migrate", "lint", "--config", config.to_str().expect("UTF-8")]);
    assert_eq!((run.code, run.stdout.as_str()), (0, ""), "{run}");
}
