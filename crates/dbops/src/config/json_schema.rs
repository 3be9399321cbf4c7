//! The JSON schema of the configuration file, for editors. Its keys are those of the file's reader, which a test asks for
//! them. What it cannot say (a variable that is not set, a name that is there twice) only the reader finds.

use dbops_health::{Check, Unit, checks};
use dbops_migrate::lint;
use serde_json::{Map, Value as Json, json};

use super::file::RESERVED;

/// Where a value has a variable in it, what it will be is not known before.
const VARIABLE: &str = r"\$\{";

/// The schema, for JSON Schema's draft 7, which editors know best.
pub(crate) fn json_schema() -> Json {
    let mut schema = map(
        "The configuration of dbops: --config names the file, else DBOPS_CONFIG, else it is config/dbops.yaml or dbops.yaml \
         in the working directory or above it. Paths are relative to the file; ${NAME} and ${NAME:-default} are \
         environment variables, also from a file .env in the working directory.",
        &["version", "targets"],
        [
            ("version", json!({ "description": "The form of this file.", "const": 1 })),
            ("targets", targets()),
            ("backup", backup()),
            ("lint", linting()),
            ("health", health()),
        ],
    );
    schema["$schema"] = json!("http://json-schema.org/draft-07/schema#");
    schema["title"] = json!("dbops.yaml");
    schema
}

/// A map with these keys and no others.
fn map<const N: usize>(about: &str, required: &[&str], keys: [(&str, Json); N]) -> Json {
    let properties: Map<_, _> = keys.into_iter().map(|(key, schema)| (key.to_owned(), schema)).collect();
    json!({
        "description": about,
        "type": "object",
        "additionalProperties": false,
        "required": required,
        "properties": properties,
    })
}

/// A text that is there or not.
fn text(about: &str) -> Json {
    json!({ "description": about, "type": ["string", "null"] })
}

/// A text of a certain form; a variable may stand for it.
fn form(about: &str, pattern: &str) -> Json {
    json!({ "description": about, "type": "string", "pattern": format!("({pattern})|{VARIABLE}") })
}

fn texts(about: &str) -> Json {
    json!({ "description": about, "type": "array", "items": { "type": "string" } })
}

/// A number, which may be written as a text of that form.
fn number(about: &str, least: u64, most: u64, pattern: &str) -> Json {
    json!({
        "description": about,
        "anyOf": [
            { "type": "integer", "minimum": least, "maximum": most },
            { "type": "string", "pattern": pattern },
            { "type": "null" },
        ],
    })
}

fn targets() -> Json {
    json!({
        "description": "The databases by name. `-t NAME` picks one on the command line.",
        "type": "object",
        "minProperties": 1,
        "propertyNames": { "pattern": "^[A-Za-z][A-Za-z0-9_-]*$", "not": { "enum": RESERVED } },
        "additionalProperties": {
            "type": "object",
            "required": ["kind"],
            "if": { "properties": { "kind": { "const": "qdrant" } } },
            "then": qdrant(),
            "else": postgres(),
        },
    })
}

fn postgres() -> Json {
    let schema = json!({
        "description": "The declared schema: a file, a folder of files, or a program that prints it.",
        "anyOf": [
            { "type": ["string", "null"] },
            {
                "type": "object",
                "additionalProperties": false,
                "required": ["command"],
                "properties": {
                    "command": {
                        "description": "A program and its arguments.",
                        "type": "array",
                        "minItems": 1,
                        "items": { "type": "string" },
                    },
                },
            },
        ],
    });
    map(
        "A PostgreSQL database.",
        &["kind", "url"],
        [
            ("kind", json!({ "description": "What the target is.", "const": "postgres" })),
            (
                "url",
                form(
                    "postgresql://USER:PASSWORD@HOST:PORT/DATABASE with libpq's parameters. PGPASSFILE and ~/.pgpass work \
                     as in psql.",
                    r"^postgres(ql)?(\+[^:]*)?://",
                ),
            ),
            ("password", text("The password, where the URL has none.")),
            ("versions", text("The folder of the revisions. NAME/versions when it is left out.")),
            ("schema", schema),
            ("container", text("The container that the server runs in, for where there is no psql or pg_dump.")),
        ],
    )
}

fn qdrant() -> Json {
    let mut port = grpc_port();
    port["default"] = json!(6334);
    map(
        "A Qdrant server.",
        &["kind", "url"],
        [
            ("kind", json!({ "description": "What the target is.", "const": "qdrant" })),
            ("url", addresses("The server, or several nodes of one cluster, of which one that answers is used.")),
            ("nodes", addresses("Every node of the cluster, for what is done on each and never through a balancer.")),
            ("grpc_port", port),
            ("api_key", text("The key that the server asks for; empty where it asks for none.")),
            ("collections", text("The file of declared collections, which has a schema of its own.")),
            ("container", text("The container that the server runs in.")),
        ],
    )
}

fn grpc_port() -> Json {
    number("The port of gRPC.", 1, u64::from(u16::MAX), &format!("^[0-9]+$|{VARIABLE}"))
}

