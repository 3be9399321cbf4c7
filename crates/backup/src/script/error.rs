//! Why a script is not restored.

use std::fmt;

use dbops_postgres::SqlError;

/// What is wrong with a script for psql, or what the server said to it.
#[derive(Debug, thiserror::Error)]
pub enum ScriptError {
    /// It holds something that is not run. Nothing of it was run.
    #[error("{script}, line {line}: `{found}` {refusal}")]
    Refused {
        /// The script, for people.
        script: String,
        /// Where it stands.
        line: u64,
        /// What was found, not more than the beginning.
        found: String,
        /// Why it is not run.
        refusal: Refusal,
    },
    /// It ends too early. Nothing of it was run.
    #[error("{script} is cut off: {missing}")]
    CutOff {
        /// The script.
        script: String,
        /// What is missing.
        missing: String,
    },
    /// It is no script that can be read here.
    #[error("{script} cannot be read as a script: {reason} (line {line})")]
    NotText {
        /// The script.
        script: String,
        /// Where.
        line: u64,
        /// Why not.
        reason: &'static str,
    },
    /// Its compressed data is damaged.
    #[error("{script} cannot be decompressed: {reason}")]
    Damaged {
        /// The script.
        script: String,
        /// What the decoder says.
        reason: String,
    },
    /// Single tables were asked for.
    #[error("{0} is a script, of which only everything can be restored")]
    Tables(String),
    /// The server refused a statement.
    #[error("{script}, line {line}: `{beginning}`")]
    Statement {
        /// The script.
        script: String,
        /// The line of the statement; of rows, that of the row, where the server names it.
        line: u64,
        /// How the statement begins.
        beginning: String,
        /// What the server said.
        source: Box<SqlError>,
    },
}

/// Why something in a script is not run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// A command of psql that no dump needs.
    Command,
    /// psql would put the value of one of its variables there.
    Variable,
    /// A file or program of the server, or rows that would have to go somewhere.
    Copy,
    /// Something where the rows of COPY should begin.
    AfterCopy,
    /// It changes another database than the script's own, or goes to one.
    OtherDatabase,
    /// It changes what all databases of the server share.
    WholeServer,
    /// The restore would be whole before the script is.
    Transaction,
    /// The text would have to be read by other rules.
    BackslashesInStrings,
    /// The text is in another encoding than UTF-8.
    Encoding,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Command => "is a command of psql that no dump needs, and is not run",
            Self::Variable => "is a variable of psql, and has no value here",
            Self::Copy => "reads or writes something else than the rows of the script, and is not run",
            Self::AfterCopy => "stands where the rows of COPY should begin",
            Self::OtherDatabase => "is about another database than the one that the script creates, and is not run",
            Self::WholeServer => "changes what all databases of the server share, and is not run",
            Self::Transaction => "would end the transaction of the restore, and is not run",
            Self::BackslashesInStrings => "gives backslashes in strings a meaning, which is not read here",
            Self::Encoding => "says that the script is not in UTF-8",
        })
    }
}

impl ScriptError {
    /// What to do next.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Refused { refusal: Refusal::BackslashesInStrings | Refusal::Encoding, .. } => {
                "dump the database again with --encoding=UTF8, or with --format=custom; nothing was touched".into()
            }
            Self::Refused { refusal: Refusal::WholeServer, .. } => {
                "create roles and the like by themselves, as a superuser, and take the statement out of the script; \
                 nothing was touched"
                    .into()
            }
            Self::Refused { .. } => {
                "dump the database again with --format=custom, which holds no commands; or take the line \
                                     out; or, if you trust the whole file, run it yourself with psql -X -v \
                                     ON_ERROR_STOP=1 -f; nothing was touched"
                    .into()
            }
            Self::CutOff { .. } | Self::Damaged { .. } => "copy it again, or dump it again; nothing was touched".into(),
            Self::NotText { .. } => {
                "dump the database again with pg_dump --encoding=UTF8 --file=…; nothing was touched".into()
            }
            Self::Tables(_) => {
                "restore all of it beside with --into NAME; single tables come out of pg_dump's other formats".into()
            }
            Self::Statement { source, .. } => return statement_hint(source),
        })
    }
}

fn statement_hint(error: &SqlError) -> Option<String> {
    let message = error.message.as_str();
    Some(if message.contains("role \"") && message.contains("does not exist") {
        "create the role on this server first (CREATE ROLE …), or leave the privileges out with --no-privileges; \
         nothing was left behind"
            .into()
    } else if message.contains("permission denied to create extension") {
        "let a superuser create the extension in an empty database, and restore into that; nothing was left behind"
            .into()
    } else if message.contains("is not available") || message.contains("could not open extension control file") {
        "install the extension on this server first; nothing was left behind".into()
    } else if message.contains("unrecognized configuration parameter") {
        "the script was made for a newer server: take the line out if you can do without it; nothing was left behind"
            .into()
    } else {
        match &error.server_hint {
            Some(hint) => format!("{hint}; nothing was left behind"),
            None => "nothing was left behind".into(),
        }
    })
}
