//! Restoring collections: a plan that has refused all it can, then one collection after the other, compared with what was
//! backed up before any alias leads to it.

use std::collections::BTreeMap;
use std::path::Path;

use dbops_qdrant::{AliasMove, Server};
use jiff::Timestamp;

use super::{QdrantCollection, QdrantContents, QdrantError, refuse_cluster};
use crate::Existing;

/// What is added to the name of a collection that is restored beside another.
pub(super) const TIME_FORMAT: &str = "%Y%m%dT%H%M%SZ";

/// What goes where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QdrantPlan {
    /// In the order of the set.
    pub steps: Vec<QdrantStep>,
}

/// One collection to restore.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QdrantStep {
    /// What it was.
    pub from: QdrantCollection,
    /// What it will be called.
    pub into: String,
    /// Whether there is no collection of this name yet, so that a failure leaves none.
    pub is_new: bool,
    /// The aliases that lead to it at the end, and where they lead now.
    pub aliases: Vec<(String, Option<String>)>,
}

/// A restored collection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RestoredCollection {
    /// Its name.
    pub name: String,
    /// How many points it holds.
    pub points: u64,
    /// The aliases that lead to it from now on, and where they led before.
    pub aliases: Vec<(String, Option<String>)>,
}

/// Looks at the server and plans the restore of `wanted` (all when it is empty) of a set's collections. Nothing is
/// touched.
///
/// Under another name, `into`, a collection gets none of its aliases.
///
/// # Errors
///
/// Whatever would destroy something is refused.
pub async fn plan_qdrant_restore(
    server: &Server,
    contents: &QdrantContents,
    wanted: &[String],
    into: Option<&str>,
    existing: Existing,
) -> Result<QdrantPlan, QdrantError> {
    let held = || contents.collections.iter().map(|held| held.name.clone()).collect::<Vec<_>>();
    if let Some(unknown) = wanted.iter().find(|name| !contents.collections.iter().any(|held| held.name == **name)) {
        return Err(QdrantError::NotInSet { wanted: unknown.clone(), held: held() });
    }
    let is_wanted = |held: &&QdrantCollection| wanted.is_empty() || wanted.contains(&held.name);
    let chosen: Vec<_> = contents.collections.iter().filter(is_wanted).collect();
    if let Some(into) = into.filter(|_| chosen.len() != 1) {
        return Err(QdrantError::OneName { into: into.into(), held: held() });
    }
    check_version(server, contents).await?;
    refuse_cluster(server).await?;
    let now = Timestamp::now().strftime(TIME_FORMAT).to_string();
    let (names, aliases) = server.collections_and_aliases().await?;
    let mut steps = Vec::new();
    for from in chosen {
        let step = match into {
            Some(into) => QdrantStep { from: from.clone(), into: into.into(), is_new: true, aliases: Vec::new() },
            None if existing == Existing::Swap => beside(from, &names, &aliases, &now)?,
            None => in_place(from, &names, &aliases)?,
        };
        steps.push(check_name(server, step, &names, &aliases, existing).await?);
    }
    Ok(QdrantPlan { steps })
}

/// Whether the server can read the snapshots of a set.
///
/// # Errors
///
/// [`QdrantError::Version`].
pub async fn check_version(server: &Server, contents: &QdrantContents) -> Result<(), QdrantError> {
    let version = server.version().await?;
    match (minor(&contents.server_version), minor(&version)) {
        (Some((major, made_by)), Some((server, reads))) if (major, made_by) != (server, reads) => {
            if major == server && reads == made_by + 1 {
                return Ok(());
            }
            Err(QdrantError::Version { made_by: contents.server_version.clone(), server: version })
        }
        // A development build's version tells nothing.
        _ => Ok(()),
    }
}

