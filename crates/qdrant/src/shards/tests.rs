use qdrant_client::qdrant::update_collection_cluster_setup_request::Operation;
use qdrant_client::qdrant::{
    CollectionClusterInfoResponse, LocalShardInfo, RemoteShardInfo, ReplicaState as State, ShardTransferInfo,
};

use super::{Progress, Replica, ShardChange, ShardError, Shards, Transfer, operation, shards};

/// Shard, node and state of each replica; shard, from and to of each transfer.
fn placed(replicas: &[(u32, u64, &'static str)], transfers: &[(u32, u64, u64)]) -> Shards {
    let replica =
        |&(shard, peer, state): &(u32, u64, &'static str)| Replica { shard, key: None, peer, state, points: None };
    let transfer = |&(shard, from, to): &(u32, u64, u64)| Transfer { shard, from, to, stays: false };
    Shards { replicas: replicas.iter().map(replica).collect(), transfers: transfers.iter().map(transfer).collect() }
}

fn transfer(from: u64, to: u64, stays: bool) -> Transfer {
    Transfer { shard: 0, from, to, stays }
}

#[test]
fn what_a_node_tells_is_read() {
    let info = CollectionClusterInfoResponse {
        peer_id: 7,
        shard_count: 2,
        local_shards: vec![LocalShardInfo {
            shard_id: 1,
            points_count: 30,
            state: State::Active.into(),
            shard_key: Some("berlin".to_owned().into()),
        }],
        remote_shards: vec![
            RemoteShardInfo { shard_id: 1, peer_id: 5, state: State::PartialSnapshot.into(), shard_key: None },
            RemoteShardInfo { shard_id: 0, peer_id: 9, state: State::Dead.into(), shard_key: None },
        ],
        shard_transfers: vec![ShardTransferInfo { shard_id: 1, to_shard_id: None, from: 7, to: 5, sync: true }],
        ..Default::default()
    };
    let replica = |shard, key: Option<&str>, peer, state, points| Replica {
        shard,
        key: key.map(ToOwned::to_owned),
        peer,
        state,
        points,
    };
    let expected = Shards {
        replicas: vec![
            replica(0, None, 9, "dead", None),
            replica(1, None, 5, "partial snapshot", None),
            replica(1, Some("berlin"), 7, "active", Some(30)),
        ],
        transfers: vec![Transfer { shard: 1, from: 7, to: 5, stays: true }],
    };
    assert_eq!(shards(info), expected);
}

#[test]
fn moves_are_planned_and_refused() {
    let one = placed(&[(0, 1, "active"), (1, 2, "active")], &[]);
    let two = placed(&[(0, 1, "active"), (0, 2, "dead")], &[]);
    let busy = placed(&[(0, 1, "active"), (0, 3, "partial")], &[(0, 1, 3)]);
    let cases = [
        (&one, (0, None, 2), Ok(ShardChange::Move(transfer(1, 2, false)))),
        (&one, (5, None, 2), Err(ShardError::NoShard(5))),
        (&one, (0, Some(2), 3), Err(ShardError::NotThere { shard: 0, peer: 2 })),
        (&one, (0, None, 1), Err(ShardError::AlreadyThere { shard: 0, peer: 1, state: "active" })),
        (&two, (0, None, 3), Err(ShardError::Several { shard: 0, peers: vec![1, 2] })),
        (&two, (0, Some(1), 3), Ok(ShardChange::Move(transfer(1, 3, false)))),
        (&two, (0, Some(2), 3), Err(ShardError::NotActive { shard: 0, peer: 2, state: "dead" })),
        (&busy, (0, Some(1), 2), Err(ShardError::Busy { shard: 0, from: 1, to: 3 })),
    ];
    for (shards, (shard, from, to), expected) in cases {
        assert_eq!(shards.plan_move(shard, from, to), expected, "{shards:?}: {shard} {from:?} -> {to}");
    }
}

#[test]
fn replicas_are_copied_from_an_active_one() {
    let two = placed(&[(0, 1, "dead"), (0, 2, "active")], &[]);
    assert_eq!(two.plan_replicate(0, None, 3), Ok(ShardChange::Replicate(transfer(2, 3, true))));
    let dead = ShardError::NotActive { shard: 0, peer: 1, state: "dead" };
    assert_eq!(two.plan_replicate(0, Some(1), 3), Err(dead));
    assert_eq!(two.plan_replicate(0, None, 1), Err(ShardError::AlreadyThere { shard: 0, peer: 1, state: "dead" }));
}

#[test]
fn the_last_active_replica_stays() {
    let cases: [(&[_], _, _); 4] = [
        (&[(0, 1, "active")], 1, Err(ShardError::Last { shard: 0, peer: 1 })),
        (&[(0, 1, "active"), (0, 2, "partial")], 1, Err(ShardError::Last { shard: 0, peer: 1 })),
        (&[(0, 1, "active"), (0, 2, "dead")], 2, Ok(ShardChange::Drop { shard: 0, peer: 2 })),
        (&[(0, 1, "active"), (0, 2, "active")], 3, Err(ShardError::NotThere { shard: 0, peer: 3 })),
    ];
    for (replicas, peer, expected) in cases {
        let planned = placed(replicas, &[]).plan_drop(0, peer);
        assert_eq!(planned, expected, "{replicas:?}");
        assert!(planned.err().is_none_or(|error| error.is_refusal() == matches!(error, ShardError::Last { .. })));
    }
}

#[test]
fn the_end_of_a_change_is_seen() {
    let (moved, copied) = (ShardChange::Move(transfer(1, 2, false)), ShardChange::Replicate(transfer(1, 2, true)));
    let dropped = ShardChange::Drop { shard: 0, peer: 2 };
    let (running, done) = (Progress::Running, Progress::Done);
    let failed = |reason: &str| Progress::Failed(reason.to_owned());
    let given_up = failed("the copy was given up, and node 2 has none");
    let cases: [(&[_], &[_], _, _); 9] = [
        (&[(0, 1, "active"), (0, 2, "partial")], &[(0, 1, 2)], moved, running.clone()),
        (&[(0, 1, "active"), (0, 2, "active")], &[], moved, running.clone()),
        (&[(0, 2, "active")], &[], moved, done.clone()),
        (&[(0, 1, "active")], &[], moved, given_up),
        (&[(0, 1, "active"), (0, 2, "active")], &[], copied, done.clone()),
        (&[(0, 1, "active"), (0, 2, "recovery")], &[], copied, running.clone()),
        (&[(0, 1, "active"), (0, 2, "dead")], &[], copied, failed("the replica on node 2 is dead")),
        (&[(0, 1, "active"), (0, 2, "active")], &[], dropped, running),
        (&[(0, 1, "active")], &[], dropped, done),
    ];
    for (replicas, transfers, change, expected) in cases {
        assert_eq!(placed(replicas, transfers).progress(change), expected, "{replicas:?} {transfers:?}: {change:?}");
    }
}

#[test]
fn changes_are_asked_for_as_qdrant_names_them() {
    let moved = operation(ShardChange::Move(transfer(1, 2, false)));
    assert!(matches!(moved, Operation::MoveShard(asked) if (asked.from_peer_id, asked.to_peer_id) == (1, 2)));
    let copied = operation(ShardChange::Replicate(transfer(1, 2, true)));
    assert!(matches!(copied, Operation::ReplicateShard(asked) if (asked.from_peer_id, asked.to_peer_id) == (1, 2)));
    let dropped = operation(ShardChange::Drop { shard: 3, peer: 2 });
    assert!(matches!(dropped, Operation::DropReplica(asked) if (asked.shard_id, asked.peer_id) == (3, 2)));
}
