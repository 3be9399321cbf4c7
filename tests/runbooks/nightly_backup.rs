//! `nightly-backup.sh`: with a target that is down, with a backup that is damaged, and as systemd and cron start it.

use std::fs;

use dbops_postgres::process;
use dbops_testbed::start_qdrant;
use serde_json::json;

use super::{done, stopped};
use crate::backup::list;
use crate::project::Project;
use crate::stack::{Stack, root};

/// Writes over some bytes of each backup as soon as it is made.
const BREAKING: &str = "printf broken | dd of=\"$DBOPS_BACKUP_PATH/bot_db.dump\" bs=1 seek=64 conv=notrunc 2>/dev/null";

#[test]
fn a_night_with_a_target_down_and_one_with_a_damaged_backup() {
    let stack = Stack::filled();
    let Stack { project, qdrant, .. } = stack;
    let run = done(&project, "nightly-backup.sh");
    assert!(run.stdout.contains("backed up, verified and pruned: "), "{run}");
    let all = list(&project);
    assert_eq!(all[0]["targets"], json!(["bot_db", "vector_db", "qdrant"]));
    assert!(all[0]["verified"].is_string() && all[0]["restored"].is_null(), "{all:?}");

    // The others are backed up all the same; then it is made up for.
    drop(qdrant);
    let lacks = "lacks qdrant, which did not answer: `dbops doctor qdrant`";
    stopped(&project, "nightly-backup.sh", 3, &[lacks, "then run this again for it: nightly-backup.sh qdrant"]);
    assert_eq!(list(&project)[0]["targets"], json!(["bot_db", "vector_db"]));
    stopped(&project, "nightly-backup.sh qdrant", 3, &["nothing was backed up: no target answers"]);
    let qdrant = start_qdrant();
    let project = &project.env("QDRANT_URL", &qdrant.url).env("QDRANT_GRPC_PORT", &qdrant.grpc_port.to_string());
    project.ok(&["migrate"]);
    project.ok(&["qdrant", "sync"]);
    done(project, "nightly-backup.sh qdrant");

    // Damaged as soon as it is written: found, and nothing is pruned.
    let text = fs::read_to_string(project.path("config/dbops.yaml")).expect("the configuration");
    let hooks = format!("backup:\n  hooks: {{ after: ['{BREAKING}'] }}\n");
    project.write("config/dbops.yaml", &text.replace("\nbackup:\n", &format!("\n{hooks}")));
    let before = list(project).len();
    let run = stopped(project, "nightly-backup.sh", 3, &["bot_db.dump", "is damaged, and nothing was pruned"]);
    assert!(!run.stdout.contains("== prune"), "{run}");
    let damaged = list(project)[0]["id"].as_str().expect("an id").to_owned();
    assert_eq!(list(project).len(), before + 1);

    // The weekly run restores the new one, and does not let the damaged one be forgotten.
    project.write("config/dbops.yaml", &text);
    let advice = "when nobody needs a damaged set any more: dbops backup delete ID";
    stopped(project, "nightly-backup.sh --restore", 3, &["restored, as it was backed up", &damaged, advice]);
    project.ok(&["backup", "delete", &damaged, "--yes"]);
    done(project, "nightly-backup.sh --restore");
}

/// The value of each line `NAME=…` of a file that is meant for another machine, with this one's paths.
fn values(project: &Project, file: &str, name: &str) -> Vec<String> {
    let text = fs::read_to_string(root().join("docs/runbooks").join(file)).expect(file);
    let lines = text.lines().filter_map(|line| line.strip_prefix(name)).map(|value| here(project, value));
    lines.collect()
}

fn here(project: &Project, text: &str) -> String {
    let shown = |path: std::path::PathBuf| path.display().to_string();
    text.replace("/usr/local/share/dbops/runbooks", &shown(root().join("docs/runbooks")))
        .replace("/var/cache/dbops", &shown(dbops_testbed::places().cache))
        .replace("/var/lib/dbops", &shown(project.path("state")))
        .replace("/etc/dbops", &shown(project.path("config")))
}

#[test]
fn systemd_and_cron_start_it() {
    let Stack { project, .. } = &Stack::filled();
    let command = values(project, "nightly-backup.service", "ExecStart=");
    let environment = values(project, "nightly-backup.service", "Environment=");
    let run = project.shell(&format!("env -C / {} {}", environment.join(" "), command[0]));
    assert_eq!(run.code, 0, "{run}");
    assert!(project.path("state/backups").is_dir());

    // Five fields and an account, then the line for the shell.
    let [line] = &values(project, "nightly-backup.cron", "15 3 * * *  dbops  ")[..] else { panic!("no line for cron") };
    let config = &values(project, "nightly-backup.cron", "DBOPS_CONFIG=")[0];
    let run = project.shell(&format!("export DBOPS_CONFIG='{config}'; {line}"));
    assert_eq!(run.code, 0, "{run}");

    verify_units(project);
}

/// What systemd thinks of the files, where there is a systemd.
fn verify_units(project: &Project) {
    for name in ["nightly-backup.service", "nightly-backup.timer"] {
        let text = fs::read_to_string(root().join("docs/runbooks").join(name)).expect(name);
        project.write(name, &here(project, &text));
    }
    let mut command = process::command("systemd-analyze");
    command.arg("verify").arg(project.path("nightly-backup.service")).arg(project.path("nightly-backup.timer"));
    if let Ok(output) = command.output() {
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && !said.contains("nightly-backup"), "{said}");
    }
}
