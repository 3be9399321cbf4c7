//! `dbops health`: what it finds on real servers, how it says so, and how it ends.

use std::net::TcpListener;
use std::time::Duration;

use dbops_postgres::DatabaseUrl;
use dbops_testbed::{create_database, superuser_url, unique};
use serde_json::{Value, json};

use crate::project::{Project, execute};

/// Id and status of every check.
fn statuses(document: &Value) -> Vec<String> {
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    let checks = document["checks"].as_array().expect("checks").iter();
    checks
        .map(|check| format!("{} {} {}", text(&check["target"]), text(&check["id"]), text(&check["status"])))
        .collect()
}

fn check<'a>(document: &'a Value, id: &str) -> &'a Value {
    let checks = document["checks"].as_array().expect("checks");
    checks.iter().find(|check| check["id"] == id).unwrap_or_else(|| panic!("{id}: {document}"))
}

/// The same server with a password that is wrong, or another server.
fn altered(url: &DatabaseUrl, password: &str, server: Option<&str>) -> DatabaseUrl {
    let server = server.map_or_else(|| url.server(), ToOwned::to_owned);
    let text = format!("postgresql://{}:{password}@{server}/{}", url.user(), url.database());
    DatabaseUrl::parse(&text, "me").expect("a URL")
}

#[test]
fn all_is_well_after_migrating() {
    let url = create_database("health");
    let project = Project::with_database(&url);
    project.write(
        "dbops.yaml",
        "version: 1\ntargets:\n  app:\n    kind: postgres\n    url: ${APP_URL}\n    versions: versions\n    schema: \
         schema.sql\n",
    );
    project.write("schema.sql", "CREATE EXTENSION IF NOT EXISTS vector;\nCREATE TABLE a (id int);\n");
    project.revision("aaaa1111", "", "CREATE TABLE a (id int);", "DROP TABLE a;");
    project.revision("bbbb2222", "aaaa1111", "CREATE EXTENSION vector;", "DROP EXTENSION vector;");

    let document = project.json(3, &["health"]);
    let new = [
        "app reachable ok",
        "app authentication ok",
        "app version ok",
        "app extensions critical",
        "app migrations warning",
    ];
    assert_eq!((&document["status"], statuses(&document)), (&json!("critical"), new.map(String::from).to_vec()));
    assert_eq!(check(&document, "migrations")["summary"], "the database has never been migrated");
    let remedy = "dbops migrate -t app, or in the database: CREATE EXTENSION \"vector\";";
    assert_eq!(check(&document, "extensions")["remedy"], remedy);

    project.ok(&["migrate", "upgrade", "aaaa1111"]);
    let document = project.json(3, &["health", "app"]);
    let migrations = json!({
        "id": "migrations", "target": "app", "status": "warning", "summary": "1 revision is pending",
        "remedy": "dbops migrate -t app", "value": 1.0, "unit": "revisions"
    });
    assert_eq!(*check(&document, "migrations"), migrations);

    project.ok(&["migrate"]);
    let document = project.json(0, &["health", "-t", "app"]);
    assert_eq!(document["status"], "ok");
    assert!(document["checks"].as_array().expect("checks").iter().all(|check| check["status"] == "ok"), "{document}");
    assert_eq!(check(&document, "reachable")["unit"], "ms");
    let run = project.ok(&["health", "--format", "human"]);
    assert!(run.stdout.starts_with("TARGET  OK ") && run.stdout.ends_with("\nok: 5 checks\n"), "{run}");
    let run = project.ok(&["health", "--format", "json"]);
    assert_eq!(serde_json::from_str::<Value>(&run.stdout).expect("one document")["status"], "ok", "{run}");

    execute(&url, "UPDATE alembic_version SET version_num = 'ffff9999'");
    let document = project.json(3, &["health"]);
    assert_eq!(check(&document, "migrations")["status"], "critical");
    assert!(check(&document, "migrations")["summary"].as_str().expect("text").contains("at ffff9999"), "{document}");
    project.write("versions/broken.sql", "-- revision: x\n");
    let document = project.json(3, &["health"]);
    assert_eq!(check(&document, "migrations")["status"], "unknown", "{document}");
}

