//! Text in HTML. Everything that is not written in this folder goes through `escape` or [`styled`].

use dbops_schema_graph::escape;
use jiff::Timestamp;

use crate::ui::{BAD, GOOD, WARN};

/// Text for a terminal, with what stands in a colour there in a `span` of that meaning.
pub(super) fn styled(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((style, class, at)) = next(rest) {
        let inner = &rest[at + style.len()..];
        let Some((marked, after)) = inner.split_once(END) else { break };
        out.push_str(&escape(&rest[..at]));
        out.push_str(&format!("<span class=\"{class}\">{}</span>", escape(marked)));
        rest = after;
    }
    out.push_str(&escape(rest));
    out
}

/// What ends a colour.
const END: &str = "\x1b[0m";

fn next(text: &str) -> Option<(String, &'static str, usize)> {
    let styles = [(GOOD, "ok"), (WARN, "warning"), (BAD, "critical")];
    let places = styles.into_iter().filter_map(|(style, class)| {
        let style = style.to_string();
        let at = text.find(&style)?;
        Some((style, class, at))
    });
    places.min_by_key(|(_, _, at)| *at)
}

/// A time in UTC, which the script tells in the reader's zone.
pub(super) fn time(time: Timestamp) -> String {
    let shown = time.strftime("%Y-%m-%d %H:%M:%S UTC");
    format!("<time datetime=\"{}\" title=\"{shown}\">{shown}</time>", time.strftime("%Y-%m-%dT%H:%M:%SZ"))
}

#[cfg(test)]
mod tests {
    use super::styled;
    use crate::ui::{BAD, WARN, paint};

    #[test]
    fn colours_become_spans() {
        let cases = [
            ("plain <b>".to_owned(), "plain &lt;b&gt;"),
            (
                format!("a {}, {}", paint(WARN, "1 <pending>"), paint(BAD, "DAMAGED")),
                "a <span class=\"warning\">1 &lt;pending&gt;</span>, <span class=\"critical\">DAMAGED</span>",
            ),
            (format!("{WARN}never ends"), "\u{fffd}[33mnever ends"),
        ];
        for (text, expected) in cases {
            assert_eq!(styled(&text), expected);
        }
    }
}
