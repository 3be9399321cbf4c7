//! Collections whose points come from a table: written, kept up, compared, and repaired, against a real Qdrant engine.

use std::collections::HashMap;

use dbops_postgres::DatabaseUrl;
use dbops_qdrant::{Id, Point, PointVector, Server};
use dbops_testbed::{create_database, unique};
use serde_json::{Value, json};

use crate::project::{Held, Project, execute, query};
use crate::qdrant::on_server;

/// A table of notes, with a vector of four numbers each.
const NOTES: &str = "
    CREATE EXTENSION vector;
    CREATE TABLE notes (
        id uuid PRIMARY KEY, body text NOT NULL, author text, facts jsonb, price numeric(8, 2), made timestamptz,
        place vector(4), updated_at timestamptz NOT NULL DEFAULT clock_timestamp()
    );
    CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN NEW.updated_at := clock_timestamp(); RETURN NEW; END $$;
    CREATE TRIGGER touch BEFORE UPDATE ON notes FOR EACH ROW EXECUTE FUNCTION touch();
    INSERT INTO notes (id, body, author, facts, price, made, place)
    SELECT md5(n::text)::uuid, 'note ' || n, CASE n % 3 WHEN 0 THEN 'ann' WHEN 1 THEN 'bob' END,
        jsonb_build_object('page', n, 'tags', ARRAY['x', 'y']), n / 4.0, '2026-01-02 03:04:05+00',
        ARRAY[n, 1, 0.5, -n]::vector
    FROM generate_series(1, 1000) AS n;
    INSERT INTO notes (id, body) VALUES ('00000000-0000-0000-0000-00000000abcd', 'without a vector');";

pub(crate) const FROM_NOTES: &str = "from:\n      target: app\n      table: notes\n      key: id\n      vector: place\n      payload:\n        \
                          page_content: body\n        metadata.author: author\n        metadata.facts: facts\n        \
                          metadata.price: price\n        metadata.made: made\n      updated: updated_at";

/// A project with a database and a collection whose points come from it.
pub(crate) struct Bot {
    pub(crate) project: Project,
    pub(crate) url: DatabaseUrl,
    pub(crate) collection: String,
}

impl Bot {
    pub(crate) fn new(tables: &str, vectors: &str, from: &str) -> Self {
        let url = create_database("sync");
        execute(&url, tables);
        let qdrant = dbops_testbed::qdrant();
        let project = Project::empty().env("SEARCH_URL", &qdrant.url).env("APP_URL", &url.reveal());
        project.write(
            "dbops.yaml",
            &format!(
                "version: 1\ntargets:\n  app:\n    kind: postgres\n    url: ${{APP_URL}}\n  search:\n    kind: qdrant\n    \
                 url: ${{SEARCH_URL}}\n    grpc_port: ${{SEARCH_GRPC_PORT:-{}}}\n    collections: collections.yaml\nbackup:\n  repository: backups\n",
                qdrant.grpc_port
            ),
        );
        let collection = unique("notes");
        let bot = Self { project, url, collection };
        bot.declare(vectors, from);
        bot.project.ok(&["qdrant", "apply"]);
        bot
    }

    pub(crate) fn notes() -> Self {
        Self::new(NOTES, "{size: 4, distance: Cosine}", FROM_NOTES)
    }

    pub(crate) fn declare(&self, vectors: &str, from: &str) {
        let text = format!("version: 1\ncollections:\n  {}:\n    vectors: {vectors}\n    {from}\n", self.collection);
        self.project.write("collections.yaml", &text);
    }

    /// Runs the command for the one collection, and gives what is said of it.
    fn json(&self, code: i32, arguments: &[&str]) -> Value {
        self.project.json(code, &[&["qdrant"], arguments].concat())["collections"][0].clone()
    }

