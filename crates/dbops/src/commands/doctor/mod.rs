//! `dbops doctor`: the way to a target, step by step, up to the first that is broken. A file for each part of the way.

mod configuration;
mod container;
mod database;
mod listener;
mod login;
mod network;
mod search;
mod walk;

use std::time::Duration;

use clap::Args;
use serde::Serialize;

use self::container::Container;
use self::walk::{Broken, Step, Walk};
use super::{Context, Outcome};
use crate::config::{Config, PostgresTarget, QdrantAddress, QdrantTarget, Target, TargetKind};
use crate::failure::Result;
use crate::ui::{STRONG, paint};

/// Find out why a target does not work: each step of the way to it, and the command that repairs the broken one
///
/// Configuration, container, name, port, what listens there, TLS, password, database, extensions, permissions,
/// migrations; for Qdrant also its key and version, and each node by itself where `url` names several. Nothing is
/// changed. Exit code 3 when a step is broken.
#[derive(Args)]
#[command(after_help = "Examples:\n  dbops doctor\n  dbops doctor bot_db\n  dbops doctor qdrant --json")]
pub(crate) struct DoctorArgs {
    /// The targets to look at; all when none is named
    #[arg(value_name = "TARGET")]
    named: Vec<String>,
    /// Only this target; may be repeated
    #[arg(short, long = "target", value_name = "NAME")]
    targets: Vec<String>,
    /// How long each step may take
    #[arg(long, value_name = "SECONDS", default_value = "10", value_parser = clap::value_parser!(u32).range(1..=3600))]
    timeout: u32,
}

/// `{"targets": [{"name", "ok", "steps": [{"node", "step", "status", "seen", "remedy"}]}]}`. `status` is ok, skipped or
/// broken; a broken step is the last, of several nodes the last of its node.
#[derive(Serialize)]
struct DoctorDocument {
    targets: Vec<DoctorTarget>,
}

#[derive(Serialize)]
struct DoctorTarget {
    name: String,
    ok: bool,
    steps: Vec<Step>,
}

pub(crate) async fn run(context: &Context, args: DoctorArgs) -> Result<Outcome> {
    let config = context.config()?;
    let names = [args.named, args.targets].concat();
    let deadline = Duration::from_secs(args.timeout.into());
    let mut targets = Vec::new();
    for (index, target) in config.select(&names)?.into_iter().enumerate() {
        if index > 0 {
            context.ui.data("")?;
        }
        context.ui.data(paint(STRONG, &target.name))?;
        let mut walk = Walk::new(&context.ui, deadline);
        let ok = walk_to(context, &config, target, &mut walk).await.is_ok();
        targets.push(DoctorTarget { name: target.name.clone(), ok, steps: walk.end()? });
    }
    let is_well = targets.iter().all(|target| target.ok);
    context.ui.document(&DoctorDocument { targets })?;
    Ok(if is_well { Outcome::Done } else { Outcome::Found })
}

async fn walk_to(
    context: &Context,
    config: &Config,
    target: &Target,
    walk: &mut Walk<'_>,
) -> std::result::Result<(), Broken> {
    configuration::look(walk, context, config, target);
    match &target.kind {
        TargetKind::Postgres(postgres) => to_database(context, &target.name, postgres, walk).await,
        TargetKind::Qdrant(qdrant) => to_search(context, &target.name, qdrant, walk).await,
    }
}

async fn to_database(
    context: &Context,
    name: &str,
    target: &PostgresTarget,
    walk: &mut Walk<'_>,
) -> std::result::Result<(), Broken> {
    let servers = target.url.servers();
    let container = Container::look(walk, context, target.container.as_deref(), &servers, 5432).await?;
    let addresses = network::reach(walk, &servers).await?;
    listener::expect_postgres(walk, &addresses).await?;
    let client = login::enter(walk, context, target, container.as_ref()).await?;
    database::look(walk, name, target, &client).await
}

async fn to_search(
    context: &Context,
    name: &str,
    target: &QdrantTarget,
    walk: &mut Walk<'_>,
) -> std::result::Result<(), Broken> {
    if target.addresses.others.is_empty() {
        return to_node(context, name, target, &target.addresses.first, walk).await;
    }
    let mut all = Ok(());
    for address in target.addresses.iter() {
        walk.turn_to(&address.url);
        all = to_node(context, name, target, address, walk).await.and(all);
    }
    all
}

async fn to_node(
    context: &Context,
    name: &str,
    target: &QdrantTarget,
    address: &QdrantAddress,
    walk: &mut Walk<'_>,
) -> std::result::Result<(), Broken> {
    let (host, port) = search::address(walk, &address.url)?;
    let servers = [(host.clone(), port)];
    Container::look(walk, context, target.container.as_deref(), &servers, 6333).await?;
    network::reach(walk, &servers).await?;
    search::look(walk, name, target, address, (&host, port)).await
}
