//! `migrate lint`: what is wrong with revision files that PostgreSQL would accept.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use dbops_migrate::lint::{Finding, LintOptions, lint, lint_graph, rules};
use dbops_migrate::{Graph, Revision};
use serde::Serialize;

use super::load;
use crate::commands::{Context, Outcome};
use crate::config::Config;
use crate::failure::{Failure, Result};
use crate::ui::{FAINT, WARN, count, paint};

#[derive(Args)]
pub(super) struct LintArgs {
    /// Revision files that will be run together [default: all, each by itself]
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
    /// How to show the findings; `github` is for annotations
    #[arg(long, value_enum, default_value = "human")]
    format: Format,
    /// List the rules, and whether they are asked
    #[arg(long, conflicts_with = "files")]
    list: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Human,
    Github,
}

#[derive(Serialize)]
struct LintDocument {
    findings: Vec<LintFinding>,
}

#[derive(Serialize)]
struct LintFinding {
    target: String,
    code: String,
    path: String,
    line: usize,
    column: usize,
    message: String,
    instead: String,
}

#[derive(Serialize)]
struct RulesDocument {
    rules: Vec<RuleDocument>,
}

#[derive(Serialize)]
struct RuleDocument {
    code: String,
    /// Whether it is asked, as the configuration has it.
    on: bool,
    asks_for: Option<&'static str>,
}

/// `--list`: every rule, and what the configuration makes of it.
fn list(context: &Context, options: &LintOptions) -> Result<Outcome> {
    let listed = rules().into_iter().map(|rule| RuleDocument {
        on: options.asks(&rule),
        code: rule.code,
        asks_for: rule.asks_for,
    });
    let document = RulesDocument { rules: listed.collect() };
    context.ui.document(&document)?;
    let rows = document.rules.into_iter().map(|rule| {
        let state = if rule.on { "on" } else { "off" };
        vec![rule.code, state.into(), rule.asks_for.unwrap_or("(squawk's)").into()]
    });
    context.ui.table(&["rule", "state", "asks for"], rows.collect())?;
    Ok(Outcome::Done)
}

pub(super) fn run(context: &Context, config: &Config, targets: &[String], args: &LintArgs) -> Result<Outcome> {
    if args.list {
        return list(context, &config.lint);
    }
    let mut wanted = Vec::new();
    for file in &args.files {
        let path = file.canonicalize().map_err(|error| Failure::usage(format!("{}: {error}", file.display())))?;
        wanted.push(path);
    }
    let mut findings = Vec::new();
    let mut seen = 0;
    for (name, target) in config.select_postgres(targets)? {
        let graph = load(name, target)?;
        let chosen = chosen(&graph, &wanted);
        seen += chosen.len();
        let of_target = |finding: Finding| document(name, finding);
        if wanted.is_empty() {
            let each = chosen.iter().flat_map(|revision| lint(&[revision], &config.lint));
            findings.extend(each.map(of_target));
            findings.extend(lint_graph(&graph, &config.lint).into_iter().map(of_target));
        } else {
            findings.extend(lint(&chosen, &config.lint).into_iter().map(of_target));
        }
    }
    if seen < wanted.len() {
        return Err(Failure::usage("not every file is a revision of a target")
            .with_hint("name files of the folders that `dbops config show` lists"));
    }
    for finding in &findings {
        show(context, args.format, finding)?;
    }
    let (found, outcome) = if findings.is_empty() {
        ("no findings".to_owned(), Outcome::Done)
    } else {
        (count(findings.len(), "finding"), Outcome::Found)
    };
    context.ui.status(format!("{found} in {}", count(seen, "revision")));
    context.ui.document(&LintDocument { findings })?;
    Ok(outcome)
}

/// Warns of what is to be said of a new file: its message.
pub(super) fn warn_of_new(context: &Context, path: &Path, options: &LintOptions) -> Result<()> {
    let text = std::fs::read_to_string(path)?;
    let Ok(revision) = dbops_migrate::parse_revision(path, &text) else { return Ok(()) };
    for finding in lint(&[&revision], options) {
        context.ui.warn(format!("{}: {}; {}", finding.code, finding.message, finding.instead));
    }
    Ok(())
}

/// The revisions of these files in the order in which they would be run; all when no file is named.
fn chosen<'a>(graph: &'a Graph, wanted: &[PathBuf]) -> Vec<&'a Revision> {
    let is_wanted = |revision: &&Revision| {
        wanted.is_empty() || revision.path.canonicalize().is_ok_and(|path| wanted.contains(&path))
    };
    graph.newest_first().into_iter().rev().filter(is_wanted).collect()
}

fn document(target: &str, finding: Finding) -> LintFinding {
    LintFinding {
        target: target.to_owned(),
        code: finding.code,
        path: finding.path.display().to_string(),
        line: finding.line,
        column: finding.column,
        message: finding.message,
        instead: finding.instead,
    }
}

fn show(context: &Context, format: Format, finding: &LintFinding) -> Result<()> {
    let path = context.environment.shown(Path::new(&finding.path));
    let LintFinding { code, line, column, message, instead, .. } = finding;
    if format == Format::Github {
        return context.ui.data(annotation(&path.to_string(), *line, *column, code, &format!("{message}\n{instead}")));
    }
    context.ui.data(format!("{path}:{line}:{column}: {}", paint(WARN, code)))?;
    context.ui.data(format!("  {message}"))?;
    if instead.is_empty() { Ok(()) } else { context.ui.data(format!("  {}", paint(FAINT, instead))) }
}

/// A workflow command: <https://docs.github.com/actions/reference/workflows-and-actions/workflow-commands>.
fn annotation(path: &str, line: usize, column: usize, title: &str, message: &str) -> String {
    let data = |text: &str| text.trim_end().replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A");
    let property = |text: &str| data(text).replace(':', "%3A").replace(',', "%2C");
    format!("::warning file={},line={line},col={column},title={}::{}", property(path), property(title), data(message))
}

#[cfg(test)]
mod tests {
    use super::annotation;

    #[test]
    fn annotations_are_escaped() {
        assert_eq!(
            annotation("a,b:c.sql", 3, 1, "message", "100% vague\nsay: more, please"),
            "::warning file=a%2Cb%3Ac.sql,line=3,col=1,title=message::100%25 vague%0Asay: more, please"
        );
    }
}
