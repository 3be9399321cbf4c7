//! A message says what the revision does, as an order: "add email verification to users".

use super::Objection;
use crate::Revision;

pub(super) const CODE: &str = "message";

/// Words that say nothing about what is done.
const VAGUE: [&str; 26] = [
    "update",
    "updates",
    "change",
    "changes",
    "fix",
    "fixes",
    "modify",
    "migration",
    "migrate",
    "db",
    "database",
    "schema",
    "stuff",
    "misc",
    "wip",
    "some",
    "various",
    "the",
    "my",
    "new",
    "a",
    "test",
    "table",
    "tables",
    "revision",
    "more",
];
/// Orders that end like something else.
const ORDERS: [&str; 6] = ["embed", "feed", "seed", "shed", "bring", "string"];

pub(super) fn check(revision: &Revision, _: &[String]) -> Vec<Objection> {
    let Some(message) = problem(&revision.message) else { return Vec::new() };
    let byte = revision.text.find("-- message:").unwrap_or(0);
    let instead = "say what it does to what, as in \"add email verification to users\"".into();
    vec![Objection { code: CODE, byte, message, instead }]
}

fn problem(message: &str) -> Option<String> {
    let lower = message.to_lowercase();
    let words: Vec<_> =
        lower.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|word| !word.is_empty()).collect();
    let Some(first) = words.first() else { return Some("there is no message".into()) };
    if words.len() < 2 || words.iter().all(|word| VAGUE.contains(word)) {
        return Some(format!("\"{message}\" does not say what is done"));
    }
    let is_told = first.len() > 4 && (first.ends_with("ed") || first.ends_with("ing")) && !ORDERS.contains(first);
    is_told.then(|| format!("\"{message}\" tells a story: a message is an order"))
}

#[cfg(test)]
mod tests {
    use super::problem;

    #[test]
    fn messages_are_orders() {
        let good = [
            "add email verification to users",
            "create conversations table with indexes",
            "drop users.legacy_id",
            "seed feature flags",
            "update user emails to lower case",
        ];
        let bad = [
            "",
            "update db",
            "changes",
            "fix",
            "wip",
            "added role to users",
            "adding role to users",
            "users",
            "new migration",
        ];
        for (messages, is_bad) in [(&good[..], false), (&bad[..], true)] {
            for message in messages {
                assert_eq!(problem(message).is_some(), is_bad, "{message}");
            }
        }
    }
}
