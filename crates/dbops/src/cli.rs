//! The command line: global options, the commands in the order of the work, and how a run ends.

use std::path::PathBuf;
use std::process::ExitCode;

use anstream::ColorChoice;
use anyhow::anyhow;
use clap::error::ErrorKind;
use clap::{ArgAction, CommandFactory, Parser, Subcommand, ValueEnum};

use crate::commands::{self, Context, Outcome};
use crate::environment::Environment;
use crate::failure::{Failure, FailureKind, Result};
use crate::signals::interruption;
use crate::ui::{STRONG, Ui, paint};

const EXAMPLES: &str = "Examples:
  dbops status            every target on one screen
  dbops migrate           bring every target to its newest revision
  dbops backup            back up every target into one set
  dbops health            check every target, and say what to do
  dbops backup --help     what there is to a command, with examples";

/// Operate PostgreSQL, pgvector and Qdrant: migrations, backups, health and collections with one tool.
#[derive(Parser)]
#[command(name = "dbops", version, max_term_width = 100, disable_help_subcommand = true, after_help = EXAMPLES)]
struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Args)]
#[command(next_help_heading = "Global options")]
struct Global {
    /// The configuration file [default: config/dbops.yaml or dbops.yaml, here or above]
    #[arg(long, global = true, value_name = "PATH")]
    config: Option<PathBuf>,
    /// Print one JSON document on stdout
    #[arg(long, global = true)]
    json: bool,
    /// When to use colours
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    color: Color,
    /// Say more about what is done
    #[arg(short, long, global = true, action = ArgAction::Count)]
    verbose: u8,
    /// Say nothing but errors and what was asked for
    #[arg(short, long, global = true, action = ArgAction::Count, conflicts_with = "verbose")]
    quiet: u8,
    /// Answer confirmations with yes
    #[arg(short, long, global = true)]
    yes: bool,
    /// With --json: tell what happens on stderr, one JSON object a line
    #[arg(long, global = true)]
    progress: bool,
    /// Show no progress
    #[arg(long, global = true, conflicts_with = "progress")]
    no_progress: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum Color {
    Auto,
    Always,
    Never,
}

#[derive(Subcommand)]
enum Command {
    Init(commands::init::InitArgs),
    Config(commands::config::ConfigArgs),
    Doctor(commands::doctor::DoctorArgs),
    Status(commands::status::StatusArgs),
    Migrate(commands::migrate::MigrateArgs),
    Schema(commands::schema::SchemaArgs),
    Backup(commands::backup::BackupArgs),
    Restore(commands::restore::RestoreArgs),
    Health(commands::health::HealthArgs),
    Qdrant(commands::qdrant::QdrantArgs),
    Serve(commands::serve::ServeArgs),
    Shell(commands::shell::ShellArgs),
    Completions(commands::completions::CompletionsArgs),
    Man(commands::man::ManArgs),
}

/// Runs the program: parses the command line, carries out the command, reports how it ended.
#[must_use]
pub fn run() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return usage(&error),
    };
    let global = cli.global;
    match global.color {
        Color::Auto => {}
        Color::Always => ColorChoice::Always.write_global(),
        Color::Never => ColorChoice::Never.write_global(),
    }
    let verbosity = i8::try_from(global.verbose).unwrap_or(i8::MAX) - i8::try_from(global.quiet).unwrap_or(i8::MAX);
    let events = global.json && global.progress;
    let ui = Ui { json: global.json, verbosity, yes: global.yes, progress: !global.no_progress, events };
    match carry_out(ui.clone(), global.config, cli.command) {
        Ok(Outcome::Done) => ExitCode::SUCCESS,
        Ok(Outcome::Found) => ExitCode::from(3),
        Ok(Outcome::Ended(code)) => ExitCode::from(code),
        Ok(Outcome::Failed(kind)) => kind.exit_code(),
        Err(failure) => {
            ui.failure(&failure);
            failure.kind.exit_code()
        }
    }
}

fn carry_out(ui: Ui, config_path: Option<PathBuf>, command: Command) -> Result<Outcome> {
    let context = Context { ui, environment: Environment::read()?, config_path };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    // In a shell the signals are psql's, and for what serves they are its end.
    let has_signals = matches!(command, Command::Shell(_) | Command::Serve(_));
    let outcome = runtime.block_on(async {
        tokio::select! {
            outcome = dispatch(&context, command) => outcome,
            () = interruption(), if !has_signals => Err(Failure::new(FailureKind::Interrupted, anyhow!("interrupted"))),
        }
    });
    // Not waiting for blocking work that an interruption left behind.
    runtime.shutdown_background();
    outcome
}

async fn dispatch(context: &Context, command: Command) -> Result<Outcome> {
    match command {
        Command::Init(args) => commands::init::run(context, &args).await,
        Command::Status(args) => commands::status::run(context, args).await,
        Command::Serve(args) => commands::serve::run(context, args).await,
        Command::Migrate(args) => commands::migrate::run(context, args).await,
        Command::Backup(args) => commands::backup::run(context, &args).await,
        Command::Restore(args) => commands::restore::run(context, &args).await,
        Command::Doctor(args) => commands::doctor::run(context, args).await,
        Command::Health(args) => commands::health::run(context, args).await,
        Command::Schema(args) => commands::schema::run(context, &args).await,
        Command::Qdrant(args) => commands::qdrant::run(context, args).await,
        Command::Shell(args) => commands::shell::run(context, &args).await,
        Command::Config(args) => commands::config::run(context, &args),
        Command::Completions(args) => commands::completions::run(context, &args, Cli::command()),
        Command::Man(args) => commands::man::run(context, &args, Cli::command()),
    }
}

/// The command line as it is declared, with every option that a command has.
#[cfg(test)]
pub(crate) fn declared() -> clap::Command {
    let mut program = Cli::command();
    program.build();
    program
}

fn usage(error: &clap::Error) -> ExitCode {
    if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
        // A reader that went away needs no help.
        let _ = error.print();
        return ExitCode::SUCCESS;
    }
    let arguments: Vec<_> = std::env::args_os().map(|argument| argument.to_string_lossy().into_owned()).collect();
    let json = arguments.iter().any(|argument| argument == "--json");
    let ui = Ui { json, verbosity: 0, yes: false, progress: false, events: false };
    let is_unknown = error.kind() == ErrorKind::UnknownArgument;
    let hint = is_unknown.then(|| commands::backup::hint_for(&arguments)).flatten();
    if json {
        let text = error.render().to_string();
        // Up to the empty line before the usage: some messages name the arguments on lines of their own.
        let lines: Vec<_> = text.lines().take_while(|line| !line.is_empty()).map(str::trim).collect();
        let message = lines.join(" ").trim_start_matches("error: ").to_owned();
        let tip = text.lines().find_map(|line| line.trim().strip_prefix("tip: "));
        ui.failure(&Failure::usage(message).with_hint(hint.as_deref().or(tip).unwrap_or("run it with --help")));
    } else {
        let _ = error.print();
        if let Some(hint) = hint {
            ui.status(format!("\n{} {hint}", paint(STRONG, "hint:")));
        }
    }
    FailureKind::Usage.exit_code()
}

#[cfg(test)]
mod tests;
