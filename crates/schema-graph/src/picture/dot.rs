//! Graphviz' language, with tables as its HTML-like labels: <https://graphviz.org/doc/info/shapes.html#html>.

use super::drawing::{Drawing, End, Link, LinkKind, Row, Table};
use super::text::escape;

pub(super) fn write(drawing: &Drawing) -> String {
    let mut out = String::from(
        "digraph schema {\n    rankdir=RL\n    graph [fontname=\"Helvetica\"]\n    \
         node [shape=plain, fontname=\"Helvetica\", fontsize=11]\n    \
         edge [dir=both, arrowsize=0.8, color=\"#667788\", fontname=\"Helvetica\", fontsize=9]\n",
    );
    for (group, name) in drawing.groups.iter().enumerate() {
        out.push_str(&format!("    subgraph cluster_{group} {{\n        label=<{}>\n", text(name)));
        out.push_str("        style=\"rounded\"\n        color=\"#99aabb\"\n");
        for (index, table) in drawing.tables.iter().enumerate().filter(|(_, table)| table.group == group) {
            out.push_str(&node(index, table));
        }
        out.push_str("    }\n");
    }
    drawing.links.iter().for_each(|link| out.push_str(&edge(link)));
    out.push_str("}\n");
    out
}

fn node(index: usize, table: &Table) -> String {
    let note = table.note.as_ref().map(|note| format!(" <i>{}</i>", text(note))).unwrap_or_default();
    let color = if table.is_view { "#f4f4f4" } else { "#dde6f2" };
    let mut out = format!(
        "        t{index} [label=<<table border=\"0\" cellborder=\"1\" cellspacing=\"0\" cellpadding=\"4\">\
         <tr><td port=\"name\" colspan=\"3\" bgcolor=\"{color}\"><b>{}</b>{note}</td></tr>",
        text(&table.name)
    );
    for (number, row) in table.rows.iter().enumerate() {
        let null = if row.not_null { "" } else { " ?" };
        out.push_str(&format!(
            "<tr><td>{}</td><td align=\"left\">{}</td><td align=\"left\" port=\"c{number}\">{}{null}</td></tr>",
            keys(row),
            text(&row.name),
            text(&row.data_type)
        ));
    }
    out.push_str("</table>>]\n");
    out
}

fn keys(row: &Row) -> &'static str {
    match (row.is_primary, row.is_foreign) {
        (true, true) => "PK, FK",
        (true, false) => "PK",
        (false, true) => "FK",
        (false, false) => " ",
    }
}

fn edge(link: &Link) -> String {
    let port = |end: End| match end.row {
        Some(row) => format!("t{}:c{row}", end.table),
        None => format!("t{}:name", end.table),
    };
    let look = match (link.kind, link.is_unique, link.is_optional) {
        (LinkKind::Reads, ..) => "style=dashed, arrowtail=none, arrowhead=vee",
        (LinkKind::Inherits, ..) => "style=dashed, arrowtail=none, arrowhead=empty",
        (LinkKind::ForeignKey, true, true) => "arrowtail=teeodot, arrowhead=teeodot",
        (LinkKind::ForeignKey, true, false) => "arrowtail=teeodot, arrowhead=tee",
        (LinkKind::ForeignKey, false, true) => "arrowtail=crowodot, arrowhead=teeodot",
        (LinkKind::ForeignKey, false, false) => "arrowtail=crowodot, arrowhead=tee",
    };
    format!("    {} -> {} [{look}]\n", port(link.from), port(link.to))
}

/// Never empty, which Graphviz would not read.
fn text(text: &str) -> String {
    if text.trim().is_empty() { "&#160;".to_owned() } else { escape(text) }
}
