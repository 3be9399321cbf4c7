//! The parser of revision files and the splitter of statements: no panic, and nothing is lost between statements.

#![no_main]

use std::path::Path;

use dbops_migrate::{parse_revision, split};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let mut joined = String::new();
    let mut end = 0;
    for statement in split(text) {
        assert!(end <= statement.start && statement.start < statement.end);
        let gap = &text[end..statement.start];
        assert!(split(gap).is_empty(), "a statement is left out: {gap:?}");
        joined.push_str(gap);
        joined.push_str(&text[statement.start..statement.end]);
        end = statement.end;
    }
    assert!(split(&text[end..]).is_empty());
    joined.push_str(&text[end..]);
    assert_eq!(joined, text);
    if let Ok(revision) = parse_revision(Path::new("fuzzed.sql"), text) {
        for statement in revision.up.statements.iter().chain(revision.down.iter().flat_map(|it| &it.statements)) {
            revision.sql(statement);
            revision.place(statement.start);
        }
    }
});
