//! `migrate revision --autogenerate`: from where the revisions lead to what is declared, proved before it is written.

use clap::Args;
use dbops_migrate::{
    Direction, Error, Graph, NewFile, NewRevision, NewSections, Revision, Rows, RunOptions, Session, new_file,
    parse_revision, plan as steps,
};
use dbops_postgres::DatabaseUrl;
use dbops_schema_graph::{Graph as Schema, Hazard, Rename, Step, online, plan};

use crate::commands::Context;
use crate::commands::renames::{described, rename};
use crate::commands::replay::{recreate, replay, schema_of, session_options};
use crate::commands::schema::{makes_functions, remarks};
use crate::commands::scratch::Scratch;
use crate::config::PostgresTarget;
use crate::declared;
use crate::failure::{Failure, Result};

#[derive(Args)]
pub(super) struct AutogenerateArgs {
    /// Write the SQL from where the revisions lead to the declared schema, in both directions
    ///
    /// No database is connected to: revisions and declaration are run on a server that is started for it. What is
    /// written was run up and down there, and led where it should.
    #[arg(long = "autogenerate")]
    pub(super) is_wanted: bool,
    /// Start from what the target has instead of from the revisions
    #[arg(long, value_name = "live", value_parser = ["live"], requires = "is_wanted")]
    against: Option<String>,
    /// What has a new name and keeps what it holds: a table `users=accounts`, a column `users.name=full_name`, a label
    /// of an enum `mood.ok=fine`; repeatable
    #[arg(long = "rename", value_name = "OLD=NEW", requires = "is_wanted")]
    renames: Vec<String>,
    /// Also write what loses rows or values
    #[arg(long, requires = "is_wanted")]
    allow_data_loss: bool,
    /// The plain forms, which hold their locks while they look at every row
    #[arg(long, requires = "is_wanted")]
    simple: bool,
}

/// The file of the revision; nothing when there is nothing to do.
pub(super) async fn file(
    context: &Context,
    (name, target): (&str, &PostgresTarget),
    graph: &Graph,
    mut new: NewRevision,
    args: &AutogenerateArgs,
) -> Result<Option<NewFile>> {
    let Some(schema) = &target.schema else {
        return Err(Failure::usage(format!("target `{name}` declares no schema"))
            .with_hint("name the file of its DDL in the configuration: `schema: schema.sql`"));
    };
    let files = declared::read(schema, &context.environment).await?;
    let comments = declared::renames(&files)?;
    let scratch = Scratch::new(context, None);
    let spinner = context.ui.spinner("comparing the revisions with the declared schema");
    let declared = scratch.load(&files).await?;
    let copy = scratch.database().await?;
    // The revisions that made the copy: none where it comes from the live database.
    let base = if args.against.is_some() {
        recreate(&copy, &schema_of(&target.url).await?).await?;
        &[][..]
    } else {
        for revision in new.revises.iter().chain(&new.depends_on) {
            replay(&copy, graph, revision).await?;
        }
        graph.revisions()
    };
    let current = schema_of(&copy).await?;
    spinner.finish_and_clear();
    let renamed = rename(context, &scratch, (&current, &declared), &args.renames, &comments).await?;
    let spinner = context.ui.spinner("proving the way there and back");

    let up = plan(&renamed.schema, &declared);
    if up.is_empty() && renamed.there.is_empty() {
        return Ok(None);
    }
    if !args.allow_data_loss {
        refuse_loss(&up, &renamed.undecided)?;
    }
    for label in renamed.undecided.iter().filter(|rename| rename.label.is_some()) {
        context.ui.warn(format!("{} goes; if it has another name now, add `--rename {label}`", described(label)));
    }
    let up = if args.simple { up } else { online(up, &declared) };
    let down = plan(&declared, &renamed.schema);
    let mut sections = NewSections {
        up: text(&renamed.there, &up, &[]),
        down: text(&[], &down, &renamed.back),
        transaction: up.iter().flat_map(|step| &step.statements).all(|statement| statement.is_transactional),
    };
    let proof = Proof { copy: &copy, base, current: &current, declared: &declared };
    loop {
        new.sections = Some(sections.clone());
        let file = new_file(&target.versions, &new)?;
        new.id = Some(file.id.clone());
        match proof.run(&file).await {
            Ok(()) => {
                spinner.finish_and_clear();
                return Ok(Some(file));
            }
            // A new label of an enum cannot be used before it is committed.
            Err(Unproved::NeedsCommit) if sections.transaction => sections.transaction = false,
            Err(Unproved::NeedsCommit) => return Err(not_proved("it uses what it adds", &file)),
            Err(Unproved::Fails(failure)) => return Err(failure),
            Err(Unproved::Differs(what)) => return Err(not_proved(&what, &file)),
        }
    }
}

