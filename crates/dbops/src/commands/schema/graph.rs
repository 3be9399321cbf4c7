//! `dbops schema graph`: pictures of schemas.

use std::fs::{self, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use dbops_schema_graph::{Graph, PictureFormat, picture};
use futures_util::future::try_join_all;
use serde::Serialize;

use super::source::{Source, database_url};
use crate::commands::scratch::Scratch;
use crate::commands::{Context, Outcome};
use crate::config::DeclaredSchema;
use crate::failure::{Failure, Result};

#[derive(Args)]
pub(super) struct GraphArgs {
    /// What to draw: targets, `declared:TARGET`, `revisions:TARGET`, postgresql:// URLs, .sql files or folders of them;
    /// every database by default
    #[arg(value_name = "SOURCE")]
    sources: Vec<String>,
    /// How it is written
    #[arg(short, long, value_name = "FORMAT")]
    format: Format,
    /// The file to write instead of stdout; one that is there is replaced
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// A server on which databases may be created to load files into; by default one is started for it
    #[arg(long, value_name = "URL")]
    dev_url: Option<String>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Format {
    /// An erDiagram for Mermaid, which Markdown pages can show
    Mermaid,
    /// For Graphviz: `dot -Tpng`
    Dot,
    /// A drawing
    Svg,
    /// The drawing in one page to look around in: search, zoom, what refers to what
    Html,
}

impl Format {
    fn of_picture(self) -> PictureFormat {
        match self {
            Self::Mermaid => PictureFormat::Mermaid,
            Self::Dot => PictureFormat::Dot,
            Self::Svg => PictureFormat::Svg,
            Self::Html => PictureFormat::Html,
        }
    }
}

#[derive(Serialize)]
struct GraphDocument<'a> {
    sources: &'a [String],
    output: Option<&'a Path>,
    /// Absent when it is in the file.
    picture: Option<&'a str>,
}

pub(super) async fn run(context: &Context, args: &GraphArgs) -> Result<Outcome> {
    let names = match &args.sources[..] {
        [] => {
            let config = context.config()?;
            config.select_postgres(&[])?.into_iter().map(|(name, _)| name.to_owned()).collect()
        }
        named => named.to_vec(),
    };
    if names.is_empty() {
        return Err(Failure::usage("there is no PostgreSQL target to draw")
            .with_hint("name a postgresql:// URL, a .sql file or a folder of them"));
    }
    let sources = names.iter().map(|name| Source::parse(context, name)).collect::<Result<Vec<_>>>()?;
    let titles: Vec<_> = names.iter().zip(&sources).map(|(name, source)| title(name, source)).collect();
    let graphs = read_all(context, args, &titles, &sources).await?;
    let schemas: Vec<_> = titles.iter().map(String::as_str).zip(&graphs).collect();
    let text = picture(&schemas, args.format.of_picture());
    let output = args.output.as_deref();
    if let Some(path) = output {
        write(path, &text).map_err(|error| Failure::from(error).context(format!("cannot write {}", path.display())))?;
    } else {
        context.ui.script(text.trim_end())?;
    }
    let picture = output.is_none().then_some(text.as_str());
    context.ui.document(&GraphDocument { sources: &titles, output, picture })?;
    Ok(Outcome::Done)
}

/// Reads the sources side by side.
async fn read_all(context: &Context, args: &GraphArgs, titles: &[String], sources: &[Source]) -> Result<Vec<Graph>> {
    let dev_url = args.dev_url.as_deref().map(|url| database_url(context, url)).transpose()?;
    let scratch = Scratch::new(context, dev_url);
    let graphs = try_join_all(titles.iter().zip(sources).map(async |(title, source)| {
        let graph = source.read(context, &scratch).await;
        graph.map_err(|failure| if sources.len() > 1 { failure.context(title) } else { failure })
    }));
    let graphs = graphs.await;
    let finished = scratch.finish().await;
    let graphs = graphs?;
    finished?;
    Ok(graphs)
}

/// What the source is called in the picture: never a URL, which may hold a password.
fn title(name: &str, source: &Source) -> String {
    match source {
        Source::Database(url) if name.contains("://") => url.database().to_owned(),
        Source::Declared(DeclaredSchema::Path(path)) if !name.starts_with("declared:") => {
            path.file_stem().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
        }
        _ => name.to_owned(),
    }
}

/// Writes the whole file or none. What is there and is no file, as `/dev/null`, is written to and not replaced.
fn write(path: &Path, text: &str) -> io::Result<()> {
    if path.exists() && !path.is_file() {
        return fs::write(path, text);
    }
    // A link stays, and leads to the new file.
    let path = path.canonicalize().unwrap_or_else(|_| path.to_path_buf());
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut file = tempfile::Builder::new().prefix(".new-").tempfile_in(folder)?;
    file.write_all(text.as_bytes())?;
    file.as_file().set_permissions(Permissions::from_mode(0o644))?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    Ok(())
}
