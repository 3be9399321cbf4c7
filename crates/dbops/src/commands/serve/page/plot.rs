//! A chart of sizes over time, drawn in SVG. Pure: points in, markup out.

use dbops_schema_graph::escape;
use jiff::Timestamp;
use jiff::tz::TimeZone;

/// The drawing's size, in its own units: it is as large as a narrow screen, and not shrunk on one.
const WIDTH: f64 = 340.0;
const HEIGHT: f64 = 170.0;
/// Room for the labels of the axes.
const LEFT: f64 = 62.0;
const RIGHT: f64 = 14.0;
const TOP: f64 = 12.0;
const BOTTOM: f64 = 30.0;

/// A size at a time.
pub(super) struct Point {
    pub(super) time: Timestamp,
    pub(super) bytes: u64,
    /// What is said of it when it is pointed at.
    pub(super) told: String,
    /// How it looks.
    pub(super) class: &'static str,
}

/// How points are drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    /// One line through all.
    Line,
    /// A bar for each.
    Bars,
}

/// The chart, or nothing when there is no point. The points are in the order of their times.
#[expect(clippy::cast_precision_loss, reason = "pixels are coarser")]
pub(super) fn plot(title: &str, points: &[Point], style: Style) -> String {
    let (Some(first), Some(last)) = (points.first(), points.last()) else { return String::new() };
    let largest = points.iter().map(|point| point.bytes).max().unwrap_or_default();
    let step = step(largest);
    let lines = largest.div_ceil(step).max(1);
    let most = step as f64 * lines as f64;
    let (from, to) = (first.time.as_second() as f64, last.time.as_second() as f64);
    // A single point stands in the middle.
    let x = |time: f64| {
        let share = if to > from { (time - from) / (to - from) } else { 0.5 };
        LEFT + 8.0 + share * (WIDTH - LEFT - RIGHT - 16.0)
    };
    let y = |bytes: u64| HEIGHT - BOTTOM - bytes as f64 / most * (HEIGHT - TOP - BOTTOM);
    let mut out = format!(
        "<svg class=\"chart\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"{0}\"><title>{0}</title>",
        escape(title)
    );
    for level in (0..=lines).map(|line| line.saturating_mul(step)) {
        out.push_str(&format!(
            "<path class=\"grid\" d=\"M{LEFT} {0:.1}H{1}\"/><text class=\"y\" x=\"{2}\" y=\"{3:.1}\">{4}</text>",
            y(level),
            WIDTH - RIGHT,
            LEFT - 6.0,
            y(level) + 4.0,
            axis_bytes(level)
        ));
    }
    for (place, time) in dates(from, to) {
        let label = date(time, to - from);
        out.push_str(&format!("<text class=\"x {place}\" x=\"{:.1}\" y=\"{}\">{label}</text>", x(time), HEIGHT - 10.0));
    }
    let at = |point: &Point| (x(point.time.as_second() as f64), y(point.bytes));
    if style == Style::Line {
        let corners = points.iter().map(|point| format!("{:.1},{:.1}", at(point).0, at(point).1));
        out.push_str(&format!("<polyline class=\"line\" points=\"{}\"/>", corners.collect::<Vec<_>>().join(" ")));
    }
    for point in points {
        let ((x, y), told, class) = (at(point), escape(&point.told), point.class);
        let shape = match style {
            Style::Line => format!("<circle class=\"{class}\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"4\">"),
            Style::Bars => {
                // Never thinner than what can be seen and pointed at.
                let height = (HEIGHT - BOTTOM - y).max(2.0);
                let (left, top) = (x - 3.0, HEIGHT - BOTTOM - height);
                format!("<rect class=\"{class}\" x=\"{left:.1}\" y=\"{top:.1}\" width=\"6\" height=\"{height:.1}\">")
            }
        };
        let tag = if style == Style::Line { "circle" } else { "rect" };
        out.push_str(&format!("{shape}<title>{told}</title></{tag}>"));
    }
    out.push_str("</svg>\n");
    out
}

/// The distance of the lines: 1, 2 or 5 times a power of ten, or of 1024 and then of ten, so that there are 2 to 5.
fn step(most: u64) -> u64 {
    let mut unit = 1;
    while most / unit >= 1024 {
        unit *= 1024;
    }
    let steps = [1, 2, 5, 10, 20, 50, 100, 200, 500];
    steps.into_iter().map(|step| step * unit).find(|step| most / step < 5).unwrap_or(unit)
}

fn axis_bytes(bytes: u64) -> String {
    let units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    let (mut value, mut unit) = (bytes, 0);
    while value >= 1024 && value % 1024 == 0 && unit + 1 < units.len() {
        value /= 1024;
        unit += 1;
    }
    format!("{value} {}", units[unit])
}

/// Where dates stand: at both ends, and in the middle.
fn dates(from: f64, to: f64) -> Vec<(&'static str, f64)> {
    if to > from {
        vec![("start", from), ("middle", f64::midpoint(from, to)), ("end", to)]
    } else {
        vec![("middle", from)]
    }
}

/// As much of a time as tells the points of a span apart. In UTC: the drawing has no zone.
fn date(seconds: f64, span: f64) -> String {
    #[expect(clippy::cast_possible_truncation, reason = "a time within those of the points")]
    let time = Timestamp::from_second(seconds as i64).unwrap_or_default().to_zoned(TimeZone::UTC);
    let format = match span {
        _ if span < 2.0 * 86_400.0 => "%d %b %H:%M",
        _ if span < 300.0 * 86_400.0 => "%d %b",
        _ => "%b %Y",
    };
    time.strftime(format).to_string()
}

#[cfg(test)]
mod tests {
    use super::{Point, Style, axis_bytes, plot, step};

    #[test]
    fn lines_stand_at_round_sizes() {
        let cases = [
            (0, "1 B"),
            (3, "1 B"),
            (900, "200 B"),
            (1024, "1 KiB"),
            (7 << 20, "2 MiB"),
            (900 << 20, "200 MiB"),
            (u64::MAX, "5 EiB"),
        ];
        for (most, expected) in cases {
            assert_eq!(axis_bytes(step(most)), expected, "{most}");
            assert!((0..5).contains(&(most / step(most))), "{most}");
        }
    }

    #[test]
    fn points_stay_inside_and_say_what_they_are() {
        let point = |time: i64, bytes| Point {
            time: jiff::Timestamp::from_second(time).expect("a time"),
            bytes,
            told: format!("<{bytes}>"),
            class: "ok",
        };
        assert_eq!(plot("none", &[], Style::Line), "");
        let one = plot("one", &[point(1_000_000, 0)], Style::Bars);
        assert!(one.contains("&lt;0&gt;") && one.contains("12 Jan 13:46") && !one.contains("NaN"), "{one}");
        let many: Vec<_> = (0..50).map(|day| point(day * 86_400, 1 << day)).collect();
        for style in [Style::Line, Style::Bars] {
            let drawn = plot("many", &many, style);
            assert!(drawn.contains("200 TiB") && drawn.contains("01 Jan") && drawn.contains("19 Feb"), "{drawn}");
            assert_eq!(drawn.matches("<title>").count(), 51);
        }
    }
}
