//! Scripts cut into items, and what is refused of them.

use std::fs;
use std::io::Write;

use proptest::prelude::*;

use super::lexer::{Fault, Item, Lexer};
use super::{Refusal, ScriptError};
use crate::Error;

/// The items of a script that comes in pieces of this size, with neighbouring rows as one, and how it ended.
fn items(script: &[u8], size: usize) -> (Vec<Item>, Result<(), Fault>) {
    let (mut lexer, mut items) = (Lexer::new(), Vec::new());
    let fed = script.chunks(size).try_for_each(|piece| lexer.feed(piece, &mut items));
    let ended = fed.and_then(|()| lexer.finish(&mut items));
    let mut joined: Vec<Item> = Vec::new();
    for item in items {
        match (joined.last_mut(), item) {
            (Some(Item::Rows(before)), Item::Rows(rows)) => *before = [before.as_ref(), &rows].concat().into(),
            (_, item) => joined.push(item),
        }
    }
    (joined, ended)
}

/// The same as text, without comments.
fn shown(script: &str) -> Vec<String> {
    let (items, ended) = items(script.as_bytes(), 1 << 20);
    let show = |item| match item {
        Item::Statement { line, text } => Some(format!("{line}: {text}")),
        Item::Rows(rows) => Some(format!("rows {:?}", String::from_utf8_lossy(&rows))),
        Item::RowsEnd => Some("end".into()),
        Item::Command { line, text, is_alone } => Some(format!("{line}: {text} {is_alone}")),
        Item::Comment(_) => None,
    };
    let mut lines: Vec<_> = items.into_iter().filter_map(show).collect();
    lines.extend(ended.err().map(|fault| format!("{fault:?}")));
    lines
}

#[test]
fn scripts_are_cut_as_psql_cuts_them() {
    let atomic =
        "CREATE OR REPLACE FUNCTION f(x int) RETURNS int\nBEGIN ATOMIC\n SELECT CASE WHEN x > 0 THEN 1 END;\nEND";
    let cases: &[(&str, &[&str])] = &[
        ("", &[]),
        (" ;; -- nothing\n\n/* ; /* ' */ \\! */", &[]),
        ("SELECT 1;\n\nSELECT 2 ; SELECT\n3;", &["1: SELECT 1", "3: SELECT 2 ", "3: SELECT\n3"]),
        ("-- why\nSELECT 1 -- what; \\!\n+ 2;", &["2: SELECT 1 -- what; \\!\n+ 2"]),
        ("-1;/ 2;", &["1: -1", "1: / 2"]),
        ("-- x\rSELECT 1;-- \r\n\u{b};SELECT 2 -- \r;", &["1: SELECT 1", "2: SELECT 2 -- \r"]),
        ("SELECT ';', \"a;\n\"\";\", 'it''s;', '\\';", &["1: SELECT ';', \"a;\n\"\";\", 'it''s;', '\\'"]),
        (r"SELECT E'\';', e'\\', name'\', U&'\';", &[r"1: SELECT E'\';', e'\\', name'\', U&'\'"]),
        // A string with escapes goes on in the next line, one without newline between does not.
        ("SELECT E'a' -- x\n'\\';';", &["1: SELECT E'a' -- x\n'\\';'"]),
        ("SELECT E'a''\\';';", &["1: SELECT E'a''\\';'"]),
        ("SELECT E'a' '\\';", &["1: SELECT E'a' '\\'"]),
        ("SELECT E'a' -\n'\\';", &["1: SELECT E'a' -\n'\\'"]),
        ("DO $$ ; \\! $x$ $$; SELECT $x$ $$; $y$x$x$;", &["1: DO $$ ; \\! $x$ $$", "1: SELECT $x$ $$; $y$x$x$"]),
        ("SELECT $x$ $xx$ $x $x$;", &["1: SELECT $x$ $xx$ $x $x$"]),
        ("SELECT a$b$; SELECT $1; SELECT 1$a$;$a$;", &["1: SELECT a$b$", "1: SELECT $1", "1: SELECT 1$a$;$a$"]),
        ("SELECT $ä$;$ä$, $1a;", &["1: SELECT $ä$;$ä$, $1a"]),
        (
            "CREATE RULE r AS ON INSERT TO t DO (SELECT 1; SELECT 2);",
            &["1: CREATE RULE r AS ON INSERT TO t DO (SELECT 1; SELECT 2)"],
        ),
        (
            &format!("{atomic};\nSELECT CASE WHEN 1=1 THEN 2 END;"),
            &[&format!("1: {atomic}"), "5: SELECT CASE WHEN 1=1 THEN 2 END"],
        ),
        (
            "CREATE TABLE t (begin atomic); BEGIN; COMMIT;",
            &["1: CREATE TABLE t (begin atomic)", "1: BEGIN", "1: COMMIT"],
        ),
        (
            "COPY t FROM stdin;\n1\tx\n\\N\t\\.\n\\.\nSELECT 1;",
            &["1: COPY t FROM stdin", "rows \"1\\tx\\n\\\\N\\t\\\\.\\n\"", "end", "5: SELECT 1"],
        ),
        (
            "COPY t\nFROM STDIN; \r\n\n\\..\n\\.\r\n\\x",
            &["1: COPY t\nFROM STDIN", "rows \"\\n\\\\..\\n\"", "end", "6: \\x true"],
        ),
        ("COPY t FROM stdin;\n\\.", &["1: COPY t FROM stdin", "end"]),
        ("COPY t FROM stdin;\n\\\n\\.\n", &["1: COPY t FROM stdin", "rows \"\\\\\\n\"", "end"]),
        ("COPY t FROM stdin; SELECT 1;\n", &["1: COPY t FROM stdin", "AfterCopy { line: 1 }"]),
        (
            "\\restrict x\n  \\a b \nSELECT 1; \\b\n\\c",
            &["1: \\restrict x true", "2: \\a b true", "3: SELECT 1", "3: \\b false", "4: \\c true"],
        ),
        ("SELECT 1\n\\g |id\n;", &["2: \\g |id false", "1: SELECT 1\n"]),
        ("SELECT 1::\"char\", a[1:2], b := 'x', '1'::'x';", &["1: SELECT 1::\"char\", a[1:2], b := 'x', '1'::'x'"]),
        ("SELECT\n :'x';", &["Variable { line: 2 }"]),
        ("SELECT :\"x\";", &["Variable { line: 1 }"]),
        ("SELECT 1:::'x';", &["Variable { line: 1 }"]),
        ("SELECT :{?x};", &["Variable { line: 1 }"]),
        ("SELECT\0", &["NotText { line: 1, reason: \"it holds a byte of value 0\" }"]),
    ];
    for (script, expected) in cases {
        assert_eq!(shown(script), *expected, "{script}");
    }
    let latin = items(b"SELECT '\xe4';", 3).1;
    assert_eq!(latin, Err(Fault::NotText { line: 1, reason: "it is not UTF-8" }));
}

