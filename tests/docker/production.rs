//! `docker/compose.prod.yaml`: secrets from files, migrations before the application, backups on a schedule, upgrades.

use std::fs;
use std::time::Duration;

use dbops_postgres::process;
use serde_json::Value;

use crate::project::Project;

use super::engine::{Compose, docker, inspect, logs, sql, until, until_healthy};

/// Not one that a URL or a shell would take as it is.
const PASSWORD: &str = r"it's: @/$PATH %25 s3cret\";

/// A production project with its secrets in a folder.
fn production(secrets: &Project) -> Compose {
    secrets.write("secrets/db_password", &format!("{PASSWORD}\n"));
    secrets.write("secrets/vector_db_password", "another s3cret");
    secrets.write("secrets/qdrant_api_key", "a-s3cret-key\n");
    without_secrets(secrets)
}

fn without_secrets(secrets: &Project) -> Compose {
    let compose = Compose::new().arguments(&["-p", "prod", "-f", "docker/compose.prod.yaml"]);
    compose.env("SECRETS", &secrets.path("secrets").display().to_string()).env("BACKEND_IMAGE", "test-backend")
}

/// The backend's image of the documentation on the dbops image `from`, which is given its name for it.
fn backend() {
    let base = "BASE_IMAGE=dbops-stand-in/debian";
    docker(&["build", "-t", "test-backend", "-f", "docs/examples/backend.Dockerfile", "--build-arg", base, "docs"]);
}

/// Whether the application itself has begun. One that is being started again cannot be asked.
fn runs(container: &str) -> bool {
    let output = process::command("docker").args(["top", container]).output().expect("docker");
    String::from_utf8_lossy(&output.stdout).contains("sleep infinity")
}

fn state(container: &str) -> String {
    inspect(container, "{{.State.Status}} {{.State.ExitCode}}")
}

#[test]
#[ignore = "cargo xtask docker-test runs it"]
fn migrations_come_before_the_application_and_backups_after() {
    let secrets = Project::empty();
    let mut production = production(&secrets);
    backend();
    production.ok(&["--profile", "app", "up", "-d"]);
    let migrate = production.container("migrate");
    assert_eq!(state(&migrate), "exited 0", "{}", logs(&migrate));
    assert!(logs(&migrate).contains("create users table"), "{}", logs(&migrate));
    // It came after: there was nothing left for its entrypoint.
    let app = production.container("backend");
    until("the application runs", || runs(&app));
    assert!(logs(&app).contains("bot_db: nothing to do"), "{}", logs(&app));

    production.set("BACKUP_AT", &time_of_day(10));
    production.ok(&["up", "-d", "--no-deps", "backup"]);
    let backup = production.container("backup");
    let backups = || {
        let list = docker(&["exec", &backup, "dbops", "backup", "list", "--json"]);
        let list: Value = serde_json::from_str(&list).expect("JSON");
        list["backups"].as_array().expect("backups").clone()
    };
    until("the backup was made", || !backups().is_empty());
    assert_eq!(backups()[0]["targets"], serde_json::json!(["bot_db", "vector_db", "qdrant"]));
    docker(&["exec", &backup, "dbops", "backup", "verify"]);
    until("the next one is planned", || logs(&backup).matches("next backup").count() == 2);

    // One that fails is noted for the health check.
    let failing = format!("BACKUP_AT={}", time_of_day(5));
    let wrong = "DB_PASSWORD_FILE=/run/secrets/qdrant_api_key";
    docker(&["exec", "--detach", "--env", &failing, "--env", wrong, &backup, "backup-daily"]);
    until("the failure is noted", || {
        let test = process::command("docker").args(["exec", &backup, "test", "-e", "/tmp/backup-failed"]).status();
        test.is_ok_and(|status| status.success())
    });
    until("the container is unhealthy", || inspect(&backup, "{{.State.Health.Status}}") == "unhealthy");

    // Nothing is open to the outside, nobody is root, and no secret is told.
    for service in ["db", "vector_db", "qdrant", "backup", "backend"] {
        let container = production.container(service);
        assert_eq!(inspect(&container, "{{json .HostConfig.PortBindings}}"), "{}", "{service}");
        let told = format!("{}{}", inspect(&container, "{{json .Config}}"), logs(&container));
        assert!(!told.contains("s3cret"), "{service}: {told}");
    }
    assert_eq!(docker(&["exec", &backup, "id", "-u"]), "10001\n");
    let without_key = ["exec", "--env", "QDRANT_API_KEY_FILE=", &backup, "dbops", "qdrant", "status"];
    assert!(!process::command("docker").args(without_key).output().expect("docker").status.success());
}

/// So many seconds from now, as `BACKUP_AT` wants it.
fn time_of_day(seconds: u64) -> String {
    let at = std::time::SystemTime::now() + Duration::from_secs(seconds);
    let at = at.duration_since(std::time::UNIX_EPOCH).expect("a time").as_secs() % 86400;
    format!("{:02}:{:02}:{:02}", at / 3600, at / 60 % 60, at % 60)
}

#[test]
#[ignore = "cargo xtask docker-test runs it"]
fn without_secrets_nothing_starts() {
    let empty = Project::empty();
    fs::create_dir(empty.path("secrets")).expect("a folder");
    let production = without_secrets(&empty);
    let up = production.run(&["up", "-d"]);
    assert!(!up.status.success(), "{}", String::from_utf8_lossy(&up.stdout));
}

