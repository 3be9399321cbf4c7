//! `dbops schema dump`: a schema as the statements that make it.

use clap::Args;
use dbops_schema_graph::dump;

use super::diff::report;
use super::source::{Source, database_url};
use crate::commands::scratch::Scratch;
use crate::commands::{Context, Outcome};
use crate::failure::Result;

#[derive(Args)]
pub(super) struct DumpArgs {
    /// The schema: a target's name, `declared:NAME`, a postgresql:// URL, a .sql file or a folder of them
    source: String,
    /// A server on which databases may be created to load files into; by default one is started for it
    #[arg(long, value_name = "URL")]
    dev_url: Option<String>,
    /// Also say who owns what
    #[arg(long)]
    owners: bool,
}

pub(super) async fn run(context: &Context, args: &DumpArgs) -> Result<Outcome> {
    let source = Source::parse(context, &args.source)?;
    let dev_url = args.dev_url.as_deref().map(|url| database_url(context, url)).transpose()?;
    let scratch = Scratch::new(context, dev_url).with_owners(args.owners);
    let graph = source.read(context, &scratch).await;
    scratch.finish().await?;
    report(context, &dump(&graph?))
}
