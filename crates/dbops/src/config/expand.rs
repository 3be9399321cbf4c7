//! `${NAME}` and `${NAME:-default}` in the configuration's values.

use std::borrow::Cow;

use crate::environment::UnreadableFile;

/// Why a value could not be expanded.
#[derive(Debug)]
pub(super) enum ExpandError {
    /// The variable is not set and has no default.
    Unset(String),
    /// `${` without `}`, or a name that no variable can have.
    Malformed(String),
    /// The variable's value is in a file that does not give it.
    File(UnreadableFile),
}

/// Replaces each variable; `$$` stands for one `$`, and a `$` before anything else for itself.
///
/// As in a shell, `:-` takes the default for an empty variable too.
pub(super) fn expand<'a>(
    text: &str,
    variable: impl Fn(&str) -> Result<Option<Cow<'a, str>>, UnreadableFile>,
) -> Result<String, ExpandError> {
    let mut expanded = String::new();
    let mut rest = text;
    while let Some(start) = rest.find('$') {
        expanded.push_str(&rest[..start]);
        let after = &rest[start + 1..];
        if let Some(literal) = after.strip_prefix('$') {
            expanded.push('$');
            rest = literal;
        } else if let Some(body) = after.strip_prefix('{') {
            let end = body.find('}').ok_or_else(|| ExpandError::Malformed(format!("${{{body}")))?;
            let (name, default) = match body[..end].split_once(":-") {
                Some((name, default)) => (name, Some(default)),
                None => (&body[..end], None),
            };
            let is_name = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
            if !is_name {
                return Err(ExpandError::Malformed(format!("${{{}}}", &body[..end])));
            }
            let value = variable(name).map_err(ExpandError::File)?.or(default.map(Cow::Borrowed));
            expanded.push_str(&value.ok_or_else(|| ExpandError::Unset(name.to_owned()))?);
            rest = &body[end + 1..];
        } else {
            expanded.push('$');
            rest = after;
        }
    }
    expanded.push_str(rest);
    Ok(expanded)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{ExpandError, expand};

    #[test]
    fn expands_as_a_shell_does() {
        let variable = |name: &str| Ok((name == "SET").then_some("value".into()));
        let cases = [
            ("plain", "plain"),
            ("${SET}", "value"),
            ("a ${SET} b ${SET}", "a value b value"),
            ("${UNSET:-http://localhost:6333}", "http://localhost:6333"),
            ("${UNSET:-}", ""),
            ("${SET:-other}", "value"),
            ("cost: 5$", "cost: 5$"),
            ("$$ {x} $HOME", "$ {x} $HOME"),
        ];
        for (text, expected) in cases {
            assert_eq!(expand(text, variable).expect(text), expected, "{text}");
        }
        assert!(matches!(expand("${UNSET}", variable), Err(ExpandError::Unset(name)) if name == "UNSET"));
        for text in ["${SET", "${}", "${a b}", "${SET:?}"] {
            assert!(matches!(expand(text, variable), Err(ExpandError::Malformed(_))), "{text}");
        }
    }

    proptest! {
        #[test]
        fn never_panics_and_keeps_text_without_dollars(text in ".*", plain in "[^$]*") {
            drop(expand(&text, |_| Ok(None)));
            prop_assert_eq!(expand(&plain, |_| Ok(None)).expect("no variables"), plain);
        }
    }
}
