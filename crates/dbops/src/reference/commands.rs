//! `commands.md`: every command with its arguments, options and examples.

use clap::{Arg, ArgAction, Command};

use super::{agree, code, table};
use crate::cli::declared;

#[test]
fn the_page_of_commands() {
    let program = declared();
    let mut page = String::from("# Commands\n\n");
    page.push_str(
        "`dbops COMMAND --help` says the same at the terminal, and `dbops man DIR` writes it as pages for `man`.\n\n",
    );
    let first = program.get_subcommands().filter(|command| !command.is_hide_set());
    let rows = first.map(|command| {
        let name = command.get_name();
        vec![format!("[`dbops {name}`](#dbops-{name})"), about(command, false)]
    });
    page.push_str(&table(&["command", "what it does"], rows));
    page.push_str("\n## Options of every command\n\n");
    page.push_str(&arguments(&program, None));
    for command in program.get_subcommands().filter(|command| !command.is_hide_set()) {
        section(command, &program, "dbops", &mut page);
    }
    agree("commands.md", &page);
}

fn section(command: &Command, parent: &Command, path: &str, page: &mut String) {
    let path = format!("{path} {}", command.get_name());
    let depth = if path.split(' ').count() == 2 { "##" } else { "###" };
    page.push_str(&format!("\n{depth} {path}\n\n{}\n\n", about(command, true)));
    let usage = command.clone().render_usage().to_string();
    let usage: Vec<_> = usage.trim_start_matches("Usage:").lines().map(str::trim).collect();
    page.push_str(&format!("```text\n{}\n```\n", usage.join("\n")));
    let arguments = arguments(command, Some(parent));
    if !arguments.is_empty() {
        page.push_str(&format!("\n{arguments}"));
    }
    let examples = command.get_after_help().map(ToString::to_string).unwrap_or_default();
    let examples: Vec<_> = examples.lines().filter_map(|line| Some(&line[line.find("dbops ")?..])).collect();
    page.push_str(&format!("\n```sh\n{}\n```\n", examples.join("\n")));
    for inner in command.get_subcommands().filter(|inner| !inner.is_hide_set()) {
        section(inner, command, &path, page);
    }
}

/// What a command does, whole or in a line. What is in several lines in the help is one here.
fn about(command: &Command, is_long: bool) -> String {
    let text = if is_long { command.get_long_about().or(command.get_about()) } else { command.get_about() };
    let text = text.map(ToString::to_string).unwrap_or_default();
    if is_long { format!("{}.", text.trim_end_matches('.')) } else { text }
}

/// A row for each argument that the command above has not.
fn arguments(command: &Command, parent: Option<&Command>) -> String {
    let of_parent = |argument: &Arg| {
        parent.is_some_and(|parent| {
            argument.is_global_set() && parent.get_arguments().any(|other| other.get_id() == argument.get_id())
        })
    };
    let is_own = |argument: &&Arg| !argument.is_hide_set() && !of_parent(argument) && argument.get_id() != "help";
    let (named, placed): (Vec<_>, Vec<_>) =
        command.get_arguments().filter(is_own).partition(|argument| !argument.is_positional());
    let rows: Vec<_> = placed.into_iter().chain(named).map(|it| vec![code(&name(it)), meaning(it)]).collect();
    if rows.is_empty() { String::new() } else { table(&["argument", "meaning"], rows) }
}

fn name(argument: &Arg) -> String {
    let long = argument.to_string();
    match argument.get_short().filter(|_| !argument.is_positional()) {
        Some(short) => format!("-{short}, {long}"),
        None => long,
    }
}

fn meaning(argument: &Arg) -> String {
    let mut text = argument.get_long_help().or(argument.get_help()).map(ToString::to_string).unwrap_or_default();
    let takes_value = matches!(argument.get_action(), ArgAction::Set | ArgAction::Append);
    let values: Vec<_> = argument.get_possible_values().iter().map(|value| code(value.get_name())).collect();
    if takes_value && !values.is_empty() {
        text.push_str(&format!("; one of {}", values.join(", ")));
    }
    let defaults: Vec<_> = argument.get_default_values().iter().map(|value| code(&value.to_string_lossy())).collect();
    if takes_value && !defaults.is_empty() {
        text.push_str(&format!(" [default: {}]", defaults.join(", ")));
    }
    text
}