    pub(crate) fn sync(&self, arguments: &[&str]) -> (String, [u64; 4]) {
        let done = self.json(0, &[&["sync"], arguments].concat());
        let number = |name: &str| done[name].as_u64().expect(name);
        let way = done["way"].as_str().expect("a way").to_owned();
        (way, ["rows", "inserted", "updated", "deleted"].map(number))
    }

    /// Whether both sides are the same: what is missing, extra and different.
    pub(crate) fn verify(&self, arguments: &[&str]) -> [u64; 3] {
        let run = self.project.run(&[&["qdrant", "verify", "--json"], arguments].concat());
        let found: Value = serde_json::from_str(&run.stdout).unwrap_or_else(|error| panic!("{error}: {run}"));
        let found = &found["collections"][0];
        let counts = ["missing", "extra", "different"].map(|kind| found[kind]["count"].as_u64().expect(kind));
        assert_eq!(run.code, if counts == [0; 3] { 0 } else { 3 }, "{run}");
        assert_eq!(found["same"], counts == [0; 3], "{run}");
        counts
    }

    /// Works on the server as an application would.
    fn server<T>(&self, work: impl AsyncFnOnce(&Server, &str) -> Result<T, dbops_qdrant::Error>) -> T {
        on_server(async |server| work(server, &self.collection).await)
    }

    fn stored(&self, id: &str) -> Option<(HashMap<String, Value>, Vec<f32>)> {
        let id = Id::Uuid(u128::from_str_radix(&id.replace('-', ""), 16).expect("a UUID"));
        let found = self.server(async |server, collection| server.stored(collection, &[id]).await);
        found.into_iter().next().map(|mut point| {
            let vector = point.vectors.remove("").and_then(PointVector::dense).unwrap_or_default();
            (point.payload.into_iter().collect(), vector)
        })
    }

    /// The UUID of the note of this number.
    pub(crate) fn id(&self, number: u32) -> String {
        query(&self.url, &format!("SELECT md5('{number}')::uuid")).remove(0)
    }
}

fn marked(payload: &HashMap<String, Value>) -> bool {
    payload["_dbops"].as_str().is_some_and(|mark| mark.len() == 32)
}

#[test]
fn an_empty_collection_is_filled_and_then_kept_up() {
    let bot = Bot::notes();
    assert_eq!(bot.verify(&[]), [1000, 0, 0]);
    let dry = bot.project.ok(&["qdrant", "sync", "--dry-run"]);
    assert!(dry.stdout.contains("1000 rows, 1000 would be inserted"), "{dry}");
    assert_eq!(bot.verify(&[]), [1000, 0, 0], "nothing was written");

    assert_eq!(bot.sync(&[]), ("load".into(), [1000, 1000, 0, 0]));
    assert_eq!((bot.verify(&[]), bot.verify(&["--deep"])), ([0; 3], [0; 3]));
    let (payload, vector) = bot.stored(&bot.id(7)).expect("it is there");
    assert!(marked(&payload));
    assert_eq!(payload["page_content"], "note 7");
    let expected = json!({"author": "bob", "facts": {"page": 7, "tags": ["x", "y"]}, "price": 1.75, "made": "2026-01-02T03:04:05+00:00"});
    assert_eq!(payload["metadata"], expected);
    let length = (7.0_f32 * 7.0 * 2.0 + 1.25).sqrt();
    assert!((vector[0] - 7.0 / length).abs() < 1e-5 && vector.len() == 4, "{vector:?}");
    // NULL is left out.
    assert_eq!(bot.stored(&bot.id(2)).expect("it is there").0["metadata"].get("author"), None);

    assert_eq!(bot.sync(&[]), ("changes".into(), [1000, 0, 0, 0]));
    execute(
        &bot.url,
        "UPDATE notes SET body = 'changed' WHERE id = md5('1')::uuid; DELETE FROM notes WHERE id = md5('2')::uuid;
         UPDATE notes SET place = NULL WHERE id = md5('3')::uuid;
         INSERT INTO notes (id, body, place) VALUES (md5('new')::uuid, 'new', '[1, 2, 3, 4]')",
    );
    assert_eq!(bot.verify(&[]), [1, 2, 1]);
    assert_eq!(bot.sync(&["--dry-run"]), ("changes".into(), [999, 1, 1, 2]));
    assert_eq!(bot.sync(&[]), ("changes".into(), [999, 1, 1, 2]));
    assert_eq!(bot.verify(&["--deep"]), [0; 3]);
    assert_eq!(bot.stored(&bot.id(1)).expect("it is there").0["page_content"], "changed");
    assert_eq!(bot.sync(&["--full"]), ("compare".into(), [999, 0, 0, 0]));
}

