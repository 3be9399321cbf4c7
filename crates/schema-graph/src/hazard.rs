//! What a statement does to those who use the table meanwhile, and to its rows.
//!
//! <https://www.postgresql.org/docs/18/sql-altertable.html>, <https://www.postgresql.org/docs/18/explicit-locking.html>

use std::fmt;

use crate::convert::{Conversion, conversion};
use crate::plan::Action;
use crate::{Column, Kind, Object};

/// A statement of a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// Without a final semicolon.
    pub sql: String,
    /// The strongest lock that it takes on a table that was there before.
    pub lock: Option<&'static str>,
    /// Whether it can be part of a transaction.
    pub is_transactional: bool,
    /// What to know before it is run.
    pub hazards: Vec<Hazard>,
}

/// What to know about a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hazard {
    /// Rows, or values in them, are gone afterwards: running the other direction does not bring them back.
    LosesData(&'static str),
    /// The table is written anew under its lock.
    Rewrites,
    /// Every row is looked at under its lock.
    Scans,
    /// It fails where rows are not as it wants them.
    MayFail(&'static str),
    /// PostgreSQL has no statement that undoes it.
    OneWay(&'static str),
}

impl Hazard {
    /// The word for it in JSON.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::LosesData(_) => "loses_data",
            Self::Rewrites => "rewrites",
            Self::Scans => "scans",
            Self::MayFail(_) => "may_fail",
            Self::OneWay(_) => "one_way",
        }
    }
}

impl fmt::Display for Hazard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::LosesData(what) => write!(f, "loses data: {what}"),
            Self::Rewrites => f.write_str("rewrites the table"),
            Self::Scans => f.write_str("reads the whole table"),
            Self::MayFail(why) => write!(f, "may fail: {why}"),
            Self::OneWay(why) => write!(f, "cannot be undone: {why}"),
        }
    }
}

const ACCESS_EXCLUSIVE: Option<&str> = Some("ACCESS EXCLUSIVE");
const SHARE_ROW_EXCLUSIVE: Option<&str> = Some("SHARE ROW EXCLUSIVE");
const SHARE_UPDATE_EXCLUSIVE: Option<&str> = Some("SHARE UPDATE EXCLUSIVE");
const SHARE: Option<&str> = Some("SHARE");

/// A statement for an object, with what is known of it. `on_new` when its table comes with the same plan.
pub(crate) fn statement(
    sql: String,
    action: Action,
    (old, new): (Option<&Object>, Option<&Object>),
    on_new: bool,
) -> Statement {
    let kind = new.or(old).map(|object| object.id.kind);
    let (mut lock, mut hazards) = (None, Vec::new());
    if let Some(kind) = kind
        && !on_new
    {
        (lock, hazards) = match action {
            Action::Drop => dropped(kind),
            Action::Create => created(kind, &sql, new),
            Action::Alter => altered(kind, &sql, old, new),
        };
    }
    if sql.starts_with("COMMENT ON") || sql.starts_with("GRANT") || sql.starts_with("REVOKE") {
        (lock, hazards) = (None, Vec::new());
    }
    let is_transactional = !sql.contains(" CONCURRENTLY ");
    Statement { sql, lock, is_transactional, hazards }
}

