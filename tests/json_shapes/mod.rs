//! `docs/reference/json.md`: what every command prints with `--json`, as it was seen. Run quietly, so that what is not an
//! error has to stay off stderr too.

mod shape;

use std::fs;

use serde_json::Value;

use self::shape::Shape;
use crate::project::{Project, execute};
use crate::stack::{Stack, root};

/// Commands that print no document, or one that cannot be had here.
const WITHOUT: [(&str, &str); 8] = [
    ("completions", "No document: it prints a script, and refuses `--json`."),
    ("shell", "No document: it is psql, and refuses `--json`."),
    ("config schema", "A JSON schema, with `--json` or without."),
    ("serve", "`{ listening: string }` as soon as it listens; then it goes on until it is stopped."),
    ("migrate import", "`{ target, imported, stubs, unchanged }`, from a project that has Alembic."),
    ("qdrant shards move", "In a cluster the collection as in `dbops qdrant shards list`."),
    ("qdrant shards replicate", "In a cluster the collection as in `dbops qdrant shards list`."),
    ("qdrant shards drop", "In a cluster the collection as in `dbops qdrant shards list`."),
];

/// What was seen of each command, in the order of the run; and the runs that did not end as they should.
#[derive(Default)]
struct Seen {
    shapes: Vec<(String, Shape)>,
    wrong: Vec<String>,
}

impl Seen {
    /// Runs `dbops COMMAND REST --json --quiet --yes`. The command has options in it where they make another document.
    fn run(&mut self, project: &Project, code: i32, command: &str, rest: &str) -> Value {
        let words = command.split(' ').chain(rest.split_whitespace());
        let quiet = (!command.contains("--verbose")).then_some("--quiet");
        let arguments: Vec<_> = words.chain(["--json", "--yes"]).chain(quiet).collect();
        let run = project.run(&arguments);
        let shape = serde_json::from_str::<Shape>(&run.stdout);
        let document: Value = serde_json::from_str(&run.stdout).unwrap_or_default();
        // Part of the work failed, and stderr says so too.
        let is_partly = document["failed"].as_array().is_some_and(|failed| !failed.is_empty());
        let is_right = run.code == code && (run.stderr.is_empty() || quiet.is_none() || is_partly);
        let Some(shape) = shape.as_ref().ok().filter(|_| is_right) else {
            let not_one = shape.err().map(|error| format!(" ({error})")).unwrap_or_default();
            self.wrong.push(format!("dbops {}{not_one}: {run}", arguments.join(" ")));
            return Value::Null;
        };
        let title = if [0, 3].contains(&code) || is_partly { command } else { "" };
        match self.shapes.iter_mut().find(|(other, _)| other == title) {
            Some((_, known)) => known.merge(shape.clone()),
            None => self.shapes.push((title.to_owned(), shape.clone())),
        }
        document
    }
}

/// The commands of `commands.md`, in its order, those alone that do something.
fn commands() -> Vec<String> {
    let page = fs::read_to_string(root().join("docs/reference/commands.md")).expect("docs/reference/commands.md");
    let headings =
        page.lines().filter_map(|line| line.strip_prefix('#')?.trim_start_matches('#').strip_prefix(" dbops "));
    let all: Vec<_> = headings.map(ToOwned::to_owned).collect();
    let is_parent = |name: &str| all.iter().any(|other| other.starts_with(&format!("{name} ")));
    all.iter().filter(|name| ["migrate", "backup"].contains(&name.as_str()) || !is_parent(name)).cloned().collect()
}

