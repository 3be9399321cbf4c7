//! Steps as a script for psql, which does to a database what a run does. Pure: nothing is connected to.

use std::fmt::Write;

use dbops_postgres::quote_literal;

use crate::error::GraphError;
use crate::plan::Step;
use crate::run::{LockTimeout, Work, statement_timeout};
use crate::session::OWN_ROLE;
use crate::version_table::{CREATE, edit_sql};
use crate::{Direction, Error, Graph, RowEdit, Rows, RunOptions, plan};

/// The table is found along the search path, which is the role's own again when it is looked for.
const TABLE: &str = "alembic_version";

/// Plans from revisions to others, without a database: `START:END`, or END alone for an upgrade from the beginning.
///
/// # Errors
///
/// When an identifier names nothing or is ambiguous, or a downgrade has no start.
pub fn plan_offline(graph: &Graph, text: &str, direction: Direction) -> Result<(Rows, Vec<Step>), GraphError> {
    let (start, end) = match (text.split_once(':'), direction) {
        (Some((start, end)), _) if !end.contains(':') && !end.is_empty() => (start, end),
        (None, Direction::Up) => ("base", text),
        _ => return Err(GraphError::NotARange(text.to_owned())),
    };
    let start = if start.is_empty() { "base" } else { start };
    let ids: Vec<_> = graph.find(None, start)?.into_iter().map(|revision| revision.id.clone()).collect();
    let rows = Rows::new(graph, &ids)?.reduced(graph);
    let steps = match direction {
        Direction::Up => plan::upgrade(graph, &rows, end)?,
        Direction::Down => plan::downgrade(graph, &rows, end)?,
    };
    Ok((rows, steps))
}

/// The script for these steps. It stops at an edit of the version table that does not find its row.
///
/// # Errors
///
/// When a revision has no way down, or goes over a table in batches.
pub fn script(graph: &Graph, rows: &Rows, steps: &[Step], options: &RunOptions) -> Result<String, Error> {
    let all = steps.iter().map(|step| Work::new(graph, step)).collect::<Result<Vec<_>, _>>()?;
    if options.single_transaction {
        all.iter().try_for_each(Work::require_transaction)?;
    }
    let mut script = String::from("-- To be run with: psql -X -v ON_ERROR_STOP=1 -f FILE\n");
    if options.single_transaction {
        script.push_str("\nBEGIN;\n");
    }
    if rows.is_empty() {
        // Without IF NOT EXISTS: a table that is there may hold rows, and the script starts from none.
        let create = CREATE.replace("TABLE_NAME", TABLE);
        let _ = writeln!(script, "\n{create};");
    }
    for (index, work) in all.iter().enumerate() {
        if index > 0 {
            let reset = if options.single_transaction { "RESET ALL" } else { "DISCARD ALL" };
            let _ = write!(script, "\n{reset};\n");
        }
        render(&mut script, work, options)?;
    }
    if options.single_transaction {
        script.push_str("\nCOMMIT;\n");
    }
    Ok(script)
}

fn render(script: &mut String, work: &Work<'_>, options: &RunOptions) -> Result<(), Error> {
    let revision = work.revision;
    let is_alone = !revision.settings.transaction;
    let _ = writeln!(script, "\n-- {} {} {}", work.step.direction.as_str(), revision.id, revision.message);
    let begins = !is_alone && !options.single_transaction;
    if begins {
        script.push_str("BEGIN;\n");
    }
    let local = |setting: String| if is_alone { setting.replace("SET LOCAL", "SET") } else { setting };
    let timeout = local(statement_timeout(work, options));
    if let Some(timeout) = timeout.strip_prefix("; ") {
        let _ = writeln!(script, "{timeout};");
    }
    let mut lock_timeout = LockTimeout::new(revision, work.section, options);
    for statement in &work.section.statements {
        if statement.batch.is_some() {
            let (line, _) = revision.place(statement.start);
            let problem = "a batch block cannot be written as a script".into();
            return Err(Error::Batch { path: revision.path.clone(), line, problem });
        }
        let setting = local(lock_timeout.before(statement));
        if !setting.is_empty() {
            let _ = writeln!(script, "{setting};");
        }
        let _ = writeln!(script, "{};", revision.sql(statement));
    }
    if is_alone {
        script.push_str("BEGIN;\n");
    }
    let _ = writeln!(script, "{OWN_ROLE}; RESET search_path;");
    for edit in &work.step.edits {
        let _ = writeln!(script, "{}", guarded(edit));
    }
    if begins || is_alone {
        script.push_str("COMMIT;\n");
    }
    Ok(())
}

/// An edit that fails unless it finds its row.
fn guarded(edit: &RowEdit) -> String {
    let sql = edit_sql(TABLE, edit);
    if matches!(edit, RowEdit::Insert(_)) {
        return format!("{sql};");
    }
    let message = quote_literal(&format!("the version table has no row {}", edit.row().replace('%', "%%")));
    let mut tag = "$dbops$".to_owned();
    while sql.contains(&tag) {
        tag.insert(1, '_');
    }
    format!("DO {tag} BEGIN\n    {sql};\n    IF NOT FOUND THEN RAISE EXCEPTION {message}; END IF;\nEND {tag};")
}
