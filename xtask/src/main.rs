//! The dev driver: `cargo xtask dev-up` and the other commands that people and CI type.

mod bench;
mod check;
mod dev;
mod docker;
mod http;
mod pictures;
mod progress;
mod qdrant;
mod reference;
mod test;
mod workspace;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "cargo xtask", disable_help_subcommand = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Start PostgreSQL twice and Qdrant, migrate, check, back up
    DevUp(dev::UpArgs),
    /// Stop what dev-up started
    DevDown {
        #[command(flatten)]
        stack: dev::StackArgs,
        /// Delete its data too
        #[arg(long)]
        volumes: bool,
    },
    /// Show what runs
    DevStatus(dev::StackArgs),
    /// Delete the data and start over
    DevReset(dev::UpArgs),
    /// Run every test against real servers that live as long as the tests
    Test {
        /// For `cargo nextest run` or `cargo test`
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Test the compose files, the images and dbops on a Docker engine of their own
    DockerTest(docker::DockerTestArgs),
    /// Format, lints, documentation, packages, forbidden dependencies
    Check,
    /// Make the pictures of the README and the guides anew, from a real run
    Pictures(pictures::PicturesArgs),
    /// Write the pages of docs/reference from the code
    Reference,
    /// Measure, beside a peer
    Bench {
        #[command(subcommand)]
        bench: bench::Bench,
    },
}

/// As shells count a program that Ctrl-C ended.
const INTERRUPTED: u8 = 130;

fn main() -> ExitCode {
    let command = Cli::parse().command;
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            progress::failure(&error.into());
            return ExitCode::FAILURE;
        }
    };
    let outcome = runtime.block_on(async {
        tokio::select! {
            outcome = run(command) => Some(outcome),
            _ = tokio::signal::ctrl_c() => None,
        }
    });
    match outcome {
        Some(Ok(())) => ExitCode::SUCCESS,
        Some(Err(error)) => {
            progress::failure(&error);
            ExitCode::FAILURE
        }
        None => {
            progress::error_line("error: interrupted\nhint: what is done stays; the same command goes on from here");
            ExitCode::from(INTERRUPTED)
        }
    }
}

async fn run(command: Command) -> Result<()> {
    match command {
        Command::DevUp(stack) => dev::up(&stack).await,
        Command::DevDown { stack, volumes } => dev::down(&stack, volumes).await,
        Command::DevStatus(stack) => dev::status(&stack).await,
        Command::DevReset(stack) => dev::reset(&stack).await,
        Command::Test { arguments } => test::run(&arguments).await,
        Command::DockerTest(args) => docker::run(&args).await,
        Command::Check => check::run().await,
        Command::Pictures(args) => pictures::run(&args).await,
        Command::Reference => reference::run().await,
        Command::Bench { bench } => bench::run(bench).await,
    }
}
