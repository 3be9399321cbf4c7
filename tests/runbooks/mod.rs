//! The runbooks of `docs/runbooks/`, run with the fault that each is for.

mod disk_full;
mod lost_database;
mod lost_machine;
mod nightly_backup;
mod production_migration;
mod restore_drill;

use std::collections::BTreeSet;
use std::fs;

use crate::project::{Project, Run};
use crate::stack::root;

/// Runs a runbook as an operator would: its name, and what follows it on the command line. Both streams are in stdout.
pub(super) fn runbook(project: &Project, line: &str) -> Run {
    project.shell(&format!("exec bash '{}'/docs/runbooks/{line}", root().display()))
}

/// The same, and it has to succeed.
pub(super) fn done(project: &Project, line: &str) -> Run {
    let run = runbook(project, line);
    assert_eq!(run.code, 0, "{line}: {run}");
    run
}

/// The same, and it has to stop with this exit code, and to say all of this.
pub(super) fn stopped(project: &Project, line: &str, code: i32, said: &[&str]) -> Run {
    let run = runbook(project, line);
    assert_eq!(run.code, code, "{line}: {run}");
    for text in said.iter().chain(&["stopped at: ", "what to do: "]) {
        assert!(run.stdout.contains(text), "{line}: no `{text}`: {run}");
    }
    run
}

/// Writes over some bytes of a file of a backup, as a failing disk may.
pub(super) fn damage(project: &Project, set: &str, file: &str) {
    let path = project.path(format!(".dbops/backups/{set}/{file}"));
    let mut bytes = fs::read(&path).expect("a file of the backup");
    let middle = bytes.len() / 2;
    bytes[middle..middle + 4].iter_mut().for_each(|byte| *byte ^= 0xff);
    fs::write(&path, bytes).expect("a file of the backup");
}

/// Makes a backup of every target.
pub(super) fn back_up(project: &Project) -> String {
    project.json(0, &["backup"])["id"].as_str().expect("an id").to_owned()
}

/// The names of the files with this extension.
fn names(extension: &str) -> BTreeSet<String> {
    let files = fs::read_dir(root().join("docs/runbooks")).expect("docs/runbooks");
    let paths = files.map(|file| file.expect("a file").path());
    let chosen = paths.filter(|path| path.extension().is_some_and(|found| found == extension));
    chosen.map(|path| path.file_stem().expect("a name").to_string_lossy().into_owned()).collect()
}

#[test]
fn each_runbook_has_a_page_that_is_linked_and_tells_its_usage() {
    let mut scripts = names("sh");
    assert!(scripts.remove("runbook"), "docs/runbooks/runbook.sh");
    let mut pages = names("md");
    assert!(pages.remove("README"), "docs/runbooks/README.md");
    assert_eq!(scripts, pages);
    let index = fs::read_to_string(root().join("docs/runbooks/README.md")).expect("the index");
    for name in &scripts {
        assert!(index.contains(&format!("({name}.md)")), "{name} is not linked");
        let run = done(&Project::empty(), &format!("{name}.sh --help"));
        assert!(run.stdout.contains(&format!("{name}.sh")), "{name}: {run}");
    }
}
