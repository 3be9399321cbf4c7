//! A rehearsal for people and for scripts.

use std::collections::BTreeMap;
use std::time::Duration;

use dbops_backup::SetId;
use dbops_migrate::{TakenLock, Watched};
use indicatif::HumanBytes;
use serde::Serialize;

use super::Report;
use super::rehearsal::Rehearsed;
use crate::commands::backup::{revision as shown_rows, seconds};
use crate::failure::Result;
use crate::ui::{BAD, GOOD, STRONG, Ui, paint};

#[derive(Serialize)]
struct RehearseDocument {
    ok: bool,
    targets: Vec<TargetDocument>,
}

#[derive(Serialize)]
struct TargetDocument {
    name: String,
    set: SetId,
    server_version: String,
    database_bytes: u64,
    current: Vec<String>,
    live: Option<Vec<String>>,
    revisions: Vec<RevisionDocument>,
    no_way_down: Option<String>,
    invented_roles: Vec<String>,
    findings: Vec<String>,
}

#[derive(Serialize)]
struct RevisionDocument {
    revision: String,
    message: String,
    /// `null` when it failed or was not reached.
    duration_ms: Option<u64>,
    down_ms: Option<u64>,
    again_ms: Option<u64>,
    rows: u64,
    rewritten: Vec<String>,
    invalid: Vec<String>,
    locks: Vec<LockDocument>,
    statements: Vec<StatementDocument>,
}

#[derive(Serialize)]
struct LockDocument {
    table: String,
    mode: String,
    held_ms: u64,
    bytes: u64,
    rows: Option<u64>,
}

#[derive(Serialize)]
struct StatementDocument {
    line: usize,
    sql: String,
    duration_ms: u64,
    transactions: u64,
    rows: u64,
}

/// A lock with how long it is held at most.
struct Held<'a> {
    lock: &'a TakenLock,
    time: Duration,
}

pub(super) fn show(ui: &Ui, reports: &[Report<'_>]) -> Result<()> {
    for report in reports {
        show_target(ui, report)?;
    }
    let ok = reports.iter().all(|report| report.rehearsal.findings.is_empty());
    ui.document(&RehearseDocument { ok, targets: reports.iter().map(document).collect() })
}

fn show_target(ui: &Ui, report: &Report<'_>) -> Result<()> {
    let (name, rehearsal) = (report.target.name, &report.rehearsal);
    let title = format!("{name}: {} pending", count(rehearsal.revisions.len(), "revision"));
    ui.data(format!(
        "{} on the backup {} ({}, at {})",
        paint(STRONG, title),
        report.set,
        HumanBytes(report.bytes),
        shown_rows(&rehearsal.rows)
    ))?;
    if report.live.as_ref().is_some_and(|live| sorted(live) != sorted(&rehearsal.rows)) {
        let live = shown_rows(report.live.as_deref().unwrap_or_default());
        ui.warn(format!("{name}: the live database is at {live}, not where the backup is: take a new backup"));
    }
    if !rehearsal.revisions.is_empty() {
        let headings = ["REVISION", "UP", "DOWN", "AGAIN", "ROWS", "STRONGEST LOCK", "HELD"];
        ui.table(&headings, rehearsal.revisions.iter().map(row).collect())?;
    }
    for one in &rehearsal.revisions {
        for statement in &one.statements {
            show_effects(ui, one, statement)?;
        }
    }
    if let Some(revision) = &rehearsal.no_way_down {
        ui.data(format!("no way down from {revision}: after it, only a restored backup leads back"))?;
    }
    if !rehearsal.invented_roles.is_empty() {
        let roles = rehearsal.invented_roles.join(", ");
        ui.data(format!("made for the rehearsal, production must have them: the roles {roles}"))?;
    }
    for finding in &rehearsal.findings {
        ui.data(format!("{} {finding}", paint(BAD, "✗")))?;
    }
    if rehearsal.findings.is_empty() {
        ui.data(format!("{} {}", paint(GOOD, "✓"), summary(&rehearsal.revisions)))?;
    }
    Ok(())
}

fn row(one: &Rehearsed) -> Vec<String> {
    let time = |time: Option<Duration>| time.map_or("—".into(), short);
    let locks = held(&one.statements);
    let strongest = locks.iter().max_by_key(|held| (held.lock.strength(), held.time));
    let (lock, held) = match strongest {
        Some(held) => (format!("{} {}", held.lock.mode, held.lock.table), short(held.time)),
        None => ("—".into(), "—".into()),
    };
    let rows: u64 = one.statements.iter().map(|statement| statement.rows).sum();
    vec![one.revision.clone(), time(one.up), time(one.down), time(one.again), rows.to_string(), lock, held]
}

fn show_effects(ui: &Ui, one: &Rehearsed, statement: &Watched) -> Result<()> {
    let place = format!("{} line {}", one.revision, statement.line);
    if !statement.rewritten.is_empty() {
        ui.data(format!("{place}: rewrites {} in {}", statement.rewritten.join(", "), short(statement.duration)))?;
    }
    if !statement.invalid.is_empty() {
        ui.data(format!("{place}: leaves not valid: {}", statement.invalid.join(", ")))?;
    }
    if statement.transactions > 1 {
        let (batches, longest) = (count_of(statement.transactions, "batch"), short(statement.held));
        ui.data(format!("{place}: {batches} in {}, the longest {longest}", short(statement.duration)))?;
    }
    Ok(())
}

/// What production has to expect, in a sentence or two.
fn summary(revisions: &[Rehearsed]) -> String {
    if revisions.is_empty() {
        return "nothing is pending; the schema is what it should be".into();
    }
    let total: Duration = revisions.iter().filter_map(|one| one.up).sum();
    let mut text = format!("it takes about {}", seconds(total));
    let (mut nobody, mut readers) = (BTreeMap::new(), BTreeMap::new());
    for one in revisions {
        for held in held(&one.statements) {
            // ShareLock and what is stronger keep writers out.
            let who = match held.lock.mode.as_str() {
                "AccessExclusiveLock" => &mut nobody,
                "ShareLock" | "ShareRowExclusiveLock" | "ExclusiveLock" => &mut readers,
                _ => continue,
            };
            let time: &mut Duration = who.entry(held.lock.table.clone()).or_default();
            *time = held.time.max(*time);
        }
    }
    readers.retain(|table, time| nobody.get(table).is_none_or(|longer| longer < time));
    for (tables, what) in [(nobody, "read or written"), (readers, "written")] {
        let tables: Vec<_> = tables.iter().map(|(table, time)| format!("{table} for {}", short(*time))).collect();
        if !tables.is_empty() {
            text.push_str(&format!("; what cannot be {what} meanwhile: {}", tables.join(", ")));
        }
    }
    text
}

/// The strongest lock on each table, and the longest time that one as strong is held.
fn held(statements: &[Watched]) -> Vec<Held<'_>> {
    let mut strongest: BTreeMap<&str, Held<'_>> = BTreeMap::new();
    for statement in statements {
        for lock in &statement.locks {
            let held = Held { lock, time: statement.held };
            match strongest.get_mut(lock.table.as_str()) {
                Some(known) if (known.lock.strength(), known.time) >= (lock.strength(), held.time) => {}
                Some(known) => *known = held,
                None => drop(strongest.insert(&lock.table, held)),
            }
        }
    }
    strongest.into_values().collect()
}

