//! What is wrong with revision files that PostgreSQL would accept.
//!
//! squawk's rules look at the SQL of `-- +up`; a file of this folder is a rule of our own. Findings are data. A comment
//! `-- dbops:ignore RULE reason` silences a rule: before `-- +up` for the file, otherwise for the statement that it
//! stands beside or above. `-- squawk-ignore RULE` works as squawk has it.

mod backfill;
mod ignores;
mod message;
mod missing_down;
mod one_change;
mod several_heads;
mod squawk;

use std::path::PathBuf;

use crate::tokens::Tokens;
use crate::{Graph, Revision};

/// Something that a rule objects to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The rule.
    pub code: String,
    /// The file.
    pub path: PathBuf,
    /// Counted from 1.
    pub line: usize,
    /// Counted from 1, in characters.
    pub column: usize,
    /// Why.
    pub message: String,
    /// What to write instead.
    pub instead: String,
}

/// Which rules are asked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LintOptions {
    /// Rules that are on though they are off by default.
    pub on: Vec<String>,
    /// Rules that are off.
    pub off: Vec<String>,
    /// The server's version, such as `18`; some rules are about what a version cannot do.
    pub pg_version: Option<String>,
}

impl LintOptions {
    /// Whether a rule is asked.
    #[must_use]
    pub fn asks(&self, rule: &Rule) -> bool {
        self.on.contains(&rule.code) || (rule.is_on && self.is_on(&rule.code))
    }

    fn is_on(&self, code: &str) -> bool {
        !self.off.iter().any(|off| off == code)
    }
}

/// Where a rule of our own objects, in bytes of the file.
struct Objection {
    code: &'static str,
    byte: usize,
    message: String,
    instead: String,
}

/// Looks at a revision, knowing the tables that earlier ones of the run create.
type Check = fn(&Revision, &[String]) -> Vec<Objection>;

const OWN: [Check; 4] = [message::check, missing_down::check, one_change::check, backfill::check];
/// Our own rules with what they ask for.
const OWN_RULES: [(&str, &str); 5] = [
    (message::CODE, "a message that says what is done, as an order: `add email verification to users`"),
    (missing_down::CODE, "a section `-- +down` in a revision that changes something"),
    (one_change::CODE, "one logical change in a revision; tables that have nothing to do with one another go in two"),
    (backfill::CODE, "a step that fills the column before `SET NOT NULL` on a table with rows"),
    (several_heads::CODE, "a single head of the revisions"),
];

/// A rule, for lists and documentation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// Its name, as in findings, in the configuration and in `-- dbops:ignore`.
    pub code: String,
    /// Whether it is asked unless the configuration says otherwise.
    pub is_on: bool,
    /// What it asks for; `None` for squawk's, which <https://squawkhq.com/docs/> describes.
    pub asks_for: Option<&'static str>,
}

/// All rules by their names.
#[must_use]
pub fn rules() -> Vec<Rule> {
    let own = OWN_RULES.map(|(code, asks_for)| Rule { code: code.into(), is_on: true, asks_for: Some(asks_for) });
    let mut rules: Vec<_> = own.into_iter().chain(squawk::rules()).collect();
    rules.sort_by(|one, other| one.code.cmp(&other.code));
    rules
}

/// Whether there is such a rule.
#[must_use]
pub fn is_rule(name: &str) -> bool {
    OWN_RULES.iter().any(|(code, _)| *code == name) || squawk::is_rule(name)
}

/// What the rules object to in revisions that are going to be run together, in this order: what the earlier ones
/// create is nobody's yet when a later one locks it.
#[must_use]
pub fn lint(run: &[&Revision], options: &LintOptions) -> Vec<Finding> {
    let mut created = Vec::new();
    let mut findings = Vec::new();
    for revision in run {
        findings.extend(lint_one(revision, &created, options));
        created.extend(tables_created(revision));
    }
    findings
}

/// What the rules object to in the graph as a whole.
#[must_use]
pub fn lint_graph(graph: &Graph, options: &LintOptions) -> Vec<Finding> {
    if options.is_on(several_heads::CODE) { several_heads::check(graph) } else { Vec::new() }
}

fn lint_one(revision: &Revision, created: &[String], options: &LintOptions) -> Vec<Finding> {
    if revision.stub.is_some() {
        // There is nothing of its own to look at.
        return Vec::new();
    }
    let mut findings = squawk::check(revision, created, options);
    for objection in OWN.iter().flat_map(|check| check(revision, created)) {
        if options.is_on(objection.code) {
            findings.push((objection.byte, finding(revision, objection)));
        }
    }
    let mut findings = ignores::apply(revision, findings);
    findings.sort_by(|one, other| (one.line, one.column, &one.code).cmp(&(other.line, other.column, &other.code)));
    findings
}

fn finding(revision: &Revision, objection: Objection) -> Finding {
    let (line, column) = revision.place(objection.byte);
    Finding {
        code: objection.code.to_owned(),
        path: revision.path.clone(),
        line,
        column,
        message: objection.message,
        instead: objection.instead,
    }
}

