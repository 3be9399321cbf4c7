//! What a script may hold, and in which order: what pg_dump writes, with and without `--create`.
//!
//! With `--create` a script begins with the making of its database, connects to it, and says what the database is like.
//! That part is left out, since the database is made under another name; it may be about no other database.

use super::error::Refusal;
use super::kind::Kind;

#[derive(Debug, Default)]
pub(crate) struct Rules {
    /// That of `\restrict`, as long as it counts.
    token: Option<String>,
    /// The database that the script makes, or drops first.
    database: Option<String>,
    is_created: bool,
    is_connected: bool,
    /// There was any statement at all.
    is_script: bool,
    /// Something came that belongs into a database.
    has_begun: bool,
    /// What its first and last comments say.
    is_dump: bool,
    is_complete: bool,
}

impl Rules {
    pub(crate) fn comment(&mut self, text: &str) {
        match text {
            "PostgreSQL database dump" => (self.is_dump, self.is_complete) = (true, false),
            "PostgreSQL database dump complete" => self.is_complete = true,
            _ => {}
        }
    }

    /// A command of psql: none is run, and few are passed over.
    pub(crate) fn command(&mut self, text: &str) -> Result<(), Refusal> {
        let (name, argument) = text.split_once(' ').unwrap_or((text, ""));
        match (name, &self.token) {
            (r"\restrict", None) if is_token(argument) => self.token = Some(argument.into()),
            (r"\unrestrict", Some(token)) if token == argument => self.token = None,
            // pg_dump writes it before `\connect`, for what psql itself does there.
            (r"\encoding", None) if argument == "SQL_ASCII" => {}
            (r"\connect", None) => {
                let name = database_name(argument).ok_or(Refusal::Command)?;
                if !self.is_created || self.database.as_ref() != Some(&name) {
                    return Err(Refusal::OtherDatabase);
                }
                self.is_connected = true;
            }
            _ => return Err(Refusal::Command),
        }
        Ok(())
    }

    /// Whether it is run.
    pub(crate) fn statement(&mut self, kind: &Kind) -> Result<bool, Refusal> {
        self.is_script = true;
        let is_own = |name: &String| self.database.as_ref() == Some(name);
        match kind {
            Kind::Refused(refusal) => Err(*refusal),
            Kind::Setting | Kind::SwitchedOff(_) => Ok(true),
            Kind::LeftOut => Ok(false),
            Kind::DropDatabase(name) | Kind::CreateDatabase(name) => {
                let is_other = self.database.is_some() && !is_own(name);
                if self.has_begun || self.is_created || is_other {
                    return Err(Refusal::OtherDatabase);
                }
                self.database = Some(name.clone());
                self.is_created = matches!(kind, Kind::CreateDatabase(_));
                Ok(false)
            }
            Kind::OfDatabase(name) if self.is_created && is_own(name) => Ok(false),
            Kind::OfDatabase(_) => Err(Refusal::OtherDatabase),
            _ if self.database.is_some() && !self.is_connected => Err(Refusal::OtherDatabase),
            _ => {
                self.has_begun = true;
                Ok(true)
            }
        }
    }

    /// What would have come before the end of a whole script.
    pub(crate) fn missing(&self) -> Option<&'static str> {
        if self.is_dump && !self.is_complete {
            Some("its last line, `-- PostgreSQL database dump complete`, is missing")
        } else if self.token.is_some() {
            Some(r"the `\unrestrict` at its end is missing")
        } else if self.database.is_some() && !self.is_connected {
            Some(r"the `\connect` to the database that it creates is missing")
        } else if !self.is_script {
            Some("it holds no statement")
        } else {
            None
        }
    }
}

fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// The argument of `\connect` as pg_dump writes it: a name, or `-reuse-previous=on "dbname='…'"` for odd ones.
fn database_name(argument: &str) -> Option<String> {
    if let Some(quoted) = argument.strip_prefix("-reuse-previous=on ") {
        let parameters = unquoted(quoted)?;
        let escaped = parameters.strip_prefix("dbname='")?.strip_suffix('\'')?;
        return unescaped(escaped);
    }
    if argument.starts_with('"') {
        return unquoted(argument);
    }
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.');
    (!argument.is_empty() && argument.bytes().all(is_name)).then(|| argument.to_ascii_lowercase())
}

/// `"…"`, in which `""` stands for one of them.
fn unquoted(text: &str) -> Option<String> {
    let inner = text.strip_prefix('"')?.strip_suffix('"')?;
    let single = inner.replace("\"\"", "");
    (!single.contains('"')).then(|| inner.replace("\"\"", "\""))
}

/// Backslashes stand before backslashes and single quotes, which end nothing then.
fn unescaped(text: &str) -> Option<String> {
    let (mut name, mut characters) = (String::new(), text.chars());
    while let Some(character) = characters.next() {
        match character {
            '\\' => name.push(characters.next()?),
            '\'' => return None,
            _ => name.push(character),
        }
    }
    Some(name)
}

#[cfg(test)]
mod tests {
    use super::database_name;

    #[test]
    fn reads_names_as_pg_dump_writes_them() {
        let cases = [
            ("shop", Some("shop")),
            ("\"Shop\"", Some("Shop")),
            (r#"-reuse-previous=on "dbname='odd \'db\\x'""#, Some(r"odd 'db\x")),
            (r#"-reuse-previous=on "dbname='a""b'""#, Some("a\"b")),
            (r#"-reuse-previous=on "dbname='a' host='evil'""#, None),
            (r#"-reuse-previous=on "dbname='a'" evil"#, None),
            (r#"-reuse-previous=off "dbname='a'""#, None),
            ("\"a\" - evil 5432\"", None),
            ("shop - evil", None),
            ("`id`", None),
            ("postgresql://evil/shop", None),
            ("", None),
        ];
        for (argument, expected) in cases {
            assert_eq!(database_name(argument).as_deref(), expected, "{argument}");
        }
    }
}
