//! Repositories in a bucket, against a real S3 server: what holds for a folder holds there, on bad days too.

use std::fs;
use std::path::Path;
use std::time::{Duration, SystemTime};

use dbops_postgres::DatabaseUrl;
use dbops_testbed::{S3, create_database, start_s3, unique};
use serde_json::{Value, json};

use crate::backup::{back_up, list, sample};
use crate::backup_endings::Waiting;
use crate::project::{Project, execute, query};
use crate::s3_proxy::{Fault, S3Proxy};

const PREFIX: &str = "some/prefix";

fn project(url: &DatabaseUrl, port: u16) -> Project {
    let project = Project::with_database(url)
        .env("AWS_ENDPOINT_URL", &format!("http://127.0.0.1:{port}"))
        .env("AWS_ACCESS_KEY_ID", S3::ACCESS_KEY)
        .env("AWS_SECRET_ACCESS_KEY", S3::SECRET_KEY);
    write_config(&project, &format!("s3://{}/{PREFIX}", S3::BUCKET));
    project
}

fn write_config(project: &Project, repository: &str) {
    let text = "version: 1\ntargets:\n  app:\n    kind: postgres\n    url: ${APP_URL}\n    versions: versions\n";
    project.write("dbops.yaml", &format!("{text}backup:\n  repository: {repository}\n"));
}

/// The keys below the prefix.
fn keys(s3: &S3) -> Vec<String> {
    fn walk(folder: &Path, below: &str, keys: &mut Vec<String>) {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let key = format!("{below}{}", entry.file_name().to_string_lossy());
            if entry.path().is_dir() {
                walk(&entry.path(), &format!("{key}/"), keys);
            } else {
                keys.push(key);
            }
        }
    }
    let mut keys = Vec::new();
    walk(&s3.path(PREFIX), "", &mut keys);
    keys.sort();
    keys
}

#[test]
fn a_bucket_holds_sets_as_a_folder_does() {
    let s3 = start_s3();
    let url = sample("bucket");
    let project = project(&url, s3.port);
    assert_eq!(list(&project), Vec::<Value>::new());
    let made = project.json(0, &["backup", "--label", "why=a test"]);
    let id = made["id"].as_str().expect("an id");
    assert_eq!(made["path"], format!("s3://backups/some/prefix/{id}"));
    assert_eq!(
        keys(&s3),
        [format!("{id}/app.dump"), format!("{id}/app.roles.sql"), format!("{id}/manifest.json")],
        "no lock and no mark is left"
    );

    let listed = list(&project);
    assert_eq!((&listed[0]["id"], &listed[0]["complete"], listed.len()), (&json!(id), &json!(true), 1));
    assert_eq!(listed[0]["labels"], json!({"why": "a test"}));
    assert_eq!(project.json(0, &["backup", "verify"])["backups"][0]["ok"], true);
    assert!(list(&project)[0]["verified"].is_string());
    let shown = project.ok(&["backup", "show", &id[..12]]);
    assert!(shown.stdout.contains("labels: why=a test") && shown.stdout.contains("s3://backups/some"), "{shown}");

    let into = unique("bucket");
    let run = project.ok(&["restore", "latest", "app", "--into", &into]);
    assert!(run.stdout.contains(&format!("from s3://backups/some/prefix/{id}/app.dump")), "{run}");
    assert_eq!(query(&url.with_database(&into), "SELECT count(*) FROM players"), ["50"]);

    let archive = s3.path(&format!("{PREFIX}/{id}/app.dump"));
    let mut bytes = fs::read(&archive).expect("an archive");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&archive, bytes).expect("an archive");
    let run = project.run(&["restore", id, "app", "--into", &unique("bucket")]);
    assert!(run.code == 1 && run.stderr.contains("is damaged: app.dump has the SHA-256"), "{run}");
    assert_eq!(project.json(3, &["backup", "verify"])["backups"][0]["problems"][0]["file"], "app.dump");

    let newer = back_up(&project);
    let pruned = project.json(0, &["backup", "prune", "--keep-last", "1", "--yes"]);
    assert_eq!(pruned["backups"][1]["reasons"][0]["reason"], "damaged", "what is damaged is for people to remove");
    project.ok(&["backup", "delete", id, "--yes"]);
    assert_eq!(
        keys(&s3),
        [format!("{newer}/app.dump"), format!("{newer}/app.roles.sql"), format!("{newer}/manifest.json")]
    );
}

/// A large archive goes in parts.
#[test]
fn bad_days_are_survived() {
    let s3 = start_s3();
    let url = create_database("bad_days");
    let noise = "CREATE TABLE noise AS SELECT sha512(n::text::bytea) AS bytes FROM generate_series(1, 230000) AS n; \
                 ALTER TABLE noise ALTER bytes SET STORAGE EXTERNAL";
    execute(&url, noise);
    // A connection serves request after request until it is lost: the faults come upon one after the other.
    let faults = [
        Fault::Status(503),
        Fault::CutAnswer(0),
        Fault::CutRequest(300),
        Fault::CutRequest(5_000_000),
        Fault::CutAnswer(0),
        Fault::Status(500),
        Fault::CutAnswer(600),
        // The connection is good from then on, and others may not be needed.
        Fault::Delay(200),
    ];
    let proxy = S3Proxy::new(s3.port, &faults);
    let id = back_up(&project(&url, proxy.port));
    assert!(proxy.is_exhausted(), "every fault has happened");
    let sound = project(&url, s3.port);
    let size = fs::metadata(s3.path(&format!("{PREFIX}/{id}/app.dump"))).expect("an archive").len();
    assert!(size > 13_000_000, "more than one part: {size}");
    assert_eq!(sound.json(0, &["backup", "verify"])["backups"][0]["ok"], true);
    assert_eq!(
        keys(&s3),
        [
            format!("{id}/app.dump"),
            format!("{id}/app.roles.sql"),
            format!("{id}/manifest.json"),
            format!("{id}/verify.json")
        ]
    );

    let faults = [Fault::Status(503), Fault::CutAnswer(3_000_000), Fault::CutAnswer(9_000_000), Fault::CutAnswer(0)];
    let proxy = S3Proxy::new(s3.port, &faults);
    let run = project(&url, proxy.port).json(0, &["backup", "verify"]);
    assert_eq!((run["backups"][0]["ok"].as_bool(), proxy.is_exhausted()), (Some(true), true));
}