#[test]
fn what_the_column_does_not_tell_is_found_by_comparing() {
    let bot = Bot::notes();
    bot.sync(&[]);
    execute(
        &bot.url,
        "ALTER TABLE notes DISABLE TRIGGER touch; UPDATE notes SET body = 'behind the back' WHERE id = md5('5')::uuid",
    );
    // Rows that were written in the last moments are looked at again, and these are among them: make them old.
    execute(&bot.url, "UPDATE notes SET updated_at = now() - interval '1 day'");
    assert_eq!(bot.sync(&[]), ("changes".into(), [1000, 0, 0, 0]));
    assert_eq!(bot.verify(&[]), [0, 0, 1]);
    assert_eq!(bot.sync(&["--full"]), ("compare".into(), [1000, 0, 1, 0]));
    // Another payload means another way of making points: everything is compared.
    bot.declare("{size: 4, distance: Cosine}", &FROM_NOTES.replace("metadata.price: price", "price: price"));
    assert_eq!(bot.sync(&[]), ("compare".into(), [1000, 0, 1000, 0]));
    assert_eq!(bot.verify(&["--deep"]), [0; 3]);
}

#[test]
fn changes_behind_the_marks_are_found_deeply_and_repaired() {
    let bot = Bot::notes();
    bot.sync(&[]);
    let id = |number| Id::Uuid(u128::from_str_radix(&bot.id(number).replace('-', ""), 16).expect("a UUID"));
    let (mut moved, mut worded, gone) = (id(10), id(11), id(12));
    bot.server(async |server, collection| {
        for (which, point) in [&mut moved, &mut worded].into_iter().enumerate() {
            let stored = server.stored(collection, &[*point]).await?.remove(0);
            let (mut vectors, mut payload) = (stored.vectors, stored.payload);
            if which == 0 {
                vectors.insert(String::new(), PointVector::Dense(vec![0.0, 1.0, 0.0, 0.0]));
            } else {
                payload.insert("page_content".into(), json!("something else"));
            }
            server.write(collection, vec![Point { id: *point, vectors, payload }]).await?;
        }
        server.remove(collection, &[gone]).await?;
        let strange = Point {
            id: Id::Number(4),
            vectors: [(String::new(), PointVector::Dense(vec![1.0; 4]))].into(),
            payload: serde_json::Map::new(),
        };
        server.write(collection, vec![strange]).await
    });
    assert_eq!((bot.verify(&[]), bot.verify(&["--deep"])), ([1, 1, 0], [1, 1, 2]));
    let run = bot.project.run(&["qdrant", "verify", "--deep"]);
    assert!(
        run.code == 3 && run.stdout.contains("2 points that differ: ") && run.stdout.contains(&bot.id(10)),
        "{run}"
    );
    assert!(run.stdout.contains("1 points without a row: 4\n"), "{run}");
    assert_eq!(bot.verify(&["--deep", "--repair"]), [0; 3]);
    assert_eq!((bot.verify(&["--deep"]), bot.sync(&[]).1), ([0; 3], [1000, 0, 0, 0]));
}

