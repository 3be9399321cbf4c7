//! One logical change in a revision: tables that have nothing to do with one another belong in two.

use std::collections::BTreeSet;

use super::{Objection, altered_table, created_table, plain};
use crate::Revision;
use crate::tokens::Tokens;

pub(super) const CODE: &str = "one-logical-change";

/// Tables whose definition changes together, and where the first of those statements begins.
struct Group {
    byte: usize,
    tables: BTreeSet<String>,
    text: String,
}

pub(super) fn check(revision: &Revision, _: &[String]) -> Vec<Objection> {
    let mut groups: Vec<Group> = Vec::new();
    for statement in &revision.up.statements {
        let sql = revision.sql(statement);
        let Some(table) = changed_table(sql).map(|name| plain(&name)) else { continue };
        // A statement belongs to those that it names, or whose statements name its table.
        let text = sql.to_lowercase();
        let (related, mut rest): (Vec<_>, Vec<_>) = groups.into_iter().partition(|group| {
            group.tables.contains(&table)
                || group.tables.iter().any(|other| mentions(&text, other))
                || mentions(&group.text, &table)
        });
        let mut joined = Group { byte: statement.start, tables: BTreeSet::from([table]), text };
        for group in related {
            joined.byte = joined.byte.min(group.byte);
            joined.tables.extend(group.tables);
            joined.text.push_str(&group.text);
        }
        rest.push(joined);
        groups = rest;
    }
    groups.sort_by_key(|group| group.byte);
    let names = |group: &Group| group.tables.iter().cloned().collect::<Vec<_>>().join(", ");
    let [first, others @ ..] = &groups[..] else { return Vec::new() };
    let object = |group: &Group| Objection {
        code: CODE,
        byte: group.byte,
        message: format!("this changes {}, which has nothing to do with {}", names(group), names(first)),
        instead: "write a revision for each change".into(),
    };
    others.first().map(object).into_iter().collect()
}

/// The table whose definition a statement changes, as written.
fn changed_table(sql: &str) -> Option<String> {
    let mut tokens = Tokens::new(sql);
    let dropped = |tokens: &mut Tokens<'_>| {
        let is_drop = tokens.skip(&["DROP", "TABLE"]);
        tokens.skip(&["IF", "EXISTS"]);
        if is_drop { tokens.name() } else { None }
    };
    created_table(sql).or_else(|| altered_table(&mut tokens)).or_else(|| dropped(&mut Tokens::new(sql)))
}

fn mentions(text: &str, table: &str) -> bool {
    let name = table.rsplit('.').next().unwrap_or(table);
    text.split(|c: char| !c.is_alphanumeric() && c != '_').any(|word| word == name)
}

#[cfg(test)]
mod tests {
    use crate::lint::LintOptions;
    use crate::lint::tests::codes;

    #[test]
    fn tables_that_name_one_another_change_together() {
        let cases = [
            ("CREATE TABLE a (id bigint); CREATE TABLE b (id bigint);", &["4 one-logical-change"][..]),
            ("CREATE TABLE a (id bigint); CREATE TABLE b (id bigint REFERENCES a);", &[]),
            (
                "CREATE TABLE a (id bigint); CREATE TABLE b (id bigint); CREATE TABLE c (a bigint REFERENCES a, b bigint REFERENCES b);",
                &[],
            ),
            ("CREATE TABLE a (id bigint); ALTER TABLE public.a ADD COLUMN b text; COMMENT ON TABLE a IS 'b';", &[]),
        ];
        for (up, expected) in cases {
            let found = codes("", &format!("{up}\n-- +down\n-- nothing\n"), &LintOptions::default());
            let found: Vec<_> = found.into_iter().filter(|it| it.contains("one-logical")).collect();
            assert_eq!(found, expected, "{up}");
        }
    }
}
