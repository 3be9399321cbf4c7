//! `qdrant alias`: the names that applications use, and the collections that they lead to.

use std::collections::BTreeMap;

use clap::Subcommand;
use dbops_qdrant::{AliasMove, NAMES, RebuildNote, RebuildStage, Server, generation, is_name};
use serde::Serialize;

use super::{connect, read_declared, single};
use crate::commands::{Context, Outcome};
use crate::config::{Config, QdrantTarget, suggest};
use crate::failure::{Failure, Result};
use crate::ui::{STRONG, paint};

#[derive(Subcommand)]
pub(super) enum AliasCommand {
    /// Show each alias, and the collection that it leads to
    #[command(after_help = "Example: dbops qdrant alias list")]
    List,
    /// Let an alias lead to a collection, whether it is new or leads elsewhere now
    ///
    /// It moves in one call: no request finds neither collection. Moving it from a collection that holds points to an
    /// empty one, or to a rebuild that is not finished, has to be confirmed.
    #[command(after_help = "Example: dbops qdrant alias set document_chunks document_chunks_v2")]
    Set {
        /// The alias
        name: String,
        /// The collection, by its own name
        collection: String,
    },
    /// Delete an alias; the collection stays
    #[command(after_help = "Example: dbops qdrant alias delete old_chunks")]
    Delete {
        /// The alias
        name: String,
    },
}

/// `{"targets": [{"name", "aliases": [{"alias", "collection", "declared"}]}]}`, sorted by alias. `declared` is the
/// collection that the target's file lets the alias lead to, null when the file does not name it.
#[derive(Serialize)]
struct ListDocument {
    targets: Vec<ListTarget>,
}

#[derive(Serialize)]
struct ListTarget {
    name: String,
    aliases: Vec<ListedAlias>,
}

#[derive(Serialize)]
struct ListedAlias {
    alias: String,
    collection: String,
    declared: Option<String>,
}

/// `{"target", "alias", "collection", "from"}`. `from` is the collection that the alias led to before: null for a new
/// alias, the same as `collection` when there was nothing to do.
#[derive(Serialize)]
struct SetDocument<'a> {
    target: &'a str,
    alias: &'a str,
    collection: &'a str,
    from: Option<&'a str>,
}

/// `{"target", "alias", "collection"}`, the collection being the one that the alias led to.
#[derive(Serialize)]
struct DeleteDocument<'a> {
    target: &'a str,
    alias: &'a str,
    collection: &'a str,
}

pub(super) async fn alias(
    context: &Context,
    config: &Config,
    targets: &[String],
    command: AliasCommand,
) -> Result<Outcome> {
    match command {
        AliasCommand::List => list(context, config, targets).await,
        AliasCommand::Set { name, collection } => {
            let (target, options) = single(config, targets)?;
            let done = set(context, config, (target, options), &name, &collection).await;
            done.map_err(|failure| failure.context(format!("cannot set the alias {name} on {target}")))
        }
        AliasCommand::Delete { name } => {
            let (target, options) = single(config, targets)?;
            let done = delete(context, target, options, &name).await;
            done.map_err(|failure| failure.context(format!("cannot delete the alias {name} on {target}")))
        }
    }
}

async fn list(context: &Context, config: &Config, names: &[String]) -> Result<Outcome> {
    let mut targets = Vec::new();
    for (name, target) in config.select_qdrant(names)? {
        let declared = declared(config, target)?;
        let aliases = connect(target)?.collections_and_aliases().await;
        let failed = |error| Failure::from(error).context(format!("cannot list the aliases of {name}"));
        let (_, aliases) = aliases.map_err(failed)?;
        let aliases = aliases.into_iter().map(|(alias, collection)| {
            let declared = declared.get(&alias).cloned();
            ListedAlias { alias, collection, declared }
        });
        let target = ListTarget { name: name.to_owned(), aliases: aliases.collect() };
        show(context, &target)?;
        targets.push(target);
    }
    context.ui.document(&ListDocument { targets })?;
    Ok(Outcome::Done)
}

fn show(context: &Context, target: &ListTarget) -> Result<()> {
    let ui = &context.ui;
    if target.aliases.is_empty() {
        return ui.data(format!("{}: no aliases", paint(STRONG, &target.name)));
    }
    ui.data(paint(STRONG, &target.name))?;
    let rows = target.aliases.iter().map(|one| {
        let declared = match &one.declared {
            None => "no".to_owned(),
            Some(to) if generation(to, &one.collection).is_some() => "yes".to_owned(),
            Some(to) => format!("for {to}"),
        };
        vec![one.alias.clone(), one.collection.clone(), declared]
    });
    ui.table(&["alias", "collection", "declared"], rows.collect())
}