/// The declaration of the key and of the id that comes of it.
#[test]
fn ids_come_of_numbers_uuids_and_any_other_keys() {
    let tables = "CREATE EXTENSION vector;
        CREATE TABLE numbered (id bigint PRIMARY KEY, v real[] NOT NULL);
        INSERT INTO numbered SELECT n * 3, ARRAY[n, 1, 1, 1] FROM generate_series(0, 20) AS n;
        CREATE TABLE \"na\"\"med\" (\"the key\" text, part int, v halfvec(4), PRIMARY KEY (\"the key\", part));
        INSERT INTO \"na\"\"med\" SELECT 'k ''' || n % 7, n, ARRAY[n, 1, 1, 1]::vector::halfvec FROM generate_series(1, 20) AS n;
        CREATE VIEW seen AS SELECT id::text AS name, v FROM numbered;";
    let vectors = "{size: 4, distance: Dot}";
    let from = |table: &str, key: &str| {
        format!("from: {{target: app, table: {table}, key: {key}, vector: v, payload: {{v: v}}}}")
    };
    let bot = Bot::new(tables, vectors, &from("numbered", "id"));
    assert_eq!(bot.sync(&[]), ("load".into(), [21, 21, 0, 0]));
    execute(
        &bot.url,
        "UPDATE numbered SET v[1] = 9 WHERE id = 6; DELETE FROM numbered WHERE id = 0; INSERT INTO numbered VALUES (1, '{1, 2, 3, 4}')",
    );
    assert_eq!(bot.sync(&[]), ("compare".into(), [21, 1, 1, 1]));
    assert_eq!(bot.verify(&["--deep"]), [0; 3]);
    let six = bot.server(async |server, collection| server.stored(collection, &[Id::Number(6)]).await).remove(0);
    assert_eq!(six.vectors[""], PointVector::Dense(vec![9.0, 1.0, 1.0, 1.0]));

    for (table, key, rows, change) in [
        (
            "na\"med",
            "['the key', part]",
            20,
            "DELETE FROM \"na\"\"med\" WHERE part = 3; UPDATE \"na\"\"med\" SET v = '[1, 1, 1, 1]' WHERE part = 5",
        ),
        ("seen", "name", 21, "DELETE FROM numbered WHERE id = 9; UPDATE numbered SET v[2] = 7 WHERE id = 12"),
    ] {
        bot.declare(vectors, &from(&format!("'{table}'"), key));
        // None of the points has a row now.
        let refused = bot.project.run(&["qdrant", "sync"]);
        assert!(refused.code == 4 && refused.stderr.contains("--allow-deletes"), "{refused}");
        let (way, [found, inserted, updated, _]) = bot.sync(&["--allow-deletes"]);
        assert_eq!((way.as_str(), found, inserted, updated), ("compare", rows, rows, 0), "{table}");
        assert_eq!(bot.verify(&["--deep"]), [0; 3], "{table}");
        execute(&bot.url, change);
        assert_eq!((bot.verify(&[]), bot.sync(&[]).1), ([0, 1, 1], [rows - 1, 0, 1, 1]), "{table}");
        assert_eq!(bot.verify(&["--deep"]), [0; 3], "{table}");
    }
}

#[test]
fn several_vectors_of_a_row_are_named() {
    let tables =
        "CREATE EXTENSION vector; CREATE TABLE pages (id int PRIMARY KEY, title vector(2), body double precision[]);
        INSERT INTO pages VALUES (1, '[1, 2]', '{1, 2, 3}'), (2, NULL, '{4, 5, 6}'), (3, NULL, NULL)";
    let bot = Bot::new(
        tables,
        "{title: {size: 2, distance: Euclid}, body: {size: 3, distance: Dot}}",
        "from: {target: app, table: pages, key: id, vectors: {title: title, body: body}}",
    );
    assert_eq!(bot.sync(&[]).1, [2, 2, 0, 0]);
    assert_eq!(bot.verify(&["--deep"]), [0; 3]);
    let both = bot.server(async |server, collection| server.stored(collection, &[Id::Number(1), Id::Number(2)]).await);
    let vectors =
        |number: u64| both.iter().find(|point| point.id == Id::Number(number)).expect("it is there").vectors.clone();
    assert_eq!(vectors(1)["title"], PointVector::Dense(vec![1.0, 2.0]));
    assert_eq!(vectors(2).keys().collect::<Vec<_>>(), ["body"]);
}