#[test]
fn migrations_that_cannot_be_judged_have_a_remedy() {
    let url = create_database("unknown");
    let user = unique("unknown");
    execute(&url, &format!("CREATE ROLE {user} LOGIN PASSWORD 'pw'; CREATE TABLE alembic_version (version_num text)"));
    let text = format!("postgresql://{user}:pw@{}/{}", url.server(), url.database());
    let project = Project::with_database(&DatabaseUrl::parse(&text, "me").expect("a URL"));
    let remedy = |document: Value| {
        let finding = check(&document, "migrations");
        assert_eq!(finding["status"], "unknown", "{document}");
        finding["remedy"].as_str().unwrap_or_else(|| panic!("no remedy: {document}")).to_owned()
    };
    let grant = format!("GRANT SELECT ON alembic_version TO \"{user}\"");
    assert!(remedy(project.json(3, &["health"])).ends_with(&grant));
    execute(&url, &grant);
    project.json(0, &["health"]);
    std::fs::remove_dir(project.path("versions")).expect("a folder");
    let remedy = remedy(project.json(3, &["health"]));
    assert!(
        remedy.starts_with("see whether PROJECT/versions is there") && remedy.contains("`versions` of app"),
        "{remedy}"
    );
}

/// A URL that leads nowhere: the checks that are listed, and the remedy of the last one.
#[test]
fn a_database_that_cannot_be_used_has_a_finding_and_a_remedy() {
    let good = superuser_url();
    let closed = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a port");
    let down: &[&str] = &["app reachable critical"];
    let cases = [
        (
            altered(&good, "wr0ng-s3cret", None),
            &["app reachable ok", "app authentication critical"][..],
            "check the password of \"postgres\" in the URL, the environment, or the password file",
        ),
        (altered(&good, "wr0ng-s3cret", Some(&closed.to_string())), down, "start the server, or correct host and port"),
        (
            good.with_database("there is none"),
            down,
            "create it (CREATE DATABASE \"there is none\"), or correct the name",
        ),
    ];
    for (url, expected, remedy) in cases {
        let project = Project::with_database(&url);
        let document = project.json(3, &["health"]);
        assert_eq!(
            (&document["status"], statuses(&document)),
            (&json!("critical"), expected.iter().map(ToString::to_string).collect())
        );
        let last = document["checks"].as_array().and_then(|checks| checks.last()).expect("a check");
        assert!(last["remedy"].as_str().expect("a remedy").starts_with(remedy), "{document}");

        let run = project.run(&["health"]);
        assert_eq!(run.code, 3, "{run}");
        assert!(run.stdout.starts_with("critical app ") && run.stdout.contains(&format!("→ {remedy}")), "{run}");
        assert!(run.stdout.contains("critical: 1 of "), "{run}");
        let password = String::from_utf8_lossy(url.password().unwrap_or_default()).into_owned();
        for text in [&document.to_string(), &run.stdout, &run.stderr] {
            assert!(!text.contains("s3cret") && !text.contains(&password), "{text}");
        }
    }
}

#[test]
fn servers_that_never_answer_are_given_up_on_while_others_are_checked() {
    // They accept, by way of the backlog, and say nothing.
    let silent = [0, 1].map(|_| TcpListener::bind("127.0.0.1:0").expect("a port"));
    let [postgres, qdrant] = silent.each_ref().map(|listener| listener.local_addr().expect("an address").port());
    let project = Project::empty().env("GOOD_URL", &superuser_url().reveal());
    project.write(
        "dbops.yaml",
        &format!(
            "version: 1\ntargets:\n  hangs:\n    kind: postgres\n    url: postgresql://u:p@127.0.0.1:{postgres}/d\n  \
             good:\n    kind: postgres\n    url: ${{GOOD_URL}}\n    versions: versions\n  search:\n    kind: qdrant\n    \
             url: http://127.0.0.1:{qdrant}\n    grpc_port: {qdrant}\n"
        ),
    );
    std::fs::create_dir(project.path("versions")).expect("a folder");
    // Long enough for the good one on a busy machine.
    let document = project.json(3, &["health", "--timeout", "4"]);
    let expected = [
        "hangs reachable critical",
        "good reachable ok",
        "good authentication ok",
        "good version ok",
        "good migrations ok",
        "search reachable critical",
    ];
    assert_eq!(statuses(&document), expected, "{document}");
    assert_eq!(check(&document, "reachable")["summary"], format!("127.0.0.1:{postgres} gave no answer within 4 s"));
}

