//! What sort of statement one is: whether it is run, left out, or refused.

use squawk_lexer::{TokenKind, tokenize};

use super::error::Refusal;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Is run.
    Ordinary,
    /// `COPY … FROM stdin`; rows follow.
    CopyIn,
    /// Is run, and may stand before `\connect` too.
    Setting,
    /// `SET …_timeout = 0` and the like: what is switched off, a server that does not know it does not need.
    SwitchedOff(String),
    /// Is the driver's affair, or the server's where extensions are made.
    LeftOut,
    /// Says who owns something, or whose rights are used; the owner, if it is named.
    Owner(Option<String>),
    /// Says who may do something.
    Privilege,
    /// `BEGIN` or `COMMIT`.
    Transaction,
    /// `CREATE DATABASE`, and `DROP DATABASE`, which may come before it.
    CreateDatabase(String),
    DropDatabase(String),
    /// Is about a database as a whole.
    OfDatabase(String),
    /// Is not run here.
    Refused(Refusal),
}

/// A statement's words and signs, those in parentheses left out.
struct Words<'a>(Vec<(TokenKind, &'a str)>);

impl<'a> Words<'a> {
    fn new(sql: &'a str) -> Self {
        let (mut words, mut position, mut depth) = (Vec::new(), 0, 0_usize);
        for token in tokenize(sql) {
            let text = &sql[position..position + token.len as usize];
            position += token.len as usize;
            match token.kind {
                TokenKind::Whitespace | TokenKind::LineComment | TokenKind::BlockComment { .. } | TokenKind::Eof => {}
                TokenKind::OpenParen => depth += 1,
                TokenKind::CloseParen => depth = depth.saturating_sub(1),
                kind if depth == 0 => words.push((kind, text)),
                _ => {}
            }
        }
        Self(words)
    }

    /// A word that is not quoted, in upper case; else the empty string.
    fn at(&self, index: usize) -> String {
        match self.0.get(index) {
            Some((TokenKind::Ident, text)) => text.to_ascii_uppercase(),
            _ => String::new(),
        }
    }

    fn sign(&self, index: usize) -> &'a str {
        self.0.get(index).map_or("", |(_, text)| text)
    }

    fn find(&self, word: &str) -> Option<usize> {
        (0..self.0.len()).find(|index| self.at(*index) == word)
    }

    /// A name, as the server reads it.
    fn name(&self, index: usize) -> Option<String> {
        match self.0.get(index)? {
            (TokenKind::Ident, text) => Some(text.to_ascii_lowercase()),
            (TokenKind::QuotedIdent { .. }, text) => {
                Some(text.strip_prefix('"')?.strip_suffix('"')?.replace("\"\"", "\""))
            }
            _ => None,
        }
    }
}

/// Whether the rows of a COPY follow it.
pub(crate) fn is_copy_in(sql: &str) -> bool {
    kind(sql) == Kind::CopyIn
}

/// Tells by the words outside of parentheses. What a statement does by calling functions is not looked at.
pub(crate) fn kind(sql: &str) -> Kind {
    let first = first_word(sql);
    match first.as_str() {
        "SELECT" => selection(sql),
        "COPY" => copy(&Words::new(sql)),
        "SET" | "RESET" => setting(&Words::new(sql)),
        "ALTER" | "CREATE" | "DROP" => definition(&Words::new(sql)),
        "COMMENT" | "SECURITY" => remark(&Words::new(sql)),
        "GRANT" | "REVOKE" => privilege(&Words::new(sql)),
        "REASSIGN" => Kind::Refused(Refusal::WholeServer),
        "BEGIN" | "START" | "COMMIT" | "END" | "ROLLBACK" | "ABORT" | "PREPARE" => transaction(&Words::new(sql)),
        _ => Kind::Ordinary,
    }
}

/// Without reading the rest: an INSERT may be large.
fn first_word(sql: &str) -> String {
    let end = sql.find(|character: char| !character.is_ascii_alphabetic()).unwrap_or(sql.len());
    sql[..end].to_ascii_uppercase()
}

