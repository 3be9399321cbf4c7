//! A target with what its files say of it, and the checks of it.

use std::time::Duration;

use dbops_health::{Finding, PostgresTarget, QdrantTarget, Selection, SourceRows, check_postgres, check_qdrant};
use dbops_qdrant::CollectionSpec;

use super::migrations::{self, schema_since};
use crate::commands::qdrant::{node_servers, read_declared, server_options};
use crate::config::{Config, DeclaredSchema, Target, TargetKind};
use crate::declared;
use crate::failure::Result;

/// A target with what its files say it should have.
pub(crate) struct Subject<'a> {
    pub(super) target: &'a Target,
    /// Extensions or collections.
    needed: Vec<String>,
    /// The declared collections.
    collections: Vec<CollectionSpec>,
}

/// Reads the files of a target.
pub(crate) fn subject<'a>(config: &Config, target: &'a Target) -> Result<Subject<'a>> {
    let (mut needed, mut collections) = (Vec::new(), Vec::new());
    match &target.kind {
        TargetKind::Postgres(postgres) => match &postgres.schema {
            Some(DeclaredSchema::Path(path)) => needed = declared::extensions(&declared::read_path(path)?),
            // Where health is looked after, the project's programs need not be.
            Some(DeclaredSchema::Program(_)) | None => {}
        },
        TargetKind::Qdrant(qdrant) => {
            if let Some(path) = &qdrant.collections {
                collections = read_declared(config, path)?;
                needed = collections.iter().map(|collection| collection.name.clone()).collect();
            }
        }
    }
    Ok(Subject { target, needed, collections })
}

/// Runs every check of a target that is wanted, each within the deadline; those of its backups are not among them.
pub(crate) async fn check(
    config: &Config,
    subject: &Subject<'_>,
    selection: &Selection,
    deadline: Duration,
) -> Vec<Finding> {
    let name = subject.target.name.as_str();
    match &subject.target.kind {
        TargetKind::Postgres(postgres) => {
            let url = &postgres.url;
            let target = PostgresTarget { name, url, extensions: &subject.needed, deadline, selection };
            let (revisions, schema) = (migrations::revision_state(name, postgres), schema_since(name, postgres));
            check_postgres(&target, revisions, schema).await
        }
        TargetKind::Qdrant(qdrant) => {
            let (options, others) = &server_options(qdrant, deadline);
            let nodes = &node_servers(qdrant, deadline);
            let with_table = subject.collections.iter().filter_map(|spec| Some((spec, spec.source.as_ref()?)));
            let with_table: Vec<_> = with_table
                .map(|(spec, source)| (spec, source, source.vectors.values().map(String::as_str).collect::<Vec<_>>()))
                .collect();
            let sources = with_table.iter().filter_map(|(spec, source, vectors)| {
                let target = config.targets.iter().find(|target| target.name == source.target)?;
                let TargetKind::Postgres(postgres) = &target.kind else { return None };
                let (schema, table) = (source.schema.as_str(), source.table.as_str());
                Some(SourceRows { collection: &spec.name, url: &postgres.url, schema, table, vectors })
            });
            let (sources, collections) = (&sources.collect::<Vec<_>>(), &subject.needed);
            check_qdrant(&QdrantTarget { name, options, others, nodes, collections, sources, selection }).await
        }
    }
}
