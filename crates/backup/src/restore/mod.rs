//! Restoring one archive: a plan that has refused all it can, then pg_restore or, for a script, its statements, then a
//! look at what came out.

mod compare;
mod destination;
mod draft;
mod from_script;
mod loaded;
mod memory;
mod pg_restore;
mod place;
mod roles;
mod schema;
mod settings;
mod swap;
mod toc;

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use dbops_postgres::tokio_postgres::Client;
use dbops_postgres::{ClientPrograms, DatabaseUrl, SqlError, Version, connect, quote_identifier};

use self::compare::differences;
pub use self::destination::{Destination, State};
use self::draft::{Draft, drop_sql};
pub use self::roles::create_roles;
pub use self::swap::{Undone, undo_swap};
pub use self::toc::TableName;
use self::toc::{Choice, Entry, choose};
use crate::database::{revision, version_table};
use crate::facts::count_tables;
use crate::script::ScriptError;
use crate::{Archive, Error, Event, PostgresContents, Programs, script};

/// What happens to a database or a collection that holds something.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Existing {
    /// It is not touched: the restore is refused.
    #[default]
    Refuse,
    /// It stays as it is; a new one is restored beside it, and takes its place.
    Swap,
    /// It is replaced, once what replaces it is whole.
    Overwrite,
}

/// Who owns what is restored.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Owners {
    /// Those who owned it when it was dumped.
    #[default]
    Keep,
    /// The user who restores.
    Drop,
    /// This role, all of it.
    Everything(String),
}

/// What of a restored database is compared with what was dumped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// The revision alone.
    Revision,
    /// The rows too.
    Rows,
    /// The rows and the schema, for which all has to be restored as it was.
    RowsAndSchema,
}

/// How to restore.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RestoreOptions {
    /// What happens to a database that holds something.
    pub existing: Existing,
    /// How many sessions load rows and build indexes at a time.
    pub jobs: u32,
    /// Who owns what is restored.
    pub owners: Owners,
    /// Whether what was granted is granted again.
    pub with_privileges: bool,
    /// Whether roles are created that the server does not have.
    pub create_roles: bool,
    /// Only these tables, with all that belongs to them; everything when there is none.
    pub tables: Vec<TableName>,
    /// Whether sessions in the database whose place is taken are ended.
    pub disconnect: bool,
    /// What of the result is compared with what was dumped.
    pub comparison: Comparison,
}

impl Default for RestoreOptions {
    fn default() -> Self {
        Self {
            existing: Existing::default(),
            jobs: 2,
            owners: Owners::default(),
            with_privileges: true,
            create_roles: false,
            tables: Vec::new(),
            disconnect: false,
            comparison: Comparison::Rows,
        }
    }
}

/// An archive, the place for it, and the programs that do it.
#[derive(Debug, Clone)]
pub struct RestorePlan {
    /// What to restore.
    pub archive: Archive,
    /// Where to.
    pub destination: Destination,
    /// Roles that are created first.
    pub missing_roles: Vec<String>,
    /// What belongs to a chosen table and is left out, for it needs a table that is not chosen.
    pub left_out: Vec<String>,
    options: RestoreOptions,
    entries: Vec<Entry>,
    /// Where pg_restore is, for an archive.
    place: Option<ClientPrograms>,
}

/// What was restored.
#[derive(Debug, Clone)]
pub struct Restored {
    /// The database.
    pub database: String,
    /// What was there before.
    pub state: State,
    /// Under which name the database stays whose place was taken.
    pub kept: Option<String>,
    /// How many tables it has.
    pub tables: u64,
    /// The revisions that it is at.
    pub revision: Vec<String>,
    /// How the rows differ from those that were dumped; `None` where that is not known.
    pub differences: Option<Vec<String>>,
    /// How the schema differs from the one that was dumped; `None` where that is not known.
    pub schema_differences: Option<Vec<String>>,
    /// What could not be set for the database.
    pub refused_settings: Vec<String>,
    /// How long it took.
    pub duration: Duration,
}

/// By whom a database is filled.
#[derive(Debug, Clone, Copy)]
enum Sessions {
    /// One session, all of it in one transaction.
    Transaction,
    /// So many at a time.
    Several(u32),
}

/// What came out of an archive.
struct Filled {
    tables: u64,
    revision: Vec<String>,
    differences: Option<Vec<String>>,
    schema_differences: Option<Vec<String>>,
}