/// One address, several with commas between, or a list.
fn addresses(about: &str) -> Json {
    let url = || form("http://HOST:PORT or https://HOST:PORT.", "^https?://[^@?#]+$");
    let node = map("A node whose port of gRPC is another.", &["url"], [("url", url()), ("grpc_port", grpc_port())]);
    let list = json!({ "type": "array", "minItems": 1, "items": { "anyOf": [url(), node] } });
    json!({ "description": about, "anyOf": [url(), list] })
}

fn backup() -> Json {
    let mut repository = json!({
        "description": "Where backup sets go: a folder, s3://BUCKET/PREFIX, gs://BUCKET/PREFIX or az://CONTAINER/PREFIX. Keys \
                        are taken from the environment, as the services' own tools do.",
        "type": "string",
        "minLength": 1,
    });
    repository["default"] = json!("../.dbops/backups");
    map(
        "Backup sets.",
        &[],
        [
            ("repository", repository),
            ("retention", retention()),
            ("encryption", encryption()),
            ("hooks", hooks()),
            (
                "webhook",
                form("An address that is sent a JSON document when a backup fails; empty for none.", "^$|^https?://"),
            ),
        ],
    )
}

fn retention() -> Json {
    let count = |about: &str| number(about, 0, u64::from(u32::MAX), "^([0-9]+|unlimited)$");
    let within = json!({
        "description": "All sets of the last years, months, days and hours: 2y5m7d3h.",
        "type": ["string", "null"],
        "pattern": "^(?=.)([0-9]+y)?([0-9]+m)?([0-9]+d)?([0-9]+h)?$",
    });
    map(
        "What `dbops backup prune` keeps: a set that any of these keeps stays.",
        &[],
        [
            ("keep_last", count("The last sets.")),
            ("keep_hourly", count("The newest of each hour that has one, for so many hours.")),
            ("keep_daily", count("The newest of each day that has one, for so many days.")),
            ("keep_weekly", count("The newest of each week that has one, for so many weeks.")),
            ("keep_monthly", count("The newest of each month that has one, for so many months.")),
            ("keep_yearly", count("The newest of each year that has one, for so many years.")),
            ("keep_within", within),
        ],
    )
}

fn encryption() -> Json {
    let mut encryption = map(
        "For whom sets are encrypted with age. Without it they are not.",
        &[],
        [
            ("recipients", texts("Public keys: age1…")),
            ("recipients_file", text("A file with public keys.")),
            (
                "passphrase_file",
                text("A file with a passphrase. DBOPS_BACKUP_PASSPHRASE stands in where this is left out."),
            ),
            ("identity", text("The file with the key to read sets with; --identity names another.")),
        ],
    );
    encryption["type"] = json!(["object", "null"]);
    encryption
}

fn hooks() -> Json {
    let mut limit = number("Seconds that a hook may take.", 1, u64::MAX, "^0*[1-9][0-9]*$");
    limit["default"] = json!(600);
    map(
        "Lines for the shell around `dbops backup`.",
        &[],
        [
            ("before", texts("Before anything is read; one that fails stops the backup.")),
            ("after", texts("When the set is whole.")),
            ("failure", texts("When the backup fails.")),
            ("time_limit", limit),
        ],
    )
}

fn health() -> Json {
    let all = checks();
    let by_id: Map<_, _> =
        all.iter().flat_map(|(_, checks)| checks).map(|check| (check.id.to_owned(), limits(check))).collect();
    let ids: Vec<_> = by_id.keys().cloned().collect();
    let mut schema = map("From where on the checks of `dbops health` warn, and which are left out.", &[], []);
    schema["properties"] = by_id.into();
    schema["properties"]["skip"] =
        json!({ "description": "Checks that are left out.", "type": "array", "items": { "enum": ids } });
    schema
}

/// What can be said of one check.
fn limits(check: &Check) -> Json {
    let severity = json!({
        "description": "What is found counts as this at most.",
        "enum": ["ok", "warning", "critical", null],
    });
    let mut schema = map(check.looks_at, &[], [("severity", severity)]);
    if let Some(limits) = check.limits {
        let suffix = match limits.unit {
            Unit::Percent => "%?",
            Unit::Count(_) => "",
            Unit::Seconds => "(s|m|min|h|d)?",
            Unit::Bytes | Unit::BytesADay => "(B|kB|KB|KiB|MB|MiB|GB|GiB|TB|TiB)?",
        };
        let pattern = format!(r"^[0-9]+(\.[0-9]+)? *{suffix}$");
        for key in ["warning", "critical"] {
            schema["properties"][key] = json!({
                "description": format!("From where on it is {key}."),
                "anyOf": [{ "type": "number", "minimum": 0 }, { "type": "string", "pattern": pattern }, { "type": "null" }],
            });
        }
    }
    schema
}

fn linting() -> Json {
    let codes: Vec<_> = lint::rules().into_iter().map(|rule| rule.code).collect();
    let rules = json!({
        "description": "Rules that are asked, or not, where that differs from the default.",
        "type": "object",
        "propertyNames": { "enum": codes },
        "additionalProperties": { "enum": ["on", "off"] },
    });
    map(
        "What `dbops migrate lint` asks.",
        &[],
        [
            ("rules", rules),
            (
                "pg_version",
                number(
                    "The version of PostgreSQL that revisions are for.",
                    0,
                    u64::from(u16::MAX),
                    r"^[0-9]{1,4}(\.[0-9]{1,4})*$",
                ),
            ),
        ],
    )
}
