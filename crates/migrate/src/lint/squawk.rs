//! squawk's rules on the SQL of `-- +up`.

use squawk_linter::{Linter, Rule, Version};
use squawk_syntax::SourceFile;

use super::{Finding, LintOptions};
use crate::Revision;

/// Off unless they are asked for: what dbops does by itself, or a matter of taste on which projects differ.
const OFF: [Rule; 13] = [
    // dbops sets them.
    Rule::RequireLockTimeout,
    Rule::RequireStatementTimeout,
    // The file format refuses transaction control.
    Rule::TransactionNesting,
    Rule::BanUncommittedTransaction,
    // A revision is in a transaction, or goes on where it stopped: IF NOT EXISTS would hide a mistake.
    Rule::PreferRobustStmts,
    Rule::PreferBigintOverInt,
    Rule::PreferBigintOverSmallint,
    Rule::PreferIdentity,
    Rule::PreferTextField,
    // These objects hold no rows, and a revision that drops them says so.
    Rule::BanDropFunction,
    Rule::BanDropView,
    Rule::BanDropConstraint,
    Rule::BanDropDefault,
];

pub(super) fn rules() -> Vec<super::Rule> {
    let linter = Linter::with_default_rules();
    let rules = linter.rules.iter();
    // One stands for several.
    let is_on = |rule: &Rule| !OFF.contains(rule) && !rule.expands_to().iter().any(|meant| OFF.contains(meant));
    rules.map(|rule| super::Rule { code: rule.to_string(), is_on: is_on(rule), asks_for: None }).collect()
}

pub(super) fn is_rule(name: &str) -> bool {
    Rule::try_from(name).is_ok()
}

/// Findings with the byte that each is about.
pub(super) fn check(revision: &Revision, created: &[String], options: &LintOptions) -> Vec<(usize, Finding)> {
    let named =
        |names: &[String]| names.iter().filter_map(|name| Rule::try_from(name.as_str()).ok()).collect::<Vec<_>>();
    let (on, mut off) = (named(&options.on), named(&options.off));
    off.extend(OFF.iter().filter(|rule| !on.contains(rule)));
    let mut linter = Linter::with_rules(&on, &off);
    linter.settings.assume_in_transaction = revision.settings.transaction;
    let version = options.pg_version.as_deref().unwrap_or("18");
    linter.settings.pg_version = version.parse::<Version>().unwrap_or_default();
    // squawk passes over tables that the same text creates; those of earlier revisions stand before it.
    let earlier: String = created.iter().map(|table| format!("CREATE TABLE {table} ();\n")).collect();
    let text = format!("{earlier}{}", up_only(revision));
    let found = linter.lint(&SourceFile::parse(&text), &text);
    found
        .into_iter()
        .filter_map(|violation| {
            let byte = usize::from(violation.text_range.start()).checked_sub(earlier.len())?;
            let (line, column) = revision.place(byte);
            let finding = Finding {
                code: violation.code.to_string(),
                path: revision.path.clone(),
                line,
                column,
                message: violation.message,
                instead: violation.help.unwrap_or_default(),
            };
            Some((byte, finding))
        })
        .collect()
}

/// The file with everything but the section `-- +up` blanked, so that places stay.
fn up_only(revision: &Revision) -> String {
    let text = &revision.text;
    let (Some(first), Some(last)) = (revision.up.statements.first(), revision.up.statements.last()) else {
        return String::new();
    };
    // Comments above the first statement belong to it; the marker is the last thing before them.
    let begin = text[..first.start].rfind("-- +up").map_or(first.start, |marker| marker + "-- +up".len());
    let end = text[last.end..].find('\n').map_or(text.len(), |newline| last.end + newline);
    let blank = |byte: u8| if byte == b'\n' { b'\n' } else { b' ' };
    let mut bytes: Vec<u8> = text.as_bytes()[..begin].iter().copied().map(blank).collect();
    bytes.extend(&text.as_bytes()[begin..end]);
    let mut section = String::from_utf8_lossy(&bytes).into_owned();
    if !section.trim_end().ends_with(';') {
        section.push(';');
    }
    section
}
