//! Failures as the user meets them: a message with its causes, a hint, and an exit code.

use std::io;
use std::process::ExitCode;

use anyhow::anyhow;

/// Every exit code with its meaning, for the manual and the reference.
pub(crate) const EXIT_CODES: [(u8, &str); 7] = [
    (0, "done, or nothing to do"),
    (1, "the operation failed; the message names what is left, if anything is"),
    (2, "wrong usage or configuration, with file, line and a suggestion"),
    (3, "a check found something"),
    (4, "refused: it would destroy data, or needs `--yes`"),
    (5, "another dbops holds the lock, or a lock timeout passed"),
    (130, "interrupted; left clean"),
];

/// What sort of failure it is; each has its exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FailureKind {
    /// The operation failed.
    Failed,
    /// Wrong usage or configuration.
    Usage,
    /// It would destroy data, or needs `--yes`.
    Refused,
    /// Another dbops holds the lock, or a lock timeout passed.
    Locked,
    /// The user stopped it.
    Interrupted,
}

impl FailureKind {
    pub(crate) fn code(self) -> u8 {
        match self {
            Self::Failed => 1,
            Self::Usage => 2,
            Self::Refused => 4,
            Self::Locked => 5,
            Self::Interrupted => 130,
        }
    }

    pub(crate) fn exit_code(self) -> ExitCode {
        ExitCode::from(self.code())
    }

    /// The word in `{"error": {"kind": …}}`.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Failed => "failed",
            Self::Usage => "usage",
            Self::Refused => "refused",
            Self::Locked => "locked",
            Self::Interrupted => "interrupted",
        }
    }
}

/// An error on its way to the user.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) kind: FailureKind,
    pub(crate) error: anyhow::Error,
    pub(crate) hint: Option<String>,
}

pub(crate) type Result<T> = std::result::Result<T, Failure>;

impl Failure {
    pub(crate) fn new(kind: FailureKind, error: impl Into<anyhow::Error>) -> Self {
        Self { kind, error: error.into(), hint: None }
    }

    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::new(FailureKind::Usage, anyhow!(message.into()))
    }

    pub(crate) fn refused(message: impl Into<String>) -> Self {
        Self::new(FailureKind::Refused, anyhow!(message.into()))
    }

    pub(crate) fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Says what was being done, for example which target.
    pub(crate) fn context(mut self, what: impl Into<String>) -> Self {
        self.error = self.error.context(what.into());
        self
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::new(FailureKind::Failed, error)
    }
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        Self::new(FailureKind::Failed, error)
    }
}

impl From<serde_json::Error> for Failure {
    fn from(error: serde_json::Error) -> Self {
        Self::new(FailureKind::Failed, error)
    }
}

impl From<dbops_postgres::ConnectError> for Failure {
    fn from(error: dbops_postgres::ConnectError) -> Self {
        let hint = error.hint();
        Self::new(FailureKind::Failed, error).with_hint(hint)
    }
}

impl From<dbops_postgres::SqlError> for Failure {
    fn from(error: dbops_postgres::SqlError) -> Self {
        let hint = error.server_hint.clone();
        let kind = if error.is_lock_timeout() { FailureKind::Locked } else { FailureKind::Failed };
        Self { kind, error: error.into(), hint }
    }
}

impl From<dbops_postgres::ProgramError> for Failure {
    fn from(error: dbops_postgres::ProgramError) -> Self {
        let hint = error.hint();
        Self::new(FailureKind::Failed, error).with_hint(hint)
    }
}