fn selection(sql: &str) -> Kind {
    match sql["SELECT".len()..].trim_ascii_start().strip_prefix("pg_catalog.set_config(") {
        Some(setting) if setting.contains("standard_conforming_strings") => {
            Kind::Refused(Refusal::BackslashesInStrings)
        }
        Some(setting) if setting.contains("client_encoding") => Kind::Refused(Refusal::Encoding),
        Some(_) => Kind::Setting,
        None => Kind::Ordinary,
    }
}

fn copy(words: &Words<'_>) -> Kind {
    let direction = (0..words.0.len()).find(|index| matches!(words.at(*index).as_str(), "FROM" | "TO"));
    let Some(index) = direction else { return Kind::Ordinary };
    let is_binary = words.find("BINARY").is_some();
    match (words.at(index).as_str(), words.at(index + 1).as_str()) {
        ("FROM", "STDIN") if !is_binary => Kind::CopyIn,
        _ => Kind::Refused(Refusal::Copy),
    }
}

fn setting(words: &Words<'_>) -> Kind {
    let skipped = usize::from(matches!(words.at(1).as_str(), "SESSION" | "LOCAL") && words.at(2) != "AUTHORIZATION");
    let name = words.name(1 + skipped).unwrap_or_default();
    // `=` or `TO`
    let value = words.sign(3 + skipped).trim_matches('\'').to_ascii_uppercase();
    let is_set = words.at(0) == "SET";
    match name.as_str() {
        "session" | "role" => Kind::Owner(None),
        "standard_conforming_strings" if is_set && value != "ON" => Kind::Refused(Refusal::BackslashesInStrings),
        "client_encoding" if matches!(value.as_str(), "UTF8" | "UTF-8" | "UNICODE" | "SQL_ASCII") => Kind::LeftOut,
        "client_encoding" | "names" => Kind::Refused(Refusal::Encoding),
        _ if is_set && name.ends_with("_timeout") && value == "0" => Kind::SwitchedOff(name),
        // Of pg_dump before 12, for servers before 12.
        "default_with_oids" if is_set && value == "FALSE" => Kind::SwitchedOff(name),
        _ => Kind::Setting,
    }
}

fn definition(words: &Words<'_>) -> Kind {
    let (verb, what) = (words.at(0), words.at(1));
    let of_database = |index| words.name(index).map_or(Kind::Refused(Refusal::OtherDatabase), Kind::OfDatabase);
    match what.as_str() {
        "DATABASE" => {
            let index = if verb == "DROP" && words.at(2) == "IF" { 4 } else { 2 };
            match (verb.as_str(), of_database(index)) {
                ("CREATE", Kind::OfDatabase(name)) => Kind::CreateDatabase(name),
                ("DROP", Kind::OfDatabase(name)) => Kind::DropDatabase(name),
                (_, kind) => kind,
            }
        }
        "USER" if words.at(2) == "MAPPING" => Kind::Ordinary,
        "ROLE" | "USER" if verb == "ALTER" && words.at(3) == "IN" && words.at(4) == "DATABASE" => of_database(5),
        "ROLE" | "USER" | "GROUP" | "TABLESPACE" | "SYSTEM" | "OWNED" => Kind::Refused(Refusal::WholeServer),
        "DEFAULT" if verb == "ALTER" && words.at(2) == "PRIVILEGES" => Kind::Privilege,
        _ if verb == "ALTER" && is_owner(words) => Kind::Owner(owner(words)),
        _ => Kind::Ordinary,
    }
}

/// `ALTER … OWNER TO name`, and nothing else besides.
fn is_owner(words: &Words<'_>) -> bool {
    let Some(index) = words.0.len().checked_sub(3) else { return false };
    words.at(index) == "OWNER" && words.at(index + 1) == "TO" && !words.0.iter().any(|(_, text)| *text == ",")
}

fn owner(words: &Words<'_>) -> Option<String> {
    let last = words.0.len() - 1;
    let is_keyword = matches!(words.at(last).as_str(), "CURRENT_USER" | "CURRENT_ROLE" | "SESSION_USER");
    words.name(last).filter(|_| !is_keyword)
}