fn not_proved(what: &str, file: &NewFile) -> Failure {
    Failure::refused(format!("the plan could not be proved, and is not written: {what}\n\n{}", file.text))
        .with_hint("write this one by hand: `dbops migrate revision -m …`, with the SQL above as a beginning")
}

fn refuse_loss(up: &[Step], undecided: &[Rename]) -> Result<()> {
    let losses: Vec<_> = up
        .iter()
        .filter_map(|step| {
            let mut hazards = step.statements.iter().flat_map(|statement| &statement.hazards);
            let loss = hazards.find(|hazard| matches!(hazard, Hazard::LosesData(_)))?;
            Some(format!("  {}: {loss}", step.object))
        })
        .collect();
    if losses.is_empty() {
        return Ok(());
    }
    let likely: Vec<_> = undecided.iter().map(|rename| format!("`--rename {rename}`")).collect();
    let rename = if likely.is_empty() { "`--rename OLD=NEW`".to_owned() } else { likely.join(" ") };
    let hint = format!("if it has another name now, say so: {rename}; if it is to go, add `--allow-data-loss`");
    Err(Failure::refused(format!("this would lose data\n{}", losses.join("\n"))).with_hint(hint))
}

/// A section of the file: the statements with what there is to know of them.
fn text(first: &[String], steps: &[Step], last: &[String]) -> String {
    let mut text = String::new();
    if makes_functions(steps) {
        text.push_str("-- A body may speak of what comes later.\nSET check_function_bodies = off;\n\n");
    }
    let renames = |list: &[String]| list.iter().map(|sql| format!("{sql};\n\n")).collect::<String>();
    text.push_str(&renames(first));
    for statement in steps.iter().flat_map(|step| &step.statements) {
        text.push_str(&format!("{}{};\n\n", remarks(statement), statement.sql));
    }
    text.push_str(&renames(last));
    let text = text.trim_end();
    if text.is_empty() { "-- nothing to undo".into() } else { text.to_owned() }
}

/// Why a revision is not what it should be.
enum Unproved {
    NeedsCommit,
    Fails(Failure),
    Differs(String),
}

impl<E: Into<Failure>> From<E> for Unproved {
    fn from(error: E) -> Self {
        Self::Fails(error.into())
    }
}

/// A copy of the database as it is before the revision.
struct Proof<'a> {
    copy: &'a DatabaseUrl,
    base: &'a [Revision],
    current: &'a Schema,
    declared: &'a Schema,
}

impl Proof<'_> {
    /// Runs the file up and down, by the runner that will run it.
    async fn run(&self, file: &NewFile) -> std::result::Result<(), Unproved> {
        let mut revision = parse_revision(&file.path, &file.text).map_err(Error::from)?;
        if self.base.is_empty() {
            revision.revises.clear();
            revision.depends_on.clear();
        }
        let graph = Graph::new(self.base.iter().cloned().chain([revision]).collect()).map_err(Error::from)?;
        self.step(&graph, file, Direction::Up, self.declared, "it does not lead to the declared schema").await?;
        self.step(&graph, file, Direction::Down, self.current, "its way down does not lead back").await
    }

    async fn step(
        &self,
        graph: &Graph,
        file: &NewFile,
        direction: Direction,
        wanted: &Schema,
        otherwise: &str,
    ) -> std::result::Result<(), Unproved> {
        let mut session = Session::open(self.copy, &session_options()).await?;
        let rows = Rows::new(graph, &session.rows().await?).map_err(Error::from)?;
        let step = steps::one(graph, &rows, &file.id, direction).map_err(Error::from)?;
        match session.run(graph, &[step], &RunOptions::default(), &mut |_| {}).await {
            // unsafe_new_enum_value_usage
            Err(Error::Statement(failed)) if failed.error.sqlstate.as_deref() == Some("55P04") => {
                return Err(Unproved::NeedsCommit);
            }
            Err(Error::Statement(failed)) => return Err(Unproved::Differs(Error::Statement(failed).to_string())),
            Err(error) => return Err(error.into()),
            Ok(_) => {}
        }
        drop(session);
        let rest = plan(&schema_of(self.copy).await?, wanted);
        let objects: Vec<_> = rest.iter().map(|step| step.object.to_string()).collect();
        if objects.is_empty() { Ok(()) } else { Err(Unproved::Differs(format!("{otherwise}: {}", objects.join(", ")))) }
    }
}
