//! The README's command lines, word for word: each is run, and prints what the README shows.

use std::collections::BTreeSet;

use crate::console::{examples, masked};
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