/// Finds the pg_restore for an archive and a server, and whether it can be restored as it is wanted; nothing is changed
/// yet.
///
/// # Errors
///
/// When there is no program that is new enough for both, roles are missing, a table is not there, or somebody is connected
/// to the database whose place is to be taken.
pub async fn plan_restore(
    archive: Archive,
    destination: Destination,
    options: RestoreOptions,
    programs: &Programs,
) -> Result<RestorePlan, Error> {
    let Looked { place, choice, owners } = look_into(&archive, &destination, &options, programs).await?;
    let Choice { entries, left_out } = choice;
    let client = connect(&destination.maintenance).await?;
    let missing_roles = missing_roles(&client, &archive, (&entries, owners), &options, &destination).await?;
    if destination.state == State::Live && !options.disconnect {
        let database = destination.url.database();
        let sessions = swap::sessions(&client, database).await.map_err(Error::sql("read", database))?;
        if !sessions.is_empty() {
            return Err(Error::InUse { database: database.into(), sessions });
        }
    }
    Ok(RestorePlan { archive, destination, missing_roles, left_out, options, entries, place })
}

/// What an archive or a script is found to hold.
struct Looked {
    place: Option<ClientPrograms>,
    choice: Choice,
    /// The owners that a script names.
    owners: BTreeSet<String>,
}

async fn look_into(
    archive: &Archive,
    destination: &Destination,
    options: &RestoreOptions,
    programs: &Programs,
) -> Result<Looked, Error> {
    let Some(header) = &archive.header else {
        if !options.tables.is_empty() {
            return Err(ScriptError::Tables(archive.origin.clone()).into());
        }
        let owners = script::scan(archive.path(), &archive.origin).await?.owners;
        let choice = Choice { entries: Vec::new(), left_out: Vec::new() };
        return Ok(Looked { place: None, choice, owners });
    };
    archive.check_whole().await?;
    let newest = header.pg_dump.major.max(destination.server.major);
    let needed = Version { major: newest, minor: 0 };
    let place = place::find(programs, archive, destination, needed).await?;
    let listed = pg_restore::list(programs, &place, archive, destination.url.database()).await?;
    let chosen = choose(toc::parse(&listed), &options.tables);
    let choice = chosen.map_err(|table| Error::NoTable { table, archive: archive.origin.clone() })?;
    Ok(Looked { place: Some(place), choice, owners: BTreeSet::new() })
}

async fn missing_roles(
    client: &Client,
    archive: &Archive,
    (entries, owners): (&[Entry], BTreeSet<String>),
    options: &RestoreOptions,
    destination: &Destination,
) -> Result<Vec<String>, Error> {
    let failed = || Error::sql("read", destination.maintenance.database());
    let there = roles::there(client).await.map_err(failed())?;
    let facts = archive.expected.as_ref().map(|expected| &expected.facts);
    let mut needed = roles::needed(entries, facts, &there, options);
    if options.owners == Owners::Keep {
        needed.owners.extend(owners);
    }
    let is_missing = |role: &&String| !there.contains(role);
    let missing: Vec<_> = needed.owners.union(&needed.others).filter(is_missing).cloned().collect();
    if let Owners::Everything(role) = &options.owners {
        // One that is asked for by name is there, or misspelt.
        if missing.contains(role) {
            return Err(Error::NoRole { role: role.clone(), server: destination.url.server() });
        }
    }
    if !missing.is_empty() && !options.create_roles {
        let owns = missing.iter().any(|role| needed.owners.contains(role));
        let has_privileges = missing.iter().any(|role| needed.others.contains(role));
        return Err(Error::MissingRoles { roles: missing, server: destination.url.server(), owns, has_privileges });
    }
    let out_of_reach = roles::out_of_reach(client, &needed.owners).await.map_err(failed())?;
    if !out_of_reach.is_empty() {
        return Err(Error::OutOfReach { user: destination.url.user().into(), roles: out_of_reach });
    }
    Ok(missing)
}

