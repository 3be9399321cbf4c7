//! What can go wrong between dbops and a Qdrant server, with what to do about it.

use std::error::Error as _;

use tonic::{Code, Status};

use crate::Change;
use crate::node::NobodyAnswers;

/// What Qdrant says when too few replicas are active (`lib/collection/src/shards/replica_set`).
const NOT_READY: [&str; 2] = ["has no active replica", "Consistency of this update is not guaranteed"];

/// A call that could not be made, or that the server refused. `address` is `host:port` of gRPC.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The URL is not `http(s)://host:port`.
    #[error("`{url}` is not the address of a Qdrant server: {reason}")]
    Address {
        /// The URL, without a password.
        url: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The key holds characters that no header can carry.
    #[error("the API key holds a space, a line break or another character that cannot be sent")]
    ApiKey,
    /// Nothing answers.
    #[error("cannot reach Qdrant at {address}: {reason}")]
    Unreachable {
        /// Where it was looked for.
        address: String,
        /// What the network said.
        reason: String,
    },
    /// None of several nodes answers.
    #[error("no node of Qdrant answers: {}", each_with_reason(.tried))]
    NobodyAnswers {
        /// `host:port` of gRPC of each, with what the network said.
        tried: Vec<(String, String)>,
    },
    /// The replicas that have to take part do not: they are being made or recovered, or their node is away. What was
    /// written may have reached some of them.
    #[error("cannot {doing}: replicas are not ready: {reason}")]
    NotReady {
        /// What was asked for.
        doing: String,
        /// What the server said.
        reason: String,
    },
    /// Something answers, but not in gRPC: most often it is the HTTP port.
    #[error("no gRPC answers at {address}: {reason}")]
    NotGrpc {
        /// Where it was looked for.
        address: String,
        /// What came instead.
        reason: String,
    },
    /// TLS could not be agreed on, or the certificate is not trusted.
    #[error("no TLS connection to Qdrant at {address}: {reason}")]
    Tls {
        /// Where it was looked for.
        address: String,
        /// What TLS said.
        reason: String,
    },
    /// No answer in time.
    #[error("cannot {doing}: Qdrant at {address} gave no answer in {seconds} s")]
    Deadline {
        /// The server.
        address: String,
        /// What it was asked for.
        doing: String,
        /// How long it was waited for.
        seconds: f64,
    },
    /// The connection broke. Whether the server did what it was asked for is not known.
    #[error("cannot {doing}: the connection to Qdrant at {address} broke: {reason}")]
    Lost {
        /// The server.
        address: String,
        /// What it was asked for.
        doing: String,
        /// How it broke.
        reason: String,
    },
    /// The key is wrong or missing.
    #[error("Qdrant at {address} does not let dbops in: {reason}")]
    Unauthorized {
        /// The server.
        address: String,
        /// What it said.
        reason: String,
        /// A key was sent, so it is wrong; otherwise it is missing.
        key_sent: bool,
    },
    /// The key does not allow this.
    #[error("cannot {doing}: the API key does not allow it: {reason}")]
    Forbidden {
        /// What was asked for.
        doing: String,
        /// What the server said.
        reason: String,
    },
    /// The server is too old for this.
    #[error("cannot {doing}: Qdrant at {address} is too old: {reason}")]
    TooOld {
        /// The server.
        address: String,
        /// What was asked for.
        doing: String,
        /// Its version, or what it said.
        reason: String,
    },
    /// The declared name is used for something else.
    #[error("`{name}` is declared as {declared_as}, but on the server it is {taken_by}")]
    NameTaken {
        /// The name.
        name: String,
        /// `a collection` or `an alias`.
        declared_as: &'static str,
        /// What has it.
        taken_by: String,
    },
    /// The plan holds changes for which the points would have to be written anew.
    #[error("{} cannot be changed in place", not_in_place(.changes))]
    NotInPlace {
        /// They.
        changes: Vec<Change>,
    },
    /// The server answered that it made these changes, and did not: older ones pass over what they do not know.
    #[error("Qdrant at {address} does not keep {}", not_in_place(.changes))]
    NotKept {
        /// The server.
        address: String,
        /// They.
        changes: Vec<Change>,
    },
    /// The server is not as it was when the plan was made.
    #[error("somebody else changes the collections at the same time")]
    Changed,
    /// A request over HTTP was refused.
    #[error("cannot {doing}: {address} answers {status}: {reason}")]
    Http {
        /// `host:port` of HTTP.
        address: String,
        /// What was asked for.
        doing: String,
        /// The code of the answer.
        status: u16,
        /// What the server said.
        reason: String,
    },
    /// A file did not arrive as it was sent.
    #[error("cannot {doing}: {reason}")]
    Transfer {
        /// What was being done.
        doing: String,
        /// What differs.
        reason: String,
    },
    /// A file on this machine could not be read or written.
    #[error("cannot {doing}: {path}: {reason}")]
    File {
        /// What was being done.
        doing: String,
        /// The file.
        path: String,
        /// What the system said.
        reason: String,
    },
    /// A rebuild that would lose something, or that there is no way for.
    #[error("{collection} is not rebuilt: {reason}")]
    NoRebuild {
        /// The collection.
        collection: String,
        /// Why not.
        reason: String,
        /// What would allow it.
        advice: String,
    },
    /// Somebody else rebuilds it.
    #[error("{0} is being rebuilt by another dbops")]
    Rebuilding(String),
    /// The copy is not what it was copied from.
    #[error("{copy} is not what {of} is: {reason}")]
    Differs {
        /// The new collection.
        copy: String,
        /// The one that was copied.
        of: String,
        /// What differs.
        reason: String,
    },
    /// The copy holds more points than were copied, or fewer.
    #[error("{copy} holds {found} points, and {copied} were copied to it from {of}")]
    Count {
        /// The new collection.
        copy: String,
        /// The one that was copied.
        of: String,
        /// How many the copy holds.
        found: u64,
        /// How many it should.
        copied: u64,
    },
    /// The server's own words.
    #[error("cannot {doing}: {reason}")]
    Server {
        /// What was asked for.
        doing: String,
        /// What the server said.
        reason: String,
    },
}

