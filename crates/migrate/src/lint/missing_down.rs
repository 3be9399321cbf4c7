//! A revision that changes something says how to undo it.

use super::Objection;
use crate::Revision;

pub(super) const CODE: &str = "missing-down";

pub(super) fn check(revision: &Revision, _: &[String]) -> Vec<Objection> {
    let Some(first) = revision.up.statements.first().filter(|_| revision.down.is_none()) else { return Vec::new() };
    let byte = revision.text.rfind("\n-- +down").map_or(first.start, |newline| newline + 1);
    vec![Objection {
        code: CODE,
        byte,
        message: "nothing says how to undo this revision".into(),
        instead: "write the SQL under `-- +down`, or a comment there that says why nothing is to be undone".into(),
    }]
}

#[cfg(test)]
mod tests {
    use crate::lint::LintOptions;
    use crate::lint::tests::codes;

    #[test]
    fn a_down_is_sql_or_a_reason() {
        let cases = [
            ("SELECT 1;\n", &["4 missing-down"][..]),
            ("SELECT 1;\n-- +down\n", &["5 missing-down"]),
            ("SELECT 1;\n-- +down\nSELECT 2;\n", &[]),
            ("SELECT 1;\n-- +down\n-- it reads\n", &[]),
            ("-- nothing\n", &[]),
        ];
        for (sections, expected) in cases {
            assert_eq!(codes("", sections, &LintOptions::default()), expected, "{sections}");
        }
    }
}