#[test]
fn what_is_cut_off_is_noticed() {
    let cases = [
        ("SELECT 1;\nSELECT 'a", "a string", 2),
        ("SELECT E'a\\'", "a string", 1),
        ("SELECT \"a", "a quoted name", 1),
        ("\nSELECT $a$ $b$", "a dollar quote", 2),
        ("SELECT 1;\n/* /* */", "a comment", 2),
        ("COPY t FROM stdin;", "the rows of a COPY", 1),
        ("COPY t FROM stdin;\n1\n\\", "the rows of a COPY", 1),
        ("SELECT (1;", "a statement", 1),
        ("DROP TABLE a", "a statement", 1),
    ];
    for (script, within, line) in cases {
        assert_eq!(items(script.as_bytes(), 1 << 20).1, Err(Fault::CutOff { line, within }), "{script}");
    }
}

/// What `scan` says of a script.
async fn scan(script: &[u8]) -> Result<(), ScriptError> {
    let mut file = tempfile::NamedTempFile::new().expect("a file");
    file.write_all(script).expect("written");
    match super::scan(file.path(), "x.sql").await {
        Ok(_) => Ok(()),
        Err(Error::Script(error)) => Err(error),
        Err(error) => panic!("{error}"),
    }
}

#[tokio::test]
async fn hostile_scripts_are_refused() {
    use Refusal::{AfterCopy, Command, OtherDatabase, Variable, WholeServer};
    let copy = "CREATE TABLE t (a text);\nCOPY t FROM stdin;\n";
    let create = "\\restrict a\nSET x = 1;\nCREATE DATABASE shop;\n\\unrestrict a\n";
    let cases = [
        ("\\! touch /tmp/x\n".to_owned(), 1, "\\!", Command),
        ("SELECT 1;\n  \\i /etc/passwd".into(), 2, "\\i", Command),
        ("\\copy t from program 'id'".into(), 1, "\\copy", Command),
        ("\\o |id\n".into(), 1, "\\o", Command),
        ("SELECT 'id' \\gexec\n".into(), 1, "\\gexec", Command),
        ("SELECT 1 \\g |id\n".into(), 1, "\\g", Command),
        ("\\set x `id`\n".into(), 1, "\\set", Command),
        ("SELECT 1; \\restrict a\n".into(), 1, "\\restrict", Command),
        ("\\restrict `id`\n".into(), 1, "\\restrict", Command),
        ("\\restrict a\n\\unrestrict b\n\\! id\n".into(), 2, "\\unrestrict", Command),
        ("\\restrict a\n\\restrict a\n".into(), 2, "\\restrict", Command),
        ("\\unrestrict a\n".into(), 1, "\\unrestrict", Command),
        ("\\encoding LATIN1\n".into(), 1, "\\encoding", Command),
        ("\\.\n".into(), 1, "\\.", Command),
        ("--\n-- Name: t\n\\! id\n-- ; Type: TABLE\n".into(), 3, "\\!", Command),
        (format!("{copy}\\N\n\\.\n\\! id\n"), 5, "\\!", Command),
        (format!("{copy}a\n\\.\nb\n\\.\n"), 6, "\\.", Command),
        (format!("{} \\! id\n", copy.trim_end()), 2, "COPY", AfterCopy),
        ("SELECT :'x';".into(), 1, ":", Variable),
        ("COPY t FROM PROGRAM 'id';".into(), 1, "COPY t FROM PROGRAM …", Refusal::Copy),
        ("COPY t TO '/tmp/x';".into(), 1, "COPY t TO …", Refusal::Copy),
        ("\\connect shop\n".into(), 1, "\\connect", OtherDatabase),
        (format!("{create}\\connect other\n"), 5, "\\connect", OtherDatabase),
        (format!("{create}\\connect -reuse-previous=on \"dbname='shop' host='evil'\"\n"), 5, "\\connect", Command),
        (format!("{create}\\restrict a\n\\connect shop\n"), 6, "\\connect", Command),
        (format!("{create}SELECT 1;\n"), 5, "SELECT 1", OtherDatabase),
        (format!("{create}\\connect shop\nDROP DATABASE live;\n"), 6, "DROP DATABASE live", OtherDatabase),
        (
            format!("{create}\\connect shop\nALTER DATABASE live RENAME TO x;"),
            6,
            "ALTER DATABASE live RENAME TO x",
            OtherDatabase,
        ),
        ("DROP DATABASE live;\nCREATE DATABASE shop;\n".into(), 2, "CREATE DATABASE shop", OtherDatabase),
        ("SELECT 1;\nDROP DATABASE live;\n".into(), 2, "DROP DATABASE live", OtherDatabase),
        ("DROP DATABASE live;\nSELECT 1;\n".into(), 2, "SELECT 1", OtherDatabase),
        ("ALTER ROLE postgres PASSWORD 'secret';\n".into(), 1, "ALTER ROLE postgres PASSWORD …", WholeServer),
        ("COMMIT;ROLLBACK;".into(), 1, "ROLLBACK", Refusal::Transaction),
        (
            "SET standard_conforming_strings = off;".into(),
            1,
            "SET standard_conforming_strings = off",
            Refusal::BackslashesInStrings,
        ),
        ("SET client_encoding = 'LATIN1';".into(), 1, "SET client_encoding = …", Refusal::Encoding),
    ];
    for (script, at, what, why) in cases {
        match scan(script.as_bytes()).await {
            Err(ScriptError::Refused { line, found, refusal, .. }) => {
                assert_eq!((line, found.as_str(), refusal), (at, what, why), "{script}");
            }
            other => panic!("{script}: {other:?}"),
        }
    }
}

