//! What has another name now: as the command line and the comments of a declared schema say it, and as people answer.

use dbops_postgres::{DatabaseUrl, SqlError, connect};
use dbops_schema_graph::{Graph, Rename, RenameError, Step, likely_renames};

use super::Context;
use super::scratch::Scratch;
use crate::declared::DeclaredRename;
use crate::failure::{Failure, Result};
use crate::ui::printable;

/// A schema with what has another name, and the steps for it.
pub(crate) struct Renamed {
    pub(crate) schema: Graph,
    pub(crate) there: Vec<Step>,
    pub(crate) back: Vec<Step>,
    /// What looks renamed, and nobody decided.
    pub(crate) undecided: Vec<Rename>,
}

impl Renamed {
    /// A schema in which nothing has another name.
    pub(crate) fn nothing(schema: &Graph) -> Self {
        Self { schema: schema.clone(), there: Vec::new(), back: Vec::new(), undecided: Vec::new() }
    }
}

/// Renames in a copy of `current` what `given` and `comments` say, and what is answered on a terminal.
pub(crate) async fn rename(
    context: &Context,
    scratch: &Scratch<'_>,
    (current, declared): (&Graph, &Graph),
    given: &[String],
    comments: &[DeclaredRename],
) -> Result<Renamed> {
    let mut renaming = Renaming::new(scratch, current);
    renaming.given(given).await?;
    renaming.declared(declared, comments).await?;
    renaming.ask(context, declared).await?;
    Ok(renaming.renamed)
}

/// Renames in a copy of `current` what `given` says, and nothing else.
pub(crate) async fn rename_given(scratch: &Scratch<'_>, current: &Graph, given: &[String]) -> Result<Renamed> {
    let mut renaming = Renaming::new(scratch, current);
    renaming.given(given).await?;
    Ok(renaming.renamed)
}

fn wrong(text: &str, error: &RenameError) -> Failure {
    Failure::usage(format!("--rename {text}: {error}")).with_hint(
        "write `users=accounts` for a table, `users.name=full_name` for a column, `mood.ok=fine` for a label of an enum",
    )
}

struct Renaming<'a> {
    scratch: &'a Scratch<'a>,
    current: &'a Graph,
    copy: Option<DatabaseUrl>,
    renamed: Renamed,
}

impl<'a> Renaming<'a> {
    fn new(scratch: &'a Scratch<'a>, current: &'a Graph) -> Self {
        Self { scratch, current, copy: None, renamed: Renamed::nothing(current) }
    }

    async fn given(&mut self, given: &[String]) -> Result<()> {
        for text in given {
            let rename = Rename::parse(text, &self.renamed.schema).map_err(|error| wrong(text, &error))?;
            self.carry_out(&rename).await?;
        }
        Ok(())
    }

    /// Has PostgreSQL itself rename: everything that speaks of the object then says the new name.
    async fn carry_out(&mut self, rename: &Rename) -> Result<()> {
        let url = match &self.copy {
            Some(url) => url.clone(),
            None => self.copy.insert(self.scratch.with_schema(self.current).await?).clone(),
        };
        let no_statement = || Failure::usage(format!("PostgreSQL has no statement that renames {}", rename.object));
        let there = rename.step(&self.renamed.schema).ok_or_else(no_statement)?;
        let client = connect(&url).await?;
        for statement in &there.statements {
            client.batch_execute(&statement.sql).await.map_err(SqlError::from)?;
        }
        self.renamed.schema = self.scratch.read(&url).await?;
        let back = rename.reversed().step(&self.renamed.schema).ok_or_else(no_statement)?;
        self.renamed.there.push(there);
        self.renamed.back.insert(0, back);
        Ok(())
    }

