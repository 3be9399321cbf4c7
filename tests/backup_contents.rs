//! A database with all that PostgreSQL and pgvector can hold, under names that have to be quoted everywhere, in each format:
//! proved, restored beside, swapped in and back, and at work in every place. And archives that are cut off.

use std::fs;
use std::path::{Path, PathBuf};

use dbops_postgres::{DatabaseUrl, Throwaway, ThrowawayOptions, quote_identifier};
use dbops_testbed::{installation, superuser_url, unique};
use serde_json::json;

use crate::backup::SAMPLE;
use crate::project::{Project, client, execute, query};

const CONTENTS: &str = include_str!("backup_contents.sql");
const PATH: &str = "SET search_path = \"odd \"\"schéma\"\" it's\nhere\", public;";
const TABLE: &str = "\"täble \"\"one\"\" it's\nlong\"";

/// As long as a name may be.
fn odd_name() -> String {
    let mut name = format!("ö \"{}\" it's\nnäm€ ", unique("odd"));
    name.extend(std::iter::repeat_n('x', 63 - name.len()));
    name
}

struct Odd {
    url: DatabaseUrl,
    owner: String,
    reader: String,
}

fn odd() -> Odd {
    let url = superuser_url().with_database(&odd_name());
    let (owner, reader) = (unique("öwner \"x\""), unique("rëader it's"));
    for role in [&owner, &reader] {
        execute(&superuser_url(), &format!("CREATE ROLE {}", quote_identifier(role)));
    }
    execute(&superuser_url(), &format!("CREATE DATABASE {}", quote_identifier(url.database())));
    let sql = CONTENTS.replace("OWNER_NAME", &owner).replace("READER_NAME", &reader);
    execute(&url, &sql.replace("OWNER_", &quote_identifier(&owner)).replace("READER_", &quote_identifier(&reader)));
    Odd { url, owner, reader }
}

/// All that a database holds, as pg_dump writes it.
fn dumped(url: &DatabaseUrl) -> String {
    let output = client("pg_dump", url).output().expect("pg_dump");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let lines = text.lines().filter(|line| !line.starts_with("\\restrict ") && !line.starts_with("\\unrestrict "));
    lines.collect::<Vec<_>>().join("\n")
}

impl Odd {
    fn query(&self, url: &DatabaseUrl, sql: &str) -> Vec<String> {
        let sql = sql.replace("OWNER_", &quote_identifier(&self.owner));
        let sql = sql.replace("READER_", &quote_identifier(&self.reader)).replace("TABLE_", TABLE);
        query(url, &format!("{PATH} {sql}"))
    }

    /// Everything does what it is for, in a database whose next identity value is this.
    fn assert_works(&self, url: &DatabaseUrl, next: u32) {
        let ask = |sql: &str| self.query(url, sql);
        let inserted = ask("INSERT INTO TABLE_ (positive) VALUES (1) RETURNING id, shout, mood");
        assert_eq!(inserted, [format!("{next}|TAB\tHERE|calm")], "identity, default and generated column");
        assert_eq!(ask("SELECT name FROM calls ORDER BY 1"), ["always \"t\"", "on \"t\""], "the others are disabled");
        ask("INSERT INTO hidden VALUES ('x'); DELETE FROM calls WHERE name !~ 'by rule'");
        assert_eq!(ask("DELETE FROM calls RETURNING name"), ["x by rule"]);
        ask("CREATE TABLE made_now (id int); DROP TABLE made_now");
        assert_eq!(ask("DELETE FROM commands RETURNING tag"), ["CREATE TABLE"], "the event trigger");

        assert_eq!(ask("SET ROLE OWNER_; SELECT note FROM secrets"), ["the owner's"], "the owner has to obey too");
        assert_eq!(ask("SET ROLE READER_; SELECT note FROM secrets"), ["the reader's"]);
        ask("DO $$ BEGIN INSERT INTO secrets VALUES (99, 'nobody', ''); END $$; DELETE FROM secrets WHERE id = 99");
        ask("SET ROLE READER_; DO $$ BEGIN INSERT INTO secrets VALUES (99, CURRENT_USER, ''); RAISE 'let in'; \
             EXCEPTION WHEN insufficient_privilege THEN NULL; END $$");
        let granted = "SET ROLE OWNER_; CREATE TABLE new (id int); \
                       SELECT has_table_privilege($$READER_NAME$$, 'new', 'SELECT'); DROP TABLE new";
        assert_eq!(ask(&granted.replace("READER_NAME", &self.reader)), ["t"], "default privileges");
        ask("DELETE FROM commands");

        let routed = "BEGIN; INSERT INTO events VALUES ('2026-06-01', 'it''s', 1000), ('1999-01-01', '', 1) \
                      RETURNING tableoid::regclass; ROLLBACK";
        assert_eq!(ask(routed), ["\"2026 it's\"", "older"]);
        ask("BEGIN; INSERT INTO hens VALUES (500, 600); INSERT INTO eggs VALUES (600, 500); COMMIT; \
             BEGIN; DELETE FROM hens WHERE id = 500; DELETE FROM eggs WHERE id = 600; COMMIT");
        ask("DO $$ BEGIN INSERT INTO eggs VALUES (601, 501); SET CONSTRAINTS ALL IMMEDIATE; RAISE 'let in'; \
             EXCEPTION WHEN foreign_key_violation THEN NULL; END $$");
        assert_eq!(ask("SELECT * FROM \"a mat on that\""), ["15|195|30"]);
        let filled = "SELECT relname FROM pg_class WHERE relkind = 'm' AND NOT relispopulated";
        assert_eq!(ask(filled), ["not filled"]);
        let unlogged = "SELECT relname FROM pg_class WHERE relpersistence = 'u' AND relkind = 'r'";
        assert_eq!(ask(unlogged), ["not \"logged\""]);
        assert_eq!(ask("SELECT count(*), sum(n) FROM \"not \"\"logged\"\"\""), ["30|465"]);
        let large = "SELECT oid, length(lo_get(oid)), obj_description(oid, 'pg_largeobject'), lomowner = 'OWNER_'::regrole, \
                     lomacl::text ~ '=r/' FROM pg_largeobject_metadata ORDER BY 1";
        assert_eq!(ask(large), ["4711|5||f|", "4712|800000|it's \"large\"|t|t", "4713|0||f|"]);
        self.assert_nearest_are_found(url);
    }

