//! The seed's page, line by line: what it tells people to type works as it stands there.

use crate::project::Project;

use super::engine::{Compose, docker, inspect, root, sql, until, until_healthy};

const SERVICES: [&str; 3] = ["postgres-db", "vector-db", "qdrant-db"];

/// A folder to type commands in, with dbops on the PATH and the project's configuration.
pub(super) fn folder() -> Project {
    let project = Project::empty();
    let config = root().join("config/dbops.yaml");
    let backups = project.path("backups").display().to_string();
    project.env("DBOPS_CONFIG", &config.display().to_string()).env("DBOPS_BACKUP_REPOSITORY", &backups)
}

fn typed(project: &Project, line: &str) -> String {
    let run = project.shell(line);
    assert_eq!(run.code, 0, "{line}: {run}");
    run.stdout
}

#[test]
#[ignore = "cargo xtask docker-test runs it"]
fn the_seeds_commands_word_for_word() {
    let compose = Compose::new();
    let here = folder();
    typed(&here, &format!("cd '{}'\ndocker-compose up -d db vector_db qdrant", root().display()));
    until_healthy(&SERVICES);

    let seen = typed(&here, "docker ps | grep -E 'postgres|qdrant'");
    for expected in [["postgres-db", "127.0.0.1:5434->5432"], ["qdrant-db", "127.0.0.1:6333-6334->6333-6334"]] {
        assert!(seen.lines().any(|line| expected.iter().all(|part| line.contains(part))), "{expected:?}: {seen}");
    }
    assert_eq!(typed(&here, "docker port postgres-db"), "5432/tcp -> 127.0.0.1:5434\n");
    assert_eq!(docker(&["port", "vector-db"]), "5432/tcp -> 127.0.0.1:5433\n");
    for service in SERVICES {
        assert_ne!(inspect(service, "{{.HostConfig.Memory}}"), "0", "{service} may take all memory");
        assert_eq!(inspect(service, "{{.HostConfig.RestartPolicy.Name}}"), "unless-stopped");
    }

    // In place of Alembic's, dbops' commands: the configuration's defaults lead to the containers.
    typed(&here, "dbops migrate");
    assert!(typed(&here, "dbops migrate current").contains("up to date"));
    assert!(typed(&here, "dbops migrate history --verbose").contains("create users table"));
    typed(&here, "dbops migrate downgrade -1 -t bot_db --yes");
    typed(&here, "dbops migrate upgrade head");
    typed(&here, "dbops health --skip backup_age");

    // A terminal of its own, for -it.
    for (line, table) in [
        ("docker exec -it postgres-db psql -U postgres -d bot_db", "users"),
        ("docker exec -it vector-db psql -U postgres -d vector_db", "documents"),
    ] {
        let listed = typed(&here, &format!("printf '\\\\dt\\n\\\\q\\n' | PAGER=cat script -qec '{line}' /dev/null"));
        assert!(listed.contains(table), "{line}: {listed}");
    }

    sql("postgres-db", "bot_db", "INSERT INTO app_settings (key, value) VALUES ('kept', '\"42\"')");
    typed(&here, "docker exec postgres-db pg_dump -U postgres bot_db > bot_db_backup.sql");
    typed(&here, "docker exec vector-db pg_dump -U postgres vector_db > vector_db_backup.sql");
    for (container, database) in [("postgres-db", "bot_db"), ("vector-db", "vector_db")] {
        sql(container, "postgres", &format!("DROP DATABASE {database} WITH (FORCE)"));
        sql(container, "postgres", &format!("CREATE DATABASE {database}"));
    }
    typed(&here, "docker exec -i postgres-db psql -U postgres bot_db < bot_db_backup.sql");
    typed(&here, "docker exec -i vector-db psql -U postgres vector_db < vector_db_backup.sql");
    assert!(typed(&here, "dbops migrate current --json").contains("\"up_to_date\": true"));
    assert_eq!(sql("postgres-db", "bot_db", "SELECT value FROM app_settings WHERE key = 'kept'"), "\"42\"");
    typed(&here, "dbops schema drift");

    // With the programs of this machine; the page says nothing of the password and of making test_db.
    let programs = dbops_testbed::installation().bin;
    let programs = format!("export PGPASSWORD=admin PATH='{}':\"$PATH\"\n", programs.display());
    typed(&here, &format!("{programs}pg_dump -h localhost -p 5434 -U postgres bot_db > backup.sql"));
    sql("postgres-db", "postgres", "CREATE DATABASE test_db");
    typed(&here, &format!("{programs}psql -h localhost -p 5434 -U postgres test_db < backup.sql"));
    assert_eq!(sql("postgres-db", "test_db", "SELECT value FROM app_settings WHERE key = 'kept'"), "\"42\"");

    // What is in the volumes outlives the containers.
    compose.ok(&["down"]);
    compose.ok(&["up", "-d", "db", "vector_db", "qdrant"]);
    until_healthy(&SERVICES);
    assert!(typed(&here, "dbops migrate current --json").contains("\"up_to_date\": true"));
    assert_eq!(sql("postgres-db", "bot_db", "SELECT value FROM app_settings WHERE key = 'kept'"), "\"42\"");

    // A server that dies comes back.
    docker(&["exec", "qdrant-db", "bash", "-c", "kill -TERM 1"]);
    until("Qdrant was started again", || inspect("qdrant-db", "{{.RestartCount}}") == "1");
    until_healthy(&SERVICES);
    typed(&here, "dbops health --skip backup_age");
}

/// Names, ports and volumes of a second stack are its own.
#[test]
#[ignore = "cargo xtask docker-test runs it"]
fn compose_v2_takes_the_same_files() {
    let first = Compose::v2();
    first.ok(&["up", "-d", "db", "vector_db", "qdrant"]);
    until_healthy(&SERVICES);
    typed(&folder(), "dbops migrate");

    let ports =
        [("DB_PORT", "15434"), ("VECTOR_DB_PORT", "15433"), ("QDRANT_PORT", "16333"), ("QDRANT_GRPC_PORT", "16334")];
    let second = ports.iter().fold(Compose::v2(), |compose, (name, port)| compose.env(name, port));
    let second = second.env("STACK_PREFIX", "second-").env("COMPOSE_PROJECT_NAME", "second");
    second.ok(&["up", "-d", "db"]);
    until_healthy(&["second-postgres-db"]);
    assert_eq!(sql("second-postgres-db", "bot_db", "SELECT to_regclass('users') IS NULL"), "t");
    second.ok(&["down", "--volumes"]);
    assert_eq!(sql("postgres-db", "bot_db", "SELECT to_regclass('users') IS NULL"), "f");

    let all = first.ok(&["--profile", "dev", "config", "--services"]);
    assert_eq!(all.lines().collect::<std::collections::BTreeSet<_>>().len(), 4, "{all}");
    let production = Compose::v2().arguments(&["-p", "prod", "-f", "docker/compose.prod.yaml"]);
    production.ok(&["config", "--quiet"]);
}
