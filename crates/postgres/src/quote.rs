//! Identifiers and literals as they may stand in SQL text.

/// Quotes an identifier, always: `users` becomes `"users"`.
///
/// ```
/// assert_eq!(dbops_postgres::quote_identifier(r#"odd "name""#), r#""odd ""name""""#);
/// ```
#[must_use]
pub fn quote_identifier(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// Quotes a string literal so that it reads the same whatever `standard_conforming_strings` says.
///
/// ```
/// assert_eq!(dbops_postgres::quote_literal("it's"), "'it''s'");
/// assert_eq!(dbops_postgres::quote_literal(r"back\slash"), r" E'back\\slash'");
/// ```
#[must_use]
pub fn quote_literal(text: &str) -> String {
    let quoted = text.replace('\'', "''");
    if quoted.contains('\\') {
        // The space keeps the E apart from a word that stands before it, as quote_literal() of libpq does.
        format!(" E'{}'", quoted.replace('\\', "\\\\"))
    } else {
        format!("'{quoted}'")
    }
}
