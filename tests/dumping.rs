//! What `dbops backup` dumps: formats, compressions, parts, roles, and what the manifest says of it.

use std::fs;
use std::path::Path;

use dbops_backup::fingerprint::{TableFingerprint, compare, fingerprint, tables};
use dbops_postgres::{DatabaseUrl, connect};
use dbops_testbed::{create_database, unique};
use serde_json::{Value, json};

use crate::backup::sample;
use crate::project::{Project, client, execute, query};

/// The manifest of the set that these arguments make, and its folder.
fn manifest(project: &Project, arguments: &[&str]) -> (Value, String) {
    let made = project.json(0, &[&["backup"], arguments].concat());
    let path = made["path"].as_str().expect("a path").replace("PROJECT", &project.path("").display().to_string());
    let text = fs::read_to_string(Path::new(&path).join("manifest.json")).expect("a manifest");
    (serde_json::from_str(&text).expect("JSON"), path)
}

fn contents(manifest: &Value) -> &Value {
    &manifest["targets"][0]["contents"]
}

fn file_names(manifest: &Value) -> Vec<(String, String)> {
    let files = manifest["targets"][0]["files"].as_array().expect("files").iter();
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    files.map(|file| (text(&file["name"]), text(&file["role"]))).collect()
}

/// The tables with rows in the manifest, as `name: rows`.
fn counted(manifest: &Value) -> Vec<String> {
    let tables = contents(manifest)["fingerprints"]["tables"].as_array().cloned().unwrap_or_default();
    tables.iter().map(|table| format!("{}: {}", table["name"].as_str().unwrap_or_default(), table["rows"])).collect()
}

fn fingerprints(url: &DatabaseUrl) -> Vec<TableFingerprint> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let client = connect(url).await.expect("the test server");
        let mut found = Vec::new();
        for table in tables(&client).await.expect("tables") {
            found.push(fingerprint(&client, &table).await.expect("a fingerprint"));
        }
        found
    })
}

