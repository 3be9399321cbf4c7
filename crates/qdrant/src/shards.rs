//! Where the shards of a collection lie, and moving, replicating and dropping them.
//! <https://qdrant.tech/documentation/guides/distributed_deployment/#moving-shards>
//!
//! What a change is to be is decided by pure functions on what the server told.

use qdrant_client::qdrant::update_collection_cluster_setup_request::Operation;
use qdrant_client::qdrant::{
    CollectionClusterInfoRequest, CollectionClusterInfoResponse, MoveShard, Replica as WireReplica,
    ReplicaState as State, ReplicateShard, ShardKey, UpdateCollectionClusterSetupRequest, shard_key,
};
use tonic::Code;

use crate::{Error, Server};

/// The shards of a collection, as the node that was asked sees them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Shards {
    /// Sorted by shard and node.
    pub replicas: Vec<Replica>,
    /// What is being copied.
    pub transfers: Vec<Transfer>,
}

/// A copy of a shard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replica {
    /// The shard.
    pub shard: u32,
    /// Its key, where the application chooses the shards.
    pub key: Option<String>,
    /// The node that it is on.
    pub peer: u64,
    /// Its state in Qdrant's words, such as `active` or `dead`.
    pub state: &'static str,
    /// About how many points it holds; only its own node tells.
    pub points: Option<u64>,
}

/// A shard on its way from one node to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Transfer {
    /// The shard.
    pub shard: u32,
    /// The node that has it.
    pub from: u64,
    /// The node that gets it.
    pub to: u64,
    /// Whether both have it afterwards.
    pub stays: bool,
}

/// A change that a server can be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ShardChange {
    /// To another node, after which the first has it no more.
    Move(Transfer),
    /// To another node too.
    Replicate(Transfer),
    /// From a node that is not the only one that has it.
    Drop {
        /// The shard.
        shard: u32,
        /// The node.
        peer: u64,
    },
}

/// How a change goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Progress {
    /// It is not done.
    Running,
    /// It is done.
    Done,
    /// It came to nothing.
    Failed(String),
}

/// Why a change makes no sense, or would lose points.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum ShardError {
    /// There is no such shard.
    #[error("there is no shard {0}")]
    NoShard(u32),
    /// The node has no replica of the shard.
    #[error("node {peer} has no replica of shard {shard}")]
    NotThere {
        /// The shard.
        shard: u32,
        /// The node.
        peer: u64,
    },
    /// The node has one already.
    #[error("node {peer} has a replica of shard {shard} already, in the state {state}")]
    AlreadyThere {
        /// The shard.
        shard: u32,
        /// The node.
        peer: u64,
        /// Its state.
        state: &'static str,
    },
    /// Several nodes have it, and it was not said from which it is to go.
    #[error("shard {shard} is on several nodes: {}", join(.peers))]
    Several {
        /// The shard.
        shard: u32,
        /// They.
        peers: Vec<u64>,
    },
    /// No replica that could be copied.
    #[error("the replica of shard {shard} on node {peer} is {state}: it cannot be copied")]
    NotActive {
        /// The shard.
        shard: u32,
        /// The node.
        peer: u64,
        /// Its state.
        state: &'static str,
    },
    /// Points would be lost.
    #[error("node {peer} has the last active replica of shard {shard}: its points would be lost")]
    Last {
        /// The shard.
        shard: u32,
        /// The node.
        peer: u64,
    },
    /// It is under way already.
    #[error("shard {shard} is being copied from node {from} to node {to}")]
    Busy {
        /// The shard.
        shard: u32,
        /// From.
        from: u64,
        /// To.
        to: u64,
    },
}

impl ShardError {
    /// What to do next.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            Self::NoShard(_) | Self::NotThere { .. } | Self::AlreadyThere { .. } => {
                "`dbops qdrant shards list` shows which nodes have which shards"
            }
            Self::Several { .. } => "say with --from which of them is to give it away",
            Self::NotActive { .. } => "wait until it is active, or copy from another node with --from",
            Self::Last { .. } => "replicate it to another node first, and wait until it is active there",
            Self::Busy { .. } => "wait until that is done; `dbops qdrant shards list` shows it",
        }
    }

    /// Whether it was refused because it would destroy something.
    #[must_use]
    pub fn is_refusal(&self) -> bool {
        matches!(self, Self::Last { .. })
    }
}

