//! `dbops doctor`: the first broken step on real servers, with what was seen and what to do.

use std::fs;
use std::net::TcpListener;
use std::time::Instant;

use dbops_postgres::{DatabaseUrl, Throwaway, ThrowawayOptions};
use dbops_testbed::{create_database, installation, qdrant, start_qdrant_with, start_s3, superuser_url, unique};
use serde_json::Value;

use crate::project::{Held, PATIENCE, Project, execute, query};
use crate::qdrant_nodes::closed_port;

/// The steps of the only target; the last one of those.
fn steps(document: &Value) -> (Vec<String>, &Value) {
    let steps = document["targets"][0]["steps"].as_array().expect("steps");
    let names = steps.iter().map(|step| step["step"].as_str().expect("a name").to_owned()).collect();
    (names, steps.last().expect("a step"))
}

/// Expects `step` to be the broken one.
fn broken(project: &Project, step: &str, seen: &str, remedy: &str) {
    let document = project.json(3, &["doctor"]);
    let (_, last) = steps(&document);
    let text = |key: &str| last[key].as_str().unwrap_or_default().to_owned();
    assert_eq!((text("step").as_str(), text("status").as_str()), (step, "broken"), "{document:#}");
    assert!(text("seen").contains(seen), "{seen}: {document:#}");
    assert!(text("remedy").contains(remedy), "{remedy}: {document:#}");
    assert!(!document.to_string().contains("s3cret"), "{document:#}");
}

fn on(url: &str) -> Project {
    let url = DatabaseUrl::parse(url, "postgres").expect("a URL");
    Project::with_database(&url)
}

#[test]
fn a_good_target_passes_every_step() {
    let url = create_database("doctor");
    let project = Project::with_database(&url);
    project.revision("aaaa1111", "", "CREATE TABLE a (id int);", "DROP TABLE a;");
    project.ok(&["migrate"]);
    let document = project.json(0, &["doctor", "app"]);
    let expected =
        ["configuration", "credentials", "name", "tcp", "listener", "login", "version", "permissions", "migrations"];
    assert_eq!(steps(&document).0, expected, "{document:#}");
    let run = project.ok(&["doctor"]);
    assert!(run.stdout.contains("✓ login") && run.stdout.contains("the variable APP_URL"), "{run}");
}

#[test]
fn what_is_wrong_on_the_way_to_the_server_is_told_apart() {
    let closed = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a port");
    // It accepts, by way of the backlog, and says nothing.
    let silent = TcpListener::bind("127.0.0.1:0").expect("a port");
    let quiet = silent.local_addr().expect("an address");
    let web = start_s3();
    let search = qdrant().url.trim_start_matches("http://").to_owned();
    let server = superuser_url().server();
    let cases = [
        (format!("u:s3cret@{closed}/d"), "tcp", "refused", "start the server"),
        ("u:s3cret@no-such-host.invalid/d".into(), "name", "not known", "correct the host"),
        (format!("u:s3cret@{quiet}/d"), "listener", "says nothing", "hangs"),
        (format!("u:s3cret@127.0.0.1:{}/d", web.port), "listener", "a web server", "correct the port"),
        (format!("u:s3cret@{search}/d"), "listener", "Qdrant", "kind: qdrant"),
        (format!("u:s3cret@127.0.0.1:{}/d", qdrant().grpc_port), "listener", "gRPC", "kind: qdrant"),
        (format!("nobody:s3cret@{server}/postgres"), "authentication", "28P01", "may be no user \"nobody\""),
        (format!("postgres:s3cret@{server}/postgres"), "authentication", "28P01", "password may be wrong"),
        (format!("postgres@{server}/postgres"), "authentication", "password missing", "put the password into the URL"),
        ("u:s3cret@/d?host=/nonexistent".into(), "socket", "/nonexistent/.s.PGSQL.5432", "start the server"),
    ];
    for (url, step, seen, remedy) in cases {
        broken(&on(&format!("postgresql://{url}")), step, seen, remedy);
    }
}