    /// Through each index, the nearest to a vector is itself.
    fn assert_nearest_are_found(&self, url: &DatabaseUrl) {
        let cases = [
            ("v_hnsw", "v <->"),
            ("v_ivfflat", "v <=>"),
            ("h_hnsw", "h <=>"),
            ("h_ivfflat", "h <->"),
            ("s_hnsw", "s <->"),
            ("b_hnsw", "b <%>"),
            ("b_ivfflat", "b <~>"),
        ];
        for (index, order) in cases {
            let nearest = format!(
                "SELECT id FROM vectors ORDER BY {order} (SELECT {} FROM vectors WHERE id = 42) LIMIT 1",
                &order[..1]
            );
            let settings = "SET enable_seqscan = off; SET enable_sort = off; SET ivfflat.probes = 4;";
            let plan = self.query(url, &format!("{settings} EXPLAIN (COSTS OFF) {nearest}"));
            assert!(plan.iter().any(|line| line.contains(&format!("Index Scan using {index} "))), "{index}: {plan:?}");
            assert_eq!(self.query(url, &format!("{settings} {nearest}")), ["42"], "{index}");
        }
    }
}

fn comes_back(format: &[&str]) {
    let odd = odd();
    let project = Project::with_database(&odd.url);
    let expected = dumped(&odd.url);
    project.ok(&[&["backup", "--format"], format].concat());
    let verified = project.json(0, &["backup", "verify", "--restore"]);
    let set = &verified["backups"][0];
    assert_eq!((&set["ok"], &set["problems"], &set["not_tried"]), (&json!(true), &json!([]), &json!([])), "{set}");

    let into = odd_name();
    let restored = project.json(0, &["restore", "latest", "app", "--into", &into]);
    assert_eq!(restored["targets"][0]["differences"], json!([]));
    let copy = odd.url.with_database(&into);
    assert_eq!(dumped(&copy), expected);
    odd.assert_works(&copy, 16);

    // What came since the backup is gone after the swap, and back after the way back.
    odd.query(&odd.url, "INSERT INTO TABLE_ (positive) VALUES (1); DELETE FROM calls");
    let changed = dumped(&odd.url);
    let swapped = project.json(0, &["restore", "latest", "app", "--swap", "--disconnect"]);
    assert_eq!(swapped["targets"][0]["differences"], json!([]));
    assert_eq!(dumped(&odd.url), expected);
    odd.assert_works(&odd.url, 16);
    project.ok(&["restore", "--undo-swap", "app", "--disconnect"]);
    assert_eq!(dumped(&odd.url), changed);
    odd.assert_works(&odd.url, 19);
}

#[test]
fn all_of_a_database_comes_back_as_one_file() {
    comes_back(&["custom"]);
}