fn minor(version: &str) -> Option<(u32, u32)> {
    let mut numbers = version.trim_start_matches('v').split('.');
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

/// Under its own name, with its aliases as far as they lead nowhere else.
fn in_place(
    from: &QdrantCollection,
    names: &[String],
    aliases: &BTreeMap<String, String>,
) -> Result<QdrantStep, QdrantError> {
    let mut missing = Vec::new();
    for alias in &from.aliases {
        match aliases.get(alias) {
            Some(to) if *to == from.name => {}
            Some(to) => return Err(QdrantError::AliasElsewhere { alias: alias.clone(), to: to.clone() }),
            None if names.contains(alias) => return Err(QdrantError::AliasIsCollection(alias.clone())),
            None => missing.push((alias.clone(), None)),
        }
    }
    Ok(QdrantStep { from: from.clone(), into: from.name.clone(), is_new: true, aliases: missing })
}

/// Under its name with the time, and the aliases of then and now lead there.
fn beside(
    from: &QdrantCollection,
    names: &[String],
    aliases: &BTreeMap<String, String>,
    now: &str,
) -> Result<QdrantStep, QdrantError> {
    if let Some(alias) = from.aliases.iter().find(|alias| names.contains(alias)) {
        return Err(QdrantError::AliasIsCollection(alias.clone()));
    }
    let of_now = aliases.iter().filter(|(_, to)| **to == from.name).map(|(alias, _)| alias);
    let mut moved: Vec<_> = from.aliases.iter().chain(of_now).cloned().collect();
    moved.sort();
    moved.dedup();
    if moved.is_empty() && names.contains(&from.name) {
        return Err(QdrantError::NoAlias(from.name.clone()));
    }
    let aliases = moved.into_iter().map(|alias| {
        let to = aliases.get(&alias).cloned();
        (alias, to)
    });
    Ok(QdrantStep {
        from: from.clone(),
        into: format!("{}_{now}", from.name),
        is_new: true,
        aliases: aliases.collect(),
    })
}

/// Whether the name of the step is free, or what has it may be replaced.
async fn check_name(
    server: &Server,
    step: QdrantStep,
    names: &[String],
    aliases: &BTreeMap<String, String>,
    existing: Existing,
) -> Result<QdrantStep, QdrantError> {
    if let Some(to) = aliases.get(&step.into) {
        return Err(QdrantError::NameIsAlias { name: step.into, to: to.clone() });
    }
    let there = if names.contains(&step.into) { server.facts(&step.into).await? } else { None };
    let Some(there) = there else { return Ok(step) };
    let points = there.points.1;
    if points > 0 && existing != Existing::Overwrite {
        let has_alias = !step.from.aliases.is_empty() || aliases.values().any(|to| *to == step.into);
        return Err(QdrantError::NotEmpty { collection: step.into, points, has_alias });
    }
    Ok(QdrantStep { is_new: false, ..step })
}

/// Carries out one step with the snapshot in `file`. The aliases are moved last, in one moment, when what was restored is
/// what was backed up. A failure removes the collection if it is new.
///
/// # Errors
///
/// When the server fails or refuses, and when the collection is not what it was.
pub async fn restore_collection(
    server: &Server,
    step: &QdrantStep,
    file: &Path,
    on_bytes: impl Fn(u64) + Clone + Send + 'static,
) -> Result<RestoredCollection, QdrantError> {
    // What a failure removes must be ours.
    if step.is_new && server.facts(&step.into).await?.is_some() {
        return Err(QdrantError::Appeared(step.into.clone()));
    }
    let restored = async {
        server.upload_snapshot(&step.into, file, &step.from.file(), on_bytes).await?;
        let found = server.facts_again(&step.into, &step.from.facts).await?;
        let not_there = || vec!["it is not there".to_owned()];
        let differences = found.as_ref().map_or_else(not_there, |found| step.from.facts.differences(found));
        if !differences.is_empty() {
            return Err(QdrantError::Differs { collection: step.into.clone(), differences });
        }
        let moves = step.aliases.iter().map(|(alias, from)| AliasMove {
            alias: alias.clone(),
            is_there: from.is_some(),
            to: step.into.clone(),
        });
        let moves: Vec<_> = moves.collect();
        if !moves.is_empty() {
            server.move_aliases(&moves).await?;
        }
        Ok(RestoredCollection {
            name: step.into.clone(),
            points: found.map_or(0, |found| found.points.1),
            aliases: step.aliases.clone(),
        })
    };
    match restored.await {
        Ok(restored) => Ok(restored),
        Err(error) if step.is_new => removed(server, &step.into, Err(error)).await,
        Err(error) => Err(QdrantError::Overwritten { collection: step.into.clone(), source: Box::new(error) }),
    }
}

/// Removes a collection that is of no use any more, and gives `outcome`, or says that it is still there.
pub(super) async fn removed<T>(
    server: &Server,
    collection: &str,
    outcome: Result<T, QdrantError>,
) -> Result<T, QdrantError> {
    match (server.delete_collection(collection).await, outcome) {
        (Ok(_), outcome) => outcome,
        (Err(error), Ok(_)) => Err(error.into()),
        (Err(error), Err(source)) => Err(QdrantError::LeftBehind {
            collection: collection.into(),
            reason: error.to_string(),
            source: Box::new(source),
        }),
    }
}