/// Each kind of vector from each type of column, beside one without a name.
#[test]
fn sparse_and_multivectors_come_from_columns() {
    let tables = "CREATE EXTENSION vector;
        CREATE TABLE pages (
            id int PRIMARY KEY, whole vector(2), words sparsevec(9), tokens vector(2)[], half halfvec(2)[], grid real[]
        );
        INSERT INTO pages SELECT n, ARRAY[n, 1]::vector, ('{1:' || n || ',9:0.5}/9')::sparsevec,
            ARRAY[ARRAY[n, 1]::vector, ARRAY[1, n]::vector], ARRAY[ARRAY[n, 2]::vector::halfvec], ARRAY[[n, 1], [2, n], [3, 3]]
        FROM generate_series(1, 50) AS n;
        INSERT INTO pages (id, words) VALUES (51, '{}/9'); INSERT INTO pages (id, grid) VALUES (52, '{{5, 6}}');
        INSERT INTO pages VALUES (53)";
    let several = "size: 2, distance: Cosine, multivector: {comparator: max_sim}";
    let vectors = format!(
        "{{tokens: {{{several}}}, half: {{{several}}}, grid: {{{several}}}, whole: {{size: 2, distance: Dot}}}}"
    );
    let bot = Bot::new(
        tables,
        &format!("{vectors}\n    sparse_vectors: {{words: {{}}}}"),
        "from: {target: app, table: pages, key: id, \
         vectors: {whole: whole, words: words, tokens: tokens, half: half, grid: grid}}",
    );
    assert_eq!(bot.sync(&[]).1, [52, 52, 0, 0]);
    assert_eq!((bot.verify(&["--deep"]), bot.sync(&[]).1), ([0; 3], [52, 0, 0, 0]));
    let stored = bot.server(async |server, collection| server.stored(collection, &[Id::Number(2)]).await).remove(0);
    assert_eq!(stored.vectors["words"], PointVector::Sparse { indices: vec![0, 8], values: vec![2.0, 0.5] });
    let PointVector::Multi(tokens) = &stored.vectors["tokens"] else { panic!("{:?}", stored.vectors) };
    assert!(tokens.len() == 2 && tokens[0][0] > tokens[0][1] && tokens[1][0] < tokens[1][1], "{tokens:?}");
    assert!(matches!(&stored.vectors["grid"], PointVector::Multi(grid) if grid.len() == 3), "{:?}", stored.vectors);

    execute(
        &bot.url,
        "UPDATE pages SET words = '{1:7}/9' WHERE id = 1; UPDATE pages SET tokens = tokens[:1] WHERE id = 2;
         UPDATE pages SET grid = NULL WHERE id = 3; DELETE FROM pages WHERE id = 4",
    );
    assert_eq!((bot.verify(&[]), bot.sync(&[]).1), ([0, 1, 3], [51, 0, 3, 1]));
    assert_eq!(bot.verify(&["--deep"]), [0; 3]);
    // The marks are the same whatever number the type has in the database.
    execute(
        &bot.url,
        "CREATE TABLE kept AS SELECT id, tokens::text AS tokens FROM pages; ALTER TABLE pages DROP COLUMN tokens;
         ALTER TABLE pages ALTER whole TYPE text, ALTER words TYPE text, ALTER half TYPE text; DROP EXTENSION vector;
         CREATE EXTENSION vector; ALTER TABLE pages ALTER whole TYPE vector(2) USING whole::vector,
            ALTER words TYPE sparsevec(9) USING words::sparsevec, ALTER half TYPE halfvec(2)[] USING half::halfvec[];
         ALTER TABLE pages ADD COLUMN tokens vector(2)[];
         UPDATE pages SET tokens = kept.tokens::vector[] FROM kept WHERE kept.id = pages.id",
    );
    assert_eq!(bot.verify(&["--deep"]), [0; 3]);

    // A change behind the marks.
    bot.server(async |server, collection| {
        let mut point = server.stored(collection, &[Id::Number(7)]).await?.remove(0);
        point.vectors.insert("words".into(), PointVector::Sparse { indices: vec![0], values: vec![1.0] });
        server.write(collection, vec![Point { id: point.id, vectors: point.vectors, payload: point.payload }]).await
    });
    assert_eq!((bot.verify(&[]), bot.verify(&["--deep"])), ([0; 3], [0, 0, 1]));
    execute(&bot.url, "UPDATE pages SET tokens = ARRAY[NULL]::vector[] WHERE id = 9");
    let run = bot.project.run(&["qdrant", "sync"]);
    assert!(run.code == 1 && run.stderr.contains("the row 9 of") && run.stderr.contains("with NULL in it"), "{run}");
}

