//! `cargo xtask pictures`: the README's tour as a terminal shows it, and the page of `dbops serve`, drawn from a real run
//! into `docs/pictures/`.

mod page;
mod recording;
mod screen;
mod stage;
mod tour;

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use clap::Args;

use self::page::browser;
use self::stage::Stage;
use crate::progress::{Progress, print};
use crate::workspace::{build_programs, root};

/// Where they are, below the root folder.
const FOLDER: &str = "docs/pictures";

/// Which pictures are made.
#[derive(Args)]
pub(crate) struct PicturesArgs {
    /// Only the tour, which needs no browser
    #[arg(long)]
    tour: bool,
}

pub(crate) async fn run(args: &PicturesArgs) -> Result<()> {
    // What is missing is told before anything is built.
    let browser = if args.tour { None } else { Some(browser()?) };
    let steps = tour::steps(&fs::read_to_string(root().join("README.md")).context("README.md")?);
    let progress = Progress::new();
    build_programs(&progress).await?;
    progress.step("starting PostgreSQL twice, and Qdrant");
    let stage = Stage::set_up().await?;
    let folder = root().join(FOLDER);
    fs::create_dir_all(&folder)?;

    let mut scenes = Vec::new();
    for step in steps {
        progress.step(&step.command);
        scenes.push(tour::play(&stage, step).await?);
    }
    let mut made = vec![write(&folder.join("tour.svg"), recording::draw(&scenes).as_bytes())?];
    if let Some(browser) = browser {
        progress.step("filling the databases for the page of `dbops serve`");
        stage.fill().await?;
        progress.step("looking at the page");
        for (name, picture) in page::look(&stage, browser).await? {
            made.push(write(&folder.join(name), &picture)?);
        }
    }
    drop(progress);
    print(&made.join("\n"));
    Ok(())
}

/// Writes a picture, and tells where it is and how large.
fn write(path: &Path, bytes: &[u8]) -> Result<String> {
    fs::write(path, bytes).with_context(|| format!("cannot write {}", path.display()))?;
    let shown = path.strip_prefix(root()).unwrap_or(path);
    Ok(format!("{}  {} KB", shown.display(), bytes.len().div_ceil(1000)))
}