fn page(seen: &Seen) -> String {
    let shape = |title: &str| seen.shapes.iter().find(|(other, _)| other == title).map(|(_, shape)| shape.to_string());
    let mut page = format!(
        "<!-- Written by `cargo xtask reference`: change the code instead. -->\n\n# JSON\n\n\
         With `--json` a command prints one document on stdout, and nothing else there. These are their shapes as a test sees \
         them on real servers, written as types are in TypeScript: `a?` may be left out, `time` is a text such as \
         `2026-11-23T02:15:00Z`, always in UTC, `integer` is a whole number. `(nothing)[]` is a list that was empty, and `null` \
         alone a value that was missing, in every case of the test.\n\n\
         Fields are added in later versions; what is here keeps its name and its meaning. The test fails when a field goes, \
         or becomes something else.\n\n\
         ## Errors\n\nThe exit code is neither 0 nor 3. `kind` is one of those in [Exit codes](exit-codes.md).\n\n```ts\n{}\n```\n",
        shape("").expect("an error")
    );
    for command in commands() {
        let without = WITHOUT.iter().find(|(name, _)| *name == command).map(|(_, reason)| reason);
        if let Some(reason) = without {
            page.push_str(&format!("\n## dbops {command}\n\n{reason}\n"));
            continue;
        }
        let variants = seen.shapes.iter().filter(|(title, _)| title.split(" --").next() == Some(&command));
        let mut variants: Vec<_> = variants.collect();
        variants.sort_by_key(|(title, _)| title.contains(" --"));
        assert!(
            !variants.is_empty(),
            "no document of `dbops {command}` was looked at: add it to the run, or to WITHOUT"
        );
        for (title, shape) in variants {
            page.push_str(&format!("\n## dbops {title}\n\n```ts\n{shape}\n```\n"));
        }
    }
    page
}

#[test]
fn documents_keep_their_shapes() {
    let mut seen = Seen::default();
    let stack = Stack::start();
    let project = &stack.project;
    new_project(&mut seen, &stack);
    migrations(&mut seen, project);
    broken_revisions(&mut seen);
    schemas(&mut seen, &stack);
    broken_targets(&mut seen);
    backups(&mut seen, project);
    collections(&mut seen, project);
    errors(&mut seen, project);
    assert!(seen.wrong.is_empty(), "{}", seen.wrong.join("\n"));

    let (page, path) = (page(&seen), root().join("docs/reference/json.md"));
    if std::env::var_os("DBOPS_TEST_WRITE_REFERENCE").is_some() {
        return fs::write(path, page).expect("a page");
    }
    let written = fs::read_to_string(path).unwrap_or_default();
    let pairs = page.lines().zip(written.lines().chain(std::iter::repeat("(the end)")));
    let differing: Vec<_> = pairs.enumerate().filter(|(_, (seen, known))| seen != known).take(5).collect();
    assert!(
        page == written,
        "documents have other shapes than docs/reference/json.md says. Scripts rely on them: was a field added, run `cargo \
         xtask reference`; has one gone, bring it back. Line, seen and written: {differing:?}"
    );
}

fn new_project(seen: &mut Seen, stack: &Stack) {
    let project = &stack.project;
    seen.run(project, 0, "config check", "");
    seen.run(project, 0, "config show", "");
    seen.run(project, 0, "man", "man");
    for (code, command) in
        [(0, "migrate current"), (3, "migrate check"), (3, "status"), (3, "health"), (0, "qdrant plan")]
    {
        seen.run(project, code, command, "");
    }
    seen.run(project, 0, "health --list", "");
    seen.run(project, 0, "migrate upgrade", "+1 -t bot_db");
    seen.run(project, 0, "migrate upgrade --dry-run", "heads");
    seen.run(project, 0, "migrate upgrade --sql", "base:head -t bot_db");
    seen.run(project, 0, "migrate", "");
    seen.run(project, 0, "migrate", "");
    seen.run(project, 0, "doctor", "");
    execute(
        &stack.url("vector_db"),
        "INSERT INTO documents (id, source, uri, content_hash)
            VALUES ('00000000-0000-0000-0000-000000000001', 'upload', 'a', sha256('a'));
         INSERT INTO chunks (id, document_id, chunk_index, content, content_hash, embedding, embedding_model, embedded_at)
            SELECT md5(n::text)::uuid, '00000000-0000-0000-0000-000000000001', n, 'text ' || n, sha256('a'),
                (SELECT array_agg(sin(n * i)) FROM generate_series(1, 384) AS i)::vector, 'model', now()
            FROM generate_series(1, 40) AS n",
    );
}

fn migrations(seen: &mut Seen, project: &Project) {
    for command in ["migrate current", "migrate check", "migrate heads", "migrate branches"] {
        seen.run(project, 0, command, "");
    }
    seen.run(project, 0, "migrate history", "");
    seen.run(project, 0, "migrate history --verbose", "-t bot_db");
    seen.run(project, 0, "migrate show", "head -t bot_db");
    seen.run(project, 0, "migrate lint", "");
    seen.run(project, 0, "migrate lint --list", "");
    seen.run(project, 0, "migrate downgrade", "-1 -t bot_db");
    seen.run(project, 0, "backup", "bot_db");
    seen.run(project, 0, "migrate rehearse", "-t bot_db");
    seen.run(project, 0, "migrate upgrade", "heads");
}

