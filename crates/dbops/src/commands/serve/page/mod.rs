//! The page: what `dbops status` shows, with pictures. It is written here whole, and works without its script, which
//! only brings it up to date and tells times in the reader's zone.

mod cards;
mod charts;
mod findings;
mod markup;
mod plot;
mod revisions;

use super::view::{Gathered, Shared};
use crate::commands::status::Status;
use crate::ui::count;
use dbops_schema_graph::escape;
use markup::time;

pub(super) const STYLE: &str = include_str!("page.css");
pub(super) const SCRIPT: &str = include_str!("page.js");
pub(super) const ICON: &str = include_str!("icon.svg");

/// The page as things are.
pub(super) fn page(shared: &Shared) -> String {
    let view = shared.view();
    let notice = shared.not_ready().map(|reason| format!("<p>Not up to date: {}</p>", escape(&reason)));
    let mut body = section("notice", &notice.unwrap_or_default());
    match &view.gathered {
        Some(gathered) => body.push_str(&sections(gathered)),
        None => body.push_str("<section id=\"state\"><p class=\"state\">Asking the targets …</p></section>\n"),
    }
    document(&title(view.gathered.as_deref()), &format!(" data-every=\"{}\"", shared.interval.as_secs()), &body)
}

fn title(gathered: Option<&Gathered>) -> String {
    gathered.map_or_else(|| "dbops".into(), |gathered| format!("{} – dbops", verdict(&gathered.status)))
}

fn verdict(status: &Status) -> String {
    let bad = status.targets.iter().filter(|target| !target.ok).count();
    match bad {
        0 if status.ok => "Nothing needs a look".into(),
        0 => "The backups are not known".into(),
        1 => format!("1 of {} needs a look", count(status.targets.len(), "target")),
        _ => format!("{bad} of {} need a look", count(status.targets.len(), "target")),
    }
}

fn sections(gathered: &Gathered) -> String {
    let status = &gathered.status;
    let class = if status.ok { "ok" } else { "warning" };
    let state = format!(
        "<p class=\"state {class}\">{}</p><p class=\"faint\">asked {}, every answer was there after {} ms</p>",
        verdict(status),
        time(status.checked),
        gathered.took.as_millis()
    );
    [
        section("state", &state),
        section("targets", &titled("Targets", &cards::cards(status))),
        section("findings", &titled("Findings", &findings::findings(&gathered.findings))),
        section("collections", &cards::collections(status)),
        section("revisions", &revisions::revisions(&gathered.databases)),
        section("schemas", &revisions::schemas(&gathered.databases, status)),
        section("backups", &titled("Backups", &charts::backups(&gathered.sets, status))),
        section("sizes", &charts::sizes(&gathered.sets, status)),
    ]
    .concat()
}

fn titled(title: &str, body: &str) -> String {
    format!("<h2>{title}</h2>\n{body}")
}

/// The script exchanges sections by their ids; one that has nothing to say is there all the same.
fn section(id: &str, body: &str) -> String {
    let hidden = if body.is_empty() { " hidden" } else { "" };
    format!("<section id=\"{id}\"{hidden}>{body}</section>\n")
}

/// The form for people.
pub(super) fn login(was_wrong: bool) -> String {
    let wrong = if was_wrong { "<p class=\"state critical\" role=\"alert\">That is not the token.</p>" } else { "" };
    let form = "<form method=\"post\" action=\"/login\"><label for=\"token\">Token</label>\
                <input id=\"token\" name=\"token\" type=\"password\" autocomplete=\"current-password\" required autofocus>\
                <button>Open</button></form>";
    document("dbops", "", &format!("<section id=\"login\">{wrong}{form}</section>"))
}

fn document(title: &str, attributes: &str, body: &str) -> String {
    let title = escape(title);
    format!(
        r##"<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{title}</title>
<link rel="icon" href="/icon.svg">
<link rel="stylesheet" href="/style.css">
<script src="/script.js" defer></script>
</head>
<body{attributes}>
<a class="skip" href="#main">To the content</a>
<header><h1>dbops</h1></header>
<main id="main" tabindex="-1">
{body}</main>
</body>
</html>
"##
    )
}
