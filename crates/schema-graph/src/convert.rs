//! What becomes of values when a column's type changes.

/// How PostgreSQL gets from one type to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Conversion {
    /// The stored values are the same.
    Free,
    /// Every value fits.
    Widens,
    /// A value that does not fit is an error.
    Narrows,
    /// A value that does not fit is cut without a word.
    Rounds,
    /// Only when it is asked for: `USING`.
    Explicit,
}

impl Conversion {
    /// Whether ALTER COLUMN TYPE needs no expression: an assignment cast does it, which unlike an explicit one cuts no
    /// text short.
    ///
    /// <https://www.postgresql.org/docs/18/datatype-character.html>
    pub(crate) fn is_assignment(self) -> bool {
        self != Self::Explicit
    }
}

/// Whether a value of one type can be cast to another as it is; otherwise it goes by way of its text.
///
/// <https://www.postgresql.org/docs/18/sql-createcast.html>, and what pg_cast has from the server's own.
pub(crate) fn has_cast(from: &str, to: &str) -> bool {
    let ((from, _), (to, _)) = (split(from), split(to));
    if let (Some(from), Some(to)) = (from.strip_suffix("[]"), to.strip_suffix("[]")) {
        return has_cast(from, to);
    }
    const NUMBERS: [&str; 3] = ["smallint", "integer", "bigint"];
    let is_text = |name: &str| ["text", "character varying", "character"].contains(&name);
    let is_number = |name: &str| NUMBERS.contains(&name);
    match (from, to) {
        (from, to) if is_text(from) || is_text(to) => true,
        ("boolean", "integer") | ("integer", "boolean" | "\"char\"") | ("\"char\"", "integer") => true,
        ("bytea", to) => is_number(to),
        (from, "bytea") => is_number(from),
        ("bit", to) => to != "smallint" && is_number(to),
        (from, "bit") => from != "smallint" && is_number(from),
        ("jsonb", "boolean" | "real" | "double precision" | "numeric") => true,
        ("jsonb", to) => is_number(to),
        ("money", "numeric") | ("numeric" | "integer" | "bigint", "money") => true,
        ("interval", "time without time zone") | ("time without time zone", "interval") => true,
        (from, to) => {
            from.starts_with("timestamp") && to.starts_with("time") || from.replace("range", "multirange") == to
        }
    }
}

/// The way from one type, as `format_type` writes it, to another.
pub(crate) fn conversion(from: &str, to: &str) -> Conversion {
    let ((from, old_size), (to, new_size)) = (split(from), split(to));
    if from.ends_with("[]") || to.ends_with("[]") {
        return match (from.strip_suffix("[]"), to.strip_suffix("[]")) {
            (Some(from), Some(to)) => conversion(&with_size(from, &old_size), &with_size(to, &new_size)),
            _ => Conversion::Explicit,
        };
    }
    let is_larger = match (old_size.first(), new_size.first()) {
        (_, None) => true,
        (None, Some(_)) => false,
        (Some(old), Some(new)) => new >= old && new_size.get(1) == old_size.get(1),
    };
    const TEXTS: [&str; 4] = ["character", "character varying", "text", "bpchar"];
    const NUMBERS: [&str; 6] = ["smallint", "integer", "bigint", "numeric", "real", "double precision"];
    const TIMES: [&str; 3] = ["date", "timestamp without time zone", "timestamp with time zone"];
    let place = |list: &[&str], name: &str| list.iter().position(|other| *other == name);
    if from == to {
        return match (is_larger, from) {
            (true, "character") => Conversion::Widens,
            (true, _) => Conversion::Free,
            (false, "numeric") => Conversion::Rounds,
            (false, _) if from.starts_with("time") || from == "interval" => Conversion::Rounds,
            (false, _) => Conversion::Narrows,
        };
    }
    if let (Some(_), Some(_)) = (place(&TEXTS, from), place(&TEXTS, to)) {
        return match (from == "character" || to == "character", is_larger) {
            (false, true) => Conversion::Free,
            (true, true) => Conversion::Widens,
            _ => Conversion::Narrows,
        };
    }
    if let (Some(old), Some(new)) = (place(&NUMBERS, from), place(&NUMBERS, to)) {
        return match (old, new) {
            (0..=2, 3) if new_size.is_empty() => Conversion::Widens,
            (0..=2, 0..=2) => {
                if new > old {
                    Conversion::Widens
                } else {
                    Conversion::Narrows
                }
            }
            (0, 4) | (0 | 1, 5) | (4, 5) => Conversion::Widens,
            _ => Conversion::Rounds,
        };
    }
    if let (Some(old), Some(new)) = (place(&TIMES, from), place(&TIMES, to)) {
        return if new == 0 && old > 0 { Conversion::Rounds } else { Conversion::Widens };
    }
    match (from, to) {
        ("json", "jsonb") | ("jsonb", "json") => Conversion::Widens,
        (_, "text" | "character varying") if new_size.is_empty() => Conversion::Widens,
        (_, "character varying" | "character") => Conversion::Narrows,
        _ => Conversion::Explicit,
    }
}

/// `numeric(9,2)` is `numeric` and its sizes; a timestamp's stands in the middle of its name.
fn split(name: &str) -> (&str, Vec<i64>) {
    let name = match name {
        _ if name.starts_with("timestamp(") && name.ends_with("with time zone") => "timestamp with time zone",
        _ if name.starts_with("timestamp(") => "timestamp without time zone",
        _ => name,
    };
    let Some((base, rest)) = name.split_once('(') else { return (name, Vec::new()) };
    let Some((sizes, _)) = rest.split_once(')') else { return (name, Vec::new()) };
    let numbers = sizes.split(',').filter_map(|size| size.trim().parse().ok()).collect();
    (if name.ends_with("[]") { name } else { base }, numbers)
}

fn with_size(name: &str, size: &[i64]) -> String {
    let base = name.split('(').next().unwrap_or_default();
    let sizes: Vec<_> = size.iter().map(ToString::to_string).collect();
    if sizes.is_empty() { base.to_owned() } else { format!("{base}({})", sizes.join(",")) }
}

#[cfg(test)]
mod tests {
    use super::Conversion::{Explicit, Free, Narrows, Rounds, Widens};
    use super::conversion;

    #[test]
    fn the_way_from_one_type_to_another() {
        let cases = [
            ("character varying(20)", "character varying(40)", Free),
            ("character varying(20)", "text", Free),
            ("character varying(40)", "character varying(20)", Narrows),
            ("text", "character varying(20)", Narrows),
            ("character(5)", "text", Widens),
            ("integer", "bigint", Widens),
            ("bigint", "integer", Narrows),
            ("integer", "numeric", Widens),
            ("integer", "numeric(9,2)", Rounds),
            ("numeric(9,2)", "numeric(12,2)", Free),
            ("numeric(9,2)", "numeric(12,1)", Rounds),
            ("numeric", "integer", Rounds),
            ("double precision", "real", Rounds),
            ("date", "timestamp with time zone", Widens),
            ("timestamp(3) without time zone", "date", Rounds),
            ("json", "jsonb", Widens),
            ("uuid", "text", Widens),
            ("text", "uuid", Explicit),
            ("text", "integer", Explicit),
            ("integer", "boolean", Explicit),
            ("integer[]", "bigint[]", Widens),
            ("character varying(3)[]", "text[]", Free),
            ("text[]", "text", Explicit),
            ("public.mood", "public.mood", Free),
        ];
        for (from, to, expected) in cases {
            assert_eq!(conversion(from, to), expected, "{from} to {to}");
        }
    }
}
