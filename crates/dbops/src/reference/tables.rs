//! The pages that are a table each: `exit-codes.md`, `health-checks.md`, `lint-rules.md`.

use std::fs;
use std::path::Path;

use dbops_health::{Check, checks};
use dbops_migrate::lint;

use super::{agree, code, table};
use crate::failure::{EXIT_CODES, FailureKind};

const KINDS: [FailureKind; 5] =
    [FailureKind::Failed, FailureKind::Usage, FailureKind::Refused, FailureKind::Locked, FailureKind::Interrupted];

#[test]
fn the_page_of_exit_codes() {
    let rows = EXIT_CODES.map(|(number, meaning)| {
        let kind = KINDS.iter().find(|kind| kind.code() == number).map(|kind| code(kind.name()));
        vec![number.to_string(), kind.unwrap_or_default(), meaning.to_owned()]
    });
    assert!(KINDS.iter().all(|kind| EXIT_CODES.iter().any(|(number, _)| *number == kind.code())));
    agree(
        "exit-codes.md",
        &format!(
            "# Exit codes\n\n`kind` is what the document of an error has under `--json`: see [JSON](json.md#errors).\n\n{}\n\
             `dbops health --format nagios` has Nagios' own codes: 0 ok, 1 warning, 2 critical, 3 unknown. `dbops shell` ends \
             with the code of psql.",
            table(&["exit code", "kind", "meaning"], rows)
        ),
    );
}

#[test]
fn the_readme_has_the_exit_codes() {
    let readme = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../README.md");
    let readme = fs::read_to_string(readme).expect("README.md");
    for (number, meaning) in EXIT_CODES {
        assert!(readme.contains(&format!("| {number} | {meaning} |")), "README.md: {number} {meaning}");
    }
}

#[test]
fn the_page_of_health_checks() {
    let mut page = String::from(
        "# Health checks\n\n[`dbops health`](../health.md) runs them; `dbops health --list` shows them with the limits that the \
         configuration leads to. A finding is a warning, or critical, from its limit on.\n",
    );
    for (of, checks) in checks() {
        let mut of = of.to_owned();
        of[..1].make_ascii_uppercase();
        let row = |check: &Check| {
            let shown = |value: Option<f64>| check.limits.zip(value).map(|(limits, value)| limits.unit.show(value));
            let (warning, critical) = check.limits.map_or((None, None), |limits| (limits.warning, limits.critical));
            let [warning, critical] = [warning, critical].map(|limit| shown(limit).unwrap_or_default());
            vec![code(check.id), check.looks_at.to_owned(), warning, critical]
        };
        let rows = checks.iter().map(row);
        page.push_str(&format!("\n## {of}\n\n{}", table(&["check", "looks at", "warning", "critical"], rows)));
    }
    agree("health-checks.md", &page);
}

#[test]
fn the_page_of_lint_rules() {
    let (own, squawks): (Vec<_>, Vec<_>) = lint::rules().into_iter().partition(|rule| rule.asks_for.is_some());
    let state = |rule: &lint::Rule| if rule.is_on { "on" } else { "off" }.to_owned();
    let own = own.iter().map(|rule| vec![code(&rule.code), state(rule), rule.asks_for.unwrap_or_default().to_owned()]);
    let squawks = squawks.iter().map(|rule| vec![code(&rule.code), state(rule)]);
    agree(
        "lint-rules.md",
        &format!(
            "# Lint rules\n\n`dbops migrate lint` asks them of the SQL in `-- +up`; `--list` shows what the configuration makes of \
             them. `lint.rules` turns one on or off, and `-- dbops:ignore RULE reason` silences it in a file: see \
             [Migrations](../migrations.md).\n\n\
             ## dbops' own\n\n{}\n\
             A comment to ignore is looked at too: `ignore-without-reason`, `unknown-rule` and `unused-ignore` cannot be turned \
             off.\n\n\
             ## squawk's\n\n[squawk's documentation](https://squawkhq.com/docs/) says what each is about, and so does the finding. \
             Off is what dbops does by itself, and what projects differ on.\n\n{}",
            table(&["rule", "unless configured", "asks for"], own),
            table(&["rule", "unless configured"], squawks),
        ),
    );
}
