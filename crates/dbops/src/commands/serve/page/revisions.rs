//! The revisions of each database as a graph, and the pictures of the schemas.

use dbops_migrate::{Drawn, draw};
use dbops_schema_graph::escape;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::super::view::Database;
use crate::commands::migrate::HistoryRevision;
use crate::commands::status::Status;
use crate::ui::count;

/// More are not drawn.
const MOST: usize = 60;
/// The height of a line and the width of half a lane, in pixels.
const LINE: usize = 26;
const STEP: usize = 9;

pub(super) fn revisions(databases: &[Database]) -> String {
    let graphs = databases.iter().map(|database| {
        let body = match &database.revisions {
            Ok(revisions) if revisions.is_empty() => "<p>There are none.</p>".into(),
            Ok(revisions) => graph(&database.name, revisions),
            Err(reason) => format!("<p><span class=\"warning\">not known:</span> {}</p>", escape(reason)),
        };
        format!("<div class=\"graph\"><h3>{}</h3>{body}</div>\n", escape(&database.name))
    });
    let graphs = graphs.collect::<String>();
    if graphs.is_empty() { graphs } else { format!("<h2>Revisions</h2>\n<div class=\"graphs\">{graphs}</div>") }
}

/// A list item for each revision, beside it its part of the drawing: the lines above it that lead there, and its own.
fn graph(name: &str, revisions: &[HistoryRevision]) -> String {
    let shown = &revisions[..revisions.len().min(MOST)];
    let edges: Vec<_> = shown
        .iter()
        .map(|revision| (revision.revision.as_str(), revision.revises.iter().map(String::as_str).collect()))
        .collect();
    let lines = draw(&edges);
    let width = lines.iter().map(|line| line.lanes.chars().count()).max().unwrap_or(1).div_ceil(2).max(1) * 2 * STEP;
    let (mut items, mut above): (String, Vec<&Drawn>) = (String::new(), Vec::new());
    for line in &lines {
        above.push(line);
        let Some(revision) = line.revision.and_then(|index| shown.get(index)) else { continue };
        let id = &revision.revision;
        let is_shown = |id: &String| shown.iter().any(|other| other.revision == *id);
        let ends =
            Ends { up: shown.iter().any(|it| it.revises.contains(id)), down: revision.revises.iter().any(is_shown) };
        items.push_str(&item(revision, &drawing(&above, width, revision.applied, ends)));
        above.clear();
    }
    let older = match revisions.len() - shown.len() {
        0 => String::new(),
        more => format!(
            "<p class=\"faint\">and {} before these: <code>dbops migrate history -t {}</code></p>",
            count(more, "revision"),
            escape(name)
        ),
    };
    format!("<ol class=\"revisions\" reversed>{items}</ol>{older}")
}

/// Whether lines lead to a revision from above, and on below it.
#[derive(Clone, Copy)]
struct Ends {
    up: bool,
    down: bool,
}

fn item(revision: &HistoryRevision, drawing: &str) -> String {
    let (class, word) = if revision.applied { ("ok", "applied") } else { ("warning", "pending") };
    let mut notes: Vec<_> = revision.branch_labels.iter().map(|label| escape(label)).collect();
    if !revision.depends_on.is_empty() {
        notes.push(format!("needs {}", escape(&revision.depends_on.join(", "))));
    }
    let notes = if notes.is_empty() { String::new() } else { format!(" <i>({})</i>", notes.join(", ")) };
    let (id, message) = (escape(&revision.revision), escape(&revision.message));
    format!(
        "<li>{drawing}<span class=\"text\" title=\"{message}\"><code>{id}</code>{notes} {message}</span>\
         <span class=\"{class}\">{word}</span></li>\n"
    )
}

/// The characters of the lanes as lines: each is a cell of its own.
fn drawing(lines: &[&Drawn], width: usize, is_applied: bool, ends: Ends) -> String {
    let (mut path, mut dots) = (String::new(), String::new());
    for (row, line) in lines.iter().enumerate() {
        let (top, bottom) = (row * LINE, (row + 1) * LINE);
        for (column, mark) in line.lanes.chars().enumerate() {
            let x = column * STEP + STEP;
            match mark {
                '|' => path.push_str(&format!("M{x} {top}V{bottom}")),
                // From lane to lane, half a lane left and right of the gap between them.
                '/' => path.push_str(&format!("M{} {top}L{} {bottom}", x + STEP, x - STEP)),
                '\\' => path.push_str(&format!("M{} {top}L{} {bottom}", x - STEP, x + STEP)),
                '_' => path.push_str(&format!("M{} {bottom}H{}", x - STEP, x + STEP)),
                '*' => {
                    let (class, middle) = (if is_applied { "full" } else { "open" }, top + LINE / 2);
                    dots.push_str(&format!("<circle class=\"{class}\" cx=\"{x}\" cy=\"{middle}\" r=\"5\"/>"));
                    path.push_str(&if ends.up { format!("M{x} {top}V{middle}") } else { String::new() });
                    path.push_str(&if ends.down { format!("M{x} {middle}V{bottom}") } else { String::new() });
                }
                _ => {}
            }
        }
    }
    let height = lines.len() * LINE;
    format!(
        "<svg class=\"lanes\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\" aria-hidden=\"true\">\
         <path d=\"{path}\"/>{dots}</svg>"
    )
}

/// The pictures of databases that can be reached, drawn by their own addresses when they come into view.
pub(super) fn schemas(databases: &[Database], status: &Status) -> String {
    let is_up = |name: &str| status.targets.iter().any(|target| target.name == name && target.unreachable.is_none());
    let pictures = databases.iter().filter(|database| is_up(&database.name)).map(|database| {
        let (name, link) = (escape(&database.name), utf8_percent_encode(&database.name, NON_ALPHANUMERIC));
        format!(
            "<figure><figcaption><h3>{name}</h3> <a href=\"/schema/{link}\">Look around in it</a></figcaption>\
             <div class=\"scroll picture\" tabindex=\"0\" role=\"region\" aria-label=\"The schema of {name}\">\
             <img src=\"/schema/{link}.svg\" alt=\"The tables of {name} and what they refer to\" loading=\"lazy\"></div>\
             </figure>\n"
        )
    });
    let pictures = pictures.collect::<String>();
    if pictures.is_empty() { pictures } else { format!("<h2>Schemas</h2>\n{pictures}") }
}
