//! What the optimizer of a collection is at, which a server tells over HTTP alone.
//! <https://api.qdrant.tech/api-reference/collections/get-optimizations>

use jiff::Timestamp;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use crate::http::encoded;
use crate::monitoring::Answer;
use crate::{Error, Server};

/// What the optimizer of a collection is at.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Optimizations {
    /// Those that run.
    pub running: Vec<Optimization>,
    /// How many wait for their turn; not known of a server before 1.17.
    pub waiting: Option<u64>,
}

/// Segments that are made into one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Optimization {
    /// Of which kind it is: `indexing`, `merge`, `vacuum`.
    pub optimizer: String,
    /// When it was begun, by the server's clock.
    pub started: Timestamp,
    /// How far the step that it is at has come, as far as the server tells.
    pub percent: Option<u64>,
}

/// The answer of a server from 1.17 on.
#[derive(Deserialize)]
struct WireOptimizations {
    summary: WireSummary,
    running: Vec<WireOptimization>,
}

#[derive(Deserialize)]
struct WireSummary {
    queued_optimizations: u64,
}

#[derive(Deserialize)]
struct WireOptimization {
    optimizer: String,
    progress: WireProgress,
}

#[derive(Deserialize)]
struct WireProgress {
    started_at: Option<Timestamp>,
    finished_at: Option<Timestamp>,
    done: Option<u64>,
    total: Option<u64>,
    #[serde(default)]
    children: Vec<WireProgress>,
}

/// What an older one tells of all collections.
#[derive(Deserialize)]
struct WireTelemetry {
    collections: WireCollections,
}

#[derive(Deserialize)]
struct WireCollections {
    #[serde(default)]
    collections: Vec<WireCollection>,
}

#[derive(Deserialize)]
struct WireCollection {
    id: String,
    #[serde(default, deserialize_with = "or_none")]
    shards: Vec<WireShard>,
}

#[derive(Deserialize)]
struct WireShard {
    local: Option<WireLocal>,
}

#[derive(Deserialize)]
struct WireLocal {
    optimizations: WireLog,
}

#[derive(Deserialize)]
struct WireLog {
    #[serde(default)]
    log: Vec<WireEntry>,
}

#[derive(Deserialize)]
struct WireEntry {
    name: String,
    /// `optimizing`, `done`, or an object with the reason of another end.
    status: Value,
    start_at: Timestamp,
}

/// An array that may be null.
fn or_none<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Vec<T>, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

impl Server {
    /// What the optimizer of a collection is at; `None` when the server does not tell. Of a cluster, the node that is
    /// asked tells of its own shards.
    ///
    /// # Errors
    ///
    /// When the server cannot be asked over HTTP, or answers something else.
    pub async fn optimizations(&self, collection: &str) -> Result<Option<Optimizations>, Error> {
        let doing = "ask for the optimizations";
        let path = format!("/collections/{}/optimizations", encoded(collection));
        let (text, read): (_, fn(&[u8], &str) -> _) = match self.told(doing, &path).await? {
            Some(text) => (text, of_answer),
            None => match self.told(doing, "/telemetry?details_level=3").await? {
                Some(text) => (text, of_telemetry),
                None => return Ok(None),
            },
        };
        read(&text, collection).map(Some).map_err(|error| Error::not_understood(doing, &error))
    }
}

fn of_answer(text: &[u8], _: &str) -> serde_json::Result<Optimizations> {
    let answer = serde_json::from_slice::<Answer<WireOptimizations>>(text)?.result;
    let running = answer.running.into_iter().filter_map(|it| {
        let percent = percent(&it.progress);
        Some(Optimization { optimizer: it.optimizer, started: it.progress.started_at?, percent })
    });
    Ok(Optimizations { running: running.collect(), waiting: Some(answer.summary.queued_optimizations) })
}

fn of_telemetry(text: &[u8], collection: &str) -> serde_json::Result<Optimizations> {
    let told = serde_json::from_slice::<Answer<WireTelemetry>>(text)?.result;
    let collections = told.collections.collections.into_iter().filter(|it| it.id == collection);
    let log = collections.flat_map(|it| it.shards).filter_map(|shard| shard.local).flat_map(|it| it.optimizations.log);
    let running = log.filter(|entry| entry.status == "optimizing").map(|entry| Optimization {
        optimizer: entry.name,
        started: entry.start_at,
        percent: None,
    });
    Ok(Optimizations { running: running.collect(), waiting: None })
}

