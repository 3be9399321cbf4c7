//! The runbooks of `docs/runbooks/`, run with the fault that each is for.

mod add_replica;
mod disk_full;
mod lost_database;
mod lost_machine;
mod lost_qdrant;
mod move_collection;
mod nightly_backup;
mod postgres_upgrade;
mod production_migration;
mod restore_drill;
mod rotate_api_key;
mod rotate_credentials;

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;

use rustix::process::{Pid, Signal, kill_process_group};

use crate::project::{Project, Run};
use crate::stack::root;

/// Runs a runbook as an operator would: variables, its name, and what follows it on the command line. Both streams are
/// in stdout.
pub(super) fn runbook(project: &Project, line: &str) -> Run {
    project.shell(&exec(line))
}

/// The same line for a shell.
fn exec(line: &str) -> String {
    let end = line.find(".sh").expect("a runbook");
    let (variables, line) = line.split_at(line[..end].rfind(' ').map_or(0, |space| space + 1));
    format!("{variables}exec bash '{}'/docs/runbooks/{line}", root().display())
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

/// Sends a signal to a runbook and all that it has started, as a terminal does, once it has said this.
pub(super) fn interrupted(project: &Project, line: &str, said: &str, signal: Signal) -> Run {
    let mut command = project.shell_command(&exec(line));
    let mut child = command.process_group(0).spawn().expect("it starts");
    let group = Pid::from_child(&child);
    let mut stdout = String::new();
    for line in BufReader::new(child.stdout.take().expect("a pipe")).lines() {
        let line = line.expect("a line");
        if line.starts_with(said) {
            kill_process_group(group, signal).expect("it runs");
        }
        stdout.push_str(&line);
        stdout.push('\n');
    }
    let code = child.wait().expect("it ends").code().unwrap_or(-1);
    Run { code, stdout, stderr: String::new() }
}

/// Puts a script where the runbooks find `dbops`, which is `DBOPS` in it. What it gives stands before a runbook's name.
pub(super) fn in_front_of_dbops(project: &Project, script: &str) -> &'static str {
    project.write("front/dbops", &format!("#!/bin/sh\n{script}\n").replace("DBOPS", env!("CARGO_BIN_EXE_dbops")));
    fs::set_permissions(project.path("front/dbops"), fs::Permissions::from_mode(0o755)).expect("a program");
    r#"PATH="$PWD/front:$PATH""#
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
