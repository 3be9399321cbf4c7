//! Times: those of the reader's clock for people, with its offset, and UTC for scripts.

use dbops_testbed::create_database;
use serde_json::Value;

use crate::project::Project;

#[test]
fn people_read_their_own_time_and_scripts_utc() {
    let url = create_database("times");
    // Far from UTC, and not by whole hours.
    let project = Project::with_database(&url).env("TZ", "Asia/Kolkata");
    project.revision("aaaa1111", "", "CREATE TABLE a (id int);", "DROP TABLE a;");
    project.ok(&["migrate"]);
    project.ok(&["backup"]);
    project.ok(&["backup", "verify"]);

    let created = project.json(0, &["backup", "list"])["backups"][0]["created"].clone();
    let utc: jiff::Timestamp = created.as_str().expect("a time").parse().expect("a time in UTC");
    assert!(created.as_str().is_some_and(|text| text.ends_with('Z')), "{created}");
    let local = utc.in_tz("Asia/Kolkata").expect("a time zone").strftime("%Y-%m-%d %H:%M:%S +05:30").to_string();
    let cases: [(&[&str], usize); 5] = [
        (&["backup", "list"], 2),
        (&["backup", "show", "latest"], 3),
        (&["backup", "prune", "--dry-run", "--keep-last", "1"], 1),
        (&["migrate", "history", "--verbose"], 2),
        (&["--yes", "backup", "delete", &utc.strftime("%Y%m%dT%H%M%SZ").to_string()], 1),
    ];
    for (arguments, times) in cases {
        let run = project.ok(arguments);
        assert_eq!(run.stdout.matches(" +05:30").count(), times, "{arguments:?} {run}");
        let is_of_the_backup = arguments.contains(&"backup");
        assert!(!is_of_the_backup || run.stdout.contains(&local), "{local} {arguments:?} {run}");
    }
    let history = project.json(0, &["migrate", "history", "--verbose"]);
    let started: &Value = &history["targets"][0]["revisions"][0]["log"][0]["started"];
    assert!(started.as_str().is_some_and(|text| text.ends_with('Z')), "{history}");
}