/// `COMMENT ON`, `SECURITY LABEL ON`
fn remark(words: &Words<'_>) -> Kind {
    let Some(index) = words.find("ON") else { return Kind::Ordinary };
    match words.at(index + 1).as_str() {
        // Creating it sets its comment, and changing that is for its owner.
        "EXTENSION" if words.at(0) == "COMMENT" => Kind::LeftOut,
        "DATABASE" => words.name(index + 2).map_or(Kind::Refused(Refusal::OtherDatabase), Kind::OfDatabase),
        "ROLE" | "TABLESPACE" => Kind::Refused(Refusal::WholeServer),
        _ => Kind::Ordinary,
    }
}

fn privilege(words: &Words<'_>) -> Kind {
    // Without ON it is about the membership in a role.
    let Some(index) = words.find("ON") else { return Kind::Refused(Refusal::WholeServer) };
    match words.at(index + 1).as_str() {
        "DATABASE" if words.sign(index + 3) != "," => {
            words.name(index + 2).map_or(Kind::Refused(Refusal::OtherDatabase), Kind::OfDatabase)
        }
        "DATABASE" => Kind::Refused(Refusal::OtherDatabase),
        "TABLESPACE" | "PARAMETER" => Kind::Refused(Refusal::WholeServer),
        _ => Kind::Privilege,
    }
}

/// Large objects stand between `BEGIN` and `COMMIT`; nothing else of pg_dump's does.
fn transaction(words: &Words<'_>) -> Kind {
    match (words.at(0).as_str(), words.at(1).as_str()) {
        ("PREPARE", second) if second != "TRANSACTION" => Kind::Ordinary,
        ("ROLLBACK", "TO") => Kind::Ordinary,
        ("ROLLBACK", _) if words.at(2) == "TO" => Kind::Ordinary,
        ("BEGIN" | "COMMIT" | "END", "") if words.0.len() == 1 => Kind::Transaction,
        ("BEGIN" | "COMMIT" | "END", "WORK" | "TRANSACTION") if words.0.len() == 2 => Kind::Transaction,
        ("START", "TRANSACTION") if words.0.len() == 2 => Kind::Transaction,
        _ => Kind::Refused(Refusal::Transaction),
    }
}

#[cfg(test)]
mod tests {
    use super::{Kind, Refusal, kind};

