//! Revisions that are run up and down before they are written, by the runner that will run them.

use dbops_migrate::{
    Direction, Error, Graph, NewFile, Revision, Rows, RunOptions, Session, parse_revision, plan as steps,
};
use dbops_postgres::DatabaseUrl;
use dbops_schema_graph::{Graph as Schema, plan};

use crate::commands::replay::session_options;
use crate::commands::scratch::Scratch;
use crate::failure::Failure;

/// Why revisions are not what they should be.
pub(super) enum Unproved {
    /// A new label of an enum is used before it is committed.
    NeedsCommit,
    Fails(Failure),
    /// They lead elsewhere, or nowhere; with their text.
    Differs(String, String),
}

impl<E: Into<Failure>> From<E> for Unproved {
    fn from(error: E) -> Self {
        Self::Fails(error.into())
    }
}

impl Unproved {
    pub(super) fn into_failure(self) -> Failure {
        let (what, text) = match self {
            Self::Fails(failure) => return failure,
            Self::NeedsCommit => ("it uses what it adds".to_owned(), String::new()),
            Self::Differs(what, text) => (what, format!("\n\n{text}")),
        };
        Failure::refused(format!("the plan could not be proved, and is not written: {what}{text}"))
            .with_hint("write this one by hand: `dbops migrate revision -m …`, with the SQL above as a beginning")
    }
}

/// A copy of the database as it is before the revisions.
pub(super) struct Proof<'a> {
    pub(super) scratch: &'a Scratch<'a>,
    pub(super) copy: &'a DatabaseUrl,
    pub(super) base: &'a [Revision],
    pub(super) current: &'a Schema,
    pub(super) declared: &'a Schema,
}

impl Proof<'_> {
    /// Runs the files up one after the other, and down again.
    pub(super) async fn run(&self, files: &[NewFile]) -> Result<(), Unproved> {
        let mut revisions = self.base.to_vec();
        for (number, file) in files.iter().enumerate() {
            let mut revision = parse_revision(&file.path, &file.text).map_err(Error::from)?;
            if self.base.is_empty() && number == 0 {
                revision.revises.clear();
                revision.depends_on.clear();
            }
            revisions.push(revision);
        }
        let graph = Graph::new(revisions).map_err(Error::from)?;
        let text = || files.iter().map(|file| file.text.as_str()).collect::<Vec<_>>().join("\n");
        for file in files {
            self.step(&graph, file, Direction::Up).await?;
        }
        self.arrived(self.declared, "it does not lead to the declared schema", &text).await?;
        for file in files.iter().rev() {
            self.step(&graph, file, Direction::Down).await?;
        }
        self.arrived(self.current, "its way down does not lead back", &text).await
    }

    async fn step(&self, graph: &Graph, file: &NewFile, direction: Direction) -> Result<(), Unproved> {
        let mut session = Session::open(self.copy, &session_options()).await?;
        let rows = Rows::new(graph, &session.rows().await?).map_err(Error::from)?;
        let step = steps::one(graph, &rows, &file.id, direction).map_err(Error::from)?;
        match session.run(graph, &[step], &RunOptions::default(), &mut |_| {}).await {
            // unsafe_new_enum_value_usage
            Err(Error::Statement(failed)) if failed.error.sqlstate.as_deref() == Some("55P04") => {
                Err(Unproved::NeedsCommit)
            }
            Err(Error::Statement(failed)) => {
                Err(Unproved::Differs(Error::Statement(failed).to_string(), file.text.clone()))
            }
            Err(error) => Err(error.into()),
            Ok(_) => Ok(()),
        }
    }

    async fn arrived(&self, wanted: &Schema, otherwise: &str, text: &impl Fn() -> String) -> Result<(), Unproved> {
        let rest = plan(&self.scratch.read(self.copy).await?, wanted);
        let objects: Vec<_> = rest.iter().map(|step| step.object.to_string()).collect();
        if objects.is_empty() {
            return Ok(());
        }
        Err(Unproved::Differs(format!("{otherwise}: {}", objects.join(", ")), text()))
    }
}
