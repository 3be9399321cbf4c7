//! Whether a restored database holds the rows that were dumped.

use dbops_postgres::{DatabaseUrl, connect};

use crate::{Error, PostgresContents, fingerprint};

/// How the rows and large objects of a restored database differ from those that were dumped, a line for each table;
/// `None` where the backup has no fingerprints, or has them in a way that this program does not know.
///
/// It reads every row, in constant memory.
///
/// # Errors
///
/// When the database cannot be read.
pub(super) async fn differences(url: &DatabaseUrl, expected: &PostgresContents) -> Result<Option<Vec<String>>, Error> {
    let known = expected.fingerprints.as_ref().filter(|known| known.algorithm == fingerprint::ALGORITHM);
    let Some(dumped) = known else { return Ok(None) };
    let failed = || Error::sql("read", url.database());
    let client = connect(url).await?;
    let mut restored = Vec::new();
    for table in fingerprint::tables(&client).await.map_err(failed())? {
        restored.push(fingerprint::fingerprint(&client, &table).await.map_err(failed())?);
    }
    let mut lines = fingerprint::compare(&dumped.tables, &restored);
    if let Some(dumped) = &dumped.large_objects {
        let found = fingerprint::large_objects(&client).await.map_err(failed())?;
        // Where they could not be read when they were dumped, only their number is known.
        let is_same = dumped.fingerprint.is_none() || dumped.fingerprint == found.fingerprint;
        if dumped.count != found.count || !is_same {
            lines.push("the large objects are not those that were dumped".into());
        }
    }
    Ok(Some(lines))
}
