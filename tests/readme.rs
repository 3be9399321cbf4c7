//! The README's command lines, word for word: each is run, and prints what the README shows. So do its pictures.

use std::collections::BTreeSet;

use crate::console::{Example, examples, masked};
use crate::stack::{Stack, root};

/// Run elsewhere: the stack by `xtask/tests/dev.rs` and `tests/docker/`, the checks and tests by `.ci/run`; the others
/// only prepare.
const RUN_ELSEWHERE: [&str; 8] = [
    "cargo xtask dev-up",
    "cargo xtask dev-down",
    "cargo xtask dev-status",
    "docker-compose up -d db vector_db qdrant",
    "cargo xtask test",
    "cargo xtask check",
    "cargo xtask bench startup",
    "export PATH=\"$PWD/target/debug:$PATH\"",
];

fn readme() -> String {
    std::fs::read_to_string(root().join("README.md")).expect("README.md")
}

#[test]
fn the_tour_prints_what_the_readme_shows() {
    let Stack { project, .. } = &Stack::start();
    // What dev-up runs before it hands over.
    for arguments in [&["migrate"][..], &["backup"], &["backup", "verify"], &["health"]] {
        project.ok(arguments);
    }

    let mut ran = 0;
    for example in examples(&readme()) {
        if RUN_ELSEWHERE.contains(&example.command.as_str()) {
            continue;
        }
        let run = project.shell(&example.command);
        let actual = format!("{}{}", run.stdout, run.stderr);
        assert_eq!(masked(&actual), masked(&example.output), "$ {}\n{run}", example.command);
        ran += 1;
    }
    assert!(ran >= 8, "the README shows {ran} commands");
}

#[test]
fn the_readme_runs_nothing_that_is_tested_nowhere() {
    let shown: BTreeSet<_> = examples(&readme()).into_iter().map(|example| example.command).collect();
    for command in ["cargo xtask dev-up", "cargo xtask test"] {
        assert!(shown.contains(command), "the README does not show `{command}`");
    }
    for command in shown.iter().filter(|command| !RUN_ELSEWHERE.contains(&command.as_str())) {
        assert!(command.starts_with("dbops "), "`{command}` is run by no test");
    }
    let ci = std::fs::read_to_string(root().join(".ci/run")).expect(".ci/run");
    assert!(ci.contains("\ncargo xtask check\n") && ci.contains("\ncargo xtask test\n"), "{ci}");
}

/// What `cargo xtask pictures` drew, as the blocks of the README are.
fn drawn(picture: &str) -> String {
    let mut text = String::from("```console");
    for line in picture.lines().filter(|line| line.starts_with("<text")) {
        let (tag, content) = line.split_once('>').expect("a tag");
        // It goes on from the line above, which had no room left.
        let start = if tag.contains("class=\"w\"") { "" } else { "\n" };
        let plain: String =
            content.split('<').map(|piece| piece.split_once('>').map_or(piece, |(_, text)| text)).collect();
        let plain = plain.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&");
        // What the README says between its blocks.
        if !plain.starts_with('#') {
            text.push_str(start);
            text.push_str(&plain);
        }
    }
    text + "\n```\n"
}

/// Without order, for a terminal is narrower than a block of the README, and tables are broken to fit.
fn words(text: &str) -> Vec<String> {
    let mut words: Vec<_> = masked(text).split_whitespace().map(String::from).collect();
    words.sort();
    words
}

#[test]
fn the_recorded_tour_is_the_readmes() {
    let readme = readme();
    let (_, tour) = readme.split_once("\n## A tour\n").expect("a tour");
    let (tour, _) = tour.split_once("\n## ").expect("a section behind it");
    let picture = std::fs::read_to_string(root().join("docs/pictures/tour.svg")).expect("tour.svg");
    let shown = examples(&drawn(&picture));
    let expected: Vec<_> = examples(tour).into_iter().filter(|it| it.command.starts_with("dbops ")).collect();
    let commands = |examples: &[Example]| examples.iter().map(|it| it.command.clone()).collect::<Vec<_>>();
    assert_eq!(commands(&shown), commands(&expected), "`cargo xtask pictures --tour` draws the tour anew");
    for (shown, expected) in shown.iter().zip(&expected) {
        let command = &expected.command;
        assert_eq!(words(&shown.output), words(&expected.output), "$ {command}: `cargo xtask pictures --tour`");
    }
}

#[test]
fn every_picture_is_shown_and_small() {
    let pages = readme() + &std::fs::read_to_string(root().join("docs/operations.md")).expect("a guide");
    let folder = std::fs::read_dir(root().join("docs/pictures")).expect("pictures");
    let files: Vec<_> = folder.map(|entry| entry.expect("a file")).collect();
    assert_eq!(pages.matches("pictures/").count(), files.len(), "each once");
    for file in files {
        let name = file.file_name().into_string().expect("a name");
        assert!(pages.contains(&format!("pictures/{name}")), "{name} is shown nowhere");
        let bytes = std::fs::read(file.path()).expect("a picture");
        let start: &[u8] = if name.ends_with(".svg") { b"<svg " } else { b"\x89PNG" };
        assert!(bytes.starts_with(start) && bytes.len() < 200_000, "{name}: {} bytes", bytes.len());
    }
}