#[test]
fn what_cannot_be_used_is_a_mistake_of_configuration() {
    let project = Project::empty();
    let config = "version: 1\ntargets:\n  app:\n    kind: postgres\n    url: postgresql://h/d\n    schema: gone.sql\n  \
                  search:\n    kind: qdrant\n    url: http://h\n    collections: collections.yaml\n";
    project.write("dbops.yaml", config);
    project.write("collections.yaml", "version: 1\ncollections: []\n");
    let cases: [(&[&str], &str); 4] = [
        (&["health", "app"], "error: cannot read the declared schema PROJECT/gone.sql"),
        (&["health", "search"], "error: PROJECT/collections.yaml:2:"),
        (&["health", "ap"], "error: there is no target `ap`"),
        (&["health", "--format", "xml"], "error: invalid value 'xml'"),
    ];
    for (arguments, message) in cases {
        let run = project.run(arguments);
        assert_eq!((run.code, run.stdout.as_str()), (2, ""), "{run}");
        assert!(run.stderr.starts_with(message), "{run}");
    }
}

#[test]
fn declared_collections_have_to_be_on_the_server() {
    let qdrant = dbops_testbed::qdrant();
    let name = unique("health");
    let project = Project::empty();
    let config = |api_key: &str| {
        format!(
            "version: 1\ntargets:\n  search:\n    kind: qdrant\n    url: {}\n    grpc_port: {}\n    collections: \
             collections.yaml\n{api_key}",
            qdrant.url, qdrant.grpc_port
        )
    };
    project.write("dbops.yaml", &config(""));
    let collections = format!("version: 1\ncollections:\n  {name}:\n    vectors: {{ size: 4, distance: Cosine }}\n");
    project.write("collections.yaml", &collections);
    let document = project.json(3, &["health"]);
    assert_eq!(
        statuses(&document),
        ["search reachable ok", "search authentication ok", "search collections warning"],
        "{document}"
    );
    let finding = check(&document, "collections");
    assert_eq!(finding["summary"], format!("{name} missing"));
    assert_eq!(finding["remedy"], "dbops qdrant apply -t search");

    create_collection(&project);
    let document = project.json(0, &["health"]);
    assert!(check(&document, "collections")["summary"].as_str().expect("text").contains(&format!("{name} green")));

    // The client must never show a key, and one with a line break cannot be sent.
    project.write("dbops.yaml", &config("    api_key: \"s3cret\\n\"\n"));
    let run = project.run(&["health"]);
    assert_eq!(run.code, 3, "{run}");
    assert!(run.stdout.contains("the API key holds") && !run.to_string().contains("s3cret"), "{run}");
}

/// Applies the project's `collections.yaml` to the test server.
fn create_collection(project: &Project) {
    use dbops_qdrant::{Extent, Plan, Server, ServerOptions, plan, read_file};

    let qdrant = dbops_testbed::qdrant();
    let timeout = Duration::from_secs(10);
    let options = ServerOptions { url: qdrant.url.clone(), grpc_port: qdrant.grpc_port, api_key: None, timeout };
    let declared = read_file(&project.path("collections.yaml")).expect("collections");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let server = Server::new(&options).expect("right options");
        let plan: Plan = plan(&declared, &server.live().await.expect("the server answers")).expect("a plan");
        server.apply(&declared, &plan, Extent::Whole, &mut |_| {}).await.expect("applied");
    });
}
