//! Whether the schema of a database is what it should be. What dbops left can be compared in an instant, and is each time.
//! Comparing database, revisions and declared schema takes a server of its own and some seconds, so that it is done
//! where somebody asks for it, and not here.

use crate::check::duration;
use crate::deadline::bounded;
use crate::fold::MOST;
use crate::postgres::PostgresTarget;
use crate::{Check, Finding, Selection, Status};

pub(crate) const CHECK: Check = Check {
    id: "drift",
    looks_at: "whether the schema is as dbops left it; with `--check drift`, whether it is what revisions and declared \
               schema say",
    limits: None,
};

/// How the schema of a database stands to what dbops left.
#[derive(Debug, Clone, PartialEq)]
pub enum SchemaSince {
    /// Nothing was recorded that it could be compared with.
    NotRecorded,
    /// It was recorded.
    Recorded {
        /// How long ago, in seconds.
        age: f64,
        /// Each object that is not as it was then, and how: `table public.users is changed`.
        changed: Vec<String>,
    },
    /// The record cannot be read.
    Unreadable {
        /// Why.
        reason: String,
        /// What to do about it.
        remedy: String,
    },
}

impl Selection {
    /// Whether somebody asked for the comparison that takes longer.
    #[must_use]
    pub fn asks_for_drift(&self) -> bool {
        self.only.iter().any(|id| id == CHECK.id) && self.wants(CHECK.id)
    }
}

/// The finding about what dbops left, where it is wanted and nobody asked for more.
pub(crate) async fn since(target: &PostgresTarget<'_>, schema: impl Future<Output = SchemaSince>) -> Option<Finding> {
    let selection = target.selection;
    if !selection.wants(CHECK.id) || selection.asks_for_drift() {
        return None;
    }
    let found = async { finding(target.name, schema.await) };
    Some(bounded(CHECK.id, target.name, target.deadline, found).await)
}

fn finding(target: &str, schema: SchemaSince) -> Finding {
    let new = |status, summary: String| Finding::new(CHECK.id, target, status, summary);
    let (age, changed) = match schema {
        SchemaSince::NotRecorded => {
            let summary = format!("what dbops left is not recorded yet; the next `dbops migrate -t {target}` does it");
            return new(Status::Ok, summary);
        }
        SchemaSince::Recorded { age, changed } => (duration(age), changed),
        SchemaSince::Unreadable { reason, remedy } => return new(Status::Unknown, reason).remedy(remedy),
    };
    #[expect(clippy::cast_precision_loss, reason = "a number for people")]
    let count = changed.len() as f64;
    let finding = match changed.as_slice() {
        [] => new(Status::Ok, format!("the schema is as dbops left it {age} ago")),
        [first, others @ ..] => {
            let others = if others.is_empty() { String::new() } else { format!(", and {} more", others.len()) };
            let summary = format!("since dbops left the schema {age} ago, something else changed it: {first}{others}");
            new(Status::Warning, summary).remedy(format!(
                "dbops schema drift -t {target} shows what differs; where it is right, dbops migrate stamp heads -t \
                 {target} takes it as it is"
            ))
        }
    };
    Finding { details: changed.into_iter().take(MOST).collect(), ..finding }.measured(count, "objects")
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

#[cfg(test)]
mod tests {
    use super::{SchemaSince, finding};
    use crate::Status;

    #[test]
    fn what_changed_since_is_named() {
        let changed = |names: &[&str]| SchemaSince::Recorded {
            age: 7200.0,
            changed: names.iter().map(|name| (*name).to_owned()).collect(),
        };
        let many: Vec<_> = (0..30).map(|number| format!("table t{number} is new")).collect();
        let many = SchemaSince::Recorded { age: 7200.0, changed: many };
        let unreadable = SchemaSince::Unreadable { reason: "may not".into(), remedy: "GRANT it".into() };
        let since = "since dbops left the schema 2 h ago, something else changed it: ";
        let cases = [
            (SchemaSince::NotRecorded, Status::Ok, "what dbops left is not recorded yet".to_owned(), 0),
            (changed(&[]), Status::Ok, "the schema is as dbops left it 2 h ago".into(), 0),
            (changed(&["table a is gone"]), Status::Warning, format!("{since}table a is gone"), 1),
            (many, Status::Warning, format!("{since}table t0 is new, and 29 more"), 20),
            (unreadable, Status::Unknown, "may not".into(), 0),
        ];
        for (state, status, summary, details) in cases {
            let finding = finding("app", state);
            assert!(finding.status == status && finding.summary.starts_with(&summary), "{finding:?}");
            assert_eq!((finding.details.len(), finding.remedy.is_some()), (details, status != Status::Ok));
        }
    }
}