impl Error {
    /// What to do next.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Address { .. } => "write http://HOST:PORT or https://HOST:PORT".into(),
            Self::ApiKey => "check `api_key`, and the variable that it comes from, for quotes and line breaks".into(),
            Self::Unreachable { address, .. } => {
                format!("start the server, or correct `url` and `grpc_port`; nothing answers at {address}")
            }
            Self::NobodyAnswers { .. } => {
                "start the nodes, or correct the addresses in `url` and their `grpc_port`".into()
            }
            Self::NotReady { .. } => {
                "see the replicas' states with `dbops qdrant shards list`, wait until they are active, and try again"
                    .into()
            }
            Self::NotGrpc { .. } => {
                "`grpc_port` has to be the port of gRPC, 6334 unless the server is told otherwise; `url` names the one \
                 of HTTP; with TLS on the server `url` begins with https://"
                    .into()
            }
            Self::Tls { .. } => "check that the server speaks TLS on its gRPC port (else write http:// in `url`), and \
                                 that this machine trusts its certificate"
                .into(),
            Self::Deadline { .. } => "see whether the server is overloaded or still starts, then try again".into(),
            Self::Lost { .. } => "see the server's log; if this is so each time, check `grpc_port` and https://".into(),
            Self::Unauthorized { key_sent: true, .. } => "check `api_key`: the server knows another key".into(),
            Self::Unauthorized { key_sent: false, .. } => "set `api_key`: the server asks for one".into(),
            Self::Forbidden { .. } => "use a key that may manage collections, not a read-only one".into(),
            Self::TooOld { .. } => "upgrade the server, one minor version at a time".into(),
            Self::NameTaken { .. } => "declare another name, or drop or rename what has this one when it is no longer \
                                       needed: aliases and collections share their names"
                .into(),
            Self::NotInPlace { changes } if changes.iter().any(Change::is_cut_over) => {
                "an alias cannot have a collection's name: `dbops qdrant reindex --cut-over` copies the points to the \
                 declared collection and gives it the name"
                    .into()
            }
            Self::NotInPlace { .. } => {
                "`dbops qdrant apply --rebuild` writes the points to a new collection, then moves the alias to it"
                    .into()
            }
            Self::NotKept { .. } => {
                "all else is done; upgrade the server, which is too old for it, or leave it out of the declaration"
                    .into()
            }
            Self::Changed => "wait until they are done, then look at a new plan and apply it".into(),
            Self::Http { reason, .. } | Self::Server { reason, .. } if is_about_space(reason) => {
                "free some space on the server's disk; a snapshot needs as much as a copy of the collection".into()
            }
            Self::Http { status: 404, .. } => {
                "see whether it was deleted meanwhile, and that `url` and `grpc_port` lead to the same node, not to a \
                 balancer before several"
                    .into()
            }
            Self::Http { status: 413, .. } => {
                "let the proxy before the server pass larger requests, or write the server's own address in `url`"
                    .into()
            }
            Self::Http { status: 300..400, .. } => "write the address that it leads to in `url`".into(),
            Self::Http { reason, .. } if reason.contains("version") => {
                "restore into a server of the same minor version, or the next one, as the snapshot's".into()
            }
            Self::Http { .. } => "see the server's log".into(),
            Self::Transfer { .. } => {
                "try again; if this is so each time, see what lies between here and the server".into()
            }
            Self::NoRebuild { advice, .. } => advice.clone(),
            Self::Rebuilding(_) => "wait until it is done, then look whether anything is left to do".into(),
            Self::Differs { .. } => {
                "the alias was not moved; see whether the declared vectors can hold the numbers, and that nothing else \
                 writes to the new collection, then begin anew with `dbops qdrant reindex --restart`"
                    .into()
            }
            Self::Count { .. } => {
                "the alias was not moved; see that nothing else writes to the new collection, then run it again, which \
                 writes what is missing and deletes what is too much"
                    .into()
            }
            Self::File { .. } => "see that its folder is there, may be written, and has room".into(),
            Self::Server { .. } => return None,
        })
    }

    /// Whether the same call may well succeed a moment later.
    pub(crate) fn is_passing(&self) -> bool {
        match self {
            Self::Lost { .. } | Self::Unreachable { .. } | Self::Deadline { .. } => true,
            Self::NobodyAnswers { .. } | Self::NotReady { .. } => true,
            Self::Http { status, .. } => matches!(status, 429 | 502..=504),
            _ => false,
        }
    }

    /// Whether it is not the server that answered.
    pub(crate) fn is_absence(&self) -> bool {
        matches!(
            self,
            Self::Lost { .. }
                | Self::Unreachable { .. }
                | Self::Deadline { .. }
                | Self::NotGrpc { .. }
                | Self::Tls { .. }
        )
    }

    /// What went wrong at an address that is named beside it.
    pub(crate) fn reason(&self) -> String {
        match self {
            Self::Lost { reason, .. }
            | Self::Unreachable { reason, .. }
            | Self::NotGrpc { reason, .. }
            | Self::Tls { reason, .. } => reason.clone(),
            Self::Deadline { seconds, .. } => format!("no answer in {seconds} s"),
            other => other.to_string(),
        }
    }

    pub(crate) fn not_understood(doing: &str, error: &serde_json::Error) -> Self {
        Self::Server { doing: doing.into(), reason: format!("the answer is not understood: {error}") }
    }

    pub(crate) fn from_status(address: &str, key_sent: bool, doing: &str, status: &Status) -> Self {
        if let Some(NobodyAnswers { tried }) = status.source().and_then(|cause| cause.downcast_ref()) {
            return Self::NobodyAnswers { tried: tried.clone() };
        }
        let (address, doing) = (address.to_owned(), doing.to_owned());
        let reason = innermost(status);
        let says = |words: &[&str]| words.iter().any(|word| reason.contains(word));
        // With a cause, it is not the server that speaks: the connection could not be made, or broke.
        if status.source().is_some() {
            if says(&["certificate", "TLS", "InvalidContentType", "HandshakeFailure", "InvalidMessage"]) {
                return Self::Tls { address, reason };
            }
            if says(&["frame with invalid size"]) {
                return Self::NotGrpc { address, reason: "the answer is not HTTP/2".into() };
            }
            if status.code() != Code::Unavailable {
                return Self::Lost { address, doing, reason };
            }
        }
        // A balancer whose servers are away answers 502 to 504 without gRPC.
        if says(&["grpc-status header missing"]) && status.code() != Code::Unavailable {
            return Self::NotGrpc { address, reason };
        }
        // The first byte of a text is taken for the flag of a message.
        if says(&["invalid compression flag"]) {
            return Self::NotGrpc { address, reason: "the answer is text".into() };
        }
        match status.code() {
            Code::Internal if says(&NOT_READY) => Self::NotReady { doing, reason },
            Code::Unavailable => Self::Unreachable { address, reason },
            Code::Unauthenticated => Self::Unauthorized { address, reason, key_sent },
            Code::PermissionDenied if key_sent => Self::Forbidden { doing, reason },
            Code::PermissionDenied => Self::Unauthorized { address, reason, key_sent },
            // The development server says itself what it lacks: no newer one has it.
            Code::Unimplemented if says(&["embedded server"]) => Self::Server { doing, reason },
            Code::Unimplemented => Self::TooOld { address, doing, reason },
            _ => Self::Server { doing, reason },
        }
    }
}

