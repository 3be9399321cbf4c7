//! `dbops backup show`: what one set holds.

use std::collections::BTreeMap;

use dbops_backup::{Contents, ManifestFile, PostgresContents, QdrantContents, Set, SetId};
use indicatif::HumanBytes;
use jiff::Timestamp;
use serde::Serialize;

use super::super::{Context, Outcome};
use super::label;
use super::report::revision;
use super::sets::state;
use crate::failure::Result;
use crate::times::local;
use crate::ui::{STRONG, Ui, paint};

#[derive(Serialize)]
struct ShowDocument<'a> {
    id: &'a SetId,
    created: Timestamp,
    path: String,
    bytes: u64,
    /// When it was found whole; `null` when it never was, and when the last time found it damaged.
    verified: Option<Timestamp>,
    /// Whether the last verification found something wrong.
    damaged: bool,
    /// Whether every file is there with its size.
    complete: bool,
    encrypted: bool,
    labels: &'a BTreeMap<String, String>,
    duration_ms: u64,
    host: &'a str,
    dbops: &'a str,
    targets: Vec<TargetDocument<'a>>,
}

#[derive(Serialize)]
struct TargetDocument<'a> {
    name: &'a str,
    files: &'a [ManifestFile],
    bytes: u64,
    duration_ms: u64,
    #[serde(flatten)]
    contents: ContentsDocument<'a>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum ContentsDocument<'a> {
    Database(Box<DatabaseDocument<'a>>),
    Server { server_version: &'a str, collections: Vec<CollectionDocument<'a>> },
}

#[derive(Serialize)]
struct DatabaseDocument<'a> {
    database: &'a str,
    server_version: &'a str,
    pg_dump_version: &'a str,
    options: &'a [String],
    /// The moment that the archive shows, by the server's clock and in its write-ahead log.
    snapshot_time: Timestamp,
    lsn: Option<&'a str>,
    extensions: &'a BTreeMap<String, String>,
    revision: &'a [String],
    tables: u64,
    /// `null` when they were not counted.
    rows: Option<u64>,
    table_bytes: u64,
    /// Those that own something, were granted something, or are named by a policy.
    roles: Vec<&'a str>,
}

#[derive(Serialize)]
struct CollectionDocument<'a> {
    name: &'a str,
    aliases: &'a [String],
    /// Between these two, which are the same unless points came or went while it was backed up.
    points: (u64, u64),
    vectors: &'a BTreeMap<String, String>,
    payload_indexes: &'a BTreeMap<String, String>,
    created: Option<Timestamp>,
}

impl<'a> ContentsDocument<'a> {
    fn database(contents: &'a PostgresContents) -> Self {
        let PostgresContents { facts, fingerprints, .. } = contents;
        let rows = fingerprints.as_ref().map(|prints| prints.tables.iter().map(|table| table.rows).sum());
        Self::Database(Box::new(DatabaseDocument {
            database: &contents.database,
            server_version: &facts.server_version,
            pg_dump_version: &contents.pg_dump_version,
            options: &contents.options,
            snapshot_time: facts.snapshot_time,
            lsn: facts.lsn.as_deref(),
            extensions: &facts.extensions,
            revision: &facts.revision,
            tables: facts.tables,
            rows,
            table_bytes: contents.table_bytes,
            roles: facts.roles.iter().map(|role| role.name.as_str()).collect(),
        }))
    }

    fn server(contents: &'a QdrantContents) -> Self {
        let collections = contents.collections.iter().map(|collection| CollectionDocument {
            name: &collection.name,
            aliases: &collection.aliases,
            points: collection.facts.points,
            vectors: &collection.facts.vectors,
            payload_indexes: &collection.facts.payload_indexes,
            created: collection.created,
        });
        Self::Server { server_version: &contents.server_version, collections: collections.collect() }
    }
}

pub(super) fn show(context: &Context, set: &Set) -> Result<Outcome> {
    let manifest = set.manifest()?;
    let targets = manifest.targets.iter().map(|target| TargetDocument {
        name: &target.name,
        files: &target.files,
        bytes: target.bytes(),
        duration_ms: target.duration_ms,
        contents: match &target.contents {
            Contents::Postgres(contents) => ContentsDocument::database(contents),
            Contents::Qdrant(contents) => ContentsDocument::server(contents),
        },
    });
    let document = ShowDocument {
        id: &set.id,
        created: set.created(),
        path: set.path.clone(),
        bytes: set.bytes(),
        verified: set.verified(),
        damaged: set.is_damaged(),
        complete: set.is_complete(),
        encrypted: set.is_encrypted(),
        labels: &manifest.labels,
        duration_ms: manifest.duration_ms,
        host: &manifest.host,
        dbops: &manifest.dbops,
        targets: targets.collect(),
    };
    let ui = &context.ui;
    ui.document(&document)?;
    ui.data(format!("{}  {}", paint(STRONG, &set.id), document.path))?;
    ui.data(format!(
        "created {} on {} by dbops {}, verified: {}",
        local(document.created),
        document.host,
        document.dbops,
        state(set)
    ))?;
    if !manifest.labels.is_empty() {
        ui.data(format!("labels: {}", label::shown(&manifest.labels)))?;
    }
    for target in &document.targets {
        show_target(ui, target)?;
    }
    Ok(Outcome::Done)
}

fn show_target(ui: &Ui, target: &TargetDocument<'_>) -> Result<()> {
    let name = paint(STRONG, target.name);
    match &target.contents {
        ContentsDocument::Database(it) => ui.data(format!("\n{name} (database \"{}\")", it.database))?,
        ContentsDocument::Server { .. } => ui.data(format!("\n{name} (Qdrant)"))?,
    }
    for file in target.files {
        ui.data(format!("  {:<11} {}, {}", file.role, file.name, HumanBytes(file.bytes)))?;
        ui.data(format!("  sha256      {}", file.sha256))?;
    }
    match &target.contents {
        ContentsDocument::Database(database) => show_database(ui, database),
        ContentsDocument::Server { server_version, collections } => {
            ui.data(format!("  made by     Qdrant {server_version}"))?;
            for (number, collection) in (1..).zip(collections) {
                let aliases = collection.aliases.iter().map(|alias| format!(", alias {alias}")).collect::<String>();
                ui.data(format!("  {number:<11} {}: {} points{aliases}", collection.name, collection.points.1))?;
            }
            Ok(())
        }
    }
}

fn show_database(ui: &Ui, it: &DatabaseDocument<'_>) -> Result<()> {
    ui.data(format!("  made by     pg_dump {} from PostgreSQL {}", it.pg_dump_version, it.server_version))?;
    ui.data(format!("  options     {}", it.options.join(" ")))?;
    let lsn = it.lsn.map(|lsn| format!(", LSN {lsn}")).unwrap_or_default();
    ui.data(format!("  as of       {}{lsn}", local(it.snapshot_time)))?;
    let rows = it.rows.map(|rows| format!(", {rows} rows")).unwrap_or_default();
    ui.data(format!("  tables      {}{rows}, {}", it.tables, HumanBytes(it.table_bytes)))?;
    ui.data(format!("  revision    {}", revision(it.revision)))?;
    let extensions = it.extensions.iter().map(|(name, version)| format!("{name} {version}"));
    ui.data(format!("  extensions  {}", extensions.collect::<Vec<_>>().join(", ")))?;
    ui.data(format!("  roles       {}", it.roles.join(", ")))
}