/// Of the innermost step that is begun, not done, and counted.
fn percent(step: &WireProgress) -> Option<u64> {
    if step.started_at.is_none() || step.finished_at.is_some() {
        return None;
    }
    step.children.iter().find_map(percent).or_else(|| {
        let (done, total) = (step.done?, step.total.filter(|total| *total > 0)?);
        Some(done.min(total).saturating_mul(100) / total)
    })
}

#[cfg(test)]
mod tests {
    use super::{Optimization, Optimizations, of_answer, of_telemetry};

    fn optimization(optimizer: &str, percent: Option<u64>) -> Optimization {
        let started = "2026-11-29T01:00:00Z".parse().expect("a time");
        Optimization { optimizer: optimizer.into(), started, percent }
    }

    /// As documented: the engine of the tests optimizes within the call that makes it necessary.
    #[test]
    fn running_optimizations_are_read_with_how_far_they_have_come() {
        let text = br#"{"result": {"summary": {"queued_optimizations": 2, "queued_segments": 5, "queued_points": 10,
            "idle_segments": 1}, "running": [
            {"uuid": "018f2d8e-0000-0000-0000-000000000000", "optimizer": "indexing", "status": "optimizing",
             "segments": [{"uuid": "018f2d8e-0000-0000-0000-000000000001", "points_count": 10}],
             "progress": {"name": "Segment Optimizing", "started_at": "2026-11-29T01:00:00Z", "children": [
                {"name": "copy_data", "started_at": "2026-11-29T01:00:00Z", "finished_at": "2026-11-29T01:00:01Z",
                 "duration_sec": 1.0, "done": 9, "total": 9},
                {"name": "vector_index", "started_at": "2026-11-29T01:00:01Z", "children": [
                    {"name": "main_graph", "started_at": "2026-11-29T01:00:01Z", "done": 21, "total": 50}]},
                {"name": "sparse_index"}]}},
            {"uuid": "018f2d8e-0000-0000-0000-000000000002", "optimizer": "merge", "status": "optimizing", "segments": [],
             "progress": {"name": "Segment Optimizing", "started_at": "2026-11-29T01:00:00Z"}}]},
            "status": "ok", "time": 0.0}"#;
        let running = vec![optimization("indexing", Some(42)), optimization("merge", None)];
        assert_eq!(of_answer(text, "docs").expect("an answer"), Optimizations { running, waiting: Some(2) });
        assert!(of_answer(br#"{"result": {"running": "many"}}"#, "docs").is_err());
    }

    #[test]
    fn the_log_of_an_older_server_is_read() {
        let text = br#"{"result": {"id": "a", "collections": {"number_of_collections": 2, "collections": [
            {"id": "other", "shards": [{"id": 0, "local": {"optimizations": {"status": "ok", "log": [
                {"name": "merge", "status": "optimizing", "start_at": "2026-11-29T00:00:00Z"}]}}}]},
            {"id": "docs", "shards": [{"id": 0, "local": null, "remote": []},
                {"id": 1, "local": {"optimizations": {"status": "ok", "optimizations": {"count": 1}, "log": [
                {"name": "vacuum", "segment_ids": [1], "status": "optimizing",
                 "start_at": "2026-11-29T01:00:00Z", "end_at": null},
                {"name": "merge", "segment_ids": [2], "status": "done", "start_at": "2026-11-29T00:00:00Z",
                 "end_at": "2026-11-29T00:01:00Z"},
                {"name": "merge", "segment_ids": [2], "status": {"error": "no space"},
                 "start_at": "2026-11-29T00:00:00Z", "end_at": "2026-11-29T00:01:00Z"}]}}}]},
            {"id": "empty", "shards": null}]}}, "status": "ok"}"#;
        let running = vec![optimization("vacuum", None)];
        assert_eq!(of_telemetry(text, "docs").expect("an answer"), Optimizations { running, waiting: None });
        assert_eq!(of_telemetry(text, "empty").expect("an answer"), Optimizations::default());
    }
}
