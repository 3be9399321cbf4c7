//! A card for each target, with what `dbops status` says of it, and the collections.

use dbops_schema_graph::escape;
use indicatif::HumanCount;

use super::markup::{styled, time};
use crate::commands::status::{Status, TargetStatus, headline, lines};

pub(super) fn cards(status: &Status) -> String {
    let cards = status.targets.iter().map(|target| card(target, status.backups_error.is_none()));
    let mut out = format!("<div class=\"cards\">{}</div>\n", cards.collect::<String>());
    if let Some(reason) = &status.backups_error {
        out.push_str(&format!("<p><span class=\"critical\">backups not known:</span> {}</p>\n", escape(reason)));
    }
    out
}

fn card(target: &TargetStatus, backups_are_known: bool) -> String {
    let word = match (target.ok, target.health.status) {
        (true, _) => "ok",
        (false, "ok") => "warning",
        (false, word) => word,
    };
    let mut rows = String::new();
    for (label, text) in lines(target, backups_are_known) {
        let taken = target.last_backup.as_ref().filter(|_| label == "backup").map(|backup| time(backup.created));
        let taken = taken.map(|taken| format!(", {taken}")).unwrap_or_default();
        rows.push_str(&format!("<dt>{label}</dt><dd>{}{taken}</dd>", styled(&text)));
    }
    if target.unreachable.is_some() {
        let (server, name) = (escape(&target.server), escape(&target.name));
        rows.push_str(&format!(
            "<dt>server</dt><dd>{server}</dd><dt>remedy</dt><dd><code>dbops doctor {name}</code></dd>"
        ));
    }
    format!(
        "<article class=\"card {word}\"><h3><span class=\"badge {word}\">{word}</span> {}</h3><p>{}</p><dl>{rows}</dl>\
         </article>\n",
        escape(&target.name),
        styled(&headline(target))
    )
}

/// Every collection with its aliases; nothing where there is none.
pub(super) fn collections(status: &Status) -> String {
    let mut rows = String::new();
    for target in &status.targets {
        for collection in target.search.iter().flat_map(|search| &search.collections) {
            let class = match collection.state {
                "green" => "ok",
                "red" => "critical",
                _ => "warning",
            };
            let aliases = if collection.aliases.is_empty() { "–".into() } else { collection.aliases.join(", ") };
            rows.push_str(&format!(
                "<tr><td>{}</td><th scope=\"row\">{}</th><td>{}</td><td class=\"number\">{}</td>\
                 <td><span class=\"{class}\">{}</span></td></tr>\n",
                escape(&target.name),
                escape(&collection.name),
                escape(&aliases),
                HumanCount(collection.points),
                escape(collection.state)
            ));
        }
    }
    if rows.is_empty() {
        return rows;
    }
    format!(
        "<h2>Collections</h2>\n<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Collections\"><table>\
         <thead><tr><th scope=\"col\">Target</th><th scope=\"col\">Collection</th><th scope=\"col\">Aliases</th>\
         <th scope=\"col\" class=\"number\">Points</th><th scope=\"col\">State</th></tr></thead>\
         <tbody>{rows}</tbody></table></div>"
    )
}