#[test]
fn a_sparse_vector_stands_beside_one_without_a_name() {
    let tables =
        "CREATE EXTENSION vector; CREATE TABLE pages (id int PRIMARY KEY, whole vector(2), words sparsevec(9));
                  INSERT INTO pages VALUES (1, '[1, 2]', '{3:4}/9'), (2, '[3, 4]', NULL), (3, NULL, '{1:1}/9')";
    let bot = Bot::new(
        tables,
        "{size: 2, distance: Dot}\n    sparse_vectors: {words: {modifier: idf}}",
        "from: {target: app, table: pages, key: id, vector: whole, vectors: {words: words}}",
    );
    assert_eq!(bot.sync(&[]).1, [3, 3, 0, 0]);
    assert_eq!(bot.verify(&["--deep"]), [0; 3]);
    let run = bot.project.run(&["qdrant", "search", &bot.collection, "--row", "1"]);
    assert!(run.code == 0, "{run}");
}

/// What is declared, and what is said about it.
#[test]
fn mistakes_are_named() {
    let tables = "CREATE EXTENSION vector; CREATE TABLE t (id int PRIMARY KEY, other int, v vector(4), w vector(3));
                  INSERT INTO t VALUES (1, 1, '[1, 2, 3, 4]', '[1, 2, 3]'), (-2, 1, '[1, 2, 3, 4]', '[1, 2, 3]');
                  CREATE VIEW twice AS SELECT 1 AS id, v FROM t";
    let bot = Bot::new(tables, "{size: 4, distance: Dot}", "from: {target: app, table: t, key: id, vector: v}");
    let cases = [
        ("{target: none, table: t, key: id, vector: v}", 2, "there is no PostgreSQL target `none`", "`app`"),
        ("{target: search, table: t, key: id, vector: v}", 2, "there is no PostgreSQL target `search`", "`app`"),
        (
            "{target: app, table: none, key: id, vector: v}",
            1,
            "there is no table \"public\".\"none\"",
            "`schema` is public",
        ),
        ("{target: app, table: t, key: ident, vector: v}", 1, "has no column `ident`", "it has id, other, v, w"),
        ("{target: app, table: t, key: other, vector: v}", 1, "has no unique index on other", "primary key"),
        ("{target: app, table: t, key: id, vector: other}", 1, "is of type integer, which is no vector", "halfvec"),
        (
            "{target: app, table: t, key: id, vector: v}",
            1,
            "the row -2 of \"public\".\"t\" has a negative key",
            "a view",
        ),
        ("{target: app, table: t, key: id, vector: v, payload: {_dbops: other}}", 2, "cannot be a path", ""),
        ("{target: app, table: t, key: id}", 2, "the column of the vector is not named", "vector: COLUMN"),
        ("{target: app, table: t, key: [], vector: v}", 2, "there is no column", "primary key"),
        ("{target: app, table: t, kee: id, vector: v}", 2, "`from` has no key `kee`", "`key`"),
    ];
    for (from, code, message, hint) in cases {
        bot.declare("{size: 4, distance: Dot}", &format!("from: {from}"));
        let run = bot.project.run(&["qdrant", "sync"]);
        assert_eq!(run.code, code, "{from}: {run}");
        assert!(run.stderr.contains(message) && run.stderr.contains(hint), "{from}: {run}");
    }
    execute(&bot.url, "DELETE FROM t WHERE id < 0");
    bot.declare("{size: 4, distance: Dot}", "from: {target: app, table: t, key: id, vector: w}");
    let run = bot.project.run(&["qdrant", "sync"]);
    let row =
        "the row 1 of \"public\".\"t\" has a vector of dimension 3, and the collection takes 4\nhint: correct the row";
    assert!(run.code == 1 && run.stderr.contains(row), "{run}");
    bot.declare("{size: 4, distance: Dot}", "from: {target: app, table: t, key: id, vector: v}");
    bot.sync(&[]);
    execute(&bot.url, "INSERT INTO t VALUES (3, 1, '[1, 2, 3, 4]', NULL)");
    bot.declare("{size: 4, distance: Dot}", "from: {target: app, table: twice, key: id, vector: v}");
    let run = bot.project.run(&["qdrant", "verify"]);
    assert!(run.code == 1 && run.stderr.contains("two rows of \"public\".\"twice\" have the key 1"), "{run}");
    let unknown = bot.project.run(&["qdrant", "sync", "nowhere"]);
    assert!(unknown.code == 2 && unknown.stderr.contains("no collection `nowhere` is declared"), "{unknown}");
}

