//! The Support Bot's three databases, empty, on servers of their own, and a project with its configuration.

use std::path::Path;

use dbops_postgres::{DatabaseUrl, Throwaway, ThrowawayOptions, process};
use dbops_testbed::{Qdrant, installation, start_qdrant};

use crate::project::{Project, execute};

const USERS: &str = "INSERT INTO users (email, display_name)
    SELECT 'user' || n || '@example.org', 'User ' || n FROM generate_series(1, 300) AS n";
const CHUNKS: &str = "
    INSERT INTO documents (source, uri, content_hash)
        SELECT 'upload', 'file' || n, sha256(n::text::bytea) FROM generate_series(1, 20) AS n;
    INSERT INTO chunks (document_id, chunk_index, content, embedding, embedding_model, embedded_at)
        SELECT d.id, n, d.uri || ', part ' || n, v.embedding, 'test', now()
        FROM documents AS d, generate_series(0, 9) AS n, LATERAL (
            SELECT array_agg(sin(n * i + length(d.uri))::real ORDER BY i)::vector AS embedding
            FROM generate_series(1, 384) AS i
        ) AS v";

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
        // A throwaway server is careless otherwise, which `dbops health` tells.
        let settings = ["fsync=on", "full_page_writes=on"].map(String::from).to_vec();
        let options = ThrowawayOptions { tcp_password: Some("admin".into()), settings };
        let server = Throwaway::start(&installation(), &options).expect("PostgreSQL");
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

    /// The same at the newest revision, with 300 users, and 200 chunks with their points.
    pub(crate) fn filled() -> Self {
        let stack = Self::start();
        stack.project.ok(&["migrate"]);
        execute(&stack.url("bot_db"), USERS);
        execute(&stack.url("vector_db"), CHUNKS);
        stack.project.ok(&["qdrant", "sync"]);
        stack
    }

    /// A database of the PostgreSQL server, as its superuser.
    pub(crate) fn url(&self, database: &str) -> DatabaseUrl {
        self.server.url(database)
    }
}