#[test]
#[ignore = "cargo xtask docker-test runs it"]
fn three_applications_start_at_once_and_one_migrates() {
    let secrets = Project::empty();
    let production = production(&secrets);
    backend();
    production.ok(&["up", "-d", "db", "vector_db", "qdrant"]);
    let containers = ["db", "vector_db", "qdrant"].map(|service| production.container(service));
    until_healthy(&containers.each_ref().map(String::as_str));
    production.ok(&["--profile", "app", "up", "-d", "--no-deps", "--scale", "backend=3", "backend"]);
    let apps = production.ok(&["ps", "--quiet", "backend"]);
    let apps: Vec<_> = apps.lines().collect();
    assert_eq!(apps.len(), 3, "{apps:?}");
    for app in &apps {
        until("it runs", || runs(app));
        assert_eq!(inspect(app, "{{.RestartCount}}"), "0", "{}", logs(app));
    }
    // Whoever had the lock of a database did all of it.
    for first in ["create users table", "enable vector extension"] {
        let count = apps.iter().filter(|app| logs(app).contains(first)).count();
        assert_eq!(count, 1, "{first}: {}", apps.iter().map(|app| logs(app)).collect::<String>());
    }
    let done = sql(&containers[0], "bot_db", "SELECT count(*) - count(DISTINCT revision) FROM dbops.migration_log");
    assert_eq!(done, "0");
}

/// The new image has one revision more. Its migration is killed in the middle; the application does not start, what was
/// there goes on, and the next start completes it. The database's image is another one then, too.
#[test]
#[ignore = "cargo xtask docker-test runs it"]
fn an_upgrade_that_is_killed_is_completed_by_the_next_start() {
    let secrets = Project::empty();
    let mut production = production(&secrets);
    production.ok(&["up", "-d", "migrate"]);
    let migrated = |production: &Compose| state(&production.container("migrate"));
    until("the first migration", || migrated(&production) == "exited 0");
    let db = production.container("db");
    sql(&db, "bot_db", "INSERT INTO app_settings (key, value) VALUES ('kept', '\"42\"')");

    let id = "0ddba11c0ffe";
    let head = sql(&db, "bot_db", "SELECT version_num FROM alembic_version");
    let revision = format!(
        "-- revision: {id}\n-- revises: {head}\n-- branch_labels:\n-- depends_on:\n-- message: add nickname\n\
         -- created: 2026-11-22T21:05:01Z\n-- lock_timeout: 0\n\n-- +up\nCREATE TABLE before (n int);\n\
         ALTER TABLE users ADD COLUMN nickname text;\n\n-- +down\nALTER TABLE users DROP COLUMN nickname;\n\
         DROP TABLE before;\n"
    );
    secrets.write(&format!("image/20990101T000000Z_{id}_add_nickname.sql"), &revision);
    secrets.write("image/Dockerfile", "FROM support-bot-dbops\nCOPY *.sql /srv/config/bot_db/versions/\n");
    docker(&["build", "-t", "test-upgraded", &secrets.path("image").display().to_string()]);
    production.set("DBOPS_IMAGE", "test-upgraded");

    // Somebody has the table.
    let holding = "BEGIN; LOCK TABLE users; SELECT pg_sleep(600)";
    docker(&["exec", "--detach", &db, "psql", "-U", "postgres", "-d", "bot_db", "-c", holding]);
    let waiting = |kind: &str| {
        let sql_text = format!("SELECT count(*) > 0 FROM pg_stat_activity WHERE datname = 'bot_db' AND {kind}");
        sql(&db, "bot_db", &sql_text) == "t"
    };
    until("the table is locked", || waiting("wait_event = 'PgSleep'"));
    production.ok(&["up", "-d", "--no-deps", "migrate"]);
    until("the migration waits for the table", || waiting("wait_event_type = 'Lock'"));
    docker(&["kill", &production.container("migrate")]);
    assert_eq!(migrated(&production), "exited 137");
    assert_eq!(sql(&db, "bot_db", "SELECT version_num FROM alembic_version"), head);
    assert_eq!(sql(&db, "bot_db", "SELECT to_regclass('before') IS NULL"), "t");
    let stop = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event = 'PgSleep'";
    sql(&db, "bot_db", stop);

    secrets.write("database/Dockerfile", "FROM postgres:18-alpine\nLABEL upgraded=yes\n");
    docker(&["build", "-t", "test-database", &secrets.path("database").display().to_string()]);
    production.set("DB_IMAGE", "test-database");
    backend();
    production.ok(&["--profile", "app", "up", "-d"]);
    assert_eq!(migrated(&production), "exited 0", "{}", logs(&production.container("migrate")));
    let upgraded = production.container("db");
    assert_ne!(upgraded, db);
    assert_eq!(inspect(&upgraded, "{{.Config.Labels.upgraded}}"), "yes");
    assert_eq!(sql(&upgraded, "bot_db", "SELECT version_num FROM alembic_version"), id);
    assert_eq!(sql(&upgraded, "bot_db", "SELECT value FROM app_settings WHERE key = 'kept'"), "\"42\"");
    assert_eq!(sql(&upgraded, "bot_db", "SELECT count(*) FROM before"), "0");
}
