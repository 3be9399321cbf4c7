//! The extensions that a declared schema asks for.

use dbops_migrate::{Statement, split};

use super::SchemaFile;

/// The extensions that the files create, by name.
pub(crate) fn extensions(files: &[SchemaFile]) -> Vec<String> {
    let mut names: Vec<_> = files.iter().flat_map(|file| extensions_in(&file.text)).collect();
    names.sort();
    names.dedup();
    names
}

fn extensions_in(sql: &str) -> Vec<String> {
    let creates =
        |statement: &Statement| matches!(&statement.words[..], [a, b, ..] if a == "CREATE" && b == "EXTENSION");
    let name = |statement: Statement| {
        let mut words = sql[statement.start..statement.end].split_whitespace().skip(2).peekable();
        if words.peek().is_some_and(|word| word.eq_ignore_ascii_case("if")) {
            words.nth(2);
        }
        let name = words.next()?;
        let quoted = name.strip_prefix('"').and_then(|name| name.strip_suffix('"'));
        Some(quoted.map_or_else(|| name.to_lowercase(), ToOwned::to_owned))
    };
    split(sql).into_iter().filter(creates).filter_map(name).collect()
}

#[cfg(test)]
mod tests {
    use super::extensions_in;

    #[test]
    fn extensions_are_found_where_they_are_created() {
        let cases: [(&str, &[&str]); 6] = [
            ("CREATE EXTENSION vector;", &["vector"]),
            ("create extension if not exists Vector with schema public; select 1", &["vector"]),
            ("CREATE EXTENSION\n  \"uuid-ossp\";\nCREATE EXTENSION pg_trgm CASCADE", &["uuid-ossp", "pg_trgm"]),
            ("-- CREATE EXTENSION a;\n/* CREATE EXTENSION b; */ SELECT 'CREATE EXTENSION c;'", &[]),
            ("CREATE FUNCTION f() RETURNS text LANGUAGE sql AS $$ CREATE EXTENSION d; $$", &[]),
            ("CREATE EXTENSION", &[]),
        ];
        for (sql, expected) in cases {
            assert_eq!(extensions_in(sql), expected, "{sql}");
        }
    }
}
