//! `dbops man`: the manual as pages for `man`. What holds for all commands is said in `dbops.1`.

use std::path::PathBuf;

use clap::Args;
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};
use serde::Serialize;

use super::{Context, Outcome};
use crate::environment::VARIABLES;
use crate::failure::{EXIT_CODES, Failure, Result};

/// Write the manual's pages into a folder: dbops.1, and one for each command
#[derive(Args)]
#[command(after_help = "Examples:\n  dbops man ~/.local/share/man/man1\n  dbops man /usr/local/share/man/man1")]
pub(crate) struct ManArgs {
    /// The folder, which is created
    #[arg(value_name = "DIR")]
    folder: PathBuf,
}

/// `{"pages": [PATH]}`.
#[derive(Serialize)]
struct ManDocument {
    pages: Vec<String>,
}

pub(crate) fn run(context: &Context, args: &ManArgs, mut command: clap::Command) -> Result<Outcome> {
    let folder = context.environment.working_directory.join(&args.folder);
    let failed = |error: std::io::Error| {
        Failure::from(anyhow::Error::new(error).context(format!("cannot write to {}", folder.display())))
            .with_hint("name a folder that you may write to")
    };
    std::fs::create_dir_all(&folder).map_err(failed)?;
    command.build();
    let mut pages = Vec::new();
    collect(&command, &mut pages).map_err(failed)?;
    if let Some((_, text)) = pages.last_mut() {
        // The program's own page comes last, after those of its commands.
        text.extend(of_all_commands().to_roff().into_bytes());
    }
    pages.sort();
    let mut document = ManDocument { pages: Vec::new() };
    for (name, text) in pages {
        let path = folder.join(name);
        std::fs::write(&path, text).map_err(failed)?;
        document.pages.push(path.display().to_string());
    }
    context.ui.document(&document)?;
    context.ui.status(format!("{} pages in {}", document.pages.len(), folder.display()));
    Ok(Outcome::Done)
}

/// What scripts and administrators look for in the program's page.
fn of_all_commands() -> Roff {
    let mut page = Roff::new();
    page.control("SH", ["EXIT STATUS"]);
    for (code, meaning) in EXIT_CODES {
        page.control("TP", []).text([bold(code.to_string())]).text([roman(meaning)]);
    }
    page.control("SH", ["ENVIRONMENT"]);
    for (name, meaning) in VARIABLES {
        page.control("TP", []).text([bold(name)]).text([roman(meaning)]);
    }
    page
}

/// The page of a command and those of its subcommands: `dbops-migrate-upgrade.1`.
fn collect(command: &clap::Command, pages: &mut Vec<(String, Vec<u8>)>) -> std::io::Result<()> {
    for inner in command.get_subcommands().filter(|inner| !inner.is_hide_set()) {
        collect(inner, pages)?;
    }
    let mut text = Vec::new();
    // Without a date the same program writes the same pages.
    Man::new(command.clone()).date("").render(&mut text)?;
    pages.push((format!("{}.1", command.get_display_name().unwrap_or(command.get_name())), text));
    Ok(())
}