    /// Carries out what comments say, in an order that works. What was done long ago is passed over.
    async fn declared(&mut self, declared: &Graph, comments: &[DeclaredRename]) -> Result<()> {
        let mut left: Vec<_> = comments.iter().collect();
        while let Some((index, rename)) = next(&left, &self.renamed.schema, declared) {
            left.remove(index);
            self.carry_out(&rename).await?;
        }
        for comment in left {
            self.check_done(declared, comment, comments)?;
        }
        Ok(())
    }

    /// A comment that is not carried out is one that was, or a mistake.
    fn check_done(&self, declared: &Graph, comment: &DeclaredRename, comments: &[DeclaredRename]) -> Result<()> {
        let schema = &self.renamed.schema;
        let is_known = match Rename::parse(&comment.text, schema) {
            Ok(rename) => rename.reversed().is_somewhere_in(declared),
            Err(_) => [schema, declared].iter().any(|schema| speaks_of(comment, comments, schema)),
        };
        if is_known {
            return Ok(());
        }
        let DeclaredRename { place, text } = comment;
        Err(Failure::usage(format!("{place}: `dbops:rename {text}` is about nothing that is there or declared"))
            .with_hint("correct the names, or delete the comment: where a revision has it, it is done"))
    }

    /// Asks about what looks renamed; what is answered with no is not asked again.
    async fn ask(&mut self, context: &Context, declared: &Graph) -> Result<()> {
        let mut declined = Vec::new();
        loop {
            let likely = likely_renames(&self.renamed.schema, declared);
            let Some(rename) = likely.into_iter().find(|rename| !declined.contains(rename)) else { return Ok(()) };
            let (what, new) = (described(&rename), printable(&rename.new));
            match context.ui.ask(&format!("Is {what} called `{new}` now, and keeps what it holds?")).await? {
                Some(true) => self.carry_out(&rename).await?,
                Some(false) => declined.push(rename),
                None => {
                    self.renamed.undecided = likely_renames(&self.renamed.schema, declared);
                    return Ok(());
                }
            }
        }
    }
}

/// `column public.users.name`; a label with its enum.
pub(crate) fn described(rename: &Rename) -> String {
    printable(&match &rename.label {
        Some(label) => format!("`{label}` of {}", rename.object),
        None => rename.object.to_string(),
    })
}

/// The next comment to carry out: one about a part of a table before one about the table, which may speak of it by its
/// old name.
fn next(comments: &[&DeclaredRename], schema: &Graph, declared: &Graph) -> Option<(usize, Rename)> {
    let rename = |(index, comment): (usize, &&DeclaredRename)| {
        let rename = Rename::parse(&comment.text, schema).ok()?;
        let done = rename.reversed();
        let is_whole = rename.object.on_table.is_none() && rename.label.is_none();
        let is_wanted = !done.is_in(schema) && done.is_somewhere_in(declared);
        is_wanted.then_some((is_whole, index, rename))
    };
    let first = comments.iter().enumerate().filter_map(rename).min_by_key(|(is_whole, index, _)| (*is_whole, *index));
    first.map(|(_, index, rename)| (index, rename))
}

/// Whether the schema has either name of a comment, by the table's old name or its new one.
fn speaks_of(comment: &DeclaredRename, comments: &[DeclaredRename], schema: &Graph) -> bool {
    let Some((old, new)) = comment.text.split_once('=') else { return false };
    let before = old.rsplit_once('.').map(|(before, _)| format!("{before}.")).unwrap_or_default();
    let is_there = |name: &str| {
        !matches!(
            Rename::parse(&format!("{name}=other"), schema),
            Err(RenameError::Unknown(_) | RenameError::Malformed)
        )
    };
    let by_new_table = |name: &str| {
        let pairs = comments.iter().filter_map(|other| other.text.split_once('='));
        let mut names =
            pairs.filter_map(|(table, now)| Some(format!("{now}.{}", name.strip_prefix(table)?.strip_prefix('.')?)));
        names.any(|name| is_there(&name))
    };
    [old.to_owned(), format!("{before}{new}")].iter().any(|name| is_there(name) || by_new_table(name))
}