/// A project with all that can be wrong with revisions.
fn broken_revisions(seen: &mut Seen) {
    let url = dbops_testbed::create_database("shapes");
    let project = Project::with_database(&url);
    project.revision("aaaa1111", "", "CREATE TABLE users (id int);", "DROP TABLE users;");
    seen.run(&project, 0, "migrate stamp", "aaaa1111");
    seen.run(&project, 0, "migrate stamp", "base");
    project.ok(&["migrate"]);
    project.revision("aaaa1111", "", "CREATE TABLE users (id bigint);", "DROP TABLE users;");
    seen.run(&project, 3, "migrate check", "");
    seen.run(&project, 0, "migrate accept", "");
    project.write(
        "versions/bbbb2222.sql",
        "-- revision: bbbb2222\n-- revises: aaaa1111\n-- message: fill a table\n-- transaction: off\n-- +up\nSELECT 1;\n\
         INSERT INTO later VALUES (1);\n-- +down\n-- nothing\n",
    );
    seen.run(&project, 1, "migrate", "");
    seen.run(&project, 3, "migrate check", "");
    execute(&url, "CREATE TABLE later (a int)");
    seen.run(&project, 0, "migrate resume", "");
    project.revision("cccc3333", "bbbb2222", "CREATE INDEX i ON users (id);", "DROP INDEX i;");
    project.write(
        "versions/dddd4444.sql",
        "-- revision: dddd4444\n-- revises: bbbb2222\n-- branch_labels: side\n-- message: add a table\n-- lock_timeout: 5s\n-- \
         +up\nCREATE TABLE b (id int);\n-- +down\nDROP TABLE b;\n",
    );
    seen.run(&project, 0, "migrate current", "");
    seen.run(&project, 0, "migrate history", "");
    seen.run(&project, 0, "migrate show", "bbbb2222");
    seen.run(&project, 0, "migrate show", "dddd4444");
    seen.run(&project, 3, "migrate check", "");
    seen.run(&project, 3, "migrate lint", "");
    seen.run(&project, 0, "migrate branches", "");
    seen.run(&project, 0, "migrate heads", "");
    seen.run(&project, 0, "migrate merge", "-m merge_the_heads");
    seen.run(&project, 0, "migrate revision", "-m add_something");
}

/// Targets that cannot be reached, and a configuration that says all that can be said.
fn broken_targets(seen: &mut Seen) {
    let project = Project::empty();
    project.write("secret", "passphrase");
    project.write(
        "dbops.yaml",
        "version: 1\ntargets:\n  app:\n    kind: postgres\n    url: postgresql://localhost:1/app\n  search:\n    kind: qdrant\n    \
         url: [http://localhost:1, http://localhost:2]\n    nodes: [http://localhost:1]\nbackup:\n  repository: backups\n  retention: { keep_last: \
         unlimited, keep_within: 2y }\n  encryption: { passphrase_file: secret }\n",
    );
    project.write("app/versions/README", "");
    seen.run(&project, 0, "config show", "");
    seen.run(&project, 0, "config check", "");
    seen.run(&project, 3, "doctor", "");
    seen.run(&project, 3, "status", "");
    seen.run(&project, 3, "health", "");
    seen.run(&project, 1, "migrate current", "");
}

fn schemas(seen: &mut Seen, stack: &Stack) {
    let project = &stack.project;
    execute(&stack.url("bot_db"), "CREATE TABLE extra (a int)");
    seen.run(project, 3, "schema drift", "-t bot_db");
    execute(&stack.url("bot_db"), "DROP TABLE extra");
    seen.run(project, 0, "schema show", "bot_db");
    seen.run(project, 0, "schema dump", "bot_db");
    seen.run(project, 0, "schema diff", "--from bot_db --to vector_db");
    seen.run(project, 0, "schema drift", "");
    seen.run(project, 0, "schema graph", "bot_db --format mermaid");
    seen.run(project, 0, "schema graph", "bot_db --format svg --output graph.svg");
    execute(&stack.url("postgres"), "CREATE DATABASE by_hand");
    let by_hand = stack.url("by_hand");
    execute(&by_hand, "CREATE TABLE notes (id int PRIMARY KEY)");
    let adopted = format!("adopted --from-database by_hand={} --from-qdrant ${{QDRANT_URL}}", by_hand.reveal());
    seen.run(project, 0, "init", &adopted);
}

