//! The umbrella: command line, configuration, output and exit codes over dbops' libraries.
//!
//! - `cli` declares the command line and calls one function per command, each in its own file under `commands`.
//! - `environment` is the one place that reads environment variables, `config` the one that reads configuration,
//!   `ui` the one that writes to the terminal.
//! - `failure` turns what the libraries report into messages, hints and the exit codes that scripts rely on.

mod cli;
mod cloud;
mod commands;
mod config;
mod declared;
mod environment;
mod failure;
#[cfg(test)]
mod reference;
mod signals;
mod times;
mod ui;

pub use cli::run;
