//! Aliases as a user moves them, on a real Qdrant engine.

use dbops_testbed::unique;
use serde_json::{Value, json};

use crate::project::Project;
use crate::qdrant::{fill, project};

/// Two collections; the file gives the first an alias.
struct Pair {
    project: Project,
    first: String,
    second: String,
    alias: String,
}

impl Pair {
    fn new() -> Self {
        let (first, second) = (unique("first"), unique("second"));
        let alias = format!("{first}_alias");
        let vectors = "vectors: { size: 4, distance: Dot }";
        let project = project(&format!("  {first}:\n    alias: {alias}\n    {vectors}\n  {second}:\n    {vectors}\n"));
        project.ok(&["qdrant", "apply"]);
        Self { project, first, second, alias }
    }

    /// What the list says of an alias.
    fn listed(&self, alias: &str) -> Option<Value> {
        let list = self.project.json(0, &["qdrant", "alias", "list"]);
        assert_eq!(list["targets"][0]["name"], "search");
        let aliases = list["targets"][0]["aliases"].as_array().expect("a list");
        aliases.iter().find(|one| one["alias"] == alias).cloned()
    }
}

#[test]
fn an_alias_is_made_moved_and_deleted() {
    let pair = Pair::new();
    let Pair { project, first, second, alias } = &pair;
    let new = format!("{second}_alias");
    assert_eq!(pair.listed(alias), Some(json!({"alias": alias, "collection": first, "declared": first})));
    assert_eq!(pair.listed(&new), None);

    let set = |name: &str, to: &str| project.json(0, &["qdrant", "alias", "set", name, to]);
    let said = |to: &str, from: Option<&str>| json!({"target": "search", "alias": new, "collection": to, "from": from});
    assert_eq!(set(&new, first), said(first, None));
    assert_eq!(pair.listed(&new), Some(json!({"alias": new, "collection": first, "declared": null})));
    assert_eq!(set(&new, second), said(second, Some(first)));
    assert_eq!(set(&new, second), said(second, Some(second)));
    assert_eq!(pair.listed(&new), Some(json!({"alias": new, "collection": second, "declared": null})));

    let moved = project.ok(&["qdrant", "alias", "set", alias, second]);
    let expected = format!(
        "search: {alias} leads to {second}, and no longer to {first}\nwarning: {alias} is declared for {first}: `dbops \
         qdrant apply` moves it back\n"
    );
    assert_eq!((moved.stdout.as_str(), moved.stderr.as_str()), ("", expected.as_str()));
    assert_eq!(pair.listed(alias), Some(json!({"alias": alias, "collection": second, "declared": first})));
    let shown = project.ok(&["qdrant", "alias", "list"]).stdout;
    let line = shown.lines().find(|line| line.starts_with(alias.as_str())).expect("its line");
    assert_eq!(line.split_whitespace().collect::<Vec<_>>(), [alias.as_str(), second.as_str(), "for", first.as_str()]);
    project.ok(&["qdrant", "apply"]);
    assert_eq!(pair.listed(alias), Some(json!({"alias": alias, "collection": first, "declared": first})));

    let refused = project.run(&["qdrant", "alias", "delete", &new]);
    assert_eq!(refused.code, 4, "{refused}");
    assert!(refused.stderr.ends_with("hint: pass --yes to go ahead\n"), "{refused}");
    assert_ne!(pair.listed(&new), None);
    let deleted = project.json(0, &["qdrant", "alias", "delete", &new, "--yes"]);
    assert_eq!(deleted, json!({"target": "search", "alias": new, "collection": second}));
    assert_eq!(pair.listed(&new), None);
    let again = project.run(&["qdrant", "alias", "delete", &new, "--yes"]);
    assert_eq!(again.code, 2, "{again}");
    assert!(again.stderr.contains(&format!("there is no alias `{new}`")), "{again}");
}

