use std::path::{Path, PathBuf};
use std::{fs, iter};

use clap::error::ErrorKind;
use clap::{Command, CommandFactory, Parser};

use super::{Cli, declared};

/// A line without what it writes elsewhere and without what is said of it.
fn bare(line: &str) -> &str {
    [" > ", "  ", " #"].iter().fold(line, |line, end| line.split(end).next().unwrap_or_default())
}

/// The words of such a line as a shell takes it apart.
fn words(line: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut open = None;
    for character in line.trim().chars() {
        match character {
            '"' | '\'' if open.is_none() => open = Some(character),
            _ if open == Some(character) => open = None,
            ' ' if open.is_none() => words.push(String::new()),
            other => words.last_mut().expect("a word").push(other),
        }
    }
    words
}

/// Every command with its path, from the program down.
fn commands(command: &Command, path: &str) -> Vec<(String, Command)> {
    let inner = command.get_subcommands().filter(|inner| !inner.is_hide_set());
    let below = inner.flat_map(|inner| commands(inner, &format!("{path} {}", inner.get_name())));
    iter::once((path.to_owned(), command.clone())).chain(below).collect()
}

fn all_commands() -> Vec<(String, Command)> {
    commands(&declared(), "dbops")
}

#[test]
fn every_command_has_examples_that_can_be_typed() {
    let all = all_commands();
    assert!(all.len() > 40, "{} commands", all.len());
    for (path, command) in all {
        let text = command.get_after_help().map(ToString::to_string).unwrap_or_default();
        let lines: Vec<_> = text.lines().filter_map(|line| Some(&line[line.find("dbops ")?..])).collect();
        assert!(!lines.is_empty(), "{path} has no example");
        for line in text.lines() {
            assert!(line.chars().count() <= 80, "{path}: this example would be broken: {line}");
        }
        for line in lines {
            let line = words(bare(line));
            if let Err(error) = Cli::try_parse_from(&line) {
                assert_eq!(error.kind(), ErrorKind::DisplayHelp, "{path}: {line:?}: {error}");
            }
            let typed = line.join(" ");
            assert!(typed.starts_with(&path), "{path}: `{typed}` is another command's");
        }
    }
}

#[test]
fn help_fits_a_terminal_of_80_columns() {
    for (path, command) in all_commands() {
        let mut command = command.term_width(80);
        for help in [command.render_help(), command.render_long_help()] {
            // clap does not break the usage.
            for line in help.to_string().lines().filter(|line| !line.starts_with("Usage:")) {
                assert!(line.chars().count() <= 80, "{path}: {line}");
            }
        }
    }
}

#[test]
fn the_declarations_are_sound() {
    Cli::command().debug_assert();
}

/// The Markdown files of the project.
fn documents() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).expect("the workspace");
    let mut found = Vec::new();
    let mut open = vec![root.join("docs")];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(&folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() { open.push(path) } else { found.push(path) }
        }
    }
    found.extend(fs::read_dir(root).expect("the workspace").map(|entry| entry.expect("an entry").path()));
    found.retain(|path| path.extension().is_some_and(|extension| extension == "md"));
    found.sort();
    found
}

/// The command lines of a document: those of its blocks, which can be typed, and those within sentences, which may stop
/// short. What has a placeholder in it is none.
fn command_lines(text: &str) -> Vec<(usize, String, bool)> {
    let mut found = Vec::new();
    let mut is_block = false;
    for (index, line) in text.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            is_block = !is_block;
        } else if is_block {
            let line = bare(line.trim().trim_start_matches("$ "));
            let parts = line.split(" && ").flat_map(|part| part.split(" | ")).flat_map(|part| part.split("; "));
            let typed = parts.filter(|part| part.starts_with("dbops ") && !part.contains(['…', '$', '[', '─']));
            found.extend(typed.map(|part| (index + 1, part.to_owned(), true)));
        } else {
            let spans = line.split('`').skip(1).step_by(2).map(bare);
            let typed = spans.filter(|span| span.starts_with("dbops ") && !span.contains(['…', '|', '[', '<', '$']));
            found.extend(typed.map(|span| (index + 1, span.to_owned(), false)));
        }
    }
    found
}

#[test]
fn command_lines_in_documents_can_be_typed() {
    let mut count = 0;
    for path in documents() {
        let text = fs::read_to_string(&path).expect("a document");
        for (line, typed, is_whole) in command_lines(&text) {
            count += 1;
            let Err(error) = Cli::try_parse_from(words(&typed)) else { continue };
            let stops_short = matches!(
                error.kind(),
                ErrorKind::MissingRequiredArgument
                    | ErrorKind::MissingSubcommand
                    | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand
            );
            let is_help = matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion);
            // `SHARD` stands for a number, `COMMAND` for a command.
            let is_placeholder = matches!(error.kind(), ErrorKind::ValueValidation | ErrorKind::InvalidSubcommand)
                && words(&typed).iter().any(|word| word.len() > 1 && word.chars().all(|c| c.is_ascii_uppercase()));
            let is_right = is_help || is_placeholder || (!is_whole && stops_short);
            assert!(is_right, "{}:{line}: `{typed}`: {error}", path.display());
        }
    }
    assert!(count > 100, "{count} command lines");
}
