//! Rebuilds of collections that broke off, on a real Qdrant engine: by a kill at any moment, by a lost connection.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::thread;
use std::time::Instant;

use dbops_qdrant::Id;
use dbops_testbed::unique;
use serde_json::json;

use crate::project::is_exhaustive;
use crate::qdrant::{fill, on_server};
use crate::qdrant_reindex::{behind, declared, exists, has_nothing_to_do, kept, numbered, numbers, plain, reindex};
use crate::s3_proxy::{Fault, S3Proxy};

/// What the next rebuild of a collection is called.
fn next_of(name: &str) -> String {
    let (name, number) = name.rsplit_once('.').unwrap_or((name, "1"));
    format!("{name}.{}", number.parse::<u64>().expect("a number") + 1)
}

/// Killed at any moment, the alias leads to a whole collection, and the next run goes on.
#[test]
fn a_killed_run_is_gone_on_with() {
    let (name, alias) = (unique("killed"), unique("killed_alias"));
    let project = declared(&plain(&name, &alias, "{ size: 4, distance: Dot }"));
    project.ok(&["qdrant", "apply"]);
    fill(&name, 400, 4);
    let arguments = ["qdrant", "reindex", &name, "--force", "--batch", "20", "--parallel", "2"];
    let begun = Instant::now();
    project.ok(&arguments);
    let whole = begun.elapsed();
    let rounds = if is_exhaustive() { 100 } else { 6 };
    let mut held: BTreeMap<u64, u64> = (0..400).map(|number| (number, number)).collect();
    for round in 1..=rounds {
        let mut child = project.command(&arguments).spawn().expect("it starts");
        // The moments are spread over the whole run.
        thread::sleep(whole * round / (rounds + 1));
        child.kill().expect("it is ours");
        child.wait().expect("it ends");
        assert_eq!(numbers(&alias), held, "round {round}");
        // What is written in between is not lost either.
        let id = u64::from(round);
        on_server(async |server| server.write(&alias, vec![numbered(id, id + 1000)]).await);
        held.insert(id, id + 1000);
        // Nor does that come back which is gone, although the copy has it already.
        let copy = next_of(&behind(&alias).expect("it leads there"));
        let copied = if exists(&copy) { numbers(&copy) } else { BTreeMap::new() };
        let gone: Vec<_> = copied.into_keys().rev().take(3).collect();
        on_server(async |server| {
            server.remove(&alias, &gone.iter().copied().map(Id::Number).collect::<Vec<_>>()).await
        });
        held.retain(|id, _| !gone.contains(id));
        project.ok(&[&arguments[..], &["--drop-old", "--yes"]].concat());
        assert_eq!(numbers(&alias), held, "round {round}");
    }
    has_nothing_to_do(&project);
}

/// A kill between what is done to the copy and the record of it.
#[test]
fn what_was_done_and_not_recorded_is_seen() {
    let (name, alias) = (unique("unrecorded"), unique("unrecorded_alias"));
    let project = declared(&plain(&name, &alias, "{ size: 4, distance: Dot }"));
    project.ok(&["qdrant", "apply"]);
    fill(&name, 40, 4);
    let copy = next_of(&name);
    reindex(&project, &[&name, "--force", "--no-swap"]);
    // The last ten were written, and two deleted that are there again by now.
    let record = File::options().write(true).open(&kept(&project, "record")[0]).expect("a file");
    record.set_len(30 * 49).expect("it is ours");
    on_server(async |server| {
        server.remove(&copy, &[3, 4].map(Id::Number)).await?;
        server.remove(&name, &[37, 38, 39].map(Id::Number)).await
    });
    let done = reindex(&project, &[&name, "--force"]);
    assert_eq!((&done["to"], &done["points"], &done["copied"]), (&json!(copy), &json!(37), &json!(9)));
    assert_eq!(numbers(&alias), (0..37).map(|number| (number, number)).collect());
    has_nothing_to_do(&project);
}

/// A swap after which nothing more was done: the last writes to the old collection follow, those to the new one stay.
#[test]
fn a_run_killed_behind_the_swap_brings_the_last_writes() {
    let (name, alias) = (unique("tail"), unique("tail_alias"));
    let project = declared(&plain(&name, &alias, "{ size: 4, distance: Dot }"));
    project.ok(&["qdrant", "apply"]);
    fill(&name, 30, 4);
    reindex(&project, &[&name, "--force", "--no-swap"]);
    project.ok(&["qdrant", "alias", "set", &alias, &format!("{name}.2"), "--yes"]);
    let write = |collection: &str, id: u64, number: u64| {
        on_server(async |server| server.write(collection, vec![numbered(id, number)]).await);
    };
    for (id, number) in [(1, 101), (2, 102), (50, 150)] {
        write(&name, id, number);
    }
    on_server(async |server| server.remove(&name, &[Id::Number(3), Id::Number(4)]).await);
    for (id, number) in [(2, 202), (4, 204), (60, 160)] {
        write(&alias, id, number);
    }
    let done = reindex(&project, &[]);
    assert_eq!((&done["followed"], &done["swapped"]), (&json!(3), &json!(true)));
    let mut expected: BTreeMap<u64, u64> = (0..30).map(|number| (number, number)).collect();
    expected.extend([(1, 101), (2, 202), (4, 204), (50, 150), (60, 160)]);
    expected.remove(&3);
    assert_eq!(numbers(&alias), expected);
    has_nothing_to_do(&project);
}

#[test]
fn a_broken_connection_is_made_again() {
    let (name, alias) = (unique("cut"), unique("cut_alias"));
    let faults = [Fault::CutAnswer(40_000), Fault::CutRequest(40_000), Fault::CutAnswer(20_000)];
    let proxy = S3Proxy::new(dbops_testbed::qdrant().grpc_port, &faults);
    let project = declared(&plain(&name, &alias, "{ size: 32, distance: Dot }"));
    project.ok(&["qdrant", "apply"]);
    fill(&name, 600, 32);
    let config = fs::read_to_string(project.path("dbops.yaml")).expect("a file");
    let port = |port: u16| format!("grpc_port: {port}");
    project.write("dbops.yaml", &config.replace(&port(dbops_testbed::qdrant().grpc_port), &port(proxy.port)));
    let done = reindex(&project, &[&name, "--force", "--batch", "50"]);
    assert_eq!((&done["points"], &done["swapped"]), (&json!(600), &json!(true)));
    assert!(proxy.is_exhausted(), "no connection was cut");
    assert_eq!(numbers(&alias).len(), 600);
}
