//! Why a request is refused, in Qdrant's words where Qdrant has them.

use qdrant_edge::OperationError;
use tonic::Status;

/// The result of everything behind the gRPC services.
pub(crate) type Result<T, E = Error> = std::result::Result<T, E>;

/// A refused request. The text is the one a Qdrant server sends, prefix included, since clients match on it.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// A collection or point that does not exist.
    #[error("Not found: {0}")]
    NotFound(String),
    /// A name that is taken.
    #[error("Wrong input: {0}")]
    AlreadyExists(String),
    /// A request that makes no sense.
    #[error("Wrong input: {0}")]
    Invalid(String),
    /// Something that Qdrant can do and this server cannot.
    #[error("not implemented by the embedded server: {0}")]
    Unsupported(&'static str),
    /// A failure of the disk or of the engine.
    #[error("Service internal error: {0}")]
    Internal(String),
}

impl Error {
    /// An [`Error::Invalid`].
    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self::Invalid(message.into())
    }

    /// That there is no collection called `name`.
    pub(crate) fn no_collection(name: &str) -> Self {
        Self::NotFound(format!("Collection `{name}` doesn't exist!"))
    }

    /// What a lock reports after a panic inside the engine: the state behind it may be half-changed.
    pub(crate) fn poisoned<T>(_: T) -> Self {
        Self::Internal("the engine failed in an earlier request; restart the server".into())
    }
}

impl From<Error> for Status {
    fn from(error: Error) -> Self {
        let text = error.to_string();
        match error {
            Error::NotFound(_) => Self::not_found(text),
            Error::AlreadyExists(_) => Self::already_exists(text),
            Error::Invalid(_) => Self::invalid_argument(text),
            Error::Unsupported(_) => Self::unimplemented(text),
            Error::Internal(_) => Self::internal(text),
        }
    }
}

impl From<OperationError> for Error {
    fn from(error: OperationError) -> Self {
        use OperationError as E;
        match error {
            E::PointIdError { .. } => Self::NotFound(format!("{error} found")),
            E::WrongVectorDimension { .. }
            | E::VectorNameNotExists { .. }
            | E::TypeError { .. }
            | E::TypeInferenceError { .. }
            | E::ValidationError { .. }
            | E::WrongSparse
            | E::WrongMulti
            | E::MissingRangeIndexForOrderBy { .. }
            | E::MissingMapIndexForFacet { .. }
            | E::VariableTypeError { .. }
            | E::NonFiniteNumber { .. } => Self::Invalid(error.to_string()),
            E::ServiceError { .. }
            | E::InconsistentStorage { .. }
            | E::OutOfMemory { .. }
            | E::Cancelled { .. }
            | E::Timeout { .. } => Self::Internal(error.to_string()),
        }
    }
}

impl From<std::io::Error> for Error {
    fn from(error: std::io::Error) -> Self {
        Self::Internal(error.to_string())
    }
}
