//! The way back from a swap: aliases lead again to the collection before the restored one.

use dbops_qdrant::{AliasMove, Server};

use super::QdrantError;
use super::restore::TIME_FORMAT;

/// Moves each alias that leads to a collection restored beside another back to the one before it, all in one moment. Gives
/// the alias, where it led, and where it leads now.
///
/// # Errors
///
/// [`QdrantError::NothingToUndo`] when there is none.
pub async fn undo_qdrant_swap(server: &Server) -> Result<Vec<(String, String, String)>, QdrantError> {
    let (names, aliases) = server.collections_and_aliases().await?;
    let back = aliases.into_iter().filter_map(|(alias, from)| {
        let to = before(&from, &names)?.to_owned();
        Some((alias, from, to))
    });
    let back: Vec<_> = back.collect();
    if back.is_empty() {
        return Err(QdrantError::NothingToUndo);
    }
    let moves = back.iter().map(|(alias, _, to)| AliasMove { alias: alias.clone(), is_there: true, to: to.clone() });
    server.move_aliases(&moves.collect::<Vec<_>>()).await?;
    Ok(back)
}

/// The collection whose place this one took: of those with its name and an earlier time the latest, else the one without a
/// time.
fn before<'a>(collection: &str, names: &'a [String]) -> Option<&'a str> {
    let base = without_time(collection)?;
    let earlier = names.iter().filter(|name| without_time(name) == Some(base));
    // The names differ in the time only, which sorts as text.
    let latest = earlier.filter(|name| name.as_str() < collection).max();
    latest.or_else(|| names.iter().find(|name| *name == base)).map(String::as_str)
}

/// The name that a collection was restored beside.
fn without_time(collection: &str) -> Option<&str> {
    let (base, time) = collection.rsplit_once('_')?;
    let is_time = jiff::civil::DateTime::strptime(TIME_FORMAT, time).is_ok();
    (is_time && !base.is_empty()).then_some(base)
}

#[cfg(test)]
mod tests {
    use super::before;

    #[test]
    fn the_collection_before_is_found_by_its_name() {
        let names = [
            "docs",
            "docs_20261125T010203Z",
            "docs_20261126T010203Z",
            "a_b",
            "a_b_20261126T010203Z",
            "x_20261126T010203Z",
        ];
        let names: Vec<String> = names.map(String::from).into();
        let cases = [
            ("docs_20261126T010203Z", Some("docs_20261125T010203Z")),
            ("docs_20261125T010203Z", Some("docs")),
            ("docs", None),
            ("a_b_20261126T010203Z", Some("a_b")),
            ("x_20261126T010203Z", None),
            ("_20261126T010203Z", None),
            ("docs_soon", None),
        ];
        for (collection, expected) in cases {
            assert_eq!(before(collection, &names), expected, "{collection}");
        }
    }
}
