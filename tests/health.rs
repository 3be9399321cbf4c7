//! `dbops health`: what it finds on real servers, how it says so, and how it ends.

use std::net::TcpListener;
use std::time::Duration;

use dbops_postgres::{DatabaseUrl, process};
use dbops_testbed::{create_database, superuser_url, unique};
use serde_json::{Value, json};

use crate::project::{Project, execute};
use crate::python::python_with;

/// What has nothing to do with backups, nor with the test server's careless settings and this machine's disk.
const PLAIN: [&str; 10] = [
    "--skip",
    "disk_space",
    "--skip",
    "settings",
    "--skip",
    "backup_age",
    "--skip",
    "backup_verified",
    "--skip",
    "backup_growth",
];

/// `health` with these arguments, without backups and settings.
fn plain<'a>(arguments: &[&'a str]) -> Vec<&'a str> {
    [&["health"], arguments, &PLAIN].concat()
}

/// Id and status of the checks without which nothing goes.
fn statuses(document: &Value) -> Vec<String> {
    const FIRST: [&str; 6] = ["reachable", "authentication", "version", "extensions", "migrations", "collections"];
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    let checks = document["checks"].as_array().expect("checks").iter();
    let checks = checks.filter(|check| FIRST.iter().any(|id| check["id"] == *id));
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

    let document = project.json(3, &plain(&[]));
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
    let document = project.json(3, &plain(&["app"]));
    let migrations = json!({
        "id": "migrations", "target": "app", "status": "warning", "summary": "1 revision is pending",
        "remedy": "dbops migrate -t app", "value": 1.0, "unit": "revisions"
    });
    let mut found = check(&document, "migrations").clone();
    found.as_object_mut().expect("a check").remove("seconds").expect("how long it took");
    assert_eq!(found, migrations);

    project.ok(&["migrate"]);
    let document = project.json(0, &plain(&["-t", "app"]));
    assert_eq!(document["status"], "ok");
    assert!(document["checks"].as_array().expect("checks").iter().all(|check| check["status"] == "ok"), "{document}");
    assert_eq!(check(&document, "reachable")["unit"], "ms");
    let run = project.ok(&plain(&["--format", "human"]));
    assert!(run.stdout.starts_with("TARGET  CHECKS ") && run.stdout.contains("\nok: "), "{run}");
    let run = project.ok(&plain(&["-v"]));
    assert!(run.stdout.starts_with("TARGET  OK ") && run.stdout.contains("\napp     sequences "), "{run}");
    let run = project.ok(&plain(&["--format", "json"]));
    assert_eq!(serde_json::from_str::<Value>(&run.stdout).expect("one document")["status"], "ok", "{run}");

    execute(&url, "UPDATE alembic_version SET version_num = 'ffff9999'");
    let document = project.json(3, &plain(&[]));
    assert_eq!(check(&document, "migrations")["status"], "critical");
    assert!(check(&document, "migrations")["summary"].as_str().expect("text").contains("at ffff9999"), "{document}");
    project.write("versions/broken.sql", "-- revision: x\n");
    let document = project.json(3, &plain(&[]));
    assert_eq!(check(&document, "migrations")["status"], "unknown", "{document}");
}

