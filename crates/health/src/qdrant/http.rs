//! Whether HTTP answers too. Everything else asks over gRPC; the files of snapshots pass over HTTP alone.

use super::asked::Asked;
use crate::{Check, Finding, Status};

pub(super) const CHECK: Check =
    Check { id: "http", looks_at: "whether HTTP answers too, which snapshots and backups need", limits: None };

pub(super) async fn check(asked: &Asked<'_>) -> Finding {
    match asked.server.memory().await {
        Ok(_) => asked.ok(&CHECK, "HTTP answers"),
        Err(error) => {
            let summary = format!("gRPC answers, and HTTP does not, so that no backup can be made: {error}");
            Finding::new(CHECK.id, asked.target.name, Status::Warning, summary).remedy(
                error.hint().unwrap_or_else(|| "correct the port of `url`; the server's log may say more".into()),
            )
        }
    }
}
