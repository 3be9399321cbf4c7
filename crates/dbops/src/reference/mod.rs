//! The pages of `docs/reference` that say what the code says. `cargo xtask reference` writes them; without it these tests
//! compare.

mod commands;
mod configuration;
mod environment;
mod tables;

use std::fs;
use std::path::Path;

/// Set by `cargo xtask reference`.
const WRITE: &str = "DBOPS_TEST_WRITE_REFERENCE";

/// Said at the head of each page.
const HEAD: &str = "<!-- Written by `cargo xtask reference`: change the code instead. -->\n";

/// Compares a page with what it should be, or writes it.
fn agree(name: &str, page: &str) {
    let page = format!("{HEAD}\n{}\n", page.trim());
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).expect("the workspace");
    let path = root.join("docs/reference").join(name);
    if std::env::var_os(WRITE).is_some() {
        fs::create_dir_all(path.parent().expect("a folder")).expect("docs/reference");
        return fs::write(&path, page).expect("a page");
    }
    let written = fs::read_to_string(&path).unwrap_or_default();
    let differs = page.lines().zip(written.lines().chain(std::iter::repeat(""))).find(|(one, other)| one != other);
    assert!(
        written == page,
        "docs/reference/{name} is not what the code says: run `cargo xtask reference`.\nthe code: {}\nthe page: {}",
        differs.map_or("(ends)", |(one, _)| one),
        differs.map_or("(goes on)", |(_, other)| other),
    );
}

/// A table, its cells escaped.
fn table(headings: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
    let mut table = line(&headings.iter().map(ToString::to_string).collect::<Vec<_>>());
    table.push_str(&line(&vec!["---".to_owned(); headings.len()]));
    for row in rows {
        let cells: Vec<_> = row.iter().map(|cell| cell.replace('|', "\\|").replace('\n', " ")).collect();
        table.push_str(&line(&cells));
    }
    table
}

fn code(text: &str) -> String {
    format!("`{text}`")
}