fn backups(seen: &mut Seen, project: &Project) {
    let id = seen.run(project, 0, "backup", "--label made=here")["id"].clone();
    let id = id.as_str().unwrap_or_default();
    seen.run(project, 0, "backup list", "");
    seen.run(project, 0, "backup verify", "");
    seen.run(project, 0, "backup verify", "--restore");
    seen.run(project, 0, "backup list", "");
    seen.run(project, 0, "backup show", id);
    seen.run(project, 3, "status", "");
    seen.run(project, 3, "health", "");
    seen.run(project, 0, "restore", "latest bot_db --into bot_db_copy");
    seen.run(project, 0, "restore", "latest bot_db --swap");
    seen.run(project, 0, "restore --undo-swap", "bot_db");
    seen.run(project, 0, "restore", "latest qdrant --collection document_chunks_v1 --into copy");
    seen.run(project, 0, "backup prune --dry-run", "--keep-last 1");
    seen.run(project, 0, "backup prune", "--keep-last 1");
    fs::write(project.path(".dbops/backups").join(id).join("bot_db.dump"), "").expect("a file");
    seen.run(project, 3, "backup verify", id);
    seen.run(project, 0, "backup delete", id);
}

fn collections(seen: &mut Seen, project: &Project) {
    seen.run(project, 3, "qdrant verify", "");
    seen.run(project, 0, "qdrant sync", "--dry-run");
    seen.run(project, 0, "qdrant sync", "");
    seen.run(project, 0, "qdrant verify", "--deep");
    seen.run(project, 0, "status", "");
    seen.run(project, 3, "health", "");
    seen.run(project, 0, "qdrant search", "document_chunks --row c4ca4238-a0b9-2382-0dcc-509a6f75849b");
    seen.run(project, 0, "qdrant recall", "document_chunks");
    let file = project.path("config/qdrant/collections.yaml");
    let text = fs::read_to_string(&file).expect("the collections");
    let broken = "  broken:\n    vectors: { size: 4, distance: Dot }\n    from: { target: vector_db, table: broken, key: id, \
                  vector: v }\n";
    fs::write(&file, format!("{text}{broken}")).expect("a file");
    for command in ["qdrant sync", "qdrant verify", "qdrant recall"] {
        seen.run(project, 1, command, "");
    }
    fs::write(&file, &text).expect("a file");
    seen.run(project, 0, "qdrant status", "");
    seen.run(project, 0, "qdrant plan", "");
    seen.run(project, 0, "qdrant alias list", "");
    seen.run(project, 0, "qdrant alias set", "live document_chunks_v1");
    seen.run(project, 0, "qdrant alias delete", "live");
    seen.run(project, 0, "qdrant shards list", "");
    let made = seen.run(project, 0, "qdrant snapshot create", "document_chunks");
    let name = made["targets"][0]["snapshots"][0]["name"].as_str().unwrap_or_default().to_owned();
    seen.run(project, 0, "qdrant snapshot list", "");
    seen.run(project, 0, "qdrant snapshot download", &format!("document_chunks {name} --to chunks.snapshot"));
    seen.run(project, 0, "qdrant snapshot restore", "document_chunks_v1 chunks.snapshot --overwrite");
    seen.run(project, 0, "qdrant snapshot delete", &format!("document_chunks {name}"));
    seen.run(project, 0, "qdrant reindex", "document_chunks --force");
    seen.run(project, 0, "qdrant reindex", "--drop-old");
    fs::write(&file, text.replace("m: 16", "m: 32").replace("metadata.source: { type", "metadata.place: { type"))
        .expect("a file");
    seen.run(project, 0, "qdrant plan", "");
    seen.run(project, 0, "qdrant apply", "");
}

fn errors(seen: &mut Seen, project: &Project) {
    seen.run(project, 2, "no-such-command", "");
    seen.run(project, 2, "health", "no_such_target");
    // This one has no hint.
    seen.run(project, 2, "migrate current", "-t qdrant");
    let elsewhere = Project::empty();
    seen.run(&elsewhere, 2, "status", "");
}
