//! The JSON schema of dbops.yaml and the reader of that file say the same. Python's jsonschema reads the schema.

use crate::project::Project;
use crate::qdrant_schema::valid;

/// A file with a PostgreSQL target that has these keys besides.
fn postgres(keys: &str) -> String {
    format!("version: 1\ntargets: {{a: {{kind: postgres, url: postgresql://h/d{keys}}}}}\n")
}

fn qdrant(keys: &str) -> String {
    format!("version: 1\ntargets: {{a: {{kind: qdrant, url: http://h{keys}}}}}\n")
}

/// A file with this besides the target.
fn beside(text: &str) -> String {
    postgres("") + text + "\n"
}

#[test]
fn the_schema_and_the_reader_agree() {
    let sample = include_str!("../config/dbops.yaml").to_owned();
    let right = [
        sample,
        postgres(""),
        postgres(", versions: v, schema: s.sql, container: c"),
        postgres(", versions: null, schema: null, container: null"),
        postgres(", schema: {command: [python3, print.py]}"),
        "version: 1\ntargets: {a: {kind: postgres, url: 'postgresql+asyncpg://u@h/d?sslmode=require'}}\n".into(),
        "version: 1\ntargets: {a-b_1: {kind: postgres, url: '${X:-postgresql://h/d}'}}\n".into(),
        "version: 1\ntargets: {a: {kind: qdrant, url: '${X:-http://h}'}}\n".into(),
        qdrant(""),
        qdrant(", grpc_port: 6334, api_key: '', collections: c.yaml, container: c"),
        qdrant(", grpc_port: '7', api_key: null, collections: null"),
        qdrant(", grpc_port: '${X:-7}'"),
        postgres(", password: secret"),
        qdrant(", nodes: [http://a, {url: 'http://b', grpc_port: 7}]"),
        qdrant(", nodes: 'http://a,http://b'"),
        "version: 1\ntargets: {a: {kind: qdrant, url: [http://a, http://b]}}\n".into(),
        beside("health: {connections: {warning: 70, critical: 90%}, skip: [cache_hit], replicas: {severity: ok}}"),
        beside("health: {backup_age: {warning: 30h}}"),
        beside("backup: {repository: s3://bucket/prefix, webhook: https://h/x}"),
        beside("backup: {webhook: ''}"),
        beside("backup: {webhook: '${X:-}'}"),
        beside("backup: {retention: {keep_last: 0, keep_hourly: '3', keep_daily: unlimited, keep_weekly: null}}"),
        beside("backup: {retention: {keep_monthly: 1, keep_yearly: 1, keep_within: 2y5m7d3h}}"),
        beside("backup: {encryption: {passphrase_file: p, identity: i}}"),
        beside("backup: {encryption: {recipients_file: r}}"),
        beside("backup: {encryption: null}"),
        beside("backup: {hooks: {before: [a, b], after: [], failure: [c], time_limit: 5}}"),
        beside("backup: {hooks: {time_limit: '5'}}"),
        beside("lint: {pg_version: 18, rules: {}}"),
        beside("lint: {pg_version: '16.4', rules: {ban-char-field: 'off', adding-foreign-key-constraint: 'on'}}"),
    ];
    let wrong = [
        "version: 1\n".to_owned(),
        "targets: {a: {kind: postgres, url: postgresql://h/d}}\n".into(),
        postgres("").replace("version: 1", "version: 2"),
        postgres("").replace("version: 1", "version: '1'"),
        "version: 1\ntargets: {}\n".into(),
        "version: 1\ntargets: []\n".into(),
        "version: 1\ntargets: {a: null}\n".into(),
        "version: 1\ntargets: {a: {kind: postgres}}\n".into(),
        "version: 1\ntargets: {a: {url: http://h}}\n".into(),
        "version: 1\ntargets: {a: {kind: mysql, url: mysql://h/d}}\n".into(),
        "version: 1\ntargets: {a: {kind: postgres, url: mysql://h/d}}\n".into(),
        "version: 1\ntargets: {a: {kind: postgres, url: 5}}\n".into(),
        "version: 1\ntargets: {a: {kind: qdrant, url: h}}\n".into(),
        "version: 1\ntargets: {a: {kind: qdrant, url: 'http://u@h'}}\n".into(),
        "version: 1\ntargets: {1a: {kind: qdrant, url: http://h}}\n".into(),
        "version: 1\ntargets: {latest: {kind: qdrant, url: http://h}}\n".into(),
        postgres(", grpc_port: 5"),
        postgres(", api_key: k"),
        postgres(", collections: c"),
        postgres(", other: c"),
        postgres(", nodes: [http://a]"),
        qdrant(", password: p"),
        qdrant(", nodes: []"),
        qdrant(", nodes: [http://a, {grpc_port: 7}]"),
        qdrant(", nodes: [{url: 'http://b', port: 7}]"),
        beside("health: {nonsense: {severity: ok}}"),
        beside("health: {replicas: {warning: 5}}"),
        beside("health: {connections: {warning: many}}"),
        beside("health: {skip: [nonsense]}"),
        postgres(", schema: {command: []}"),
        postgres(", schema: {}"),
        postgres(", schema: {command: [a], other: b}"),
        postgres(", schema: [a]"),
        qdrant(", versions: v"),
        qdrant(", schema: s"),
        qdrant(", grpc_port: 0"),
        qdrant(", grpc_port: 65536"),
        qdrant(", grpc_port: many"),
        qdrant(", grpc_port: 1.5"),
        beside("more: 1"),
        beside("backup: {other: 1}"),
        beside("backup: {repository: ''}"),
        beside("backup: {webhook: h}"),
        beside("backup: {retention: {keep_last: -1}}"),
        beside("backup: {retention: {keep_last: all}}"),
        beside("backup: {retention: {keep_within: 3w}}"),
        beside("backup: {retention: {keep_within: ''}}"),
        beside("backup: {retention: {keep_always: 1}}"),
        beside("backup: {encryption: {recipient: a}}"),
        beside("backup: {hooks: {before: a}}"),
        beside("backup: {hooks: {time_limit: 0}}"),
        beside("backup: {hooks: {time_limit: soon}}"),
        beside("lint: {pg_version: new}"),
        beside("lint: {rules: {nonsense: 'off'}}"),
        beside("lint: {rules: {ban-char-field: never}}"),
        beside("lint: {more: 1}"),
    ];
    let cases: Vec<_> = right.map(|text| (text, true)).into_iter().chain(wrong.map(|text| (text, false))).collect();
    let project = Project::empty();
    let files: Vec<_> = cases.iter().map(|(text, _)| text.clone()).collect();
    let found = valid(&project, &["config", "schema"], &files);
    for ((text, is_right), schema) in cases.iter().zip(found) {
        project.write("dbops.yaml", text);
        let run = project.run(&["config", "show"]);
        assert_eq!((run.code == 0, schema), (*is_right, *is_right), "{text}{run}");
    }
}
