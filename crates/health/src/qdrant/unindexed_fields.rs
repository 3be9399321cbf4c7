//! Whether queries filter by payload fields without an index, as the server itself has noticed.

use super::asked::Asked;
use crate::fold::Item;
use crate::{Check, Finding};

pub(super) const CHECK: Check = Check {
    id: "unindexed_fields",
    looks_at: "payload fields without an index that the server saw filters on",
    limits: None,
};

pub(super) async fn check(asked: &Asked<'_>) -> Finding {
    let issues = match asked.server.issues().await {
        Ok(Some(issues)) => issues,
        Ok(None) => return asked.ok(&CHECK, "this server does not look for them"),
        Err(error) => return asked.unknown(&CHECK, &error),
    };
    let unindexed = issues.into_iter().filter(|issue| issue.id.starts_with("UNINDEXED_FIELD"));
    let items = unindexed.map(|issue| Item {
        value: 1.0,
        text: issue.description,
        remedy: format!(
            "declare it under payload_indexes, then dbops qdrant apply -t {}; the server forgets what it saw when it is \
             restarted",
            asked.target.name
        ),
    });
    asked.fold(
        &CHECK,
        items.collect(),
        ("filters are on fields without an index", "no filter is on a field without an index"),
    )
}
