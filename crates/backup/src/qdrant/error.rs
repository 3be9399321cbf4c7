//! What can go wrong with collections in a set.

/// Why a collection was not backed up or restored.
#[derive(Debug, thiserror::Error)]
pub enum QdrantError {
    /// The server cannot be asked, or refuses.
    #[error(transparent)]
    Server(#[from] dbops_qdrant::Error),
    /// The points may lie on several nodes, and a snapshot is of one.
    #[error("the server is a cluster of {} nodes, and each makes and takes only snapshots of its own shards: {}", .nodes.len(), .nodes.join(", "))]
    Cluster {
        /// The addresses by which they know each other.
        nodes: Vec<String>,
    },
    /// The set holds no collection of this name.
    #[error("the backup does not hold the collection `{wanted}`, only {}", .held.join(", "))]
    NotInSet {
        /// What was asked for.
        wanted: String,
        /// What there is.
        held: Vec<String>,
    },
    /// One name for several collections.
    #[error("`{into}` is one name, and the backup holds the collections {}", .held.join(", "))]
    OneName {
        /// The name.
        into: String,
        /// The collections.
        held: Vec<String>,
    },
    /// A collection that holds points is not touched.
    #[error("the collection `{collection}` holds {points} points")]
    NotEmpty {
        /// The collection.
        collection: String,
        /// How many.
        points: u64,
        /// Whether an alias led to it, by which it could be swapped.
        has_alias: bool,
    },
    /// The name of the collection is an alias on the server.
    #[error("`{name}` is an alias of the collection `{to}` on the server")]
    NameIsAlias {
        /// The name.
        name: String,
        /// Where the alias leads.
        to: String,
    },
    /// An alias of the set leads elsewhere by now.
    #[error("the alias `{alias}` leads to the collection `{to}` by now")]
    AliasElsewhere {
        /// The alias.
        alias: String,
        /// Where it leads.
        to: String,
    },
    /// An alias of the set is the name of a collection by now.
    #[error("the alias `{0}` is the name of a collection by now")]
    AliasIsCollection(String),
    /// There is no alias to swap by.
    #[error("no alias leads to the collection `{0}`: applications use it by its own name")]
    NoAlias(String),
    /// No alias leads to a collection that was restored beside another.
    #[error("no alias leads to a collection that was restored beside another that is still there")]
    NothingToUndo,
    /// Somebody else made the collection meanwhile.
    #[error("the collection `{0}` was made by somebody else meanwhile")]
    Appeared(String),
    /// The server cannot read snapshots of the version that made this one.
    #[error("the snapshots are of Qdrant {made_by}, and the server is {server}")]
    Version {
        /// The version that made the snapshots.
        made_by: String,
        /// The version of the server.
        server: String,
    },
    /// What was restored is not what was backed up.
    #[error("what was restored as `{collection}` is not what was backed up: {}", .differences.join("; "))]
    Differs {
        /// The collection.
        collection: String,
        /// What differs.
        differences: Vec<String>,
    },
    /// A restore failed, and what it had made could not be removed.
    #[error("{source}; the half-restored collection `{collection}` is still there: {reason}")]
    LeftBehind {
        /// The collection.
        collection: String,
        /// Why it could not be removed.
        reason: String,
        /// Why the restore failed.
        source: Box<Self>,
    },
    /// A restore over a collection failed: what it holds is not known.
    #[error("{source}; the collection `{collection}` was being overwritten and may hold anything now")]
    Overwritten {
        /// The collection.
        collection: String,
        /// Why the restore failed.
        source: Box<Self>,
    },
}

impl QdrantError {
    /// Whether it was refused because it would destroy something.
    #[must_use]
    pub fn is_refusal(&self) -> bool {
        matches!(
            self,
            Self::NotEmpty { .. }
                | Self::NameIsAlias { .. }
                | Self::AliasElsewhere { .. }
                | Self::AliasIsCollection(_)
                | Self::NoAlias(_)
                | Self::Appeared(_)
                | Self::Cluster { .. }
        )
    }

    /// Whether the configuration is wrong, or what was asked for makes no sense for this set.
    #[must_use]
    pub fn is_usage(&self) -> bool {
        use dbops_qdrant::Error::{Address, ApiKey};
        matches!(self, Self::NotInSet { .. } | Self::OneName { .. } | Self::Server(Address { .. } | ApiKey))
    }

    /// What to do next.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Server(error) => return error.hint(),
            Self::Cluster { .. } => {
                "backups are of servers that stand alone. Name each node's address in `nodes`, and `dbops qdrant snapshot \
                 create`, `download` and `restore` work on each of them; nothing was touched"
                    .into()
            }
            Self::NotInSet { .. } => "`dbops backup show` tells what a backup holds".into(),
            Self::OneName { .. } => "choose one with --collection NAME".into(),
            Self::NotEmpty { has_alias: true, .. } => {
                "restore beside it and move the alias with --swap, restore under another name with --into NAME, or \
                 replace it with --overwrite; nothing was touched"
                    .into()
            }
            Self::NotEmpty { .. } => {
                "restore under another name with --into NAME, or replace it with --overwrite; nothing was touched".into()
            }
            Self::NameIsAlias { .. } => "restore under another name with --into NAME; nothing was touched".into(),
            Self::AliasElsewhere { .. } => "move it with --swap; nothing was touched".into(),
            Self::AliasIsCollection(_) => {
                "aliases and collections share their names: restore under another name with --into NAME; nothing was \
                 touched"
                    .into()
            }
            Self::NoAlias(_) => {
                "Qdrant cannot rename a collection. Restore with --into NAME and let the applications use an alias from \
                 now on, or replace it with --overwrite; nothing was touched"
                    .into()
            }
            Self::NothingToUndo => "`dbops qdrant status` shows the collections and where the aliases lead".into(),
            Self::Appeared(_) => "see who works on the server, then try again; nothing was touched".into(),
            Self::Version { .. } => {
                "Qdrant reads snapshots of its own minor version and the one before: restore into such a server, then \
                 upgrade it, one minor version at a time"
                    .into()
            }
            Self::Differs { .. } => "try `dbops backup verify` on the backup; see the server's log".into(),
            Self::LeftBehind { collection, .. } => format!("delete the collection `{collection}` when the server answers"),
            Self::Overwritten { source, .. } => {
                let hint = source.hint().map(|hint| format!("{hint}; then ")).unwrap_or_default();
                format!("{hint}restore again with --overwrite")
            }
        })
    }
}
