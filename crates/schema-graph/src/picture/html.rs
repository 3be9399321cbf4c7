//! A page around the drawing, in one file: what it does is in `page.js`, how it looks in `page.css`.
//!
//! Everything that comes from the database is text in elements and quoted attributes; the script reads it from there.

use super::drawing::Drawing;
use super::svg::drawn;
use super::text::escape;

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

pub(super) fn write(drawing: &Drawing, title: &str) -> String {
    let title_text = escape(title);
    let (list, svg) = (list(drawing), drawn(drawing, title, true));
    let (tables, keys) = (drawing.tables.len(), drawing.links.len());
    format!(
        r#"<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'">
<title>{title_text}</title>
<style>
{STYLE}</style>
</head>
<body>
<header>
<button id="toggle" type="button" aria-expanded="true" aria-controls="side" title="List of tables">☰</button>
<h1>{title_text}</h1>
<input id="search" type="search" placeholder="Find a table or column  ( / )" aria-label="Find a table or column" autocomplete="off" spellcheck="false">
<span id="found" aria-live="polite">{tables} tables, {keys} references</span>
<span class="zoom"><button id="out" type="button" title="Zoom out ( - )">−</button><button id="in" type="button" title="Zoom in ( + )">+</button><button id="fit" type="button" title="Show all ( 0 )">Fit</button></span>
</header>
<main>
<nav id="side" aria-label="Tables">
{list}</nav>
<div id="stage" tabindex="0" aria-label="The drawing: arrow keys move it, + and - zoom, 0 shows all">
{svg}</div>
</main>
<script>
{SCRIPT}</script>
</body>
</html>
"#
    )
}

/// The tables of each group, as buttons.
fn list(drawing: &Drawing) -> String {
    let mut out = String::new();
    for (group, name) in drawing.groups.iter().enumerate() {
        out.push_str(&format!("<section><h2>{}</h2>\n", escape(name)));
        for (index, table) in drawing.tables.iter().enumerate().filter(|(_, table)| table.group == group) {
            let columns: Vec<_> = table.rows.iter().map(|row| row.name.as_str()).collect();
            out.push_str(&format!(
                "<button type=\"button\" data-go=\"{index}\" data-columns=\"{}\">{}</button>\n",
                escape(&columns.join("\n")),
                escape(&table.name)
            ));
        }
        out.push_str("</section>\n");
    }
    out
}