#[test]
fn migrations_that_cannot_be_judged_have_a_remedy() {
    let url = create_database("unknown");
    let user = unique("unknown");
    execute(&url, &format!("CREATE ROLE {user} LOGIN PASSWORD 'pw'; CREATE TABLE alembic_version (version_num text)"));
    let text = format!("postgresql://{user}:pw@{}/{}", url.server(), url.database());
    let project = Project::with_database(&DatabaseUrl::parse(&text, "me").expect("a URL"));
    let only = ["health", "--check", "migrations"];
    let remedy = |document: Value| {
        let finding = check(&document, "migrations");
        assert_eq!(finding["status"], "unknown", "{document}");
        finding["remedy"].as_str().unwrap_or_else(|| panic!("no remedy: {document}")).to_owned()
    };
    let grant = format!("GRANT SELECT ON alembic_version TO \"{user}\"");
    assert!(remedy(project.json(3, &only)).ends_with(&grant));
    execute(&url, &grant);
    project.json(0, &only);
    std::fs::remove_dir(project.path("versions")).expect("a folder");
    let remedy = remedy(project.json(3, &only));
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
        let document = project.json(3, &plain(&[]));
        assert_eq!(
            (&document["status"], statuses(&document)),
            (&json!("critical"), expected.iter().map(ToString::to_string).collect())
        );
        let last = document["checks"].as_array().and_then(|checks| checks.last()).expect("a check");
        assert!(last["remedy"].as_str().expect("a remedy").starts_with(remedy), "{document}");

        let run = project.run(&plain(&[]));
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
    let cases: [(&[&str], &str); 6] = [
        (&["health", "--check", "sequence"], "error: there is no check `sequence`\nhint: did you mean `sequences`?"),
        (&["health", "--skip", "x"], "error: there is no check `x`"),
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
    let document = project.json(3, &plain(&[]));
    assert_eq!(
        statuses(&document),
        ["search reachable ok", "search authentication ok", "search collections warning"],
        "{document}"
    );
    let finding = check(&document, "collections");
    assert_eq!(finding["summary"], format!("{name} missing"));
    assert_eq!(finding["remedy"], "dbops qdrant apply -t search");

    create_collection(&project);
    let document = project.json(0, &plain(&[]));
    assert!(check(&document, "collections")["summary"].as_str().expect("text").contains(&format!("{name} green")));

    // The client must never show a key, and one with a line break cannot be sent.
    project.write("dbops.yaml", &config("    api_key: \"s3cret\\n\"\n"));
    let run = project.run(&["health"]);
    assert_eq!(run.code, 3, "{run}");
    assert!(run.stdout.contains("the API key holds") && !run.to_string().contains("s3cret"), "{run}");
}

#[test]
fn collections_are_compared_with_their_tables_and_snapshots_are_counted() {
    let (url, qdrant, name) = (create_database("rows"), dbops_testbed::start_qdrant(), unique("rows"));
    execute(
        &url,
        "CREATE TABLE chunks (id bigint PRIMARY KEY, v real[]); INSERT INTO chunks VALUES (1, '{1,2}'), (2, NULL)",
    );
    let project = Project::empty().env("APP_URL", &url.reveal());
    let config = format!(
        "version: 1\ntargets:\n  app:\n    kind: postgres\n    url: ${{APP_URL}}\n  search:\n    kind: qdrant\n    url: {}\n    \
         grpc_port: {}\n    collections: collections.yaml\nhealth:\n  snapshots: {{ warning: 1 }}\n",
        qdrant.url, qdrant.grpc_port
    );
    project.write("dbops.yaml", &config);
    let collections = format!(
        "version: 1\ncollections:\n  {name}:\n    vectors: {{ size: 2, distance: Cosine }}\n    from: {{ target: app, table: \
         chunks, key: id, vector: v }}\n"
    );
    project.write("collections.yaml", &collections);
    project.ok(&["qdrant", "apply"]);
    let only = ["health", "search", "--check", "row_counts", "--check", "snapshots"];
    let document = project.json(3, &only);
    let summary = format!("{name} has 0 points, and public.chunks has 1 rows");
    assert_eq!(check(&document, "row_counts")["summary"], summary, "{document}");
    assert_eq!(check(&document, "snapshots")["status"], "ok", "{document}");
    project.ok(&["qdrant", "snapshot", "create", &name]);
    execute(&url, "DELETE FROM chunks");
    let document = project.json(3, &only);
    assert_eq!(check(&document, "row_counts")["status"], "ok", "{document}");
    assert_eq!(
        check(&document, "snapshots")["summary"],
        format!("1 snapshots of {name} are on the server"),
        "{document}"
    );
}

/// A configuration with a section `health`, and what is wrong with it.
#[test]
fn limits_are_read_and_mistakes_in_them_are_named() {
    let cases = [
        ("sequence: { warning: 80 }", "dbops.yaml:7: there is no check `sequence`\nhint: did you mean `sequences`?"),
        ("skip: [unused]", "there is no check `unused`"),
        ("sequences: { warning: 8h }", "dbops.yaml:7: `8h` is not a limit of `sequences` (warning)"),
        ("sequences: { warn: 80 }", "unknown field `warn`"),
        ("invalid_indexes: { warning: 1 }", "`invalid_indexes` measures nothing that could have a limit"),
        ("sequences: [80]", "`sequences` is not written so"),
    ];
    let url = create_database("limits");
    let project = Project::with_database(&url);
    let config = |health: &str| {
        let text = "version: 1\ntargets:\n  app:\n    kind: postgres\n    url: ${APP_URL}\nhealth:\n  ";
        project.write("dbops.yaml", &format!("{text}{health}\n"));
    };
    for (text, message) in cases {
        config(text);
        let run = project.run(&["config", "check"]);
        assert!(run.code == 2 && run.stderr.contains(message), "{text}\n{run}");
    }
    execute(&url, "CREATE SEQUENCE s MAXVALUE 100; SELECT setval('s', 50)");
    let only = ["health", "--check", "sequences"];
    config("{}");
    project.json(0, &only);
    config("sequences: { warning: 50%, critical: 60 }");
    assert_eq!(check(&project.json(3, &only), "sequences")["status"], "warning");
    config("sequences: { critical: 50 }");
    assert_eq!(check(&project.json(3, &only), "sequences")["status"], "critical");
    config("sequences: { critical: 50, severity: ok }");
    project.json(0, &only);
    config("skip: [sequences]");
    assert!(
        project.json(0, &plain(&["--skip", "migrations"]))["checks"]
            .as_array()
            .is_some_and(|checks| checks.iter().all(|check| check["id"] != "sequences"))
    );
}

#[test]
fn metrics_and_plugins_have_their_formats() {
    let project = Project::with_database(&create_database("formats"));
    let only = ["health", "--check", "sequences", "--check", "reachable"];
    let nagios = project.run(&[&only[..], &["--format", "nagios"]].concat());
    assert!(nagios.code == 0 && nagios.stdout.starts_with("DBOPS OK - 2 checks | 'app_reachable'="), "{nagios}");
    let run = project.run(&["health", "--check", "settings", "--format", "nagios"]);
    assert!(run.code == 2 && run.stdout.starts_with("DBOPS CRITICAL - app settings: fsync is off"), "{run}");
    let run = project.run(&["health", "nobody", "--format", "nagios"]);
    assert!(run.code == 3 && run.stdout.starts_with("DBOPS UNKNOWN - there is no target `nobody`"), "{run}");

    let file = project.path("metrics.prom");
    let path = file.to_str().expect("text");
    let run = project.ok(&[&only[..], &["--format", "prometheus", "--textfile", path]].concat());
    let text = std::fs::read_to_string(&file).expect("a file");
    for metrics in [&text, &run.stdout] {
        for line in ["# TYPE dbops_health_status gauge", "dbops_health_status{target=\"app\",check=\"sequences\"} 0"] {
            assert!(metrics.lines().any(|it| it == line), "{line}\n{metrics}");
        }
    }
    let mode = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&file).expect("a file").permissions());
    assert_eq!(mode & 0o777, 0o644);
    let python = python_with("prometheus", &["prometheus_client==0.22.1"]);
    let script = "import sys\nfrom prometheus_client.parser import text_string_to_metric_families as parse\nprint(sum(len(\
                  family.samples) for family in parse(open(sys.argv[1]).read())))";
    let parsed = process::command(python).args(["-c", script, path]).output().expect("python");
    assert_eq!(String::from_utf8_lossy(&parsed.stdout).trim(), "6", "{text}");
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
        let plan: Plan = plan(&declared, &server.live(&declared).await.expect("the server answers")).expect("a plan");
        server.apply(&declared, &plan, Extent::Whole, &mut |_| {}).await.expect("applied");
    });
}