#[test]
fn all_of_a_database_comes_back_as_a_folder() {
    comes_back(&["directory", "--jobs", "2"]);
}

#[test]
fn all_of_a_database_comes_back_as_a_script() {
    comes_back(&["plain"]);
}

/// Cuts a file off at several lengths, at least so many bytes before its end, and puts it right again.
fn cut_off(file: &Path, least: usize, check: impl Fn(&str)) {
    let bytes = fs::read(file).expect("a file");
    for length in [0, 1, bytes.len() * 2 / 3, bytes.len() - least] {
        fs::write(file, &bytes[..length]).expect("a file");
        check(&format!("{} at {length} of {} bytes", file.display(), bytes.len()));
    }
    fs::write(file, bytes).expect("a file");
}

/// The largest files of a folder, and what tells of the others.
fn some_files(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<_> = fs::read_dir(folder).expect("a folder").flatten().map(|entry| entry.path()).collect();
    files.retain(|file| !file.ends_with("manifest.json") && !file.ends_with("app.roles.sql"));
    files.sort_by_key(|file| {
        (!file.to_string_lossy().contains("toc"), fs::metadata(file).map_or(0, |it| u64::MAX - it.len()))
    });
    files.truncate(3);
    files
}

#[test]
fn a_set_that_is_cut_off_is_found_and_not_restored() {
    let server = Throwaway::start(&installation(), &ThrowawayOptions::default()).expect("a throwaway server");
    let url = server.url("postgres").with_database("live");
    execute(&server.url("postgres"), "CREATE DATABASE live");
    execute(&url, SAMPLE);
    let project = Project::with_database(&url);
    let databases = || query(&server.url("postgres"), "SELECT datname FROM pg_database ORDER BY 1");
    let before = databases();
    for format in ["custom", "directory", "plain"] {
        let id = project.json(0, &["backup", "--format", format])["id"].as_str().expect("an id").to_owned();
        for file in some_files(&project.path("backups").join(&id)) {
            let name = file.file_name().expect("a name").to_string_lossy();
            cut_off(&file, 1, |case| {
                let found = project.json(3, &["backup", "verify", &id]);
                assert_eq!(found["backups"][0]["problems"][0]["file"], *name, "{case}");
                let run = project.run(&["restore", &id, "app", "--into", "other"]);
                assert!(run.code == 1 && run.stderr.contains(&*name), "{case}: {run}");
                assert_eq!(databases(), before, "{case}");
            });
        }
        project.ok(&["restore", &id, "app", "--into", "other"]);
        execute(&server.url("postgres"), "DROP DATABASE other");
    }
}

/// Of these no manifest tells how long they were. What may be missing without any loss: the last lines of a script, and the empty
/// blocks at the end of a tar file.
#[test]
fn an_archive_from_elsewhere_that_is_cut_off_leaves_nothing_behind() {
    let server = Throwaway::start(&installation(), &ThrowawayOptions::default()).expect("a throwaway server");
    let url = server.url("postgres").with_database("live");
    execute(&server.url("postgres"), "CREATE DATABASE live");
    execute(&url, SAMPLE);
    execute(&url, "SELECT lo_create(4712); CREATE TABLE empty ()");
    let project = Project::with_database(&url);
    let databases = || query(&server.url("postgres"), "SELECT datname FROM pg_database ORDER BY 1");
    let before = databases();
    let cases: [(&str, &[&str], usize); 6] = [
        ("custom", &[], 1),
        ("directory", &["--compress=gzip"], 2),
        ("directory", &["--compress=none"], 2),
        ("directory", &["--compress=none", "--inserts"], 2),
        ("plain", &[], 120),
        ("tar", &[], 1025),
    ];
    for (number, (format, options, least)) in cases.into_iter().enumerate() {
        let name = format!("archive {number}");
        let path = project.path(&name);
        let mut dump = client("pg_dump", &url);
        dump.arg("--format").arg(format).args(options).arg("--file").arg(&path);
        assert!(dump.status().expect("pg_dump").success());
        let restore = ["restore", &format!("./{name}"), "app", "--into", "other"];
        let files = if path.is_dir() { some_files(&path) } else { vec![path] };
        for file in files {
            cut_off(&file, least, |case| {
                let run = project.run(&restore);
                assert!(
                    [1, 2, 4].contains(&run.code) && run.stderr.starts_with("error: "),
                    "{case}, {options:?}: {run}"
                );
                assert_eq!(databases(), before, "{case}");
            });
        }
        project.ok(&restore);
        execute(&server.url("postgres"), "DROP DATABASE other");
    }
}
