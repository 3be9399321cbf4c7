//! Proving a snapshot: it is recovered into a collection of its own, compared, and removed.

use std::path::Path;

use dbops_qdrant::Server;
use jiff::Timestamp;

use super::{QdrantCollection, QdrantError};

/// What scratch collections are called, with the time behind it.
const PREFIX: &str = "dbops_verify_";

/// The scratch collections that are there: of killed verifications, or of ones that run.
///
/// # Errors
///
/// When the server cannot be asked.
pub async fn left_over_scratch(server: &Server) -> Result<Vec<String>, QdrantError> {
    let (names, _) = server.collections_and_aliases().await?;
    Ok(names.into_iter().filter(|name| name.starts_with(PREFIX)).collect())
}

/// Recovers the snapshot in `file` into a scratch collection of `server` and gives what differs from what was backed up.
/// The scratch collection is removed in every case.
///
/// # Errors
///
/// When the server fails, or refuses the snapshot.
pub async fn try_snapshot(
    server: &Server,
    expected: &QdrantCollection,
    file: &Path,
    on_bytes: impl Fn(u64) + Clone + Send + 'static,
) -> Result<Vec<String>, QdrantError> {
    let now = Timestamp::now();
    let scratch = format!("{PREFIX}{}_{:09}", now.strftime("%Y%m%dT%H%M%SZ"), now.subsec_nanosecond());
    let differences = async {
        server.upload_snapshot(&scratch, file, &expected.file(), on_bytes).await?;
        let found = server.facts_again(&scratch, &expected.facts).await?;
        Ok(found.map_or_else(|| vec!["it is not there".into()], |found| expected.facts.differences(&found)))
    };
    let differences = differences.await;
    super::restore::removed(server, &scratch, differences).await
}
