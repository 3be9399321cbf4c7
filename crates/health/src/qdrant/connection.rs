//! Whether the server can be reached, and whether it lets dbops in.

use dbops_qdrant::Error;

use crate::{Check, Finding, Status};

pub(super) const CHECKS: [Check; 2] = [
    Check { id: REACHABLE, looks_at: "whether the server answers", limits: None },
    Check { id: AUTHENTICATION, looks_at: "whether it lets dbops in", limits: None },
];

pub(super) const REACHABLE: &str = "reachable";
pub(super) const AUTHENTICATION: &str = "authentication";

pub(super) fn reached(target: &str, version: &str) -> Finding {
    Finding::new(REACHABLE, target, Status::Ok, format!("Qdrant {version} answers"))
}

pub(super) fn let_in(target: &str, with_key: bool) -> Finding {
    let summary = if with_key { "the API key is accepted" } else { "no API key is needed" };
    Finding::new(AUTHENTICATION, target, Status::Ok, summary)
}

pub(super) fn failed(target: &str, id: &'static str, error: &Error) -> Finding {
    Finding { remedy: error.hint(), ..Finding::new(id, target, Status::Critical, error.to_string()) }
}

/// Whether it is about the key.
pub(super) fn is_refusal(error: &Error) -> bool {
    matches!(error, Error::Unauthorized { .. } | Error::Forbidden { .. })
}
