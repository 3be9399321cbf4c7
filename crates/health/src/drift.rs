//! Whether a database, its revisions and its declared schema agree. The comparing takes a server of its own and some
//! seconds, so that it is done where somebody asks for it, and not here.

use crate::{Check, Finding, Selection, Status};

pub(crate) const CHECK: Check = Check {
    id: "drift",
    looks_at: "whether database, revisions and declared schema agree; only where `--check drift` asks for it",
    limits: None,
};

impl Selection {
    /// Whether somebody asked for the check that is not run otherwise.
    #[must_use]
    pub fn asks_for_drift(&self) -> bool {
        self.only.iter().any(|id| id == CHECK.id) && self.wants(CHECK.id)
    }
}

/// The finding about the verdict of `dbops schema drift`: its word in JSON, `None` where there is nothing to compare, or
/// why it is not known.
#[must_use]
pub fn check_drift(target: &str, selection: &Selection, verdict: Result<Option<&str>, String>) -> Vec<Finding> {
    let (status, summary) = match verdict {
        Ok(None) => (Status::Ok, "there are neither revisions nor a declared schema to compare with".to_owned()),
        Ok(Some("equal")) => (Status::Ok, "database, revisions and declared schema agree".into()),
        Ok(Some("declared")) => (Status::Warning, "no revision leads to the declared schema yet".into()),
        Ok(Some("live")) => (Status::Warning, "the database was changed by hand".into()),
        Ok(Some("revisions")) => {
            (Status::Warning, "the database has what is declared, and no revision leads there".into())
        }
        Ok(Some(_)) => (Status::Warning, "database, revisions and declared schema all differ".into()),
        Err(reason) => (Status::Unknown, reason),
    };
    let finding = Finding::new(CHECK.id, target, status, summary);
    let remedy = format!("dbops schema drift -t {target}");
    selection.apply(vec![if status == Status::Ok { finding } else { finding.remedy(remedy) }])
}
