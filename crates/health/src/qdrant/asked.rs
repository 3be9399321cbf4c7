//! What the checks of a server's collections have.

use dbops_qdrant::{CollectionStatus, Error, Server};

use super::QdrantTarget;
use crate::fold::{Item, fold};
use crate::{Check, Finding, Status};

pub(super) struct Asked<'a> {
    pub(super) target: &'a QdrantTarget<'a>,
    pub(super) server: &'a Server,
    pub(super) collections: &'a [CollectionStatus],
}

impl Asked<'_> {
    /// See [`fold`].
    pub(super) fn fold(&self, check: &Check, items: Vec<Item>, words: (&str, &str)) -> Finding {
        fold(check, self.target.name, self.target.selection, items, words)
    }

    pub(super) fn ok(&self, check: &Check, summary: impl Into<String>) -> Finding {
        Finding::new(check.id, self.target.name, Status::Ok, summary)
    }

    pub(super) fn unknown(&self, check: &Check, error: &Error) -> Finding {
        Finding {
            remedy: error.hint().or_else(|| Some("the server's log may say more".into())),
            ..Finding::new(check.id, self.target.name, Status::Unknown, error.to_string())
        }
    }
}