#[tokio::test]
async fn what_only_looks_hostile_is_not_refused() {
    let scripts = [
        "-- \\! id\n/*\n\\! id\n*/ SELECT 1;",
        "DO $$\n\\! id\n$$;",
        "CREATE TABLE \"a\n\\! id\n\" ();",
        "INSERT INTO t VALUES ('\n\\! id\n', ':\"x\"', 'COPY t FROM PROGRAM');",
        "COPY t FROM stdin;\n\\! id\nx\\.\n\\.\n",
        "\\restrict abc\nSELECT 1;\n\\unrestrict abc\n",
        "\\restrict abc\r\nSELECT 1;\r\nCOPY t FROM stdin;\r\n1\r\n\\.\r\n\\unrestrict abc\r\n",
        "DROP DATABASE IF EXISTS shop;\nCREATE DATABASE shop;\nALTER DATABASE shop OWNER TO a;\n\\encoding SQL_ASCII\n\
         \\connect shop\nSELECT 1;\nALTER DATABASE shop SET work_mem = 1;\n\\connect shop\nGRANT ALL ON DATABASE shop TO a;",
        "\u{feff}SELECT 1;",
    ];
    for script in scripts {
        scan(script.as_bytes()).await.unwrap_or_else(|error| panic!("{script}: {error}"));
    }
}

