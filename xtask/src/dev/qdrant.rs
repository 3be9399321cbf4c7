//! The stack's Qdrant.

use anyhow::Result;

use super::process::Process;
use super::state::State;
use crate::progress::Progress;
use crate::qdrant::{Program, version_at};

const HTTP_PORT: u16 = 6333;
const GRPC_PORT: u16 = 6334;

pub(super) struct Server {
    pub(super) process: Process,
    http_port: u16,
    grpc_port: u16,
}

impl Server {
    pub(super) fn new(state: &State) -> Self {
        let (http_port, grpc_port) = (state.port(HTTP_PORT), state.port(GRPC_PORT));
        let process = Process { name: "Qdrant", folder: state.qdrant(), port: http_port, other_port: Some(grpc_port) };
        Self { process, http_port, grpc_port }
    }

    pub(super) fn url(&self) -> String {
        format!("http://localhost:{}", self.http_port)
    }

    pub(super) fn grpc_port(&self) -> u16 {
        self.grpc_port
    }

    pub(super) async fn start(&self, state: &State, progress: &Progress) -> Result<()> {
        let server = Program::find().command(&self.process.data(), self.http_port, self.grpc_port);
        self.process.start(&server, async || version_at(self.http_port).await, state, progress).await
    }

    pub(super) async fn describe(&self) -> String {
        self.process.describe(async || version_at(self.http_port).await).await
    }
}