fn run(mut command: std::process::Command) {
    let output = command.output().expect("it starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// Restores with PostgreSQL's own programs, from what the manifest names.
fn restore(manifest: &Value, path: &str) -> DatabaseUrl {
    let url = create_database("restored");
    let files = file_names(manifest);
    let folder = tempfile::tempdir().expect("a folder");
    for (name, role) in &files {
        let local = role.strip_prefix("archive/").unwrap_or(name);
        fs::copy(Path::new(path).join(name), folder.path().join(local)).expect("a copy");
    }
    let (name, role) = &files[0];
    let is_script = role == "script";
    let mut command = client(if is_script { "psql" } else { "pg_restore" }, &url);
    if is_script {
        let file = folder.path().join(name);
        if name.ends_with(".gz") {
            let mut gunzip = dbops_postgres::process::command("gunzip");
            gunzip.arg(&file);
            run(gunzip);
        }
        command.args(["-X", "-q", "-v", "ON_ERROR_STOP=1", "-f"]).arg(file.with_file_name("app.sql"));
    } else {
        let archive = if role == "archive" { folder.path().join(name) } else { folder.path().to_path_buf() };
        command.arg("--exit-on-error").arg(archive);
    }
    run(command);
    url
}

/// Arguments, and how the files are called.
#[test]
fn every_format_restores_to_the_same_rows() {
    let url = sample("formats");
    let project = Project::with_database(&url);
    let cases: [(&[&str], &[&str]); 7] = [
        (&[], &["app.dump archive", "app.roles.sql roles"]),
        (&["--compress", "none", "--no-roles"], &["app.dump archive"]),
        (&["--compress", "gzip:1", "--no-roles"], &["app.dump archive"]),
        (&["--format", "plain", "--no-roles"], &["app.sql script"]),
        (&["--format", "plain", "--compress", "gzip", "--no-roles"], &["app.sql.gz script"]),
        (&["--format", "directory", "--no-roles"], &["app.toc.dat archive/toc.dat"]),
        (&["--format", "directory", "--jobs", "2", "--no-roles"], &["app.toc.dat archive/toc.dat"]),
    ];
    for (arguments, expected) in cases {
        let (manifest, path) = manifest(&project, arguments);
        let files: Vec<_> = file_names(&manifest).iter().map(|(name, role)| format!("{name} {role}")).collect();
        for file in expected {
            assert!(files.iter().any(|it| it == file), "{arguments:?}: {files:?}");
        }
        assert!(arguments.contains(&"directory") || files.len() == expected.len(), "{arguments:?}: {files:?}");
        let before: Vec<TableFingerprint> =
            serde_json::from_value(contents(&manifest)["fingerprints"]["tables"].clone()).expect("fingerprints");
        assert_eq!(before.len(), 4, "{before:?}");
        let after = fingerprints(&restore(&manifest, &path));
        assert_eq!(compare(&before, &after), Vec::<String>::new(), "{arguments:?}");
        assert_eq!(contents(&manifest)["is_whole"], true);
        project.ok(&["backup", "verify"]);
        let restored = project.json(0, &["restore", "latest", "app", "--into", &unique("formats")]);
        assert_eq!(restored["targets"][0]["differences"], json!([]), "{arguments:?}");
    }
}

/// A pg_dump that cannot compress so, says it; the one that tests run with is asked.
#[test]
fn what_this_pg_dump_cannot_compress_is_refused() {
    let project = Project::with_database(&create_database("compress"));
    for method in ["zstd", "lz4:3"] {
        let mut probe = dbops_postgres::process::command(dbops_testbed::installation().program("pg_dump"));
        let said = probe.args(["-d", "host=/nonexistent", &format!("--compress={method}")]).output().expect("pg_dump");
        let can = !String::from_utf8_lossy(&said.stderr).contains("compression");
        let run = project.run(&["backup", "--compress", method]);
        assert_eq!(run.code, if can { 0 } else { 2 }, "{run}");
        assert!(can || run.stderr.contains(&format!("cannot compress with {method}")), "{run}");
        let by_default = project.run(&["backup", "-v"]);
        assert_eq!(by_default.code, 0, "{by_default}");
        let zstd = by_default.stderr.contains("compression zstd\n");
        let gzip = by_default.stderr.contains("compression gzip: this pg_dump has no zstd\n");
        assert!(method != "zstd" || (can, !can) == (zstd, gzip), "{by_default}");
    }
    for (arguments, message) in [
        (["--compress", "zip"], "choose none, gzip, lz4 or zstd"),
        (["--compress", "gzip:11"], "the level of gzip is a number from 1 to 9"),
        (["--jobs", "2"], "several tables at a time need the directory format"),
        (["--format", "tar"], "choose custom, directory or plain"),
    ] {
        let run = project.run(&[&["backup"], arguments.as_slice()].concat());
        assert_eq!(run.code, 2, "{run}");
        assert!(run.stderr.contains(message), "{run}");
    }
    let run = project.run(&["backup", "--schema-only", "list"]);
    assert_eq!(run.code, 2, "{run}");
}

/// Arguments, whether rows were left out, and the tables whose rows were dumped.
#[test]
fn parts_are_dumped_and_told() {
    let url = create_database("parts");
    let sql = "CREATE TABLE users (id int); INSERT INTO users SELECT generate_series(1, 3);
               CREATE TABLE logs (id int); INSERT INTO logs VALUES (1);
               CREATE TABLE \"new\nline.x\" (id int); INSERT INTO \"new\nline.x\" VALUES (1), (2);
               SELECT lo_create(7)";
    execute(&url, sql);
    let project = Project::with_database(&url);
    let cases: [(&[&str], bool, &[&str]); 6] = [
        (&[], true, &["logs: 1", "new\nline.x: 2", "users: 3"]),
        (&["--table", "users"], false, &["users: 3"]),
        (&["--table", "public.new*", "--table", "logs"], false, &["logs: 1", "new\nline.x: 2"]),
        (&["--exclude-table-data", "log*"], false, &["new\nline.x: 2", "users: 3"]),
        (&["--schema-only"], false, &[]),
        (&["--no-fingerprints"], true, &[]),
    ];
    for (arguments, is_whole, expected) in cases {
        let (manifest, _) = manifest(&project, arguments);
        assert_eq!(counted(&manifest), expected, "{arguments:?}");
        assert_eq!(contents(&manifest)["is_whole"], is_whole, "{arguments:?}");
        let objects = &contents(&manifest)["fingerprints"]["large_objects"]["count"];
        let has_objects = !arguments.contains(&"--table") && !expected.is_empty();
        assert_eq!(*objects, if has_objects { json!(1) } else { Value::Null }, "{arguments:?}");
    }
    let run = project.run(&["backup", "--table", "nothing"]);
    assert_eq!(run.code, 1, "{run}");
    assert!(run.stderr.contains("no matching tables were found"), "{run}");
}

#[test]
fn the_manifest_tells_of_the_database_in_the_snapshot() {
    let url = sample("facts");
    let (owner, reader) = (unique("owner"), unique("reader"));
    let name = url.database();
    execute(
        &url,
        &format!(
            "CREATE ROLE {owner}; CREATE ROLE {reader}; CREATE ROLE {reader}_unused; \
             ALTER TABLE teams OWNER TO {owner}; GRANT SELECT ON players TO {reader}; \
             ALTER DATABASE \"{name}\" SET work_mem = '7MB'; \
             ALTER ROLE {reader} IN DATABASE \"{name}\" SET search_path = public, \"odd \"\"schema\"; \
             CREATE SEQUENCE unused; SELECT nextval('players_id_seq')"
        ),
    );
    let project = Project::with_database(&url);
    let before = query(&url, "SELECT now()::text, pg_current_wal_lsn()").remove(0);
    let (manifest, path) = manifest(&project, &[]);
    let facts = &contents(&manifest)["facts"];
    let roles = facts["roles"].as_array().expect("roles");
    let role = |name: &str| roles.iter().find(|role| role["name"] == name);
    assert_eq!(role(&owner).map(|role| (&role["owns"], &role["has_privileges"])), Some((&json!(true), &json!(false))));
    assert_eq!(role(&reader).map(|role| (&role["owns"], &role["has_privileges"])), Some((&json!(false), &json!(true))));
    assert_eq!(role(url.user()).map(|role| &role["owns"]), Some(&json!(true)), "{roles:?}");
    assert!(role(&format!("{reader}_unused")).is_none());
    let settings = json!([
        {"role": null, "settings": ["work_mem=7MB"]},
        {"role": reader, "settings": ["search_path=public, \"odd \"\"schema\""]},
    ]);
    assert_eq!(facts["settings"], settings);
    let time = facts["snapshot_time"].as_str().expect("a time");
    let lsn = facts["lsn"].as_str().expect("an LSN");
    let (earlier, start) = before.split_once('|').expect("two columns");
    let later = format!("SELECT '{time}'::timestamptz >= '{earlier}', '{lsn}'::pg_lsn >= '{start}'");
    assert_eq!(query(&url, &later), ["t|t"]);
    let sequences = contents(&manifest)["sequences"].as_array().expect("sequences");
    let value = |name: &str| sequences.iter().find(|sequence| sequence["name"] == name).map(|it| it["value"].clone());
    assert_eq!((value("players_id_seq"), value("unused")), (Some(json!(51)), Some(Value::Null)));
    assert_eq!(contents(&manifest)["fingerprints"]["large_objects"]["count"], 1);
    assert!(contents(&manifest)["table_bytes"].as_u64().is_some_and(|bytes| bytes > 100_000));

    let roles = fs::read_to_string(Path::new(&path).join("app.roles.sql")).expect("roles");
    assert!(roles.contains(&format!("CREATE ROLE {owner};")) && roles.contains("PASSWORD 'SCRAM-SHA-256$"), "{roles}");
    assert_eq!(contents(&manifest)["has_role_passwords"], true);
    let shown = project.json(0, &["backup", "show", "latest"]);
    assert_eq!(shown["targets"][0]["rows"], 2000 + 50 + 1 + 1);
    assert!(shown["targets"][0]["roles"].as_array().expect("roles").contains(&json!(owner)));
}

#[test]
fn without_a_superuser_roles_come_without_passwords() {
    let url = create_database("modest");
    let user = unique("modest");
    execute(&url, &format!("CREATE ROLE {user} LOGIN PASSWORD 'pw'; GRANT pg_read_all_data TO {user}"));
    let (host, port) = url.servers().remove(0);
    let text = format!("postgresql://{user}:pw@{host}:{port}/{}", url.database());
    let project = Project::with_database(&DatabaseUrl::parse(&text, "me").expect("a URL"));
    let (manifest, path) = manifest(&project, &[]);
    let roles = fs::read_to_string(Path::new(&path).join("app.roles.sql")).expect("roles");
    assert!(roles.contains(&format!("CREATE ROLE {user};")) && !roles.contains("PASSWORD"), "{roles}");
    assert_eq!(contents(&manifest)["has_role_passwords"], false);
}

/// Two servers in the URL, of which the first is down: the snapshot is of the one that answers.
#[test]
fn of_several_servers_the_one_that_answers_is_dumped() {
    let url = create_database("several");
    execute(&url, "CREATE TABLE t (id int); INSERT INTO t VALUES (1)");
    let closed = std::net::TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a port").port();
    let text = url.reveal();
    let (account, rest) = text.rsplit_once('@').expect("an account");
    let both = format!("{account}@127.0.0.1:{closed},{rest}");
    let project = Project::with_database(&DatabaseUrl::parse(&both, "me").expect("a URL"));
    let (manifest, _) = manifest(&project, &[]);
    assert_eq!(counted(&manifest), ["t: 1"]);
}