const DUMP: &str = "--\n-- PostgreSQL database dump\n--\n\\restrict a\nSELECT 'é';\nCOPY t FROM stdin;\n1\n\\.\n\
                    SELECT $$x$$;\n--\n-- PostgreSQL database dump complete\n--\n\n\\unrestrict a\n";

/// As each compression writes it.
fn compressed() -> Vec<(&'static str, Vec<u8>)> {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    let mut lz4 = lz4_flex::frame::FrameEncoder::new(Vec::new());
    gzip.write_all(DUMP.as_bytes()).and_then(|()| lz4.write_all(DUMP.as_bytes())).expect("written");
    vec![
        ("none", DUMP.into()),
        ("gzip", gzip.finish().expect("gzip")),
        ("zstd", zstd::encode_all(DUMP.as_bytes(), 3).expect("zstd")),
        ("lz4", lz4.finish().expect("lz4")),
    ]
}

#[tokio::test]
async fn a_dump_is_whole_or_refused_wherever_it_is_cut() {
    for (name, bytes) in compressed() {
        scan(&bytes).await.unwrap_or_else(|error| panic!("{name}: {error}"));
        // Without the newline at its very end it is whole too, and without the mark of four bytes that ends lz4.
        let whole =
            bytes.len() - [("none", 1), ("lz4", 4)].iter().find(|(of, _)| *of == name).map_or(0, |(_, less)| *less);
        for end in (0..whole).filter(|end| name != "none" || DUMP.is_char_boundary(*end)) {
            let error = scan(&bytes[..end]).await.expect_err(&format!("{name} cut at {end}"));
            let is_told = matches!(error, ScriptError::CutOff { .. } | ScriptError::Damaged { .. });
            // A part of a command is another command, and so much as tells no compression is taken for text.
            let is_in_command = name == "none" && DUMP[..end].lines().last().is_some_and(|line| line.starts_with('\\'));
            let is_text = name != "none" && end < 4;
            assert!(is_told || is_in_command || is_text, "{name} cut at {end}: {error}");
        }
    }
}

#[tokio::test]
async fn a_file_that_is_not_there_is_named() {
    let error = super::scan("/nonexistent/x.sql".as_ref(), "x.sql").await.expect_err("no file");
    assert_eq!(error.to_string(), "cannot read x.sql");
    assert!(fs::metadata("/nonexistent").is_err());
}

proptest! {
    /// Scripts of what means something, and of anything.
    #[test]
    fn how_a_script_is_cut_into_pieces_never_matters(
        parts in proptest::collection::vec(prop_oneof![
            "[ -~\n]", Just("'".into()), Just("\\".into()), Just("$$".into()), Just("$a$".into()), Just("E'".into()),
            Just("--".into()), Just("/*".into()), Just("*/".into()), Just("\n\\.\n".into()), Just("\r\n".into()),
            Just("COPY t FROM stdin;\n".into()), Just("CREATE FUNCTION f BEGIN ATOMIC ".into()), Just("END;".into()),
            Just(";\n".into()), Just("ä".into()), Just("\n".into()),
        ], 0..40),
        size in 2_usize..9,
    ) {
        let script: String = parts.concat();
        let whole = items(script.as_bytes(), 1 << 20);
        prop_assert_eq!(&items(script.as_bytes(), 1), &whole);
        prop_assert_eq!(&items(script.as_bytes(), size), &whole);
    }

    #[test]
    fn any_bytes_are_read_without_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let whole = items(&bytes, 1 << 20);
        prop_assert_eq!(items(&bytes, 1), whole);
    }
}