fn document(report: &Report<'_>) -> TargetDocument {
    let rehearsal = &report.rehearsal;
    TargetDocument {
        name: report.target.name.to_owned(),
        set: report.set.clone(),
        server_version: report.server.clone(),
        database_bytes: report.bytes,
        current: rehearsal.rows.clone(),
        live: report.live.clone(),
        revisions: rehearsal.revisions.iter().map(|one| revision_document(report, one)).collect(),
        no_way_down: rehearsal.no_way_down.clone(),
        invented_roles: rehearsal.invented_roles.clone(),
        findings: rehearsal.findings.clone(),
    }
}

fn revision_document(report: &Report<'_>, one: &Rehearsed) -> RevisionDocument {
    let message = report.target.graph.get(&one.revision).map(|revision| revision.message.clone());
    let all = |what: fn(&Watched) -> &[String]| one.statements.iter().flat_map(what).cloned().collect();
    let lock = |held: Held<'_>| LockDocument {
        table: held.lock.table.clone(),
        mode: held.lock.mode.clone(),
        held_ms: ms(held.time),
        bytes: held.lock.bytes,
        rows: held.lock.rows,
    };
    let statement = |it: &Watched| StatementDocument {
        line: it.line,
        sql: it.sql.clone(),
        duration_ms: ms(it.duration),
        transactions: it.transactions,
        rows: it.rows,
    };
    RevisionDocument {
        revision: one.revision.clone(),
        message: message.unwrap_or_default(),
        duration_ms: one.up.map(ms),
        down_ms: one.down.map(ms),
        again_ms: one.again.map(ms),
        rows: one.statements.iter().map(|statement| statement.rows).sum(),
        rewritten: all(|statement| &statement.rewritten),
        invalid: all(|statement| &statement.invalid),
        locks: held(&one.statements).into_iter().map(lock).collect(),
        statements: one.statements.iter().map(statement).collect(),
    }
}

fn sorted(ids: &[String]) -> Vec<&String> {
    let mut ids: Vec<_> = ids.iter().collect();
    ids.sort_unstable();
    ids
}

fn ms(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// Milliseconds while there are few.
fn short(time: Duration) -> String {
    if time < Duration::from_secs(1) { format!("{} ms", time.as_millis()) } else { seconds(time) }
}

fn count(number: usize, what: &str) -> String {
    count_of(number as u64, what)
}

fn count_of(number: u64, what: &str) -> String {
    match (number, what) {
        (1, _) => format!("1 {what}"),
        (_, "batch") => format!("{number} batches"),
        _ => format!("{number} {what}s"),
    }
}
