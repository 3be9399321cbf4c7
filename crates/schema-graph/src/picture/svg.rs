//! The drawing itself.

use super::drawing::{Drawing, Link, LinkKind, Row, Table};
use super::layout::{Area, DOTS, HEADER, KEYS, Layout, RADIUS, ROW, WIDEST_NAME, WIDEST_TYPE, lay_out};
use super::text::{cut, escape, width};

/// How the parts look, in light and in dark.
const STYLE: &str = include_str!("picture.css");
/// The hues of the groups, one after the other.
const HUES: [u16; 8] = [212, 158, 28, 268, 340, 188, 48, 110];
/// What the marks mean, below the drawing.
const LEGEND: [&str; 2] = [
    "PK primary key · FK foreign key · ● not null · ○ may be null",
    "crow’s foot: many rows · bar: at most one · dashed: a view reads, a child inherits",
];
const LEGEND_HEIGHT: i32 = 44;
const NARROWEST: i32 = 620;

pub(super) fn write(drawing: &Drawing, title: &str) -> String {
    drawn(drawing, title, false)
}

/// The drawing; a page's has also what its script shows: the whole of each line, and for those who look from afar a name
/// in big letters over each table.
pub(super) fn drawn(drawing: &Drawing, title: &str, is_page: bool) -> String {
    let layout = lay_out(drawing);
    let (width, height) = (layout.width.max(NARROWEST), layout.height + LEGEND_HEIGHT);
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"schema\" width=\"{width}\" height=\"{height}\" \
         viewBox=\"0 0 {width} {height}\" role=\"img\">\n<title>{}</title>\n<style>\n{STYLE}{}</style>\n\
         <rect class=\"paper\" width=\"{width}\" height=\"{height}\"/>\n",
        escape(title),
        hues()
    );
    for (group, frame) in layout.frames.iter().enumerate() {
        out.push_str(&frame_of(group, &drawing.groups[group], frame, layout.label));
    }
    for (index, link) in drawing.links.iter().enumerate() {
        out.push_str(&link_of(drawing, link, &layout, index, is_page));
    }
    for index in 0..drawing.tables.len() {
        out.push_str(&table_of(drawing, &layout, index, is_page));
    }
    if drawing.tables.is_empty() {
        out.push_str("<text class=\"legend\" x=\"24\" y=\"24\">no tables</text>\n");
    }
    for (y, line) in (layout.height + 8..).step_by(18).zip(LEGEND) {
        out.push_str(&format!("<text class=\"legend\" x=\"24\" y=\"{y}\">{line}</text>\n"));
    }
    out.push_str("</svg>\n");
    out
}

fn hues() -> String {
    let light = |(number, hue)| {
        format!(
            ".h{number} .head{{fill:hsl({hue},60%,89%)}}.h{number} .frame{{fill:hsl({hue},45%,97%);\
             stroke:hsl({hue},30%,80%)}}.h{number} .label{{fill:hsl({hue},45%,36%)}}\n"
        )
    };
    let dark = |(number, hue)| {
        format!(
            ".h{number} .head{{fill:hsl({hue},32%,27%)}}.h{number} .frame{{fill:hsl({hue},22%,11%);\
             stroke:hsl({hue},22%,26%)}}.h{number} .label{{fill:hsl({hue},45%,72%)}}\n"
        )
    };
    let light: String = HUES.iter().enumerate().map(light).collect();
    let dark: String = HUES.iter().enumerate().map(dark).collect();
    format!("{light}@media (prefers-color-scheme:dark){{\n{dark}}}\n")
}

fn frame_of(group: usize, name: &str, frame: &Area, label: i32) -> String {
    let size = label * 3 / 5 - 9;
    let Area { x, y, width, height } = frame;
    let most = usize::try_from(width * 3 / 2 / size).unwrap_or_default();
    format!(
        "<g class=\"group h{}\"><rect class=\"frame\" x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" \
         rx=\"14\"/><text class=\"label\" style=\"font-size:{size}px\" x=\"{}\" y=\"{}\">{}</text></g>\n",
        group % HUES.len(),
        x + 24,
        y + label - 13,
        escape(&cut(name, most))
    )
}

/// A line is drawn as far as it is its own. The whole of it is only there to be shown when it is looked at.
fn link_of(drawing: &Drawing, link: &Link, layout: &Layout, index: usize, is_page: bool) -> String {
    let (line, branch) = (&layout.lines[index], &layout.branches[index]);
    let whole = if is_page && line != branch {
        format!("<path class=\"whole\" d=\"{}\"/>", rounded(line))
    } else {
        String::new()
    };
    let kind = match link.kind {
        LinkKind::ForeignKey => "key",
        LinkKind::Reads | LinkKind::Inherits => "other",
    };
    let [from, to] = [&drawing.tables[link.from.table], &drawing.tables[link.to.table]];
    let told = match link.kind {
        LinkKind::ForeignKey => format!("{} ({}) refers to {}", from.name, link.label, to.name),
        LinkKind::Reads | LinkKind::Inherits => format!("{} {} {}", from.name, link.label, to.name),
    };
    format!(
        "<g class=\"link {kind}\" data-from=\"{}\" data-to=\"{}\"><title>{}</title><path class=\"line\" d=\"{}\"/>{whole}\
         <path d=\"{}\"/></g>\n",
        link.from.table,
        link.to.table,
        escape(&told),
        rounded(branch),
        tips(link, line)
    )
}

