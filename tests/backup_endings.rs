//! Backups that do not come to their end, and what a running one shows to others.

use std::fs;
use std::path::PathBuf;
use std::process::Child;

use dbops_postgres::{DatabaseUrl, process};
use dbops_testbed::create_database;

use crate::backup::{back_up, list, names};
use crate::project::{Held, Project, Run, execute, until_waiting};

/// A backup that waits for a lock on the table `t`, and the session that holds it.
pub(crate) struct Waiting {
    dbops: Child,
    _lock: Held,
}

impl Waiting {
    pub(crate) fn start(project: &Project, url: &DatabaseUrl) -> Self {
        let lock = Held::new(url, "LOCK TABLE t IN ACCESS EXCLUSIVE MODE");
        let dbops = project.command(&["backup"]).spawn().expect("dbops starts");
        until_waiting(url, |sessions| sessions == 1);
        Self { dbops, _lock: lock }
    }

    pub(crate) fn id(&self) -> u32 {
        self.dbops.id()
    }

    pub(crate) fn signal(&self, name: &str) {
        signal(self.dbops.id(), name);
    }

    /// The processes that dbops started.
    fn programs(&self) -> Vec<PathBuf> {
        let parent = format!("PPid:\t{}", self.dbops.id());
        let is_child = |process: &PathBuf| {
            let status = fs::read_to_string(process.join("status")).unwrap_or_default();
            status.lines().any(|line| line == parent)
        };
        fs::read_dir("/proc").expect("processes").flatten().map(|entry| entry.path()).filter(is_child).collect()
    }

    /// The password files that they were given.
    fn passfiles(&self) -> Vec<PathBuf> {
        let environments = self.programs().into_iter().filter_map(|process| fs::read(process.join("environ")).ok());
        let variables = environments
            .flat_map(|text| String::from_utf8_lossy(&text).split('\0').map(String::from).collect::<Vec<_>>());
        variables.filter_map(|variable| variable.strip_prefix("PGPASSFILE=").map(PathBuf::from)).collect()
    }

    pub(crate) fn end(self, project: &Project) -> Run {
        let output = self.dbops.wait_with_output().expect("dbops ends");
        let folder = project.path("").display().to_string();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).replace(&folder, "PROJECT/");
        Run { code: output.status.code().unwrap_or(-1), stdout: text(&output.stdout), stderr: text(&output.stderr) }
    }
}

fn signal(process: u32, name: &str) {
    let mut kill = process::command("kill");
    assert!(kill.arg(name).arg(process.to_string()).status().expect("kill").success());
}

fn with_table() -> (Project, DatabaseUrl) {
    let url = create_database("waiting");
    execute(&url, "CREATE TABLE t (id int); INSERT INTO t VALUES (1)");
    (Project::with_database(&url), url)
}

#[test]
fn a_killed_backup_is_no_set_and_prune_cleans_up() {
    let (project, url) = with_table();
    let waiting = Waiting::start(&project, &url);

    let second = project.run(&["backup"]);
    assert_eq!(second.code, 5, "{second}");
    assert!(second.stderr.contains(&format!("is being backed up by process {} on ", waiting.dbops.id())), "{second}");
    assert_eq!(project.json(5, &["backup"])["error"]["kind"], "locked");
    let unfinished = names(&project, "20");
    project.ok(&["backup", "prune", "--keep-last", "1", "--yes"]);
    assert_eq!((unfinished.len(), &names(&project, "20")), (1, &unfinished), "the first one's work is not touched");

    let passfiles = waiting.passfiles();
    assert_eq!(passfiles.len(), 1);
    waiting.signal("-KILL");
    // pg_dump goes too, although the lock is still held.
    until_waiting(&url, |sessions| sessions == 0);
    drop(waiting.end(&project));
    assert!(passfiles.iter().all(|path| !path.exists()), "{passfiles:?}");
    assert_eq!(names(&project, "20"), unfinished);
    assert!(list(&project).is_empty());

    let id = back_up(&project);
    project.ok(&["backup", "verify"]);
    let dry = project.ok(&["backup", "prune", "--keep-last", "1", "--dry-run"]);
    assert!(dry.stdout.contains(&unfinished[0]) && dry.stdout.contains("unfinished"), "{dry}");
    assert_eq!(names(&project, "20").len(), 2);
    let pruned = project.json(0, &["backup", "prune", "--keep-last", "1", "--yes"]);
    assert_eq!(pruned["unfinished"], serde_json::json!(unfinished));
    assert_eq!(names(&project, "20"), [id]);
}

