//! The status for people: a few lines for each target, what needs a look in colour.

use indicatif::{BinaryBytes, HumanCount};

use super::backups::BackupStatus;
use super::database::DatabaseStatus;
use super::gather::{HealthStatus, Status, TargetStatus};
use super::search::{SearchCollection, SearchStatus};
use crate::commands::migrate::Agreement;
use crate::failure::Result;
use crate::ui::{BAD, GOOD, STRONG, Ui, WARN, paint, printable};

/// How many collections that nobody declared are named.
const OTHERS: usize = 5;

pub(super) fn show(ui: &Ui, status: &Status) -> Result<()> {
    for target in &status.targets {
        show_target(ui, target, status.backups_error.is_none())?;
        ui.data("")?;
    }
    if let Some(reason) = &status.backups_error {
        ui.paragraph(0, format!("{} {}", paint(BAD, "backups not known:"), printable(reason)))?;
    }
    let count = status.targets.len();
    match status.targets.iter().filter(|target| !target.ok).count() {
        0 if status.ok => ui.data(format!("{}: {count} targets", paint(GOOD, "ok"))),
        0 => ui.data(format!("{count} targets")),
        1 => ui.data(format!("1 of {count} targets {}", paint(WARN, "needs a look"))),
        bad => ui.data(format!("{bad} of {count} targets {}", paint(WARN, "need a look"))),
    }
}

fn show_target(ui: &Ui, target: &TargetStatus, backups_are_known: bool) -> Result<()> {
    let doctor = target.unreachable.as_ref().map(|_| format!("; run `dbops doctor {}`", target.name));
    let headline = format!("{}  {}{}", paint(STRONG, &target.name), headline(target), doctor.unwrap_or_default());
    ui.paragraph(2, headline)?;
    for (label, text) in lines(target, backups_are_known) {
        ui.paragraph(12, format!("  {label:<8}  {text}"))?;
    }
    Ok(())
}

/// What it is and where, or that it cannot be reached.
pub(crate) fn headline(target: &TargetStatus) -> String {
    match (&target.unreachable, &target.database, &target.search) {
        (Some(reason), ..) => format!("{} {}", paint(BAD, "unreachable:"), printable(reason)),
        (None, Some(database), _) => {
            let standby = if database.standby { ", a standby" } else { "" };
            format!("PostgreSQL {} at {}{standby}", database.version, target.server)
        }
        (None, None, Some(search)) => format!("Qdrant {} at {}", search.version, target.server),
        (None, None, None) => target.server.clone(),
    }
}

/// What is said of a target, each with its label.
pub(crate) fn lines(target: &TargetStatus, backups_are_known: bool) -> Vec<(&'static str, String)> {
    let mut lines = Vec::new();
    if let Some(database) = &target.database {
        lines.push(("revision", revision(database)));
        let (used, most) = (database.connections, database.max_connections);
        let size = format!("{}, {used} of {most} connections", BinaryBytes(database.bytes.unsigned_abs()));
        lines.push(("size", size));
    }
    if let Some(search) = &target.search {
        lines.push(("points", points(search)));
        lines.push(("plan", plan(search)));
    }
    if backups_are_known {
        lines.push(("backup", backup(target.last_backup.as_ref())));
    }
    if target.unreachable.is_none() {
        lines.push(("health", health(&target.health)));
    }
    lines
}

fn revision(database: &DatabaseStatus) -> String {
    let revision = match (&database.migrations, &database.migrations_error) {
        (Some(found), _) => agreement(found),
        (None, reason) => paint(WARN, format!("not known: {}", reason.as_deref().unwrap_or_default())),
    };
    let schema = match (database.schema, &database.schema_error) {
        (Some("equal"), _) => ", schema as declared".to_owned(),
        (Some("all"), _) => paint(WARN, ", schema, files and declaration differ"),
        (Some(side), _) => paint(WARN, format!(", schema differs ({side})")),
        (None, Some(reason)) => paint(WARN, format!(", schema not compared: {reason}")),
        (None, None) => String::new(),
    };
    format!("{revision}{schema}")
}