fn join(peers: &[u64]) -> String {
    peers.iter().map(u64::to_string).collect::<Vec<_>>().join(", ")
}

const ACTIVE: &str = "active";

impl Shards {
    /// A shard's way to the node `to`, from `from` or else from the only node that has it.
    ///
    /// # Errors
    ///
    /// When there is no such way.
    pub fn plan_move(&self, shard: u32, from: Option<u64>, to: u64) -> Result<ShardChange, ShardError> {
        let holders: Vec<_> = self.of(shard)?.iter().map(|replica| replica.peer).collect();
        let ((Some(from), _) | (None, &[from])) = (from, &holders[..]) else {
            return Err(ShardError::Several { shard, peers: holders });
        };
        Ok(ShardChange::Move(self.plan_transfer(shard, from, to, false)?))
    }

    /// A further replica of a shard on the node `to`, copied from `from` or else from any that is active.
    ///
    /// # Errors
    ///
    /// When that cannot be.
    pub fn plan_replicate(&self, shard: u32, from: Option<u64>, to: u64) -> Result<ShardChange, ShardError> {
        let replicas = self.of(shard)?;
        let any = replicas.iter().find(|replica| replica.state == ACTIVE).unwrap_or(&replicas[0]);
        Ok(ShardChange::Replicate(self.plan_transfer(shard, from.unwrap_or(any.peer), to, true)?))
    }

    /// A replica that goes away.
    ///
    /// # Errors
    ///
    /// When there is none, and when no other active one would be left.
    pub fn plan_drop(&self, shard: u32, peer: u64) -> Result<ShardChange, ShardError> {
        let replicas = self.of(shard)?;
        let found = replicas.iter().any(|replica| replica.peer == peer);
        if !found {
            return Err(ShardError::NotThere { shard, peer });
        }
        self.idle(shard)?;
        if !replicas.iter().any(|replica| replica.peer != peer && replica.state == ACTIVE) {
            return Err(ShardError::Last { shard, peer });
        }
        Ok(ShardChange::Drop { shard, peer })
    }

    fn plan_transfer(&self, shard: u32, from: u64, to: u64, stays: bool) -> Result<Transfer, ShardError> {
        let replicas = self.of(shard)?;
        let on = |peer: u64| replicas.iter().find(|replica| replica.peer == peer);
        self.idle(shard)?;
        if let Some(there) = on(to) {
            return Err(ShardError::AlreadyThere { shard, peer: to, state: there.state });
        }
        let source = on(from).ok_or(ShardError::NotThere { shard, peer: from })?;
        if source.state != ACTIVE {
            return Err(ShardError::NotActive { shard, peer: from, state: source.state });
        }
        Ok(Transfer { shard, from, to, stays })
    }

    /// The replicas of a shard, of which there is at least one.
    fn of(&self, shard: u32) -> Result<Vec<&Replica>, ShardError> {
        let replicas: Vec<_> = self.replicas.iter().filter(|replica| replica.shard == shard).collect();
        if replicas.is_empty() { Err(ShardError::NoShard(shard)) } else { Ok(replicas) }
    }

    fn idle(&self, shard: u32) -> Result<(), ShardError> {
        match self.transfers.iter().find(|transfer| transfer.shard == shard) {
            Some(Transfer { from, to, .. }) => Err(ShardError::Busy { shard, from: *from, to: *to }),
            None => Ok(()),
        }
    }

    /// How a change goes that was asked for.
    #[must_use]
    pub fn progress(&self, change: ShardChange) -> Progress {
        let on =
            |shard: u32, peer: u64| self.replicas.iter().find(|replica| (replica.shard, replica.peer) == (shard, peer));
        match change {
            ShardChange::Drop { shard, peer } if on(shard, peer).is_some() => Progress::Running,
            ShardChange::Drop { .. } => Progress::Done,
            ShardChange::Move(Transfer { shard, from, to, .. })
            | ShardChange::Replicate(Transfer { shard, from, to, .. }) => {
                let is_under_way = self.transfers.iter().any(|one| (one.shard, one.from, one.to) == (shard, from, to));
                let is_left = matches!(change, ShardChange::Replicate(_)) || on(shard, from).is_none();
                match on(shard, to).map(|replica| replica.state) {
                    _ if is_under_way => Progress::Running,
                    Some(ACTIVE) if is_left => Progress::Done,
                    Some("dead") => Progress::Failed(format!("the replica on node {to} is dead")),
                    Some(_) => Progress::Running,
                    None => Progress::Failed(format!("the copy was given up, and node {to} has none")),
                }
            }
        }
    }
}