type Found = (Option<&'static str>, Vec<Hazard>);

fn dropped(kind: Kind) -> Found {
    match kind {
        Kind::Table => (ACCESS_EXCLUSIVE, vec![Hazard::LosesData("the table's rows")]),
        Kind::Column => (ACCESS_EXCLUSIVE, vec![Hazard::LosesData("the column's values")]),
        Kind::Sequence => (None, vec![Hazard::LosesData("where the sequence stands")]),
        Kind::Extension => (None, vec![Hazard::LosesData("what the extension keeps in tables of its own")]),
        Kind::UserMapping => (None, vec![Hazard::LosesData("its options, which may hold a password")]),
        _ if kind.is_part() || matches!(kind, Kind::View | Kind::MaterializedView | Kind::ForeignTable) => {
            (ACCESS_EXCLUSIVE, Vec::new())
        }
        _ => (None, Vec::new()),
    }
}

fn created(kind: Kind, sql: &str, new: Option<&Object>) -> Found {
    match kind {
        Kind::Column => {
            let column = new.and_then(|object| object.columns.first());
            let is_filled = column.is_some_and(|column| {
                column.identity.is_some() || column.generated.as_ref().is_some_and(|text| text.ends_with("STORED"))
            });
            let is_null = column.is_some_and(|column| {
                column.not_null && column.default.is_none() && column.identity.is_none() && column.generated.is_none()
            });
            let mut hazards = Vec::new();
            if is_filled {
                hazards.push(Hazard::Rewrites);
            }
            if is_null && sql.contains(" NOT NULL") {
                hazards.push(Hazard::MayFail("the table may hold rows, and the column is NOT NULL without a default"));
            }
            (ACCESS_EXCLUSIVE, hazards)
        }
        Kind::NotNull => (ACCESS_EXCLUSIVE, vec![Hazard::Scans, Hazard::MayFail("rows may have NULL there")]),
        Kind::Constraint => constraint(sql, new),
        Kind::Index => (SHARE, vec![Hazard::Scans]),
        Kind::Trigger => (SHARE_ROW_EXCLUSIVE, Vec::new()),
        Kind::Statistics | Kind::PublishedTable => (SHARE_UPDATE_EXCLUSIVE, Vec::new()),
        Kind::Parent => (ACCESS_EXCLUSIVE, vec![Hazard::Scans, Hazard::MayFail("rows may not fit the partition")]),
        Kind::Default | Kind::Rule | Kind::Policy => (ACCESS_EXCLUSIVE, Vec::new()),
        _ => (None, Vec::new()),
    }
}

fn constraint(sql: &str, new: Option<&Object>) -> Found {
    if sql.ends_with(" NOT VALID") || sql.ends_with(" NOT ENFORCED") {
        let is_key = new.is_some_and(|object| object.refers_to.is_some());
        return (if is_key { SHARE_ROW_EXCLUSIVE } else { ACCESS_EXCLUSIVE }, Vec::new());
    }
    match new.and_then(|object| object.parts.first()).map(String::as_str) {
        Some("f") => (SHARE_ROW_EXCLUSIVE, vec![Hazard::Scans, Hazard::MayFail("rows may refer to what is not there")]),
        Some("c") => (ACCESS_EXCLUSIVE, vec![Hazard::Scans, Hazard::MayFail("rows may violate it")]),
        _ => (ACCESS_EXCLUSIVE, vec![Hazard::Scans, Hazard::MayFail("rows may be in each other's way")]),
    }
}

fn altered(kind: Kind, sql: &str, old: Option<&Object>, new: Option<&Object>) -> Found {
    let column = |object: Option<&Object>| object.and_then(|object| object.columns.first().cloned());
    match kind {
        Kind::Column if sql.contains(" TYPE ") => column(old)
            .zip(column(new))
            .map_or((ACCESS_EXCLUSIVE, vec![Hazard::Rewrites]), |(old, new)| retyped(&old, &new)),
        Kind::Column if sql.contains(" SET EXPRESSION ") => {
            let is_stored =
                column(new).and_then(|column| column.generated).is_some_and(|text| text.ends_with("STORED"));
            (ACCESS_EXCLUSIVE, if is_stored { vec![Hazard::Rewrites] } else { Vec::new() })
        }
        Kind::Column if sql.contains(" SET STATISTICS ") => (SHARE_UPDATE_EXCLUSIVE, Vec::new()),
        Kind::Column if sql.contains(" ADD CONSTRAINT ") => {
            (ACCESS_EXCLUSIVE, vec![Hazard::Scans, Hazard::MayFail("rows may have NULL there")])
        }
        Kind::Table if sql.ends_with("LOGGED") || sql.contains(" SET ACCESS METHOD ") => {
            (ACCESS_EXCLUSIVE, vec![Hazard::Rewrites])
        }
        Kind::Table if sql.contains(" SET (") || sql.contains(" RESET (") => (SHARE_UPDATE_EXCLUSIVE, Vec::new()),
        Kind::Constraint | Kind::NotNull if sql.contains(" VALIDATE ") => (SHARE_UPDATE_EXCLUSIVE, vec![Hazard::Scans]),
        Kind::Enum => (None, vec![Hazard::OneWay("PostgreSQL removes no label; the way down replaces the type")]),
        _ if kind.is_part() || matches!(kind, Kind::Table | Kind::Column) => (ACCESS_EXCLUSIVE, Vec::new()),
        _ => (None, Vec::new()),
    }
}

fn retyped(old: &Column, new: &Column) -> Found {
    let mut hazards = Vec::new();
    match conversion(&old.data_type, &new.data_type) {
        Conversion::Free if old.collation == new.collation => {}
        Conversion::Free | Conversion::Widens => hazards.push(Hazard::Rewrites),
        Conversion::Narrows => hazards.extend([Hazard::Rewrites, Hazard::MayFail("values may not fit the new type")]),
        Conversion::Rounds => hazards.extend([Hazard::Rewrites, Hazard::LosesData("what the new type does not hold")]),
        Conversion::Explicit => {
            hazards.extend([Hazard::Rewrites, Hazard::MayFail("values may not be ones of the new type")]);
        }
    }
    (ACCESS_EXCLUSIVE, hazards)
}