/// LangGraph's own saver, with its clock put back by so many days for each checkpoint.
const SAVER: &str = "
import sys, time
from langgraph.checkpoint.base import empty_checkpoint
from langgraph.checkpoint.postgres import PostgresSaver

now = time.time_ns
with PostgresSaver.from_conn_string(sys.argv[1]) as saver:
    saver.setup()
    for days in map(int, sys.argv[2:]):
        time.time_ns = lambda: now() - days * 86_400 * 10**9
        saver.put({'configurable': {'thread_id': 'a', 'checkpoint_ns': ''}}, empty_checkpoint(), {}, {})
";

#[test]
fn langgraphs_own_checkpoints_tell_how_its_tables_grow() {
    let url = create_database("langgraph");
    let project = Project::with_database(&url);
    let python = python_with("langgraph", &["langgraph-checkpoint-postgres==3.1.*", "psycopg[binary]==3.*"]);
    let saved =
        process::command(python).args(["-c", SAVER, &url.reveal(), "30", "8", "6", "1"]).output().expect("python");
    assert!(saved.status.success(), "{}", String::from_utf8_lossy(&saved.stderr));
    project.write(
        "dbops.yaml",
        "version: 1\ntargets:\n  app:\n    kind: postgres\n    url: ${APP_URL}\n    versions: versions\n\
         health:\n  langgraph_growth: { warning: 1kB, critical: 1GB }\n",
    );
    let document = project.json(3, &["health", "--check", "langgraph", "--check", "langgraph_growth"]);
    assert_eq!(check(&document, "langgraph")["status"], "ok", "{document}");
    let growth = check(&document, "langgraph_growth");
    let summary = growth["summary"].as_str().expect("text");
    assert!(summary.contains(" KiB a day: 50 % of their ") && summary.ends_with(" are of the last 7 d"), "{summary}");
    assert_eq!((&growth["status"], &growth["unit"]), (&json!("warning"), &json!("bytes/day")));
}
