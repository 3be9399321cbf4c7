//! `dbops completions`: what a shell completes after `dbops`.

use clap::Args;
use clap_complete::{Shell, generate};

use super::{Context, Outcome};
use crate::failure::{Failure, Result};

/// Print the completions for a shell: commands, options, and the values that options have
#[derive(Args)]
#[command(
    after_help = "Examples:\n  dbops completions bash > ~/.local/share/bash-completion/completions/dbops\n  dbops \
                        completions zsh > ~/.zfunc/_dbops\n  dbops completions fish > ~/.config/fish/completions/dbops.fish"
)]
pub(crate) struct CompletionsArgs {
    /// The shell
    #[arg(value_name = "SHELL")]
    shell: Shell,
}

pub(crate) fn run(context: &Context, args: &CompletionsArgs, mut command: clap::Command) -> Result<Outcome> {
    if context.ui.json {
        return Err(Failure::usage("completions are a script, and no JSON document").with_hint("leave --json out"));
    }
    let mut script = Vec::new();
    generate(args.shell, &mut command, "dbops", &mut script);
    context.ui.text(&script)?;
    Ok(Outcome::Done)
}