/// Alias to collection, as the target's file has them.
fn declared(config: &Config, target: &QdrantTarget) -> Result<BTreeMap<String, String>> {
    let Some(path) = &target.collections else { return Ok(BTreeMap::new()) };
    let specs = read_declared(config, path)?;
    Ok(specs.into_iter().filter_map(|spec| Some((spec.alias?, spec.name))).collect())
}

async fn set(
    context: &Context,
    config: &Config,
    (target, options): (&str, &QdrantTarget),
    name: &str,
    collection: &str,
) -> Result<Outcome> {
    if !is_name(name) {
        return Err(
            Failure::usage(format!("`{}` cannot be the name of an alias", name.escape_default())).with_hint(NAMES)
        );
    }
    let declared = declared(config, options)?;
    let server = connect(options)?;
    let (collections, aliases) = server.collections_and_aliases().await?;
    let known = |name: &str| collections.iter().any(|known| known == name);
    if known(name) {
        return Err(Failure::refused(format!("`{name}` is a collection")).with_hint(
            "aliases and collections share their names: choose another, or delete the collection when it is no longer \
             needed",
        ));
    }
    if !known(collection) {
        return Err(no_collection(collection, &collections, &aliases));
    }
    let ui = &context.ui;
    let from = aliases.get(name).map(String::as_str);
    if from == Some(collection) {
        ui.status(format!("{target}: nothing to do"));
    } else {
        if let Some(from) = from {
            confirm_loss(context, &server, name, from, collection).await?;
        }
        let one = AliasMove { alias: name.to_owned(), is_there: from.is_some(), to: collection.to_owned() };
        server.move_aliases(&[one]).await?;
        let before = from.map_or_else(String::new, |from| format!(", and no longer to {from}"));
        ui.status(format!("{target}: {name} leads to {collection}{before}"));
    }
    if let Some(declared) = declared.get(name).filter(|declared| generation(declared, collection).is_none()) {
        ui.warn(format!("{name} is declared for {declared}: `dbops qdrant apply` moves it back"));
    }
    ui.document(&SetDocument { target, alias: name, collection, from })?;
    Ok(Outcome::Done)
}

/// An application that finds no points where there were some is as good as down.
async fn confirm_loss(context: &Context, server: &Server, name: &str, from: &str, to: &str) -> Result<()> {
    let before = server.count(from).await?;
    if before == 0 {
        return Ok(());
    }
    let move_it = format!("move {name} from {from}, which holds {before} points, to {to}");
    let is_unfinished = |note: &RebuildNote| note.stage == RebuildStage::Filling;
    if server.count(to).await? == 0 {
        context.ui.confirm(&format!("{move_it}, which holds none?")).await
    } else if let Some(note) = server.rebuild_note(to).await?.filter(is_unfinished) {
        let question = format!("{move_it}, a rebuild of {} that is not finished (`dbops qdrant reindex`)?", note.of);
        context.ui.confirm(&question).await
    } else {
        Ok(())
    }
}

fn no_collection(name: &str, collections: &[String], aliases: &BTreeMap<String, String>) -> Failure {
    let failure = Failure::refused(format!("there is no collection `{name}`"));
    match aliases.get(name) {
        Some(behind) => failure.with_hint(format!("`{name}` is an alias; the collection is `{behind}`")),
        None => failure.with_hint(suggest(name, &collections.iter().map(String::as_str).collect::<Vec<_>>())),
    }
}

async fn delete(context: &Context, target: &str, options: &QdrantTarget, name: &str) -> Result<Outcome> {
    let server = connect(options)?;
    let (_, aliases) = server.collections_and_aliases().await?;
    let Some(collection) = aliases.get(name) else {
        let known: Vec<_> = aliases.keys().map(String::as_str).collect();
        return Err(Failure::usage(format!("there is no alias `{name}`")).with_hint(suggest(name, &known)));
    };
    context.ui.confirm(&format!("delete the alias {name}, which leads to {collection}?")).await?;
    server.delete_alias(name).await?;
    context.ui.status(format!("{target}: deleted the alias {name}; {collection} stays"));
    context.ui.document(&DeleteDocument { target, alias: name, collection })?;
    Ok(Outcome::Done)
}
