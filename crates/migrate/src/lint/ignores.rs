//! Comments `-- dbops:ignore RULE reason`.

use squawk_lexer::{TokenKind, tokenize};

use super::{Finding, is_rule, rules};
use crate::Revision;

struct Ignore {
    byte: usize,
    rule: String,
    has_reason: bool,
    /// Bytes of the file in which it counts.
    from: usize,
    to: usize,
    is_used: bool,
}

/// Leaves out what is ignored, and objects to comments that ignore nothing, or give no reason.
pub(super) fn apply(revision: &Revision, findings: Vec<(usize, Finding)>) -> Vec<Finding> {
    let mut ignores = find(revision);
    let mut kept = Vec::with_capacity(findings.len());
    for (byte, finding) in findings {
        let mut ignoring = ignores.iter_mut().filter(|it| it.rule == finding.code && (it.from..it.to).contains(&byte));
        match ignoring.next() {
            Some(ignore) => ignore.is_used = true,
            None => kept.push(finding),
        }
    }
    kept.extend(ignores.iter().filter_map(|ignore| objection(revision, ignore)));
    kept
}

fn objection(revision: &Revision, ignore: &Ignore) -> Option<Finding> {
    let (code, message, instead) = if !is_rule(&ignore.rule) {
        let codes = rules().into_iter().map(|rule| rule.code);
        let nearest = codes.min_by_key(|code| strsim::damerau_levenshtein(code, &ignore.rule));
        let instead = format!("did you mean `{}`?", nearest.unwrap_or_default());
        ("unknown-rule", format!("there is no rule `{}`", ignore.rule), instead)
    } else if !ignore.has_reason {
        (
            "ignore-without-reason",
            "the comment does not say why".to_owned(),
            "write the reason behind the rule".to_owned(),
        )
    } else if !ignore.is_used {
        ("unused-ignore", format!("`{}` finds nothing here", ignore.rule), "delete the comment".to_owned())
    } else {
        return None;
    };
    let (line, column) = revision.place(ignore.byte);
    Some(Finding { code: code.to_owned(), path: revision.path.clone(), line, column, message, instead })
}

fn find(revision: &Revision) -> Vec<Ignore> {
    let text = &revision.text;
    let up = text.find("\n-- +up").unwrap_or(text.len());
    let mut found = Vec::new();
    let mut position = 0;
    for token in tokenize(text) {
        let start = position;
        position += token.len as usize;
        let Some(rest) = text[start..position].trim_start_matches('-').trim_start().strip_prefix("dbops:ignore") else {
            continue;
        };
        if token.kind != TokenKind::LineComment {
            continue;
        }
        let mut words = rest.split_whitespace();
        let Some(rule) = words.next() else { continue };
        let (from, to) = if start <= up { (0, text.len()) } else { scope(revision, start) };
        let has_reason = words.next().is_some();
        found.push(Ignore { byte: start, rule: rule.to_owned(), has_reason, from, to, is_used: false });
    }
    found
}

/// The statement that ends on the comment's line, else the next one.
fn scope(revision: &Revision, comment: usize) -> (usize, usize) {
    let text = &revision.text;
    let line = text[..comment].rfind('\n').map_or(0, |newline| newline + 1);
    let down = revision.down.iter().flat_map(|section| &section.statements);
    let mut statements = revision.up.statements.iter().chain(down);
    let is_beside = !text[line..comment].trim().is_empty();
    let meant = statements.find(|statement| {
        if is_beside { statement.end > line && statement.start < comment } else { statement.start > comment }
    });
    meant.map_or((comment, comment), |statement| (statement.start, statement.end.max(comment)))
}