/// Carries the plan out. A failure or an interruption leaves the databases of the server as they were.
///
/// A new database is made under a temporary name, by several sessions, and gets its own name when it is whole; one whose
/// place it takes gives its name away in the same moment. One that is there and empty is filled in a single transaction,
/// which only one session can do, so that it stays empty when that fails.
///
/// # Errors
///
/// When pg_restore or a statement of a script fails, or the database is not at the revision that the manifest says.
pub async fn restore(
    plan: &RestorePlan,
    programs: &Programs,
    on_event: &mut dyn FnMut(Event<'_>),
) -> Result<Restored, Error> {
    let started = Instant::now();
    let RestorePlan { archive, destination, options, .. } = plan;
    on_event(Event::Restoring { database: destination.url.database() });
    let needed = plan.missing_roles.iter().map(String::as_str);
    create_roles(&destination.maintenance, needed, archive.roles.as_deref()).await?;
    let (filled, kept, refused_settings) = match destination.state {
        State::Empty => {
            let client = connect(&destination.url).await?;
            let name = destination.url.database();
            let memory = memory::for_each_of(&client, 1).await.map_err(Error::sql("read", name))?;
            let url = destination.url.with_settings(&[("maintenance_work_mem", &memory)]);
            let filled = fill(plan, &url, programs, Sessions::Transaction, on_event).await?;
            (filled, None, set_up(&client, plan, name).await)
        }
        State::Missing | State::Live => {
            let locale = archive.expected.as_ref().map(|expected| &expected.facts.locale);
            let owner = match &options.owners {
                Owners::Everything(role) => Some(role.as_str()),
                Owners::Keep | Owners::Drop => None,
            };
            let mut draft = Draft::create(&destination.maintenance, locale, owner).await?;
            match fill_and_publish(plan, &mut draft, programs, on_event).await {
                Ok(done) => done,
                Err(error @ Error::NotSwapped { .. }) => return Err(keep_beside(plan, draft, error).await),
                Err(error) => return Err(draft.discard(error).await),
            }
        }
    };
    let Filled { tables, revision, differences, schema_differences } = filled;
    Ok(Restored {
        database: destination.url.database().to_owned(),
        state: destination.state,
        kept,
        tables,
        revision,
        differences,
        schema_differences,
        refused_settings,
        duration: started.elapsed(),
    })
}

/// What came out, under which name the one stays whose place it took, and what could not be set.
type Published = (Filled, Option<String>, Vec<String>);

async fn fill_and_publish(
    plan: &RestorePlan,
    draft: &mut Draft,
    programs: &Programs,
    on_event: &mut dyn FnMut(Event<'_>),
) -> Result<Published, Error> {
    let RestorePlan { archive, destination, options, .. } = plan;
    let name = destination.url.database();
    let url = draft.url();
    if let Some(expected) = archive.expected.as_ref().filter(|expected| expected.is_of_tables()) {
        let client = connect(&url).await?;
        prepare_for_part(&client, expected, name).await?;
    }
    let jobs = if archive.is_for_one_session() || plan.is_inside() { 1 } else { options.jobs.max(1) };
    let client = connect(&destination.maintenance).await?;
    let memory = memory::for_each_of(&client, jobs).await.map_err(Error::sql("read", name))?;
    // Nothing waits for the disk at each commit: the rename at the end does, for all that is before it in the log.
    let settings = [("maintenance_work_mem", memory.as_str()), ("synchronous_commit", "off")];
    let filled = fill(plan, &url.with_settings(&settings), programs, Sessions::Several(jobs), on_event).await?;
    if destination.state != State::Live {
        let refused = set_up(&client, plan, url.database()).await;
        draft.publish(name).await?;
        return Ok((filled, None, refused));
    }
    if let Some(differences) = filled.differences.as_ref().filter(|found| !found.is_empty()) {
        return Err(Error::Different { database: name.into(), differences: differences.clone() });
    }
    settings::take_place(&client, name, url.database()).await?;
    let of_live = settings::read(&destination.url).await?;
    let refused = settings::apply(&client, &of_live, url.database()).await;
    let kept = swap::free_name(&client, name).await.map_err(Error::sql("read", name))?;
    swap::exchange(&destination.maintenance, (name, &kept, url.database()), options.disconnect).await?;
    draft.is_published();
    if options.existing == Existing::Overwrite {
        client.batch_execute(&drop_sql(&kept)).await.map_err(Error::sql("drop", &kept))?;
        return Ok((filled, None, refused));
    }
    Ok((filled, Some(kept), refused))
}

/// What is whole and could not take the place of the live one is not thrown away: it stays where `undo_swap` finds it.
async fn keep_beside(plan: &RestorePlan, mut draft: Draft, cause: Error) -> Error {
    let name = plan.destination.url.database();
    let published = async {
        let client = connect(&plan.destination.maintenance).await?;
        let beside = swap::free_name(&client, name).await.map_err(Error::sql("read", name))?;
        draft.publish(&beside).await?;
        Ok::<_, Error>(beside)
    };
    match published.await {
        Ok(beside) => Error::Beside { database: name.into(), beside, source: Box::new(cause) },
        Err(_) => draft.discard(cause).await,
    }
}

/// Sets for a new database what was set for the one that was dumped.
async fn set_up(client: &Client, plan: &RestorePlan, database: &str) -> Vec<String> {
    match plan.archive.expected.as_ref().filter(|_| plan.options.tables.is_empty()) {
        Some(expected) => settings::apply(client, &expected.facts.settings, database).await,
        None => Vec::new(),
    }
}

/// A dump of single tables holds neither the schemas that they are in nor the extensions whose types they have.
async fn prepare_for_part(client: &Client, expected: &PostgresContents, database: &str) -> Result<(), Error> {
    let tables = expected.fingerprints.iter().flat_map(|fingerprints| &fingerprints.tables);
    let schemas = tables.map(|table| format!("CREATE SCHEMA IF NOT EXISTS {}", quote_identifier(&table.schema)));
    let names = expected.facts.extensions.keys();
    let extensions = names.map(|name| format!("CREATE EXTENSION IF NOT EXISTS {}", quote_identifier(name)));
    for statement in schemas.chain(extensions) {
        client.batch_execute(&statement).await.map_err(Error::sql("prepare", database))?;
    }
    Ok(())
}

/// Restores into an empty database.
async fn fill(
    plan: &RestorePlan,
    url: &DatabaseUrl,
    programs: &Programs,
    sessions: Sessions,
    on_event: &mut dyn FnMut(Event<'_>),
) -> Result<Filled, Error> {
    match &plan.place {
        Some(place) => {
            let what = format!("pg_restore {place}");
            on_event(Event::Using { target: plan.destination.url.database(), what: &what });
            on_event(pg_restore::work(plan));
            pg_restore::run(plan, place, url, programs, sessions, on_event).await?;
        }
        None => from_script::run(plan, url).await?,
    }
    let name = plan.destination.url.database();
    on_event(Event::Analyzing { database: name });
    let client = connect(url).await?;
    client.batch_execute("ANALYZE").await.map_err(Error::sql("analyze", name))?;

    let expected = plan.archive.expected.as_ref();
    let table = expected.and_then(|expected| expected.facts.version_table.as_deref()).unwrap_or("alembic_version");
    let look = async {
        let revision = match version_table(&client, table).await? {
            Some(table) => revision(&client, &table).await?,
            None => Vec::new(),
        };
        Ok::<_, SqlError>((count_tables(&client).await?, revision))
    };
    let (tables, revision) = look.await.map_err(Error::sql("read", name))?;
    let comparison = plan.options.comparison;
    let differences = match expected.filter(|_| comparison != Comparison::Revision) {
        Some(expected) => {
            on_event(Event::Comparing { database: name });
            differences(url, &plan.of_chosen_tables(expected)).await?
        }
        None => None,
    };
    let schema_differences = match expected.filter(|_| comparison == Comparison::RowsAndSchema) {
        Some(expected) => schema::differences(plan, expected, url, programs).await?,
        None => None,
    };
    match expected {
        // Of a part, the version table may have been left out.
        Some(expected)
            if expected.is_whole && plan.options.tables.is_empty() && expected.facts.revision != revision =>
        {
            Err(Error::Revision { database: name.into(), found: revision, expected: expected.facts.revision.clone() })
        }
        _ => Ok(Filled { tables, revision, differences, schema_differences }),
    }
}

impl RestorePlan {
    /// Whether pg_restore runs in the server's container. There it has one session: the others would be processes that a
    /// pg_restore which is ended leaves to the container's first one, which is PostgreSQL.
    fn is_inside(&self) -> bool {
        matches!(self.place, Some(ClientPrograms::Container(_)))
    }

    /// What the manifest says about what is restored.
    fn of_chosen_tables(&self, expected: &PostgresContents) -> PostgresContents {
        let mut expected = expected.clone();
        if let Some(fingerprints) = expected.fingerprints.as_mut().filter(|_| !self.options.tables.is_empty()) {
            let is_chosen = |schema: &str, name: &str| self.entries.iter().any(|entry| entry.is_rows_of(schema, name));
            fingerprints.tables.retain(|table| is_chosen(&table.schema, &table.name));
            fingerprints.large_objects = None;
        }
        expected
    }
}
