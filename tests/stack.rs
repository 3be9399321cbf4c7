//! The Support Bot's three databases, empty, on servers of their own, and a project with its configuration.

use std::path::Path;

use dbops_postgres::{DatabaseUrl, Installation, Throwaway, ThrowawayOptions, process};
use dbops_testbed::{Qdrant, installation, start_qdrant};

use crate::project::{Project, execute};

pub(crate) struct Stack {
    pub(crate) project: Project,
    pub(crate) qdrant: Qdrant,
    server: Throwaway,
}

/// The workspace.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).expect("the workspace")
}

impl Stack {
    pub(crate) fn start() -> Self {
        Self::start_with(&installation())
    }

    /// With a PostgreSQL of one's own choice.
    pub(crate) fn start_with(installation: &Installation) -> Self {
        // A throwaway server is careless otherwise, which `dbops health` tells.
        let settings = ["fsync=on", "full_page_writes=on"].map(String::from).to_vec();
        let options = ThrowawayOptions { tcp_password: Some("admin".into()), settings };
        let server = Throwaway::start(installation, &options).expect("PostgreSQL");
        let qdrant = start_qdrant();
        // As the configuration's defaults have it.
        let local = |url: &str| url.replace("127.0.0.1", "localhost");
        let project = Project::empty()
            .env("DATABASE_URL_SYNC", &local(&server.url("bot_db").reveal()))
            .env("VECTOR_DATABASE_URL", &local(&server.url("vector_db").reveal()))
            .env("QDRANT_URL", &local(&qdrant.url))
            .env("QDRANT_GRPC_PORT", &qdrant.grpc_port.to_string());
        for name in ["bot_db", "vector_db"] {
            execute(&server.url("postgres"), &format!("CREATE DATABASE {name}"));
        }
        let copied = process::command("cp").arg("-r").arg(root().join("config")).arg(project.path("config")).status();
        assert!(copied.expect("cp").success());
        // This machine's disk may well be full.
        let config = std::fs::read_to_string(project.path("config/dbops.yaml")).expect("the configuration");
        project.write("config/dbops.yaml", &format!("{config}\nhealth: {{ skip: [disk_space] }}\n"));
        Self { project, qdrant, server }
    }

    /// A database of the PostgreSQL server, as its superuser.
    pub(crate) fn url(&self, database: &str) -> DatabaseUrl {
        self.server.url(database)
    }
}