#[test]
fn what_is_wrong_in_the_server_is_told_apart() {
    let good = superuser_url();
    let project = Project::with_database(&good.with_database("there_is_none"));
    broken(&project, "database", "3D000", "CREATE DATABASE \"there_is_none\"");

    let strict = DatabaseUrl::parse(&good.reveal().replace("sslmode=disable", "sslmode=require"), "me").expect("a URL");
    broken(&Project::with_database(&strict), "tls", "TLS", "ssl = on");

    let url = create_database("doctor");
    let project = Project::with_database(&url);
    project.revision("aaaa1111", "", "CREATE TABLE a (id int);", "DROP TABLE a;");
    broken(&project, "migrations", "empty", "dbops migrate -t app");
    execute(&url, "CREATE TABLE a (id int)");
    broken(&project, "migrations", "1 tables and no version table", "dbops migrate stamp heads -t app");
    project.ok(&["migrate", "stamp", "heads"]);
    project.json(0, &["doctor"]);

    project.write(
        "dbops.yaml",
        "version: 1\ntargets:\n  app:\n    kind: postgres\n    url: ${APP_URL}\n    versions: versions\n    schema: \
         schema.sql\n",
    );
    project.write("schema.sql", "CREATE EXTENSION vector;\nCREATE TABLE a (id int);\n");
    broken(&project, "extensions", "vector is available and not created", "CREATE EXTENSION \"vector\"");
    project.write("schema.sql", "CREATE EXTENSION no_such_thing;\n");
    broken(&project, "extensions", "no_such_thing is not installed", "install the package");
}

#[test]
fn a_role_without_rights_or_connections_is_told_so() {
    let url = create_database("doctor");
    let user = unique("weak");
    execute(&url, &format!("CREATE ROLE {user} LOGIN PASSWORD 's3cret' CONNECTION LIMIT 1"));
    let project = on(&format!("postgresql://{user}:s3cret@{}/{}", url.server(), url.database()));
    let quoted = format!("\"{user}\"");
    broken(&project, "permissions", "may not create tables", &format!("ON SCHEMA \"public\" TO {quoted}"));
    execute(&url, &format!("GRANT CREATE ON SCHEMA public TO {user}; CREATE TABLE hidden (id int)"));
    broken(&project, "permissions", "may not read public.hidden", "GRANT SELECT");
    let held = DatabaseUrl::parse(&format!("postgresql://{user}:s3cret@{}/{}", url.server(), url.database()), "me");
    let held = Held::new(&held.expect("a URL"), "SELECT 1");
    broken(&project, "connections", "53300", "max_connections");
    drop(held);
}

#[test]
fn whom_the_server_lets_in_is_told() {
    let options = ThrowawayOptions { tcp_password: Some("s3cret".into()), settings: Vec::new() };
    let server = Throwaway::start(&installation(), &options).expect("PostgreSQL");
    let url = server.url("postgres");
    execute(&url, "CREATE ROLE outsider LOGIN PASSWORD 's3cret'");
    let rules = query(&url, "SHOW hba_file").remove(0);
    let before = fs::read_to_string(&rules).expect("its rules");
    fs::write(&rules, format!("host all outsider all reject\n{before}")).expect("its rules");
    execute(&url, "SELECT pg_reload_conf()");
    on(&url.reveal()).json(0, &["doctor"]);
    let outsider = on(&url.reveal().replace("postgres:s3cret@", "outsider:s3cret@"));
    let deadline = Instant::now() + PATIENCE;
    // The server reads its rules in its own time.
    while outsider.json(3, &["doctor"])["targets"][0]["steps"]
        .as_array()
        .is_some_and(|steps| steps.last().is_some_and(|step| step["step"] == "permissions"))
    {
        assert!(Instant::now() < deadline, "the rules were not read");
    }
    broken(&outsider, "login", "pg_hba.conf rejects", "add a line for user \"outsider\" and database \"postgres\"");
}

