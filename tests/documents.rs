//! The links in the documents: the files and the headings that they lead to are there.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::stack::root;

/// Every Markdown file of the project.
fn documents() -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![root().to_path_buf()];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(&folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if path.is_dir() && !name.starts_with('.') && name != "target" {
                open.push(path);
            } else if name.ends_with(".md") {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// The lines of a document that are neither in a block of code nor in a comment.
fn prose(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut is_block = false;
    text.lines().enumerate().filter_map(move |(index, line)| {
        if line.trim_start().starts_with("```") {
            is_block = !is_block;
            return None;
        }
        (!is_block && !line.starts_with("<!--")).then_some((index + 1, line))
    })
}

/// The same line without what is code in it.
fn without_code(line: &str) -> String {
    line.split('`').step_by(2).collect::<Vec<_>>().join("`")
}

/// Where the links of a document lead.
fn links(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (number, line) in prose(text) {
        let line = without_code(line);
        for rest in line.split("](").skip(1) {
            let target = rest.split([')', ' ']).next().unwrap_or_default();
            found.push((number, target.trim_matches(['<', '>']).to_owned()));
        }
        // A link whose address stands elsewhere: `[name]: address`.
        if let Some((_, target)) = line.strip_prefix('[').and_then(|rest| rest.split_once("]: ")) {
            found.push((number, target.split(' ').next().unwrap_or_default().to_owned()));
        }
    }
    found
}

/// The anchors of a document's headings, as forges make them: small letters, spaces as `-`, no punctuation, and a
/// number where there was the same before.
fn anchors(text: &str) -> Vec<String> {
    let mut seen: HashMap<String, usize> = HashMap::new();
    let headings = prose(text).filter(|(_, line)| line.starts_with('#'));
    let anchor = headings.map(|(_, line)| {
        let title = line.trim_start_matches('#').trim().to_lowercase();
        let kept = title.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
        let anchor: String = kept.map(|c| if c == ' ' { '-' } else { c }).collect();
        let count = seen.entry(anchor.clone()).or_default();
        *count += 1;
        if *count == 1 { anchor } else { format!("{anchor}-{}", *count - 1) }
    });
    anchor.collect()
}

fn broken(path: &Path, link: &str) -> Option<&'static str> {
    if link.contains("://") || link.starts_with("mailto:") {
        return None;
    }
    let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
    let target = if file.is_empty() { path.to_path_buf() } else { path.parent().expect("a folder").join(file) };
    if !target.exists() {
        return Some("there is no such file");
    }
    if anchor.is_empty() || target.extension().is_none_or(|extension| extension != "md") {
        return None;
    }
    let text = fs::read_to_string(&target).expect("a document");
    if anchors(&text).iter().any(|known| known == anchor) { None } else { Some("there is no such heading") }
}

#[test]
fn every_link_leads_somewhere() {
    let (mut count, mut wrong) = (0, Vec::new());
    for path in documents() {
        let text = fs::read_to_string(&path).expect("a document");
        for (line, link) in links(&text) {
            count += 1;
            let shown = path.strip_prefix(root()).unwrap_or(&path).display();
            wrong.extend(broken(&path, &link).map(|reason| format!("{shown}:{line}: {link}: {reason}")));
        }
    }
    assert!(count > 20, "{count} links");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_index_of_the_reference_has_every_page() {
    let folder = root().join("docs/reference");
    let index = fs::read_to_string(folder.join("README.md")).expect("docs/reference/README.md");
    for entry in fs::read_dir(folder).expect("docs/reference") {
        let name = entry.expect("a page").file_name().to_string_lossy().into_owned();
        assert!(name == "README.md" || index.contains(&format!("]({name})")), "docs/reference/README.md: {name}");
    }
}

#[test]
fn a_link_that_leads_nowhere_is_found() {
    let readme = root().join("README.md");
    let text =
        "# One thing\n[a](docs/no.md) `[b](c)`\n```\n[d](e)\n```\n[f](#one-thing) [g](CONTRIBUTING.md#no)\n[h]: i.md\n";
    let found: Vec<_> = links(text).into_iter().map(|(line, link)| format!("{line} {link}")).collect();
    assert_eq!(found, ["2 docs/no.md", "6 #one-thing", "6 CONTRIBUTING.md#no", "7 i.md"]);
    assert_eq!(anchors("# `dbops a`: b\n## One\n## One\n"), ["dbops-a-b", "one", "one-1"]);
    assert_eq!(broken(&readme, "docs/no.md"), Some("there is no such file"));
    assert_eq!(broken(&readme, "CONTRIBUTING.md#no"), Some("there is no such heading"));
    assert_eq!(broken(&readme, "CONTRIBUTING.md#rules"), None);
}
