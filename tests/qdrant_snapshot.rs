//! Snapshots as a user makes, fetches and restores them, on a real Qdrant engine.

use std::fs;

use dbops_testbed::unique;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::project::{Project, Run};
use crate::qdrant::{fill, on_server, project};

/// How many points the collection holds.
const POINTS: u16 = 40;

/// A project with a filled collection.
struct Kept {
    project: Project,
    name: String,
}

impl Kept {
    fn new() -> Self {
        let name = unique("kept");
        let project = project(&format!(
            "  {name}:\n    alias: {name}_alias\n    vectors: {{ size: 4, distance: Dot }}\n    payload_indexes:\n      \
             number: {{ type: integer }}\n"
        ));
        project.ok(&["qdrant", "apply"]);
        fill(&name, POINTS, 4);
        Self { project, name }
    }

    fn run(&self, arguments: &[&str]) -> Run {
        self.project.run(&[&["qdrant", "snapshot"], arguments].concat())
    }

    fn json(&self, arguments: &[&str]) -> Value {
        self.project.json(0, &[&["qdrant", "snapshot"], arguments].concat())
    }

    /// Makes a snapshot, and gives its description.
    fn create(&self) -> Value {
        let made = self.json(&["create", &self.name]);
        made["targets"][0]["snapshots"][0].clone()
    }

    fn listed(&self) -> Vec<Value> {
        let listed = self.json(&["list", &self.name]);
        listed["targets"][0]["snapshots"].as_array().expect("a list").clone()
    }

    /// A snapshot in a file of this name.
    fn download(&self, file: &str) -> Value {
        let made = self.create();
        self.json(&["download", &self.name, text(&made["name"]), "--to", file])
    }
}

fn text(value: &Value) -> &str {
    value.as_str().expect("text")
}

fn count(collection: &str) -> u64 {
    on_server(async |server| server.count(collection).await)
}

fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn a_snapshot_goes_round() {
    let kept = Kept::new();
    let Kept { project, name } = &kept;
    assert_eq!(kept.listed(), Vec::<Value>::new());
    let made = kept.create();
    let mut keys: Vec<_> = made.as_object().expect("an object").keys().collect();
    keys.sort();
    assert_eq!(keys, ["bytes", "collection", "created", "name", "node", "sha256"]);
    assert_eq!(made["collection"], name.as_str());
    let listed = kept.listed();
    assert_eq!((listed.len(), &listed[0]["name"], &listed[0]["bytes"]), (1, &made["name"], &made["bytes"]));
    let snapshot = text(&made["name"]);
    let shown = kept.run(&["list"]).stdout;
    assert!(shown.starts_with("search\nCOLLECTION") && shown.contains(snapshot), "{shown}");

    // By the alias, into a file of the snapshot's name.
    let arrived = kept.run(&["download", &format!("{name}_alias"), snapshot]);
    let bytes = fs::read(project.path(snapshot)).expect("it arrived");
    assert_eq!((arrived.code, arrived.stdout), (0, format!("{}  {snapshot}\n", sha256(&bytes))));
    assert!(!project.path(format!("{snapshot}.part")).exists());

    let copy = unique("copy");
    let restored = kept.json(&["restore", &copy, snapshot]);
    let expected = |collection: &str, before: Option<u64>| {
        json!({
            "target": "search", "collection": collection, "bytes": bytes.len(), "sha256": sha256(&bytes),
            "points": POINTS, "points_before": before,
        })
    };
    assert_eq!(restored, expected(&copy, None));
    let [original, restored] = [name, &copy].map(|name| on_server(async |server| server.facts(name).await));
    let [original, restored] = [original, restored].map(|facts| facts.expect("it is there"));
    assert_eq!(original.differences(&restored), Vec::<String>::new());

    // By its name on the server, over a collection that has changed.
    fs::remove_file(project.path(snapshot)).expect("it is there");
    fill(name, POINTS + 3, 4);
    let refused = kept.run(&["restore", name, snapshot]);
    assert_eq!(refused.code, 4, "{refused}");
    let said = format!("error: cannot restore {name} on search\n  {name} holds {} points\nhint: ", POINTS + 3);
    assert!(refused.stderr.starts_with(&said) && refused.stderr.contains("--overwrite"), "{refused}");
    assert_eq!(count(name), u64::from(POINTS) + 3);
    let restored = kept.json(&["restore", name, snapshot, "--overwrite"]);
    assert_eq!(restored, expected(name, Some(u64::from(POINTS) + 3)));
    assert_eq!(count(name), u64::from(POINTS));

    let refused = kept.run(&["delete", name, snapshot]);
    assert!(refused.code == 4 && refused.stderr.ends_with("hint: pass --yes to go ahead\n"), "{refused}");
    assert_eq!(kept.listed().len(), 1);
    let deleted = kept.json(&["delete", name, snapshot, "--yes"]);
    let expected = json!({"target": "search", "collection": name, "snapshot": snapshot, "bytes": bytes.len()});
    assert_eq!(deleted, expected);
    assert_eq!(kept.listed(), Vec::<Value>::new());
}

#[test]
fn without_a_name_all_collections_are_taken() {
    let kept = Kept::new();
    let other = unique("other");
    kept.project.write(
        "qdrant/collections.yaml",
        &format!("version: 1\ncollections:\n  {other}: {{ vectors: {{ size: 2, distance: Dot }} }}\n"),
    );
    kept.project.ok(&["qdrant", "apply"]);
    let made = kept.json(&["create"]);
    let made = made["targets"][0]["snapshots"].as_array().expect("a list");
    for name in [&kept.name, &other] {
        assert_eq!(made.iter().filter(|one| one["collection"] == name.as_str()).count(), 1, "{name}: {made:?}");
    }
}