#[test]
fn an_empty_table_is_not_followed_without_asking() {
    let bot = Bot::notes();
    bot.sync(&[]);
    execute(&bot.url, "DELETE FROM notes");
    let refused = bot.project.run(&["qdrant", "sync"]);
    assert_eq!(refused.code, 4, "{refused}");
    assert!(refused.stderr.contains("1000 of the 1000 points of "), "{refused}");
    assert_eq!(bot.verify(&[]), [0, 1000, 0], "nothing was changed");
    assert_eq!(bot.sync(&["--allow-deletes"]).1, [0, 0, 0, 1000]);
    assert_eq!(bot.verify(&[]), [0; 3]);
}

#[test]
fn one_run_at_a_time_works_on_a_collection() {
    let bot = Bot::notes();
    let sql = format!("SELECT pg_advisory_xact_lock(hashtext('dbops sync'), hashtext('{}'))", bot.collection);
    let lock = Held::new(&bot.url, &sql);
    let run = bot.project.run(&["qdrant", "sync"]);
    assert!(run.code == 5 && run.stderr.contains("is being synchronised by another process"), "{run}");
    lock.commit("");
    bot.sync(&[]);
}

#[test]
fn a_restore_of_either_side_tells_how_they_agree() {
    let bot = Bot::notes();
    bot.sync(&[]);
    bot.project.ok(&["backup"]);
    execute(&bot.url, "UPDATE notes SET body = 'later' WHERE id = md5('1')::uuid");
    bot.sync(&[]);
    let restored = bot.project.ok(&["restore", "latest", "app", "--swap", "--disconnect"]);
    let told = format!("search: {} is not what app public.notes is: 0 rows without a point", bot.collection);
    assert!(restored.stderr.contains(&told) && restored.stderr.contains("1 that differ"), "{restored}");
    let undone = bot.project.ok(&["restore", "--undo-swap", "app", "--disconnect"]);
    assert!(!undone.stderr.contains("is not what"), "{undone}");
    let beside = bot.project.ok(&["restore", "latest", "app", "--into", &unique("beside")]);
    assert!(!beside.stderr.contains("is not what"), "{beside}");
}