#[test]
fn an_interrupted_backup_leaves_nothing() {
    let (project, url) = with_table();
    for signal in ["-INT", "-TERM", "-HUP"] {
        let waiting = Waiting::start(&project, &url);
        waiting.signal(signal);
        // Its session on the server ends too, although the lock is still held.
        until_waiting(&url, |sessions| sessions == 0);
        let run = waiting.end(&project);
        assert_eq!((run.code, run.stdout.as_str()), (130, ""), "{run}");
        assert_eq!(names(&project, "20").len(), 0, "{run}");
    }
    project.ok(&["backup"]);
}

/// As under `nohup`.
#[test]
fn a_hangup_that_is_ignored_ends_nothing() {
    let (project, url) = with_table();
    let lock = Held::new(&url, "LOCK TABLE t IN ACCESS EXCLUSIVE MODE");
    let mut shell = process::command("/bin/sh");
    shell.args(["-c", "trap '' HUP; exec \"$0\" backup", env!("CARGO_BIN_EXE_dbops")]);
    let dbops = project.command(&[]);
    shell.env_clear().envs(dbops.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let mut dbops = shell.current_dir(project.path("")).spawn().expect("it starts");
    until_waiting(&url, |sessions| sessions == 1);
    signal(dbops.id(), "-HUP");
    lock.commit("");
    assert!(dbops.wait().expect("it ends").success());
    assert_eq!(list(&project).len(), 1);
}

#[test]
fn the_password_is_in_no_file_and_no_process() {
    let (project, url) = with_table();
    let waiting = Waiting::start(&project, &url);
    let password = String::from_utf8_lossy(url.password().expect("the test server wants one")).into_owned();
    let encoded = url.reveal();
    let encoded = encoded.split_once("://").and_then(|(_, rest)| rest.split_once('@')).expect("a URL").0.to_owned();
    let encoded = encoded.split_once(':').expect("a password").1.to_owned();
    let is_secret = |bytes: &[u8]| {
        let text = String::from_utf8_lossy(bytes);
        text.contains(&password) || text.contains(&encoded)
    };

    for process in fs::read_dir("/proc").expect("processes").flatten() {
        let arguments = fs::read(process.path().join("cmdline")).unwrap_or_default();
        assert!(!is_secret(&arguments), "{}", String::from_utf8_lossy(&arguments));
    }
    let programs = waiting.programs();
    assert_eq!(programs.len(), 1, "pg_dump is running");
    let environment = fs::read(programs[0].join("environ")).expect("an environment");
    assert!(!is_secret(&environment), "{}", String::from_utf8_lossy(&environment));
    let partial = project.path("backups").join(&names(&project, "20")[0]);
    let mut files = vec![];
    for folder in [project.path("backups/locks"), partial] {
        let entries = fs::read_dir(folder).expect("a folder").flatten().map(|entry| entry.path());
        files.extend(entries.filter(|path| path.is_file()));
    }
    assert!(files.len() >= 3, "{files:?}");
    for file in files {
        assert!(!is_secret(&fs::read(&file).expect("a file")), "in {}", file.display());
    }
    waiting.signal("-INT");
    assert_eq!(waiting.end(&project).code, 130);

    let set = project.path("backups").join(back_up(&project));
    for file in ["manifest.json", "app.dump"] {
        assert!(!is_secret(&fs::read(set.join(file)).expect("a file")), "in {file}");
    }
}