#[test]
fn an_alias_does_not_leave_points_for_none_unasked() {
    let pair = Pair::new();
    let Pair { project, first, second, alias } = &pair;
    fill(first, 3, 4);
    let refused = project.run(&["qdrant", "alias", "set", alias, second]);
    assert_eq!(refused.code, 4, "{refused}");
    let said = format!("move {alias} from {first}, which holds 3 points, to {second}, which holds none?");
    assert!(refused.stderr.contains(&said) && refused.stderr.contains("pass --yes"), "{refused}");
    assert_eq!(pair.listed(alias).expect("it is there")["collection"], first.as_str());

    project.ok(&["qdrant", "alias", "set", alias, second, "--yes"]);
    assert_eq!(pair.listed(alias).expect("it is there")["collection"], second.as_str());
    // To where points are, and from there to where points are too, nobody is asked.
    project.ok(&["qdrant", "alias", "set", alias, first]);
    fill(second, 1, 4);
    project.ok(&["qdrant", "alias", "set", alias, second]);
    assert_eq!(pair.listed(alias).expect("it is there")["collection"], second.as_str());
}

/// The name, the collection, and what is said; `--yes` allows none of it.
#[test]
fn names_that_do_not_fit_are_refused() {
    let pair = Pair::new();
    let Pair { project, first, second, alias } = &pair;
    let cases = [
        (alias.as_str(), "nowhere", "there is no collection `nowhere`".to_owned()),
        (second, first, format!("`{second}` is a collection")),
        ("other", alias, format!("hint: `{alias}` is an alias; the collection is `{first}`")),
        ("other", &format!("{first}x"), format!("hint: did you mean `{first}`?")),
    ];
    for (name, to, said) in cases {
        let run = project.run(&["qdrant", "alias", "set", name, to, "--yes"]);
        assert_eq!(run.code, 4, "{name} {to}: {run}");
        let start = format!("error: cannot set the alias {name} on search\n");
        assert!(run.stderr.starts_with(&start) && run.stderr.contains(&said), "{name} {to}: {run}");
    }
    assert_eq!(project.json(4, &["qdrant", "alias", "set", "other", "nowhere"])["error"]["kind"], "refused");
    assert_eq!(pair.listed(alias).expect("it is there")["collection"], first.as_str());
    assert_eq!((pair.listed("other"), pair.listed(second)), (None, None));
}

#[test]
fn one_of_several_servers_has_to_be_named() {
    let pair = Pair::new();
    let text = std::fs::read_to_string(pair.project.path("dbops.yaml")).expect("a file");
    pair.project.write("dbops.yaml", &format!("{text}  spare:\n    kind: qdrant\n    url: http://127.0.0.1:1\n"));
    let set = |more: &[&str]| pair.project.run(&[&["qdrant", "alias", "set", &pair.alias, &pair.first], more].concat());
    let run = set(&[]);
    let said = "error: this is done on one server, and there are 2: search, spare\nhint: name one with --target\n";
    assert_eq!((run.code, run.stderr.as_str()), (2, said));
    let run = set(&["-t", "search"]);
    assert_eq!((run.code, run.stderr.as_str()), (0, "search: nothing to do\n"));
}

#[test]
fn mistakes_are_told_before_a_server_is_asked() {
    let name = unique("mistaken");
    let from = "from: { target: nowhere, table: t, key: id, vector: v }";
    let project = project(&format!("  {name}:\n    vectors: {{ size: 4, distance: Dot }}\n    {from}\n"));
    for line in ["qdrant alias list", "health", "qdrant plan"] {
        let run = project.run(&line.split(' ').collect::<Vec<_>>());
        assert!(run.code == 2 && run.stderr.contains("there is no PostgreSQL target `nowhere`"), "{line}: {run}");
    }
    let status = project.json(3, &["status"]);
    let error = status["targets"][0]["search"]["changes_error"].as_str().expect("a reason");
    assert!(error.contains("there is no PostgreSQL target `nowhere`"), "{error}");
    let run = project.run(&["qdrant", "alias", "set", "a/b", &name]);
    assert!(run.code == 2 && run.stderr.contains("`a/b` cannot be the name of an alias"), "{run}");
}