impl Server {
    /// Where the shards of a collection lie; `None` when there is no such collection. Asks again when the node goes away.
    ///
    /// # Errors
    ///
    /// When the server cannot be asked.
    pub async fn shards(&self, collection: &str) -> Result<Option<Shards>, Error> {
        let request = CollectionClusterInfoRequest { collection_name: collection.into() };
        let doing = format!("ask for the shards of {collection}");
        let ask = async || {
            let mut client = self.collections_api();
            match self.bounded(&doing, client.collection_cluster_info(request.clone())).await? {
                Ok(answer) => Ok(Some(shards(answer.into_inner()))),
                Err(status) if status.code() == Code::NotFound => Ok(None),
                Err(status) => Err(self.error(&doing, &status)),
            }
        };
        self.insist(ask).await
    }

    /// Asks for a change. A transfer has begun when this returns, and goes on whatever becomes of the caller.
    ///
    /// # Errors
    ///
    /// When the nodes do not agree on it.
    pub async fn change_shards(&self, collection: &str, change: ShardChange) -> Result<(), Error> {
        let doing = format!("change the shards of {collection}");
        let request = UpdateCollectionClusterSetupRequest {
            collection_name: collection.into(),
            timeout: None,
            operation: Some(operation(change)),
        };
        let mut client = self.collections_api();
        let is_done = self.work(&doing, client.update_collection_cluster_setup(request)).await?.result;
        if is_done { Ok(()) } else { Err(Error::Server { doing, reason: "the server says that it did not".into() }) }
    }
}

fn operation(change: ShardChange) -> Operation {
    match change {
        // Which way of copying is the best depends on the version: the server chooses.
        ShardChange::Move(Transfer { shard, from, to, .. }) => Operation::MoveShard(MoveShard {
            shard_id: shard,
            from_peer_id: from,
            to_peer_id: to,
            ..Default::default()
        }),
        ShardChange::Replicate(Transfer { shard, from, to, .. }) => Operation::ReplicateShard(ReplicateShard {
            shard_id: shard,
            from_peer_id: from,
            to_peer_id: to,
            ..Default::default()
        }),
        ShardChange::Drop { shard, peer } => Operation::DropReplica(WireReplica { shard_id: shard, peer_id: peer }),
    }
}

fn shards(info: CollectionClusterInfoResponse) -> Shards {
    let peer = info.peer_id;
    let local = info.local_shards.into_iter().map(|shard| Replica {
        state: state_name(shard.state()),
        shard: shard.shard_id,
        key: shard.shard_key.and_then(key),
        peer,
        points: Some(shard.points_count),
    });
    let remote = info.remote_shards.into_iter().map(|shard| Replica {
        state: state_name(shard.state()),
        shard: shard.shard_id,
        key: shard.shard_key.and_then(key),
        peer: shard.peer_id,
        points: None,
    });
    let mut replicas: Vec<_> = local.chain(remote).collect();
    replicas.sort_by_key(|replica| (replica.shard, replica.peer));
    let transfers = info.shard_transfers.into_iter().map(|transfer| Transfer {
        shard: transfer.shard_id,
        from: transfer.from,
        to: transfer.to,
        stays: transfer.sync,
    });
    Shards { replicas, transfers: transfers.collect() }
}

fn key(key: ShardKey) -> Option<String> {
    Some(match key.key? {
        shard_key::Key::Keyword(word) => word,
        shard_key::Key::Number(number) => number.to_string(),
    })
}

/// As `GET /collections/{name}/cluster` writes them, in small letters.
fn state_name(state: State) -> &'static str {
    match state {
        State::Active => ACTIVE,
        State::Dead => "dead",
        State::Partial => "partial",
        State::Initializing => "initializing",
        State::Listener => "listener",
        State::PartialSnapshot => "partial snapshot",
        State::Recovery => "recovery",
        State::Resharding => "resharding",
        State::ReshardingScaleDown => "resharding scale down",
        State::ActiveRead => "active read",
        State::ManualRecovery => "manual recovery",
    }
}

#[cfg(test)]
mod tests;
