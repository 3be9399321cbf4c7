//! One of the stack's databases: a cluster with one database and the seed's account.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use dbops_postgres::{
    Cluster, ClusterError, ClusterState, ConnectErrorKind, DataFolder, DatabaseUrl, FETCHED_MAJOR, Installation,
    Listen, SqlError, check_port, connect, quote_identifier,
};

use super::state::State;
use super::{KILL_LIMIT, hinted, port_hint, with_hint};
use crate::progress::Progress;
use crate::workspace::places;

pub(super) const USER: &str = "postgres";
const PASSWORD: &str = "admin";

const CREATE_LIMIT: Duration = Duration::from_secs(20);
const PAUSE: Duration = Duration::from_millis(100);

pub(super) struct Database {
    pub(super) name: &'static str,
    usual_port: u16,
    /// The variable that the configuration reads its URL from.
    pub(super) variable: &'static str,
}

pub(super) const BOT_DB: Database = Database { name: "bot_db", usual_port: 5434, variable: "DATABASE_URL_SYNC" };

pub(super) const DATABASES: [Database; 2] =
    [BOT_DB, Database { name: "vector_db", usual_port: 5433, variable: "VECTOR_DATABASE_URL" }];

impl Database {
    pub(super) fn port(&self, state: &State) -> u16 {
        state.port(self.usual_port)
    }

    pub(super) fn url(&self, state: &State) -> String {
        format!("postgresql://{USER}:{PASSWORD}@localhost:{}/{}", self.port(state), self.name)
    }

    fn parsed_url(&self, state: &State) -> Result<DatabaseUrl> {
        Ok(DatabaseUrl::parse(&self.url(state), USER)?)
    }

    /// Refuses a port that something else has, and a server of the stack on another port, before anything is started.
    pub(super) fn check_port(&self, state: &State) -> Result<()> {
        let (folder, port) = (state.cluster(self.name), self.port(state));
        match (folder.state(), folder.port()) {
            (ClusterState::Running, Some(other)) if other != port => {
                bail!(super::runs_elsewhere(self.name, other, state))
            }
            (ClusterState::Running, _) => Ok(()),
            _ => check_port(port).map_err(hinted_for(state)),
        }
    }

    /// Creates what is missing, starts what does not run, and leaves alone what does.
    pub(super) async fn start(&self, state: &State, progress: &Progress) -> Result<()> {
        let folder = state.cluster(self.name);
        let port = self.port(state);
        let cluster =
            Cluster::new(installation(&folder, progress).await?, folder.clone()).map_err(hinted_for(state))?;
        if folder.state() == ClusterState::Absent {
            progress.step(&format!("creating {} with PostgreSQL {}", self.name, cluster.version()));
            cluster.initialize(USER, PASSWORD).await.map_err(hinted_for(state))?;
        }
        let verb = if folder.state() == ClusterState::Running { "connecting to" } else { "starting" };
        progress.step(&format!("{verb} {} on port {port}", self.name));
        cluster.start(&Listen { port, socket_folder: None }).await.map_err(hinted_for(state))?;
        self.create(state).await.with_context(|| format!("{} in {}", self.name, folder.path().display()))
    }

    /// Creates the database, unless it is there.
    async fn create(&self, state: &State) -> Result<()> {
        let url = self.parsed_url(state)?;
        let deadline = Instant::now() + CREATE_LIMIT;
        loop {
            match connect(&url).await {
                Ok(_) => return Ok(()),
                Err(error) if error.kind == ConnectErrorKind::NoDatabase => {}
                Err(error) => {
                    let hint = error.hint();
                    return Err(hinted(error, &hint));
                }
            }
            let maintenance = connect(&url.with_database("postgres")).await?;
            let sql = format!("CREATE DATABASE {}", quote_identifier(self.name));
            match maintenance.batch_execute(&sql).await.map_err(SqlError::from) {
                // A driver that was killed meanwhile had asked for it, and the server is still at it.
                Err(error) if error.is_duplicate() && Instant::now() < deadline => tokio::time::sleep(PAUSE).await,
                outcome => outcome.context(sql)?,
            }
        }
    }

    pub(super) async fn stop(&self, state: &State) -> Result<()> {
        state.cluster(self.name).stop().await.map_err(hinted_for(state))
    }

    pub(super) async fn describe(&self, state: &State) -> Result<String> {
        let (folder, url) = (state.cluster(self.name), self.parsed_url(state)?);
        let is_there = folder.path().is_dir();
        let deadline = Instant::now() + KILL_LIMIT;
        loop {
            let state = folder.state();
            match state {
                ClusterState::Stopped => return Ok("stopped".into()),
                ClusterState::Absent if !is_there => return Ok("not created".into()),
                ClusterState::Running | ClusterState::Absent => {}
            }
            match server_version(&url).await {
                Ok(version) => return Ok(format!("running, PostgreSQL {version}")),
                // One that is being killed is gone in a moment.
                Err(_) if state == ClusterState::Running && Instant::now() < deadline => {
                    tokio::time::sleep(PAUSE).await;
                }
                Err(error) if state == ClusterState::Running => return Ok(format!("does not answer ({error:#})")),
                // The folder lets nobody look into it but the server's account.
                Err(_) => return Ok("of another user, and does not answer".into()),
            }
        }
    }
}

async fn server_version(url: &DatabaseUrl) -> Result<String> {
    let row = connect(url).await?.query_one("SHOW server_version", &[]).await?;
    // Distributions add to it: `18.6 (Debian 18.6-1)`.
    let version: String = row.get(0);
    Ok(version.split_whitespace().next().unwrap_or_default().into())
}

/// The programs for a data folder: of the version that made it, else of the one that the stack is made with.
async fn installation(folder: &DataFolder, progress: &Progress) -> Result<Installation> {
    let major = folder.major().unwrap_or(FETCHED_MAJOR);
    let found = match Installation::find_server_of(&places(), major).await.map_err(with_hint)? {
        None if major == FETCHED_MAJOR => {
            progress.step(&format!("downloading PostgreSQL {major} with pgvector"));
            Some(Installation::fetch_server(&places()).await.map_err(with_hint)?)
        }
        found => found,
    };
    match found {
        Some(found) if folder.major().is_none_or(|major| major == found.version.major) => Ok(found),
        _ => bail!(
            "{} was made by PostgreSQL {major}, whose programs are not there\nhint: set DBOPS_PG_BIN to the bin folder \
             of PostgreSQL {major} with pgvector; `cargo xtask dev-reset` would delete the data",
            folder.path().display()
        ),
    }
}

fn hinted_for(state: &State) -> impl Fn(ClusterError) -> anyhow::Error {
    |error| {
        let hint = match &error {
            ClusterError::PortTaken { port } => port_hint(*port, state),
            ClusterError::Failed { data, .. } => {
                format!("the server's log is {}", DataFolder::new(data).log().display())
            }
            _ => error.hint(),
        };
        hinted(error, &hint)
    }
}