fn agreement(found: &Agreement) -> String {
    let current = if found.current.is_empty() { "(none)".to_owned() } else { found.current.join(", ") };
    let mut remarks = Vec::new();
    let mut remark = |count: usize, what: &str| {
        if count > 0 {
            remarks.push(paint(WARN, format!("{count} {what}")));
        }
    };
    remark(found.pending.len(), "pending");
    remark(usize::from(found.unfinished.is_some()), "not completed");
    remark(found.unknown.len(), "without a file");
    remark(if found.heads.len() > 1 { found.heads.len() } else { 0 }, "heads");
    remark(found.changed.len(), "changed after it was applied");
    remark(found.deleted.len(), "applied and its file gone");
    remark(found.merged_below.len(), "merged in below");
    if remarks.is_empty() {
        remarks.push("up to date".into());
    }
    format!("{current}, {}", remarks.join(", "))
}

/// The declared collections, and of the others a few that need a look; where nothing is declared, a few of all.
fn points(search: &SearchStatus) -> String {
    if search.collections.is_empty() {
        return "no collections".into();
    }
    let describe = |it: &SearchCollection| {
        let style = match it.state {
            "green" => GOOD,
            "red" => BAD,
            _ => WARN,
        };
        let aliases = it.aliases.iter().map(|alias| format!("{alias} → ")).collect::<String>();
        format!(
            "{} {} ({})",
            printable(&format!("{aliases}{}", it.name)),
            HumanCount(it.points),
            paint(style, it.state)
        )
    };
    let (mut shown, others): (Vec<_>, Vec<_>) = search.collections.iter().partition(|it| it.declared);
    let (well, bad): (Vec<_>, Vec<_>) = others.into_iter().partition(|it| it.is_well());
    let well = well.into_iter().filter(|_| shown.is_empty());
    let others: Vec<_> = bad.into_iter().chain(well).take(OTHERS).collect();
    shown.extend(others);
    let rest = match search.collections.len() - shown.len() {
        0 => String::new(),
        1 => " and 1 other".into(),
        count => format!(" and {count} others"),
    };
    format!("{}{rest}", shown.into_iter().map(describe).collect::<Vec<_>>().join(", "))
}

fn plan(search: &SearchStatus) -> String {
    match (search.changes, &search.changes_error) {
        (_, Some(reason)) => paint(WARN, format!("not known: {}", printable(reason))),
        (None, None) => "no collections are declared".into(),
        (Some(0), None) => "collections as declared".into(),
        (Some(1), None) => format!("{}: `dbops qdrant plan`", paint(WARN, "1 change")),
        (Some(count), None) => format!("{}: `dbops qdrant plan`", paint(WARN, format!("{count} changes"))),
    }
}

fn backup(backup: Option<&BackupStatus>) -> String {
    let Some(backup) = backup else { return paint(WARN, "never") };
    let state = match backup.verified {
        _ if backup.damaged => paint(BAD, "DAMAGED"),
        Some(_) => "verified".into(),
        None => "not verified".into(),
    };
    format!("{}, {state} ({})", age(backup.age_s), backup.id)
}

/// In the largest unit of which there are two: 90 minutes rather than an hour.
pub(crate) fn age(seconds: i64) -> String {
    let units = [(86_400, "days"), (3600, "hours"), (60, "minutes"), (1, "seconds")];
    let unit = units.into_iter().find(|(size, _)| seconds >= 2 * size);
    unit.map_or_else(|| "just now".into(), |(size, name)| format!("{} {name} ago", seconds / size))
}

fn health(health: &HealthStatus) -> String {
    let style = match health.status {
        "ok" => GOOD,
        "critical" => BAD,
        _ => WARN,
    };
    let more = match health.findings {
        0 | 1 => String::new(),
        count => format!(" (and {} more: `dbops health`)", count - 1),
    };
    let summary = health.summary.as_deref().map(|it| format!(": {}", printable(it))).unwrap_or_default();
    let remedy = health.remedy.as_deref().map(|it| format!(" → {}", printable(it))).unwrap_or_default();
    format!("{}{summary}{remedy}{more}", paint(style, health.status))
}

#[cfg(test)]
mod tests {
    use super::age;

    #[test]
    fn ages_are_told_in_a_unit_that_fits() {
        let cases = [
            (-5, "just now"),
            (1, "just now"),
            (2, "2 seconds ago"),
            (119, "119 seconds ago"),
            (120, "2 minutes ago"),
            (7199, "119 minutes ago"),
            (7200, "2 hours ago"),
            (172_799, "47 hours ago"),
            (172_800, "2 days ago"),
            (8_640_000, "100 days ago"),
        ];
        for (seconds, text) in cases {
            assert_eq!(age(seconds), text);
        }
    }
}