#[test]
fn one_backup_of_a_target_runs_at_a_time() {
    let s3 = start_s3();
    let url = create_database("lease");
    execute(&url, "CREATE TABLE t (id int)");
    let project = project(&url, s3.port);
    let waiting = Waiting::start(&project, &url);
    let second = project.run(&["backup"]);
    assert_eq!(second.code, 5, "{second}");
    assert!(second.stderr.contains(&format!("is being backed up by process {} on ", waiting.id())), "{second}");
    let unfinished = keys(&s3);
    assert!(unfinished.iter().any(|key| key.ends_with("/writing")), "{unfinished:?}");
    project.ok(&["backup", "prune", "--keep-last", "1", "--yes"]);
    assert_eq!(keys(&s3), unfinished, "the first one's work is not touched");
    waiting.signal("-KILL");
    drop(waiting.end(&project));
    assert!(list(&project).is_empty());
    assert_eq!(project.run(&["backup"]).code, 5, "for three minutes it may still be alive");

    let lease = unfinished.iter().find(|key| key.starts_with("locks/")).expect("a lease");
    let file = fs::File::options().write(true).open(s3.path(&format!("{PREFIX}/{lease}"))).expect("a lease");
    file.set_modified(SystemTime::now() - Duration::from_secs(181)).expect("a time");
    let id = back_up(&project);
    let pruned = project.json(0, &["backup", "prune", "--keep-last", "1", "--yes"]);
    assert_eq!(pruned["unfinished"].as_array().map(Vec::len), Some(1));
    assert_eq!(keys(&s3), [format!("{id}/app.dump"), format!("{id}/app.roles.sql"), format!("{id}/manifest.json")]);
}

#[test]
fn an_interrupted_backup_leaves_nothing_in_the_bucket() {
    let s3 = start_s3();
    let url = create_database("interrupted");
    execute(&url, "CREATE TABLE t (id int)");
    let project = project(&url, s3.port);
    let waiting = Waiting::start(&project, &url);
    assert!(!keys(&s3).is_empty());
    waiting.signal("-INT");
    let run = waiting.end(&project);
    assert_eq!((run.code, keys(&s3)), (130, Vec::<String>::new()), "{run}");
    execute(&url, "CREATE ROLE nobody_reads; ALTER TABLE t OWNER TO nobody_reads");
    let (host, port) = url.servers().remove(0);
    let user = unique("user");
    execute(&url, &format!("CREATE ROLE {user} LOGIN PASSWORD 'pw'"));
    let text = format!("postgresql://{user}:pw@{host}:{port}/{}", url.database());
    let project = project.env("APP_URL", &text);
    let run = project.run(&["backup"]);
    execute(&url, "DROP TABLE t; DROP ROLE nobody_reads");
    assert_eq!((run.code, keys(&s3)), (1, Vec::<String>::new()), "{run}");
}

/// What is wrong with the way to the bucket, and what is said of it.
#[test]
fn no_way_in_is_explained_and_tells_no_key() {
    let s3 = start_s3();
    let url = create_database("no_way");
    let make = || project(&url, s3.port);
    let files = make();
    files.write(
        ".aws/credentials",
        &format!("[mine]\naws_access_key_id = {}\naws_secret_access_key = {}\n", S3::ACCESS_KEY, S3::SECRET_KEY),
    );
    let files = files.env("AWS_ACCESS_KEY_ID", "").env("AWS_SECRET_ACCESS_KEY", "");
    let files = files.env("AWS_PROFILE", "mine");
    files.ok(&["backup"]);
    let files = files.env("AWS_PROFILE", "other");
    let wrong = make().env("AWS_SECRET_ACCESS_KEY", "wr0ng-one");
    let in_url = make();
    write_config(&in_url, "s3://KEY:wr0ng-one@backups/x");
    let scheme = make();
    write_config(&scheme, "ftp://backups/x");
    let cases = [
        (files, 2, "AWS_PROFILE names `other`, which is in none of AWS' files", "~/.aws/credentials"),
        (wrong, 1, "cannot list s3://backups/some/prefix", "hint: "),
        (in_url, 2, "dbops.yaml:8: this is not a bucket: s3://…", "hint: write s3://BUCKET/PREFIX"),
        (scheme, 2, "dbops.yaml:8: a repository at ftp:// is not supported", "hint: name a folder, s3://"),
    ];
    for (project, code, message, hint) in cases {
        let run = project.run(&["backup", "-v"]);
        assert_eq!(run.code, code, "{run}");
        assert!(run.stderr.contains(message) && run.stderr.contains(hint), "{run}");
        assert!(!run.to_string().contains("wr0ng-one") && !run.to_string().contains(S3::SECRET_KEY), "{run}");
    }
}