/// A line through those corners, which are made round.
fn rounded(points: &[(i32, i32)]) -> String {
    let mut points = points.to_vec();
    points.dedup();
    let mut d = String::new();
    for (index, (x, y)) in points.iter().enumerate() {
        let neighbours = index.checked_sub(1).and_then(|before| points.get(before)).zip(points.get(index + 1));
        let Some(((ax, ay), (bx, by))) = neighbours else {
            d.push_str(&format!("{}{x} {y}", if index == 0 { 'M' } else { 'L' }));
            continue;
        };
        let (before, after) = ((ax - x).abs() + (ay - y).abs(), (bx - x).abs() + (by - y).abs());
        let radius = RADIUS.min(before / 2).min(after / 2);
        let toward = |(px, py): (&i32, &i32)| (x + (px - x).signum() * radius, y + (py - y).signum() * radius);
        let ((ax, ay), (bx, by)) = (toward((ax, ay)), toward((bx, by)));
        d.push_str(&format!("L{ax} {ay}Q{x} {y} {bx} {by}"));
    }
    d
}

/// What stands at the two ends of a line.
fn tips(link: &Link, line: &[(i32, i32)]) -> String {
    let ([(x, y), (next, _), ..], [.., (before, _), (ex, ey)]) = (line, line) else { return String::new() };
    let (out, back) = ((next - x).signum(), (before - ex).signum());
    let bar = |x: i32, y: i32| format!("M{x} {}v12", y - 6);
    match link.kind {
        LinkKind::ForeignKey if link.is_unique => bar(x + 8 * out, *y) + &bar(ex + 8 * back, *ey),
        LinkKind::ForeignKey => format!("M{x} {}L{} {y}L{x} {}", y - 6, x + 11 * out, y + 6) + &bar(ex + 8 * back, *ey),
        LinkKind::Reads => format!("M{} {}L{ex} {ey}L{} {}", ex + 8 * back, ey - 5, ex + 8 * back, ey + 5),
        LinkKind::Inherits => format!("M{ex} {ey}L{} {}v12Z", ex + 11 * back, ey - 6),
    }
}

fn table_of(drawing: &Drawing, layout: &Layout, index: usize, is_page: bool) -> String {
    let (table, area) = (&drawing.tables[index], &layout.tables[index]);
    let Area { x, y, width: wide, height } = area;
    let full_name = drawing.full_name(table);
    let told = table.comment.as_ref().map_or(full_name.clone(), |comment| format!("{full_name}: {comment}"));
    let note = table.note.as_ref().map_or(String::new(), |note| {
        format!("<text class=\"note\" x=\"{}\" y=\"20\">{}</text>", wide - 12, escape(note))
    });
    let mut out = format!(
        "<g class=\"table h{}{}\" data-table=\"{index}\" data-name=\"{}\" transform=\"translate({x} {y})\">\
         <title>{}</title><rect class=\"box\" width=\"{wide}\" height=\"{height}\" rx=\"7\"/>\
         <path class=\"head\" d=\"M1 {HEADER}V7a6 6 0 0 1 6-6H{}a6 6 0 0 1 6 6V{HEADER}Z\"/>\
         <g class=\"near\"><text class=\"name\" x=\"12\" y=\"20\">{}</text>{note}",
        table.group % HUES.len(),
        if table.is_view { " view" } else { "" },
        escape(&full_name),
        escape(&told),
        wide - 7,
        escape(&cut(&table.name, WIDEST_NAME))
    );
    for (number, row) in (0..).zip(&table.rows) {
        out.push_str(&row_of(row, *wide, HEADER + number * ROW + ROW / 2));
    }
    out.push_str("</g>");
    if is_page {
        out.push_str(&sign(table, area));
    }
    out.push_str("</g>\n");
    out
}

fn row_of(row: &Row, wide: i32, middle: i32) -> String {
    let key = match (row.is_primary, row.is_foreign) {
        (true, true) => "PK,FK",
        (true, false) => "PK",
        (false, true) => "FK",
        (false, false) => "",
    };
    let y = middle + 4;
    let mut out = String::new();
    if !key.is_empty() {
        out.push_str(&format!("<text class=\"mark\" x=\"10\" y=\"{y}\">{key}</text>"));
    }
    let comment = row.comment.as_ref().map_or(String::new(), |it| format!("<title>{}</title>", escape(it)));
    out.push_str(&format!(
        "<text x=\"{KEYS}\" y=\"{y}\"{}>{comment}{}</text><text class=\"type\" x=\"{}\" y=\"{y}\">{}</text>\
         <circle{} cx=\"{}\" cy=\"{middle}\" r=\"2.5\"/>",
        if row.is_primary { " class=\"primary\"" } else { "" },
        escape(&cut(&row.name, WIDEST_NAME)),
        wide - DOTS,
        escape(&cut(&row.data_type, WIDEST_TYPE)),
        if row.not_null { " class=\"full\"" } else { "" },
        wide - 12
    ));
    out
}

/// The name as big as the table allows.
fn sign(table: &Table, area: &Area) -> String {
    let name = cut(&table.name, 24);
    let characters = i32::try_from(width(&name)).unwrap_or(1).max(1);
    let size = (area.width * 3 / 2 / characters).min(area.height * 2 / 3).clamp(8, 56);
    format!(
        "<text class=\"sign\" x=\"{}\" y=\"{}\" style=\"font-size:{size}px\">{}</text>",
        area.width / 2,
        area.height / 2 + size / 3,
        escape(&name)
    )
}
