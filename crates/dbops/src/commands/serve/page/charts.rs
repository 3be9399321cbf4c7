//! Backups over time and sizes over time, as charts and as tables.

use dbops_schema_graph::escape;
use indicatif::BinaryBytes;
use jiff::Timestamp;

use super::super::view::{SetState, SetView};
use super::markup::time;
use super::plot::{Point, Style, plot};
use crate::commands::status::{Status, age};
use crate::ui::count;

/// The newest that are drawn; more bars would touch each other.
const MOST: usize = 40;

pub(super) fn backups(sets: &[SetView], status: &Status) -> String {
    if status.backups_error.is_some() {
        return "<p>They are not known.</p>".into();
    }
    let Some(newest) = sets.last() else { return "<p>There are none: <code>dbops backup</code> makes one.</p>".into() };
    let shown = &sets[sets.len().saturating_sub(MOST)..];
    let points = shown.iter().map(|set| Point {
        time: set.created,
        bytes: set.bytes,
        told: format!("{}: {}, {}", utc(set.created), BinaryBytes(set.bytes), set.state.name()),
        class: class(set.state),
    });
    let chart = plot("The size of each backup set", &points.collect::<Vec<_>>(), Style::Bars);
    let bytes = sets.iter().map(|set| set.bytes).sum();
    let summary = format!(
        "<p>{}, {} together, the newest of {}.</p>",
        count(sets.len(), "set"),
        BinaryBytes(bytes),
        age(status.checked.as_second() - newest.created.as_second())
    );
    let legend = "<p class=\"legend\"><span class=\"key ok\"></span> verified <span class=\"key plain\"></span> not \
                  verified <span class=\"key critical\"></span> damaged</p>";
    let rows = shown.iter().rev().map(|set| {
        let targets = set.targets.iter().map(|(name, _)| escape(name)).collect::<Vec<_>>().join(", ");
        format!(
            "<tr><td>{}</td><th scope=\"row\"><code>{}</code></th><td class=\"number\">{}</td><td>{}</td><td>{targets}</td>\
             </tr>\n",
            time(set.created),
            escape(&set.id),
            BinaryBytes(set.bytes),
            set.state.name()
        )
    });
    let head = ["Taken", "Set", "Size", "State", "Targets"];
    let table = table("backup-table", "Backup sets", &head, &rows.collect::<String>());
    format!("{summary}<div class=\"charts\"><figure>{chart}{legend}</figure></div>{table}")
}

/// A chart for each target: what is large elsewhere makes nothing flat here.
pub(super) fn sizes(sets: &[SetView], status: &Status) -> String {
    let (mut charts, mut rows) = (String::new(), String::new());
    for target in &status.targets {
        let sizes = sets.iter().filter_map(|set| {
            let (_, size) = set.targets.iter().find(|(name, _)| *name == target.name)?;
            Some((set.created, (*size)?))
        });
        let sizes: Vec<_> = sizes.collect();
        let shown = &sizes[sizes.len().saturating_sub(MOST)..];
        let points = shown.iter().map(|(taken, bytes)| Point {
            time: *taken,
            bytes: *bytes,
            told: format!("{}: {}", utc(*taken), BinaryBytes(*bytes)),
            class: "dot",
        });
        let chart = plot(&format!("The size of {} over time", target.name), &points.collect::<Vec<_>>(), Style::Line);
        if chart.is_empty() {
            continue;
        }
        charts
            .push_str(&format!("<figure><figcaption><h3>{}</h3></figcaption>{chart}</figure>\n", escape(&target.name)));
        for (taken, bytes) in shown.iter().rev() {
            rows.push_str(&format!(
                "<tr><th scope=\"row\">{}</th><td>{}</td><td class=\"number\">{}</td></tr>\n",
                escape(&target.name),
                time(*taken),
                BinaryBytes(*bytes)
            ));
        }
    }
    if charts.is_empty() {
        return charts;
    }
    format!(
        "<h2>Sizes</h2>\n<p class=\"faint\">At each backup: a database’s tables without indexes, a server’s snapshots.</p>\
         <div class=\"charts\">{charts}</div>{}",
        table("size-table", "Sizes", &["Target", "At", "Size"], &rows)
    )
}

fn table(id: &str, label: &str, head: &[&str], rows: &str) -> String {
    let head = head.iter().map(|title| format!("<th scope=\"col\">{title}</th>")).collect::<String>();
    format!(
        "<details id=\"{id}\"><summary>As a table</summary><div class=\"scroll\" tabindex=\"0\" role=\"region\" \
         aria-label=\"{label}\"><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div></details>"
    )
}

fn class(state: SetState) -> &'static str {
    match state {
        SetState::Verified => "ok",
        SetState::NotVerified => "plain",
        SetState::Damaged => "critical",
    }
}

fn utc(time: Timestamp) -> String {
    time.strftime("%Y-%m-%d %H:%M UTC").to_string()
}
