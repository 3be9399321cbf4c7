//! `dbops backup prune`: what goes, what stays and why, and that nothing is lost on the way.

use std::fs;

use dbops_postgres::process;
use dbops_testbed::create_database;
use serde_json::{Value, json};

use crate::backup::{back_up, copy_set, names, write_manifest};
use crate::project::Project;

/// Sets at these times, copies of one.
fn with_sets(times: &[&str]) -> Project {
    let project = Project::with_database(&create_database("prune"));
    let original = project.path("backups").join(back_up(&project));
    for time in times {
        let id = format!("{}Z-0000", time.replace(['-', ':'], ""));
        let set = copy_set(&original, &project.path("backups").join(&id), &id);
        change(&project, &set.file_name().expect("a name").to_string_lossy(), |manifest| {
            manifest["created"] = json!(format!("{time}Z"));
        });
    }
    fs::remove_dir_all(original).expect("a set");
    project.env("TZ", "UTC")
}

fn change(project: &Project, id: &str, change: impl FnOnce(&mut Value)) {
    let path = project.path("backups").join(id).join("manifest.json");
    let mut manifest = serde_json::from_slice(&fs::read(&path).expect("a manifest")).expect("JSON");
    change(&mut manifest);
    write_manifest(&path, manifest);
}

const TIMES: [&str; 5] =
    ["2026-11-23T12:00:00", "2026-11-23T02:00:00", "2026-11-22T02:00:00", "2026-11-21T02:00:00", "2026-10-01T02:00:00"];

fn id(number: usize) -> String {
    format!("{}Z-0000", TIMES[number].replace(['-', ':'], ""))
}

/// Each set by its number, with the reasons; without any it goes.
fn fates(document: &Value) -> Vec<String> {
    let fate = |backup: &Value| {
        let number = (0..TIMES.len()).find(|number| backup["id"] == id(*number)).expect("a known set");
        let reasons: Vec<_> = backup["reasons"].as_array().expect("a list").iter().collect();
        let reasons: Vec<_> = reasons.iter().map(|it| it["reason"].as_str().expect("a reason")).collect();
        assert_eq!(backup["keep"], !reasons.is_empty());
        format!("{number}: {}", reasons.join(", ")).trim_end().to_owned()
    };
    document["backups"].as_array().expect("a list").iter().map(fate).collect()
}

#[test]
fn what_no_rule_keeps_goes_after_a_yes() {
    let project = with_sets(&TIMES);
    let prune = ["backup", "prune", "--keep-last", "1", "--keep-daily", "2"];
    let dry = project.json(0, &[&prune[..], &["--dry-run"]].concat());
    assert_eq!(fates(&dry), ["0: last, daily", "1:", "2: daily", "3:", "4:"]);
    let run = project.ok(&[&prune[..], &["--dry-run"]].concat());
    assert!(run.stdout.contains("app: last, daily") && run.stdout.contains("no rule keeps it"), "{run}");
    let refused = project.run(&prune);
    assert_eq!((refused.code, names(&project, "20").len()), (4, 5), "{refused}");
    assert!(refused.stderr.contains("not done: remove 3 backups, "), "{refused}");

    project.ok(&["backup", "verify", &id(3)]);
    let done = project.json(0, &[&prune[..], &["--yes"]].concat());
    assert_eq!(fates(&done), ["0: last, daily", "1:", "2: daily", "3: last verified", "4:"]);
    let mut left = names(&project, "20");
    left.sort();
    assert_eq!(left, [id(3), id(2), id(0)]);
    let again = project.json(0, &[&prune[..], &["--yes"]].concat());
    assert_eq!(fates(&again), ["0: last, daily", "2: daily", "3: last verified"]);
}

#[test]
fn what_is_not_whole_does_not_count_and_stays() {
    let project = with_sets(&TIMES);
    fs::write(project.path("backups").join(id(0)).join("app.dump"), "").expect("a file");
    let damaged = project.path("backups").join(id(1));
    let mut bytes = fs::read(damaged.join("app.dump")).expect("an archive");
    bytes[100] ^= 1;
    fs::write(damaged.join("app.dump"), bytes).expect("an archive");
    assert_eq!(project.run(&["backup", "verify", &id(1)]).code, 3);
    change(&project, &id(2), |manifest| manifest["version"] = json!(2));
    change(&project, &id(4), |manifest| manifest["labels"] = json!({"keep": "me"}));
    let document = project.json(0, &["backup", "prune", "--keep-last", "1", "--yes"]);
    let expected = ["0: not complete", "1: damaged", "2: its manifest cannot be used", "3: last", "4: last"];
    assert_eq!(fates(&document), expected, "another label is another history");
    assert_eq!(names(&project, "20").len(), 5);
}

#[test]
fn the_configuration_says_what_to_keep_by_default() {
    let project = with_sets(&TIMES);
    let refused = project.run(&["backup", "prune", "--yes"]);
    assert_eq!((refused.code, names(&project, "20").len()), (4, 5), "{refused}");
    assert!(refused.stderr.contains("no rule keeps anything"), "{refused}");
    let text = fs::read_to_string(project.path("dbops.yaml")).expect("a configuration");
    let with = |retention: &str| project.write("dbops.yaml", &format!("{text}  retention: {retention}\n"));
    with("{keep_weekly: 2, keep_within: 14h}");
    let document = project.json(0, &["backup", "prune", "--dry-run"]);
    assert_eq!(fates(&document), ["0: within 14h, weekly", "1: within 14h", "2: weekly", "3:", "4:"]);
    let document = project.json(0, &["backup", "prune", "--dry-run", "--keep-yearly", "unlimited"]);
    assert_eq!(fates(&document), ["0: yearly", "1:", "2:", "3:", "4: oldest yearly"]);
    let cases = [
        ("{keep_last: many}", "dbops.yaml:11: `many` is not a number of sets", "or `unlimited`"),
        ("{keep_within: 2w}", "dbops.yaml:11: `2w` is not a length of time", "2y5m7d3h"),
        ("{keep_lasts: 2}", "unknown field `keep_lasts`", "did you mean `keep_last`?"),
    ];
    for (retention, message, hint) in cases {
        with(retention);
        let run = project.run(&["backup", "prune"]);
        assert!(run.code == 2 && run.stderr.contains(message) && run.stderr.contains(hint), "{run}");
    }
}

/// Whenever it is killed, what is listed is whole, and the next run finishes the work.
#[test]
fn a_killed_prune_leaves_sets_that_are_whole() {
    let project = with_sets(&TIMES);
    for milliseconds in [0, 4, 8, 12, 16, 20, 25, 30] {
        let mut dbops = project.command(&["backup", "prune", "--keep-last", "1", "--yes"]);
        let dbops = dbops.spawn().expect("dbops starts");
        std::thread::sleep(std::time::Duration::from_millis(milliseconds));
        process::command("kill").args(["-9", &dbops.id().to_string()]).status().expect("kill");
        drop(dbops.wait_with_output());
        let verified = project.json(0, &["backup", "verify", "--all"]);
        assert!(verified["backups"].as_array().is_some_and(|sets| !sets.is_empty()), "{verified}");
    }
    project.ok(&["backup", "prune", "--keep-last", "1", "--yes"]);
    assert!(names(&project, "20").contains(&id(0)));
}
