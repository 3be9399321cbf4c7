//! Forms that leave a table usable: what looks at every row does so without a lock that readers or writers wait for.
//!
//! <https://www.postgresql.org/docs/18/sql-altertable.html#SQL-ALTERTABLE-NOTES>,
//! <https://www.postgresql.org/docs/18/sql-createindex.html#SQL-CREATEINDEX-CONCURRENTLY>

use crate::hazard::{Hazard, Statement};
use crate::{Action, Graph, Kind, Object, Step};

/// The steps to `to` in forms for tables in use. What stands on a table that comes with the same plan stays plain.
#[must_use]
pub fn online(steps: Vec<Step>, to: &Graph) -> Vec<Step> {
    steps.into_iter().map(|step| gently(step, to)).collect()
}

fn gently(mut step: Step, to: &Graph) -> Step {
    // A partitioned table's indexes cannot be built concurrently.
    let is_partitioned = |table: &Object| table.shape.starts_with('t');
    if step.object.owners().filter_map(|owner| to.get(&owner)).any(is_partitioned) {
        return step;
    }
    let object = to.get(&step.object);
    let statements = std::mem::take(&mut step.statements);
    let gentle = statements.into_iter().flat_map(|statement| match (step.object.kind, step.action, object) {
        _ if statement.lock.is_none() => vec![statement],
        (Kind::Index, Action::Create, _) => concurrently(statement, " INDEX "),
        (Kind::Index, Action::Drop, _) => concurrently(statement, "DROP INDEX "),
        (Kind::Constraint, Action::Create, Some(object)) => constraint(statement, object),
        (Kind::NotNull, Action::Create, Some(object)) => validated_later(statement, object),
        _ => vec![statement],
    });
    step.statements = gentle.collect();
    step
}

fn concurrently(statement: Statement, after: &str) -> Vec<Statement> {
    let is_index = statement.sql.starts_with("CREATE ") || statement.sql.starts_with("DROP ");
    if !is_index {
        return vec![statement];
    }
    let sql = statement.sql.replacen(after, &format!("{after}CONCURRENTLY "), 1);
    vec![Statement { sql, lock: Some("SHARE UPDATE EXCLUSIVE"), is_transactional: false, hazards: statement.hazards }]
}

fn constraint(statement: Statement, object: &Object) -> Vec<Statement> {
    let [kind, name, clause, target] = &object.parts[..] else { return vec![statement] };
    match kind.as_str() {
        "f" | "c" => validated_later(statement, object),
        "p" | "u" if !clause.contains("WITHOUT OVERLAPS") => {
            let (key, deferrable) = clause.split_once(" DEFERRABLE").map_or((clause.as_str(), ""), |(key, rest)| {
                (key, if rest.is_empty() { " DEFERRABLE" } else { " DEFERRABLE INITIALLY DEFERRED" })
            });
            let word = if kind == "p" { "PRIMARY KEY" } else { "UNIQUE" };
            let columns = key.trim_start_matches(word);
            // In CREATE INDEX it stands behind the columns.
            let nulls = columns.starts_with(" NULLS NOT DISTINCT");
            let columns = columns.trim_start_matches(" NULLS NOT DISTINCT").trim_start();
            let nulls = if nulls { " NULLS NOT DISTINCT" } else { "" };
            let table = target.split_once(' ').map_or(target.as_str(), |(_, table)| table);
            let build = Statement {
                sql: format!("CREATE UNIQUE INDEX CONCURRENTLY {name} ON {table} {columns}{nulls}"),
                lock: Some("SHARE UPDATE EXCLUSIVE"),
                is_transactional: false,
                hazards: statement.hazards,
            };
            let sql = format!("ALTER {target} ADD CONSTRAINT {name} {word} USING INDEX {name}{deferrable}");
            vec![build, Statement { sql, hazards: Vec::new(), ..statement }]
        }
        _ => vec![statement],
    }
}

/// NOT VALID first, which looks at no row, and then a look at all of them that nobody waits for.
fn validated_later(statement: Statement, object: &Object) -> Vec<Statement> {
    let [.., name, _, target] = &object.parts[..] else { return vec![statement] };
    let is_plain = statement.sql.contains(" ADD CONSTRAINT ")
        && !statement.sql.ends_with(" NOT VALID")
        && !statement.sql.ends_with(" NOT ENFORCED");
    if !is_plain {
        return vec![statement];
    }
    let may_fail = statement.hazards.iter().copied().filter(|hazard| *hazard != Hazard::Scans);
    let validate = Statement {
        sql: format!("ALTER {target} VALIDATE CONSTRAINT {name}"),
        lock: Some("SHARE UPDATE EXCLUSIVE"),
        is_transactional: true,
        hazards: [Hazard::Scans].into_iter().chain(may_fail).collect(),
    };
    let add = Statement { sql: format!("{} NOT VALID", statement.sql), hazards: Vec::new(), ..statement };
    vec![add, validate]
}
