//! Text from a database on its way into a picture: escaped, shortened, measured.

use std::borrow::Cow;

/// Text for SVG and HTML, in elements and in quoted attributes. What XML cannot say at all, and what would turn the text
/// around it, is shown as `�`.
#[must_use]
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\n' => out.push_str("&#10;"),
            '\t' => out.push(' '),
            '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            c if c.is_control() || is_bidi_control(c) => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

/// What turns the text around it, which nobody means in a name.
fn is_bidi_control(c: char) -> bool {
    matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// How many characters of a monospaced font wide a text is.
pub(super) fn width(text: &str) -> usize {
    text.chars().map(char_width).sum()
}

/// Two for what East Asian fonts and emoji draw wide; nearly enough for a box around it.
fn char_width(c: char) -> usize {
    match c {
        '\u{300}'..='\u{36f}' | '\u{200b}'..='\u{200f}' | '\u{fe00}'..='\u{fe0f}' => 0,
        '\u{1100}'..='\u{115f}' | '\u{2e80}'..='\u{a4cf}' | '\u{ac00}'..='\u{d7a3}' | '\u{f900}'..='\u{faff}' => 2,
        '\u{fe30}'..='\u{fe6f}' | '\u{ff00}'..='\u{ff60}' | '\u{ffe0}'..='\u{ffe6}' | '\u{1f300}'..='\u{3ffff}' => 2,
        _ => 1,
    }
}

/// The text, or its beginning when it is wider than that.
pub(super) fn cut(text: &str, most: usize) -> Cow<'_, str> {
    if width(text) <= most {
        return Cow::Borrowed(text);
    }
    let mut used = 1;
    let fits = |c: &char| {
        used += char_width(*c);
        used <= most
    };
    let mut out: String = text.chars().take_while(fits).collect();
    out.push('…');
    Cow::Owned(out)
}

/// A type by the shorter of its names: `timestamptz(3)`, `varchar(20)[]`.
pub(super) fn short_type(data_type: &str) -> String {
    let long = [
        ("timestamp", " with time zone", "timestamptz"),
        ("timestamp", " without time zone", "timestamp"),
        ("time", " with time zone", "timetz"),
        ("time", " without time zone", "time"),
        ("character varying", "", "varchar"),
        ("character", "", "char"),
        ("bit varying", "", "varbit"),
        ("double precision", "", "float8"),
    ];
    for (start, zone, short) in long {
        if let Some(rest) = data_type.strip_prefix(start)
            && rest.starts_with(['(', '[', ' ']) | rest.is_empty()
            && (zone.is_empty() || rest.contains(zone))
        {
            return format!("{short}{}", rest.replacen(zone, "", 1));
        }
    }
    data_type.to_owned()
}

#[cfg(test)]
mod tests {
    use super::{cut, escape, short_type, width};

    #[test]
    fn types_are_shortened() {
        let cases = [
            ("timestamp with time zone", "timestamptz"),
            ("timestamp(3) with time zone[]", "timestamptz(3)[]"),
            ("timestamp without time zone", "timestamp"),
            ("time without time zone", "time"),
            ("character varying(20)", "varchar(20)"),
            ("character varying[]", "varchar[]"),
            ("character(2)", "char(2)"),
            ("double precision", "float8"),
            ("public.timestamps", "public.timestamps"),
            ("timestamps", "timestamps"),
        ];
        for (long, short) in cases {
            assert_eq!(short_type(long), short);
        }
    }

    #[test]
    fn text_is_escaped_and_cut() {
        assert_eq!(escape("</a b='\"'>&\u{1}\u{202e}"), "&lt;/a b=&#39;&quot;&#39;&gt;&amp;\u{fffd}\u{fffd}");
        assert_eq!((width("表a"), width("e\u{301}")), (3, 1));
        let cases = [("users", 5, "users"), ("users", 4, "use…"), ("表表表", 5, "表表…"), ("表表表", 4, "表…")];
        for (text, most, expected) in cases {
            assert_eq!(cut(text, most), expected, "{text} {most}");
        }
    }
}
