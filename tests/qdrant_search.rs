//! Searches through Qdrant and pgvector side by side, and how much their indexes find.

use serde_json::Value;

use crate::project::{Run, execute};
use crate::qdrant_sync::Bot;

const WORDS: &str = "
    CREATE EXTENSION vector;
    CREATE TABLE words (id int PRIMARY KEY, place vector(3), also halfvec(2));
    INSERT INTO words SELECT n, ARRAY[cos(n), sin(n), n / 500.0]::vector, ARRAY[n, 1]::vector::halfvec
    FROM generate_series(1, 500) AS n";
const FROM: &str = "from: {target: app, table: words, key: id, vectors: {place: place, also: also}}";

fn words() -> Bot {
    let bot = Bot::new(WORDS, "{place: {size: 3, distance: Cosine}, also: {size: 2, distance: Euclid}}", FROM);
    bot.sync(&[]);
    bot
}

impl Bot {
    fn search(&self, arguments: &[&str]) -> Run {
        self.project.run(&[&["qdrant", "search", &self.collection], arguments].concat())
    }

    /// What Qdrant found, and what pgvector found.
    fn found(&self, arguments: &[&str]) -> (Vec<String>, Vec<String>) {
        let run = self.search(&[arguments, &["--json"]].concat());
        assert_eq!(run.code, 0, "{run}");
        let found: Value = serde_json::from_str(&run.stdout).expect("a document");
        let texts = |side: &str, field: &str| {
            let list = found[side].as_array().expect("a list").iter();
            list.map(|hit| hit[field].as_str().expect("text").to_owned()).collect::<Vec<_>>()
        };
        (texts("qdrant", "id"), texts("pgvector", "key"))
    }
}

#[test]
fn both_sides_find_the_same_by_vector_point_and_row() {
    let bot = words();
    let mut nearest = Vec::new();
    for (by, value) in [("--vector", "[-0.5, 0.5, 1e-1]"), ("--row", "77"), ("--point", "77")] {
        let (points, rows) = bot.found(&[by, value, "--using", "place", "--limit", "5", "--exact"]);
        assert_eq!((points.len(), &points), (5, &rows), "{by}");
        nearest.push(points);
    }
    assert_eq!((nearest[1][0].as_str(), &nearest[1]), ("77", &nearest[2]));
    let (points, rows) = bot.found(&["--row", "1", "--using", "also", "-l", "3"]);
    assert_eq!((points.as_slice(), &points), (["1", "2", "3"].map(String::from).as_slice(), &rows));
    let shown = bot.search(&["--row", "1", "--using", "also", "-l", "2"]);
    assert!(shown.stdout.starts_with("RANK  QDRANT  SCORE   PGVECTOR\n1     1       0.0000  1\n"), "{shown}");
    assert!(shown.stdout.ends_with("2 of 2 found by both\n"), "{shown}");

    execute(&bot.url, "DELETE FROM words WHERE id = 1");
    let shown = bot.search(&["--point", "1", "--using", "also", "-l", "2"]);
    assert!(shown.stdout.contains("1 *") && shown.stdout.contains("* is found by one side only"), "{shown}");
}

#[test]
fn a_key_of_several_columns_is_found_however_it_is_spaced() {
    let tables = "CREATE EXTENSION vector;
        CREATE TABLE parts (document text, part int, v vector(2), PRIMARY KEY (document, part));
        INSERT INTO parts VALUES ('a/b', 1, '[1, 0]'), ('it''s \"so\"', 1, '[0, 1]'), ('a/b', 2, NULL)";
    let from = "from: {target: app, table: parts, key: [document, part], vector: v}";
    let bot = Bot::new(tables, "{size: 2, distance: Dot}", from);
    bot.sync(&[]);
    let (first, second) = (r#"["a/b", "1"]"#, r#"["it's \"so\"", "1"]"#);
    for (written, key) in [
        (first, first),
        (r#"["a/b","1"]"#, first),
        (r#"["a/b",1]"#, first),
        (r#" [ "a\/b" , 1 ] "#, first),
        (second, second),
        (r#"["it's \"so\"",1]"#, second),
    ] {
        let (points, rows) = bot.found(&["--row", written, "--limit", "1", "--exact"]);
        assert_eq!((points.len(), rows.as_slice()), (1, [key.to_owned()].as_slice()), "{written}");
    }
    for written in [r#"["a/b",2]"#, r#"["a/b"]"#, r#"["a/b",null]"#, "a/b"] {
        let run = bot.search(&["--row", written]);
        assert!(run.code == 2 && run.stderr.contains("there is no row "), "{written}: {run}");
    }
}

/// The arguments, the exit code, and what is said.
#[test]
fn mistakes_are_named() {
    let bot = words();
    let cases: [(&[&str], i32, &str); 8] = [
        (&["--row", "1"], 2, "hint: name one with --using"),
        (&["--row", "1", "--using", "plase"], 2, "has no vector `plase`"),
        (&["--row", "9999", "--using", "place"], 2, "there is no row 9999"),
        (&["--point", "9999", "--using", "place"], 2, "has no point 9999"),
        (&["--point", "x", "--using", "place"], 2, "`x` is no id of a point"),
        (&["--vector", "1, two", "--using", "place"], 2, "--vector takes numbers"),
        (&["--vector", "1, 2", "--using", "place"], 2, "has vectors of 3 numbers, and --vector gives 2"),
        (&["--row", "no number", "--using", "place"], 1, "invalid input syntax for type integer"),
    ];
    for (arguments, code, said) in cases {
        let run = bot.search(arguments);
        assert_eq!(run.code, code, "{arguments:?}: {run}");
        assert!(run.stderr.contains(said), "{arguments:?}: {run}");
    }
}

#[test]
fn recall_is_measured_against_a_search_of_all() {
    let bot = words();
    let recall = |arguments: &[&str]| {
        let all = ["qdrant", "recall", &bot.collection, "--using", "place", "--sample", "20", "--json"];
        let run = bot.project.run(&[&all, arguments].concat());
        let found: Value = serde_json::from_str(&run.stdout).unwrap_or_else(|error| panic!("{error}: {run}"));
        (run.code, found["collections"][0].clone())
    };
    let (code, found) = recall(&["-k", "5", "--min", "0.9"]);
    assert_eq!((code, &found["queries"], &found["k"]), (0, &20.into(), &5.into()), "{found}");
    assert_eq!((&found["pgvector"]["recall"], &found["pgvector"]["index"]), (&1.0.into(), &Value::Null), "{found}");
    assert!(found["qdrant"]["p99_ms"].as_f64() >= found["qdrant"]["p50_ms"].as_f64(), "{found}");

    // One list of a hundred is looked at: most of the nearest are in others.
    execute(&bot.url, "CREATE INDEX near ON words USING ivfflat (place vector_cosine_ops) WITH (lists = 100)");
    execute(&bot.url, "ANALYZE words");
    let name = bot.url.database();
    execute(&bot.url, &format!("ALTER DATABASE {name} SET enable_seqscan = off"));
    let (code, found) = recall(&["-k", "20", "--min", "0.9"]);
    assert_eq!((code, &found["pgvector"]["index"]), (3, &"near".into()), "{found}");
    assert!(found["pgvector"]["recall"].as_f64().is_some_and(|recall| recall < 0.9), "{found}");
    let shown = bot.project.run(&["qdrant", "recall", "--using", "place", "--sample", "5"]);
    assert!(shown.stdout.starts_with("COLLECTION ") && shown.stdout.contains("pgvector, near"), "{shown}");
    assert!(shown.stdout.ends_with("5 queries each, beside a search of all rows\n"), "{shown}");
}