#[test]
fn qdrant_is_walked_to_as_well() {
    let server = qdrant();
    let target = |url: &str, port: u16| {
        let project = Project::empty();
        let config =
            format!("version: 1\ntargets:\n  search:\n    kind: qdrant\n    url: {url}\n    grpc_port: {port}\n");
        project.write("dbops.yaml", &config);
        project
    };
    let document = target(&server.url, server.grpc_port).json(0, &["doctor"]);
    let expected = ["configuration", "name", "tcp", "listener", "grpc", "version", "key", "collections"];
    assert_eq!(steps(&document).0, expected, "{document:#}");

    let http: u16 = server.url.rsplit(':').next().and_then(|port| port.parse().ok()).expect("a port");
    broken(&target(&server.url, http), "grpc", "no gRPC answers", "grpc_port");
    let closed = closed_port();
    let remedy = format!("or correct `grpc_port`: it is {closed} here, and 6334 unless the server is told otherwise");
    broken(&target(&server.url, closed), "grpc", "cannot reach Qdrant", &remedy);
    let grpc = format!("http://127.0.0.1:{}", server.grpc_port);
    broken(&target(&grpc, server.grpc_port), "listener", "gRPC", "6333");
    let data = tempfile::tempdir().expect("a folder");
    let locked = start_qdrant_with(data.path(), &["0pen-sesame"]);
    broken(&target(&locked.url, locked.grpc_port), "key", "key", "set `api_key` in the configuration");
    let wrong = target(&format!("{}\n    api_key: s3cret", locked.url), locked.grpc_port);
    broken(&wrong, "key", "key", "correct `api_key` in the configuration");

    let postgres = format!("http://{}", superuser_url().server());
    broken(&target(&postgres, server.grpc_port), "listener", "PostgreSQL listens", "kind: postgres");
}

#[test]
fn every_node_of_a_cluster_is_gone_to() {
    let server = qdrant();
    let closed = closed_port();
    let dead = format!("http://127.0.0.1:{closed}");
    let project = Project::empty();
    project.write(
        "dbops.yaml",
        &format!(
            "version: 1\ntargets:\n  search:\n    kind: qdrant\n    url: ['{dead}', '{}']\n    grpc_port: {}\n",
            server.url, server.grpc_port
        ),
    );
    let document = project.json(3, &["doctor"]);
    let steps = document["targets"][0]["steps"].as_array().expect("steps");
    let told: Vec<_> = steps
        .iter()
        .map(|it| {
            format!(
                "{} {} {}",
                it["node"].as_str().unwrap_or("-"),
                it["step"].as_str().unwrap(),
                it["status"].as_str().unwrap()
            )
        })
        .collect();
    let good = ["name", "tcp", "listener", "grpc", "version", "key", "collections"];
    let expected = ["- configuration ok".to_owned(), format!("{dead} name ok"), format!("{dead} tcp broken")];
    let expected = expected.into_iter().chain(good.map(|step| format!("{} {step} ok", server.url)));
    assert_eq!(told, expected.collect::<Vec<_>>(), "{document:#}");
    let remedy = steps[2]["remedy"].as_str().unwrap_or_default();
    assert!(
        remedy.starts_with("start the server") && remedy.ends_with(&format!("the port {closed} in the URL")),
        "{remedy}"
    );

    let run = project.run(&["doctor"]);
    assert_eq!(run.code, 3, "{run}");
    let places = [format!("\n  {dead}\n"), "✗ tcp ".into(), format!("\n  {}\n", server.url), "✓ collections ".into()];
    let places = places.map(|it| run.stdout.find(&it).unwrap_or_else(|| panic!("{it}: {run}")));
    assert!(places.is_sorted(), "{run}");
}