    #[test]
    fn tells_statements_apart() {
        let (name, refused) = (|name: &str| name.to_owned(), Kind::Refused);
        let cases = [
            ("CREATE TABLE t (a int)", Kind::Ordinary),
            ("COPY public.t (a, \"from\") FROM stdin", Kind::CopyIn),
            ("copy t from /* */ STDIN with (format csv)", Kind::CopyIn),
            ("COPY t FROM '/etc/passwd'", refused(Refusal::Copy)),
            ("COPY t FROM -- \n PROGRAM 'id'", refused(Refusal::Copy)),
            ("COPY (SELECT 1 FROM stdin) TO PROGRAM 'id'", refused(Refusal::Copy)),
            ("COPY t TO stdout", refused(Refusal::Copy)),
            ("COPY BINARY t FROM stdin", refused(Refusal::Copy)),
            ("SET statement_timeout = 0", Kind::SwitchedOff(name("statement_timeout"))),
            ("SET statement_timeout = 5", Kind::Setting),
            ("SET default_with_oids = false", Kind::SwitchedOff(name("default_with_oids"))),
            ("SET SESSION lock_timeout TO '0'", Kind::SwitchedOff(name("lock_timeout"))),
            ("SET standard_conforming_strings = on", Kind::Setting),
            ("SET standard_conforming_strings = off", refused(Refusal::BackslashesInStrings)),
            ("SET SESSION standard_conforming_strings TO 'off'", refused(Refusal::BackslashesInStrings)),
            ("SET client_encoding = 'UTF8'", Kind::LeftOut),
            ("SET client_encoding = 'LATIN1'", refused(Refusal::Encoding)),
            ("SET NAMES 'latin1'", refused(Refusal::Encoding)),
            ("SET SESSION AUTHORIZATION 'app'", Kind::Owner(None)),
            ("SET ROLE app", Kind::Owner(None)),
            ("RESET SESSION AUTHORIZATION", Kind::Owner(None)),
            ("SELECT pg_catalog.set_config('search_path', '', false)", Kind::Setting),
            ("SELECT pg_catalog.set_config('client_encoding', 'SJIS', false)", refused(Refusal::Encoding)),
            ("SELECT pg_catalog.setval('s', 1)", Kind::Ordinary),
            ("ALTER TABLE public.t OWNER TO App", Kind::Owner(Some(name("app")))),
            ("ALTER FUNCTION public.f(a integer, b text) OWNER TO \"an App\"", Kind::Owner(Some(name("an App")))),
            ("ALTER OPERATOR public.+ (integer, text) OWNER TO CURRENT_USER", Kind::Owner(None)),
            ("ALTER LARGE OBJECT 12 OWNER TO app", Kind::Owner(Some(name("app")))),
            ("ALTER TABLE t ADD a int, OWNER TO app", Kind::Ordinary),
            ("ALTER TABLE t ADD COLUMN owner text", Kind::Ordinary),
            ("ALTER DEFAULT PRIVILEGES FOR ROLE a GRANT SELECT ON TABLES TO b", Kind::Privilege),
            ("GRANT SELECT(a) ON TABLE t TO b", Kind::Privilege),
            ("GRANT CONNECT ON DATABASE \"a\"\"b\" TO c", Kind::OfDatabase(name("a\"b"))),
            ("GRANT CONNECT ON DATABASE a, b TO c", refused(Refusal::OtherDatabase)),
            ("GRANT admins TO me", refused(Refusal::WholeServer)),
            ("REVOKE ALL ON TABLESPACE t FROM PUBLIC", refused(Refusal::WholeServer)),
            ("CREATE DATABASE Shop WITH TEMPLATE = template0", Kind::CreateDatabase(name("shop"))),
            ("DROP DATABASE IF EXISTS shop", Kind::DropDatabase(name("shop"))),
            ("ALTER DATABASE shop SET work_mem TO '5MB'", Kind::OfDatabase(name("shop"))),
            ("ALTER DATABASE shop OWNER TO app", Kind::OfDatabase(name("shop"))),
            ("ALTER DATABASE U&\"shop\" OWNER TO app", refused(Refusal::OtherDatabase)),
            ("ALTER ROLE r IN DATABASE shop SET work_mem TO '5MB'", Kind::OfDatabase(name("shop"))),
            ("ALTER ROLE r SUPERUSER", refused(Refusal::WholeServer)),
            ("ALTER SYSTEM SET archive_command = 'id'", refused(Refusal::WholeServer)),
            ("CREATE USER MAPPING FOR a SERVER s", Kind::Ordinary),
            ("CREATE USER a", refused(Refusal::WholeServer)),
            ("DROP OWNED BY a", refused(Refusal::WholeServer)),
            ("COMMENT ON EXTENSION vector IS 'x'", Kind::LeftOut),
            ("COMMENT ON DATABASE shop IS 'x'", Kind::OfDatabase(name("shop"))),
            ("COMMENT ON TABLE t IS 'ON DATABASE x'", Kind::Ordinary),
            ("SECURITY LABEL FOR p ON ROLE r IS 'x'", refused(Refusal::WholeServer)),
            ("BEGIN", Kind::Transaction),
            ("COMMIT", Kind::Transaction),
            ("COMMIT AND CHAIN", refused(Refusal::Transaction)),
            ("ROLLBACK", refused(Refusal::Transaction)),
            ("ROLLBACK TO SAVEPOINT s", Kind::Ordinary),
            ("PREPARE TRANSACTION 'x'", refused(Refusal::Transaction)),
            ("PREPARE x AS SELECT 1", Kind::Ordinary),
            ("", Kind::Ordinary),
        ];
        for (sql, expected) in cases {
            assert_eq!(kind(sql), expected, "{sql}");
        }
    }
}
