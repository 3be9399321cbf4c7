//! The encoding and locale of a database.

use dbops_postgres::quote_literal;
use serde::{Deserialize, Serialize};

/// The encoding and locale of a database: what two databases must share to sort and compare alike.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Locale {
    /// `UTF8`
    pub encoding: String,
    /// As in `pg_database.datlocprovider`: `c` for the C library, `i` for ICU, `b` for built in.
    pub provider: String,
    /// `LC_COLLATE`
    pub collate: String,
    /// `LC_CTYPE`
    pub ctype: String,
    /// The locale of ICU or of the built-in provider.
    pub locale: Option<String>,
}

impl Locale {
    /// The options of `CREATE DATABASE` for a database like this one.
    pub(crate) fn create_options(&self) -> String {
        let literal = |text: &str| quote_literal(text).trim_start().to_owned();
        let mut options = format!(
            "ENCODING {} LC_COLLATE {} LC_CTYPE {}",
            literal(&self.encoding),
            literal(&self.collate),
            literal(&self.ctype)
        );
        let provider = match self.provider.as_str() {
            "i" => Some(("icu", "ICU_LOCALE")),
            "b" => Some(("builtin", "BUILTIN_LOCALE")),
            _ => None,
        };
        if let (Some((provider, option)), Some(locale)) = (provider, &self.locale) {
            options.push_str(&format!(" LOCALE_PROVIDER {provider} {option} {}", literal(locale)));
        }
        options
    }
}

#[cfg(test)]
mod tests {
    use super::Locale;

    #[test]
    fn a_new_database_gets_the_locale_of_the_old_one() {
        let locale = |provider: &str, locale: Option<&str>| Locale {
            encoding: "UTF8".into(),
            provider: provider.into(),
            collate: "it's".into(),
            ctype: "C".into(),
            locale: locale.map(Into::into),
        };
        let common = "ENCODING 'UTF8' LC_COLLATE 'it''s' LC_CTYPE 'C'";
        let cases = [
            (locale("c", None), common.to_owned()),
            (locale("i", Some("de-DE")), format!("{common} LOCALE_PROVIDER icu ICU_LOCALE 'de-DE'")),
            (locale("b", Some("C.UTF-8")), format!("{common} LOCALE_PROVIDER builtin BUILTIN_LOCALE 'C.UTF-8'")),
        ];
        for (locale, options) in cases {
            assert_eq!(locale.create_options(), options);
        }
    }
}
