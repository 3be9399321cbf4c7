//! The page: what `dbops status` shows, with pictures. It is written here whole, and works without its script, which
//! only brings it up to date and tells times in the reader's zone.

mod cards;
mod charts;
mod findings;
mod markup;
mod plot;
mod revisions;

use super::view::{Gathered, Shared};
use markup::{escape, time};

pub(super) const STYLE: &str = include_str!("page.css");
pub(super) const SCRIPT: &str = include_str!("page.js");
pub(super) const ICON: &str = include_str!("icon.svg");

/// The page as things are.
pub(super) fn page(shared: &Shared) -> String {
    let view = shared.view();
    let notice = shared.not_ready().map(|reason| format!("<p>Not up to date: {}</p>", escape(&reason)));
    let mut body = section("notice", "notice", &notice.unwrap_or_default());
    match &view.gathered {
        Some(gathered) => body.push_str(&sections(gathered)),
        None => body.push_str("<section id=\"state\"><p class=\"state\">Asking the targets …</p></section>\n"),
    }
    document(&title(view.gathered.as_deref()), &format!(" data-every=\"{}\"", shared.interval.as_secs()), &body)
}

fn title(gathered: Option<&Gathered>) -> String {
    match gathered {
        None => "dbops".into(),
        Some(gathered) if gathered.status.ok => "ok – dbops".into(),
        Some(gathered) => {
            let bad = gathered.status.targets.iter().filter(|target| !target.ok).count();
            format!("{bad} of {} need a look – dbops", gathered.status.targets.len())
        }
    }
}

fn sections(gathered: &Gathered) -> String {
    let status = &gathered.status;
    let (word, class) = if status.ok { ("Nothing needs a look", "ok") } else { ("Something needs a look", "warning") };
    let state = format!(
        "<p class=\"state {class}\">{word}</p><p class=\"faint\">asked {}, every answer was there after {} ms</p>",
        time(status.checked),
        gathered.took.as_millis()
    );
    [
        section("state", "state", &state),
        section("targets", "wide", &titled("Targets", &cards::cards(status))),
        section("findings", "wide", &titled("Findings", &findings::findings(&gathered.findings))),
        section("collections", "wide", &cards::collections(status)),
        section("revisions", "wide", &revisions::revisions(&gathered.databases)),
        section("schemas", "wide", &revisions::schemas(&gathered.databases, status)),
        section("backups", "wide", &titled("Backups", &charts::backups(&gathered.sets, status))),
        section("sizes", "wide", &charts::sizes(&gathered.sets, status)),
    ]
    .concat()
}

fn titled(title: &str, body: &str) -> String {
    format!("<h2>{title}</h2>\n{body}")
}

/// The script exchanges sections by their ids; one that has nothing to say is there all the same.
fn section(id: &str, class: &str, body: &str) -> String {
    let hidden = if body.is_empty() { " hidden" } else { "" };
    format!("<section id=\"{id}\" class=\"{class}\"{hidden}>{body}</section>\n")
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
