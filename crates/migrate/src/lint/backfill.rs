//! `SET NOT NULL` on a table with rows needs a step before it that fills the column.

use super::{Objection, altered_table, plain, tables_created};
use crate::tokens::Tokens;
use crate::{Revision, Statement};

pub(super) const CODE: &str = "backfill-before-not-null";

pub(super) fn check(revision: &Revision, created: &[String]) -> Vec<Objection> {
    let mut new: Vec<String> = created.iter().map(|table| plain(table)).collect();
    new.extend(tables_created(revision).iter().map(|table| plain(table)));
    let mut objections = Vec::new();
    for (index, statement) in revision.up.statements.iter().enumerate() {
        let sql = revision.sql(statement);
        let mut tokens = Tokens::new(sql);
        let Some(table) = altered_table(&mut tokens).map(|table| plain(&table)) else { continue };
        let filled = revision.up.statements[..index].iter().any(|earlier| fills(revision, earlier, &table));
        let Some(column) = set_not_null(&mut tokens).filter(|_| !filled && !new.contains(&table)) else { continue };
        objections.push(Objection {
            code: CODE,
            byte: statement.start,
            message: format!("rows of {table} whose {column} is NULL make this fail, and nothing before fills them"),
            instead: format!(
                "UPDATE {table} SET {column} = … WHERE {column} IS NULL first, in batches if the table is large"
            ),
        });
    }
    objections
}

/// The column that is set NOT NULL.
fn set_not_null(tokens: &mut Tokens<'_>) -> Option<String> {
    while !tokens.peek(0).is_empty() {
        if tokens.skip(&["ALTER"]) {
            tokens.skip(&["COLUMN"]);
            let column = tokens.name();
            if tokens.skip(&["SET", "NOT", "NULL"]) {
                return column;
            }
        } else {
            tokens.word();
        }
    }
    None
}

/// A change of the table's rows, or a constraint on them that is validated.
fn fills(revision: &Revision, statement: &Statement, table: &str) -> bool {
    let sql = revision.sql(statement).to_lowercase();
    let name = table.rsplit('.').next().unwrap_or(table);
    let names_it = sql.split(|c: char| !c.is_alphanumeric() && c != '_').any(|word| word == name);
    let first = statement.words.first().map(String::as_str);
    let changes_rows = matches!(first, Some("UPDATE" | "DELETE" | "MERGE" | "WITH" | "DO" | "TRUNCATE"));
    names_it && (changes_rows || sql.contains("validate constraint"))
}

#[cfg(test)]
mod tests {
    use crate::lint::LintOptions;
    use crate::lint::tests::codes;

    #[test]
    fn a_column_is_filled_first() {
        let set = "ALTER TABLE users ALTER COLUMN role SET NOT NULL;";
        let cases = [
            (set.to_owned(), 1),
            (format!("UPDATE users SET role = 'user' WHERE role IS NULL; {set}"), 0),
            (format!("UPDATE others SET role = 'user'; {set}"), 1),
            (format!("CREATE TABLE users (role text); {set}"), 0),
            (format!("ALTER TABLE users VALIDATE CONSTRAINT role_there; {set}"), 0),
            ("ALTER TABLE users ALTER role DROP NOT NULL;".into(), 0),
        ];
        for (up, expected) in cases {
            let found = codes("", &format!("{up}\n-- +down\n-- nothing\n"), &LintOptions::default());
            assert_eq!(found.iter().filter(|it| it.contains("backfill")).count(), expected, "{up}");
        }
    }
}
