//! `SECURITY.md` names the tests that watch over what it says: they are there.

use std::fs;
use std::path::Path;

use crate::stack::root;

/// All the Rust below a folder.
fn sources(folder: &Path) -> String {
    let entries = fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
    let text = entries.map(|path| match path.extension() {
        Some(extension) if extension == "rs" => fs::read_to_string(&path).expect("a source"),
        None if path.is_dir() => sources(&path),
        _ => String::new(),
    });
    text.collect()
}

#[test]
fn every_test_and_file_that_is_named_is_there() {
    let page = fs::read_to_string(root().join("SECURITY.md")).expect("SECURITY.md");
    let code = sources(&root().join("crates")) + &sources(&root().join("tests"));
    let mut named = 0;
    for word in page.split('`').skip(1).step_by(2) {
        let is_test = word.matches('_').count() >= 3
            && !word.starts_with("pg_")
            && word.chars().all(|c| c.is_ascii_lowercase() || c == '_');
        let is_file = word.ends_with(".rs") && word.contains('/');
        assert!(!is_test || code.contains(&format!("fn {word}(")), "there is no test {word}");
        assert!(!is_file || root().join(word).is_file(), "there is no file {word}");
        named += usize::from(is_test);
    }
    assert!(named >= 20, "it names {named} tests");
}