/// What a broken download has left, and whether the next one makes a whole file of it.
#[test]
fn a_download_goes_on_where_it_broke_off() {
    let kept = Kept::new();
    let made = kept.create();
    let snapshot = text(&made["name"]);
    let download = |file: &str| kept.run(&["download", &kept.name, snapshot, "--to", file]);
    assert_eq!(download("whole").code, 0);
    let whole = fs::read(kept.project.path("whole")).expect("it arrived");
    let longer = [whole.as_slice(), b"more"].concat();
    let cases: [(&str, &[u8]); 4] =
        [("nothing", b""), ("half", &whole[..whole.len() / 2]), ("all", &whole), ("too_much", &longer)];
    for (file, left) in cases {
        let part = kept.project.path(format!("{file}.part"));
        fs::write(&part, left).expect("a file");
        let run = download(file);
        assert_eq!(run.code, 0, "{file}: {run}");
        assert!(!part.exists(), "{file}");
        assert!(fs::read(kept.project.path(file)).expect("it arrived") == whole, "{file}");
    }

    // A part of something else would not do: the server's SHA-256 tells, and the next download begins anew.
    let part = kept.project.path("damaged.part");
    fs::write(&part, vec![7; whole.len() / 2]).expect("a file");
    let run = download("damaged");
    assert!(run.code == 1 && run.stderr.contains("and the server says"), "{run}");
    assert!(!part.exists() && !kept.project.path("damaged").exists());
    assert_eq!(download("damaged").code, 0);

    // One that another download writes to is left to it.
    let part = kept.project.path("busy.part");
    let file = fs::File::create(&part).expect("a file");
    file.lock().expect("a lock");
    let run = download("busy");
    assert!(run.code == 1 && run.stderr.contains("another download writes to it"), "{run}");
    assert!(part.exists());
}

#[test]
fn a_file_that_is_there_is_never_overwritten() {
    let kept = Kept::new();
    let made = kept.create();
    kept.project.write("mine", "mine");
    let run = kept.run(&["download", &kept.name, text(&made["name"]), "--to", "mine"]);
    assert_eq!((run.code, run.stderr.as_str()), (4, "error: mine is there already\nhint: choose another file\n"));
    assert_eq!(fs::read_to_string(kept.project.path("mine")).expect("a file"), "mine");
    assert!(!kept.project.path("mine.part").exists());
}

#[test]
fn damaged_files_are_refused_and_change_nothing() {
    let kept = Kept::new();
    let Kept { project, name } = &kept;
    let arrived = kept.download("whole");
    let whole = fs::read(project.path("whole")).expect("a file");
    fs::write(project.path("half"), &whole[..whole.len() / 2]).expect("a file");
    fs::write(project.path("garbage"), "no snapshot").expect("a file");
    let mut flipped = whole.clone();
    flipped[whole.len() / 2] ^= 1;
    fs::write(project.path("flipped"), flipped).expect("a file");

    for file in ["half", "garbage"] {
        let run = kept.run(&["restore", name, file, "--overwrite"]);
        assert_eq!(run.code, 1, "{file}: {run}");
        assert!(run.stderr.starts_with(&format!("error: cannot restore {name} on search\n")), "{file}: {run}");
        assert_eq!(count(name), u64::from(POINTS), "{file}");
    }
    // What no archive can tell, the checksum that the download printed does.
    let sum = text(&arrived["sha256"]);
    let run = kept.run(&["restore", name, "flipped", "--overwrite", "--sha256", sum]);
    assert!(run.code == 4 && run.stderr.contains(&format!("not {sum}")), "{run}");
    assert_eq!(count(name), u64::from(POINTS));
    let run = kept.run(&["restore", name, "whole", "--overwrite", "--sha256", &sum.to_uppercase()]);
    let said = format!("search: {name} held {POINTS} points, and now holds {POINTS}; SHA-256 {sum}\n");
    assert_eq!((run.code, run.stderr), (0, said));
}

/// The arguments, the exit code, and what is said.
#[test]
fn names_that_are_not_there_are_told() {
    let kept = Kept::new();
    let name = kept.name.as_str();
    let alias = format!("{name}_alias");
    kept.project.write("file", "");
    let cases: [(&[&str], i32, String); 8] = [
        (&["create", "nowhere"], 2, "there is no collection `nowhere`".into()),
        (&["list", &format!("{name}x")], 2, format!("hint: did you mean `{name}`?")),
        (&["download", name, "none.snapshot"], 2, format!("{name} has no snapshot `none.snapshot`")),
        (&["download", "nowhere", "none.snapshot"], 2, "there is no collection `nowhere`".into()),
        (&["download", name, "../none.snapshot"], 2, "say with --to where it is to go".into()),
        (&["restore", name, "none.snapshot", "--overwrite"], 2, format!("{name} has no snapshot `none.snapshot`")),
        (&["restore", "nowhere", "none.snapshot"], 2, "there is no file none.snapshot".into()),
        (&["restore", &alias, "file"], 4, format!("hint: name the collection behind it, `{name}`")),
    ];
    for (arguments, code, said) in cases {
        let run = kept.run(arguments);
        assert_eq!(run.code, code, "{arguments:?}: {run}");
        assert!(run.stderr.contains(&said), "{arguments:?}: {run}");
    }
    let run = kept.run(&["delete", name, "none.snapshot", "--yes"]);
    assert!(run.code == 2 && run.stderr.ends_with("hint: there is none\n"), "{run}");
    assert!(
        fs::read_dir(kept.project.path("."))
            .expect("a folder")
            .all(|entry| { !entry.expect("an entry").file_name().to_string_lossy().ends_with(".part") })
    );
}
