//! `cargo xtask check`: what has to hold before a change is looked at.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::progress::error_line;
use crate::workspace::{cargo, run_visibly};

/// Which of the workspace's crates each may depend on, tests aside.
const ALLOWED: [(&str, &[&str]); 11] = [
    (
        "dbops",
        &[
            "dbops-backup",
            "dbops-health",
            "dbops-migrate",
            "dbops-postgres",
            "dbops-qdrant",
            "dbops-schema-graph",
            "dbops-sync",
        ],
    ),
    ("dbops-backup", &["dbops-postgres", "dbops-qdrant"]),
    ("dbops-health", &["dbops-postgres", "dbops-qdrant"]),
    ("dbops-migrate", &["dbops-postgres"]),
    ("dbops-postgres", &[]),
    ("dbops-qdrant", &[]),
    ("dbops-qdrant-embedded", &[]),
    ("dbops-schema-graph", &["dbops-postgres"]),
    ("dbops-sync", &["dbops-postgres", "dbops-qdrant"]),
    ("dbops-testbed", &["dbops-postgres"]),
    ("xtask", &["dbops-postgres"]),
];

/// Crates that must not be anywhere below `dbops`.
const NOT_IN_DBOPS: [&str; 4] = ["qdrant-edge", "openssl-sys", "aws-lc-sys", "native-tls"];

/// Crates that stay in this workspace.
const NOT_PUBLISHED: [&str; 3] = ["dbops-qdrant-embedded", "dbops-testbed", "xtask"];

pub(crate) async fn run() -> Result<()> {
    run_visibly(cargo(&["fmt", "--all", "--check"])).await.context("run `cargo fmt`")?;
    edges()?;
    let lints = ["clippy", "--workspace", "--all-targets", "--quiet", "--", "-D", "warnings"];
    run_visibly(cargo(&lints)).await?;
    let mut doc = cargo(&["doc", "--workspace", "--no-deps", "--quiet"]);
    doc.env("RUSTDOCFLAGS", "-D warnings");
    run_visibly(doc).await?;
    packages().await?;
    if cargo(&["deny", "--version"]).output().is_ok_and(|output| output.status.success()) {
        run_visibly(cargo(&["deny", "--workspace", "check", "licenses", "bans", "sources"])).await?;
    } else {
        error_line("cargo-deny is not installed: licences and duplicate crates were not checked");
    }
    Ok(())
}

/// Proves that what is published can be packed: with what a registry asks for, and without files that are elsewhere.
async fn packages() -> Result<()> {
    let mut command = cargo(&["package", "--workspace", "--no-verify", "--allow-dirty", "--offline", "--quiet"]);
    command.args(NOT_PUBLISHED.iter().flat_map(|name| ["--exclude", name]));
    run_visibly(command).await.context("a crate cannot be packed")
}

/// Proves the directions in ARCHITECTURE.md from cargo's own resolution.
fn edges() -> Result<()> {
    let output = cargo(&["metadata", "--format-version", "1", "--all-features"]).output()?;
    let metadata: Value = serde_json::from_slice(&output.stdout).context("cargo metadata")?;
    let graph = normal_dependencies(&metadata)?;
    let mut mistakes = Vec::new();
    let members: BTreeSet<_> = ALLOWED.iter().map(|(name, _)| *name).collect();
    for (name, allowed) in ALLOWED {
        let dependencies = graph.get(name).with_context(|| format!("there is no crate {name}"))?;
        for dependency in dependencies.iter().filter(|it| members.contains(it.as_str())) {
            if !allowed.contains(&dependency.as_str()) {
                mistakes.push(format!("{name} must not depend on {dependency}"));
            }
        }
    }
    let mut below = BTreeSet::new();
    let mut open = vec!["dbops".to_owned()];
    while let Some(name) = open.pop() {
        if below.insert(name.clone()) {
            open.extend(graph.get(&name).into_iter().flatten().cloned());
        }
    }
    mistakes
        .extend(NOT_IN_DBOPS.iter().filter(|it| below.contains(**it)).map(|it| format!("dbops must not contain {it}")));
    if !mistakes.is_empty() {
        bail!("forbidden dependencies:\n{}", mistakes.join("\n"));
    }
    Ok(())
}

/// By package name: what it depends on outside its tests and build scripts.
fn normal_dependencies(metadata: &Value) -> Result<BTreeMap<String, BTreeSet<String>>> {
    let array = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let names: BTreeMap<String, String> = array(&metadata["packages"])
        .iter()
        .filter_map(|package| Some((package["id"].as_str()?.to_owned(), package["name"].as_str()?.to_owned())))
        .collect();
    let mut graph: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for node in array(&metadata["resolve"]["nodes"]) {
        let name = node["id"].as_str().and_then(|id| names.get(id)).context("a package without a name")?;
        let dependencies = graph.entry(name.clone()).or_default();
        for dependency in array(&node["deps"]) {
            let is_normal = array(&dependency["dep_kinds"]).iter().any(|kind| kind["kind"].is_null());
            if let Some(target) = dependency["pkg"].as_str().and_then(|id| names.get(id)).filter(|_| is_normal) {
                dependencies.insert(target.clone());
            }
        }
    }
    Ok(graph)
}