fn each_with_reason(nodes: &[(String, String)]) -> String {
    nodes.iter().map(|(address, reason)| format!("{address}: {reason}")).collect::<Vec<_>>().join("; ")
}

fn is_about_space(reason: &str) -> bool {
    ["No space left", "not enough space", "StorageFull", "storage full", "disk space"]
        .iter()
        .any(|it| reason.contains(it))
}

fn not_in_place(changes: &[Change]) -> String {
    let lines = changes.iter().map(|change| {
        let Change { collection, what, from, to, .. } = change;
        let value = |value: &Option<String>| value.clone().unwrap_or_else(|| "none".into());
        format!("{what} of {collection} ({} -> {})", value(from), value(to))
    });
    lines.collect::<Vec<_>>().join(", ")
}

/// The last cause: the outer ones say little more than "transport error".
pub(crate) fn innermost(error: &(dyn std::error::Error + 'static)) -> String {
    let mut last = error;
    while let Some(cause) = last.source() {
        last = cause;
    }
    match last.downcast_ref::<Status>() {
        Some(status) => status.message().to_owned(),
        None => last.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use tonic::{Code, Status};

    use super::Error;

    /// What the server says, whether a key was sent, and what the user reads.
    #[test]
    fn refusals_are_told_apart() {
        let cases = [
            (Code::Unauthenticated, "Must provide an API key", false, "does not let dbops in: Must", "set `api_key`"),
            (
                Code::Unauthenticated,
                "Invalid API key or JWT",
                true,
                "does not let dbops in: Invalid",
                "check `api_key`",
            ),
            (Code::PermissionDenied, "Must provide an API key", false, "does not let dbops in: Must", "set `api_key`"),
            (Code::PermissionDenied, "Global manage access is required", true, "does not allow it", "read-only"),
            (Code::Unimplemented, "unknown method ListAliases", false, "h:6334 is too old", "upgrade"),
            (Code::Unimplemented, "grpc-status header missing, mapped from HTTP", false, "no gRPC answers", "6334"),
            (Code::Internal, "protocol error: invalid compression flag: 123 (valid", false, "no gRPC answers", "6334"),
            (
                Code::Unavailable,
                "grpc-status header missing, mapped from HTTP status code 503",
                false,
                "cannot reach",
                "start the server",
            ),
            (
                Code::Internal,
                "Service internal error: The replica set for shard 0 on peer 7 has no active replica",
                false,
                "cannot do it: replicas are not ready: Service internal",
                "shards list",
            ),
            (Code::InvalidArgument, "Validation error", false, "cannot do it: Validation error", ""),
        ];
        for (code, message, key_sent, shown, hint) in cases {
            let error = Error::from_status("h:6334", key_sent, "do it", &Status::new(code, message));
            assert!(error.to_string().contains(shown), "{error}");
            assert!(error.hint().unwrap_or_default().contains(hint), "{error}: {:?}", error.hint());
        }
    }
}
