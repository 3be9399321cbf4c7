//! `backup verify --restore`: each part of a set restored where nobody is, and compared with what was backed up.

use dbops_backup::{
    Comparison, Contents, Error, ManifestTarget, Problem, Repository, Restored, Set, TrialRestore, prove_qdrant,
};
use dbops_postgres::{SqlError, connect};
use jiff::Timestamp;

use super::Reporter;
use crate::commands::Context;
use crate::commands::qdrant;
use crate::commands::restore::restore_copy;
use crate::commands::scratch::Scratch;
use crate::config::Config;
use crate::failure::{Failure, FailureKind, Result};

/// Where sets are tried: databases in a throwaway server, collections in the configured one under names of their own.
pub(super) struct Trial<'a> {
    context: &'a Context,
    config: &'a Config,
    scratch: Scratch<'a>,
}

impl<'a> Trial<'a> {
    pub(super) fn new(context: &'a Context, config: &'a Config) -> Self {
        Self { context, config, scratch: Scratch::new(context, None) }
    }

    /// Restores every target of a whole set and compares it with the manifest.
    pub(super) async fn run(&self, repository: &Repository, set: &Set) -> Result<TrialRestore> {
        let (mut problems, mut not_tried) = (Vec::new(), Vec::new());
        for target in &set.manifest()?.targets {
            let found = match &target.contents {
                Contents::Postgres(_) => Some(self.database(repository, set, target).await?),
                Contents::Qdrant(_) => self.collections(repository, set, target).await?,
            };
            match found {
                Some(found) => problems.extend(found),
                None => not_tried.push(target.name.clone()),
            }
        }
        Ok(TrialRestore { at: Timestamp::now(), problems, not_tried })
    }

    async fn database(&self, repository: &Repository, set: &Set, target: &ManifestTarget) -> Result<Vec<Problem>> {
        let name = &target.name;
        let file = target.files.first().map(|file| file.name.clone()).unwrap_or_default();
        let url = self.scratch.server().await?.with_database("dbops_verify");
        let restored = restore_copy(self.context, (repository, set), name, &url, Comparison::RowsAndSchema).await;
        let found = match restored {
            Ok(restored) => self.differences(name, restored),
            Err(failure) if failure.kind == FailureKind::Interrupted => return Err(failure),
            Err(failure) => vec![format!("does not restore: {:#}", failure.error)],
        };
        let admin = connect(&self.scratch.server().await?).await?;
        admin.batch_execute("DROP DATABASE IF EXISTS dbops_verify WITH (FORCE)").await.map_err(SqlError::from)?;
        let problem = |reason: String| Problem { file: file.clone(), reason: format!("(target {name}) {reason}") };
        Ok(found.into_iter().map(problem).collect())
    }

    /// How the copy differs from what was dumped; what is not known is said.
    fn differences(&self, target: &str, restored: Restored) -> Vec<String> {
        let unknown = |what: &str| self.context.ui.warn(format!("{target}: it restores; {what}"));
        if restored.differences.is_none() {
            unknown("its rows are not compared: the backup has no fingerprints of them");
        }
        if restored.schema_differences.is_none() {
            unknown("its schema is not compared: it is of another major version of PostgreSQL, or not in UTF-8");
        }
        [restored.schema_differences, restored.differences].into_iter().flatten().flatten().collect()
    }

    async fn collections(
        &self,
        repository: &Repository,
        set: &Set,
        target: &ManifestTarget,
    ) -> Result<Option<Vec<Problem>>> {
        let name = &target.name;
        let Ok(chosen) = self.config.select_qdrant(std::slice::from_ref(name)) else {
            self.context.ui.warn(format!("{name}: not restored: it is in the set, and no target of the configuration"));
            return Ok(None);
        };
        let mut problems = Vec::new();
        for (_, qdrant) in chosen {
            let server = qdrant::connect(qdrant)?.by_one_node().await?;
            let mut reporter = Reporter::new(&self.context.ui);
            let found = prove_qdrant(repository, set, name, &server, &mut |event| reporter.event(event)).await;
            reporter.finish();
            problems.extend(found.map_err(|error: Error| Failure::from(error).context(name))?);
        }
        Ok(Some(problems))
    }
}