/// The tables that a revision creates, as written.
fn tables_created(revision: &Revision) -> Vec<String> {
    revision.up.statements.iter().filter_map(|statement| created_table(revision.sql(statement))).collect()
}

/// The table that a statement creates, as written.
fn created_table(sql: &str) -> Option<String> {
    let mut tokens = Tokens::new(sql);
    if !tokens.skip(&["CREATE"]) {
        return None;
    }
    while ["GLOBAL", "LOCAL", "TEMP", "TEMPORARY", "UNLOGGED"].iter().any(|word| tokens.skip(&[word])) {}
    if !tokens.skip(&["TABLE"]) {
        return None;
    }
    tokens.skip(&["IF", "NOT", "EXISTS"]);
    tokens.name()
}

/// The table that `ALTER TABLE` is about, as written.
fn altered_table(tokens: &mut Tokens<'_>) -> Option<String> {
    if !tokens.skip(&["ALTER", "TABLE"]) {
        return None;
    }
    tokens.skip(&["IF", "EXISTS"]);
    tokens.skip(&["ONLY"]);
    tokens.name()
}

/// A name without quotes and without `public`, for comparing.
fn plain(name: &str) -> String {
    let name = name.strip_prefix("public.").unwrap_or(name);
    if name.contains('"') { name.replace('"', "") } else { name.to_lowercase() }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{LintOptions, lint};
    use crate::parse::parse;

    /// Findings as `line code`, of a file with this message, header lines, and sections.
    pub(super) fn codes(header: &str, sections: &str, options: &LintOptions) -> Vec<String> {
        let text = format!("-- revision: a\n-- message: add role column to users\n{header}-- +up\n{sections}");
        let revision = parse(Path::new("x.sql"), &text).expect("a revision");
        lint(&[&revision], options).into_iter().map(|it| format!("{} {}", it.line, it.code)).collect()
    }

    const DOWN: &str = "-- +down\n-- nothing to undo\n";

    #[test]
    fn squawk_knows_the_line_the_transaction_and_what_the_file_creates() {
        let index = "\nCREATE INDEX i ON t (a);\n";
        let cases = [
            ("", format!("{index}{DOWN}"), &["5 require-concurrent-index-creation"][..]),
            ("-- transaction: off\n", format!("{}{DOWN}", index.replace("INDEX", "INDEX CONCURRENTLY")), &[]),
            ("", format!("CREATE TABLE t (a bigint);{index}{DOWN}"), &[]),
            ("", format!("-- squawk-ignore require-concurrent-index-creation{index}{DOWN}"), &[]),
        ];
        for (header, sections, expected) in cases {
            let found = codes(header, &sections, &LintOptions::default());
            let found: Vec<_> = found.iter().filter(|it| !it.contains("robust")).collect();
            assert_eq!(found, expected, "{header}{sections}");
        }
    }

    #[test]
    fn what_an_earlier_revision_of_the_run_creates_is_nobodys_yet() {
        let file = |id: &str, up: &str| {
            let text = format!("-- revision: {id}\n-- message: add role column to users\n-- +up\n{up}\n{DOWN}");
            parse(Path::new(id), &text).expect("a revision")
        };
        let (table, index) = (file("a", "CREATE TABLE t (a bigint);"), file("b", "CREATE INDEX i ON t (a);"));
        assert_eq!(lint(&[&table, &index], &LintOptions::default()), []);
        assert_eq!(lint(&[&index], &LintOptions::default()).len(), 1);
    }

    #[test]
    fn rules_are_silenced_with_a_reason() {
        let index = "CREATE INDEX i ON t (a);";
        let rule = "require-concurrent-index-creation";
        let cases = [
            ("", format!("-- dbops:ignore {rule} the table is small\n{index}\n"), &[][..]),
            ("", format!("{index} -- dbops:ignore {rule} the table is small\n"), &[]),
            ("-- dbops:ignore require-concurrent-index-creation small tables\n", format!("{index}\n"), &[]),
            ("", format!("-- dbops:ignore {rule}\n{index}\n"), &["4 ignore-without-reason"]),
            (
                "",
                format!("-- dbops:ignore {rule} small\nSELECT 1;\n{index}\n"),
                &["4 unused-ignore", "6 require-concurrent-index-creation"],
            ),
            (
                "",
                format!("-- dbops:ignore require-concurrent-index small\n{index}\n"),
                &["4 unknown-rule", "5 require-concurrent-index-creation"],
            ),
        ];
        for (header, up, expected) in cases {
            let found = codes(header, &format!("{up}{DOWN}"), &LintOptions::default());
            assert_eq!(found, expected, "{header}{up}");
        }
        let off = LintOptions { off: vec![rule.into()], ..LintOptions::default() };
        assert_eq!(codes("", &format!("{index}\n{DOWN}"), &off), Vec::<String>::new());
        let on = LintOptions { on: vec!["prefer-bigint-over-int".into()], ..LintOptions::default() };
        assert_eq!(codes("", &format!("CREATE TABLE t (a int);\n{DOWN}"), &on), ["4 prefer-bigint-over-int"]);
    }
}
