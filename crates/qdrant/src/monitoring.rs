//! What a server tells about itself over HTTP alone: the memory that it takes, and the issues that it sees.
//! <https://qdrant.tech/documentation/guides/monitoring/>

use futures_util::TryStreamExt;
use serde::Deserialize;
use serde_json::Value;

use crate::{Error, Server};

/// How large an answer may be.
const MAX_ANSWER: usize = 4 * 1024 * 1024;

/// The memory of a server's process, in bytes, as far as it tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Memory {
    /// `memory_resident_bytes`: in physical memory, without the files that are mapped.
    pub resident: Option<u64>,
    /// `memory_allocated_bytes`: asked for by the program.
    pub allocated: Option<u64>,
}

/// What a server thinks could be better, such as a filter on what has no index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issue {
    /// Its kind and what it is about.
    pub id: String,
    /// In a sentence.
    pub description: String,
    /// What to do; several when there is a choice.
    pub solutions: Vec<String>,
}

#[derive(Deserialize)]
pub(crate) struct Answer<T> {
    pub(crate) result: T,
}

#[derive(Deserialize)]
struct Report {
    issues: Vec<WireIssue>,
}

#[derive(Deserialize)]
struct WireIssue {
    /// Releases before 1.10 call it the code.
    #[serde(alias = "code")]
    id: String,
    description: String,
    solution: Value,
}

impl Server {
    /// The memory that the server takes; `None` when it does not tell.
    ///
    /// # Errors
    ///
    /// When the server cannot be asked over HTTP.
    pub async fn memory(&self) -> Result<Option<Memory>, Error> {
        let text = self.told("ask for the metrics", "/metrics").await?;
        Ok(text.map(|text| memory(&String::from_utf8_lossy(&text))))
    }

    /// The issues that the server reports; `None` when it does not tell.
    ///
    /// # Errors
    ///
    /// When the server cannot be asked over HTTP, or answers something else.
    pub async fn issues(&self) -> Result<Option<Vec<Issue>>, Error> {
        let doing = "ask for the issues";
        let Some(text) = self.told(doing, "/issues").await? else { return Ok(None) };
        issues(&text).map(Some).map_err(|error| Error::not_understood(doing, &error))
    }

    /// The answer to a question over HTTP; `None` from a server that does not know it.
    pub(crate) async fn told(&self, doing: &str, path: &str) -> Result<Option<Vec<u8>>, Error> {
        let http = self.http().await?;
        let sent = self.bounded_at(&http.address, doing, http.client.get(http.root(path)).send()).await?;
        let response = sent.map_err(|error| http.broken(doing, &error))?;
        let response = match http.checked(doing, response).await {
            Err(Error::Http { status: 404 | 405 | 501, .. }) => return Ok(None),
            other => other?,
        };
        let mut stream = response.bytes_stream();
        let mut text = Vec::new();
        loop {
            let chunk = self.bounded_at(&http.address, doing, stream.try_next()).await?;
            let Some(chunk) = chunk.map_err(|error| http.broken(doing, &error))? else { return Ok(Some(text)) };
            text.extend_from_slice(&chunk);
            if text.len() > MAX_ANSWER {
                let reason = format!("the answer has more than {MAX_ANSWER} bytes");
                return Err(Error::Server { doing: doing.into(), reason });
            }
        }
    }
}

/// Of lines in Prometheus' form, `NAME VALUE`. What stands before the name is the server's `metrics_prefix`.
fn memory(text: &str) -> Memory {
    let value = |name: &str| {
        let values = text.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once(' '));
        let (_, value) = values.into_iter().find(|(key, _)| key.ends_with(name))?;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a number of bytes, rounded down")]
        value.trim().parse::<f64>().ok().filter(|value| *value >= 0.0).map(|value| value as u64)
    };
    Memory { resident: value("memory_resident_bytes"), allocated: value("memory_allocated_bytes") }
}

fn issues(text: &[u8]) -> serde_json::Result<Vec<Issue>> {
    let report = serde_json::from_slice::<Answer<Report>>(text)?.result;
    let issue =
        |wire: WireIssue| Issue { id: wire.id, description: wire.description, solutions: solutions(&wire.solution) };
    Ok(report.issues.into_iter().map(issue).collect())
}

/// `{"refactor": TEXT}`, `{"immediate": {"message": …}}` or `{"immediate_choice": [{"message": …}]}`.
fn solutions(solution: &Value) -> Vec<String> {
    let refactor = solution.get("refactor").into_iter();
    let immediate = solution.get("immediate").into_iter();
    let choice = solution.get("immediate_choice").and_then(Value::as_array).into_iter().flatten();
    let messages = immediate.chain(choice).filter_map(|one| one.get("message"));
    refactor.chain(messages).filter_map(|text| text.as_str().map(ToOwned::to_owned)).collect()
}

#[cfg(test)]
mod tests {
    use super::{Issue, Memory, issues, memory};

    #[test]
    fn memory_is_read_where_it_is_told() {
        let all = "# HELP memory_resident_bytes Maximum number of bytes in physically resident data pages mapped\n\
            # TYPE memory_resident_bytes gauge\nmemory_resident_bytes 70000000000\n\
            rest_responses_total{endpoint=\"/memory_resident_bytes\"} 3\nmemory_allocated_bytes 4e3\n";
        let told = |resident, allocated| Memory { resident, allocated };
        let cases = [
            (all, told(Some(70_000_000_000), Some(4000))),
            ("qdrant_memory_resident_bytes 7\n", told(Some(7), None)),
            ("memory_resident_bytes NaN\nmemory_allocated_bytes many", told(None, None)),
            ("", Memory::default()),
        ];
        for (text, expected) in cases {
            assert_eq!(memory(text), expected, "{text}");
        }
    }

    #[test]
    fn issues_are_read_with_what_to_do() {
        let text = r#"{"result": {"issues": [
            {"id": "UNINDEXED_FIELD/docs/city", "description": "Unindexed field 'city'", "timestamp": "2026-01-02T03:04:05Z",
             "solution": {"immediate_choice": [{"message": "keyword index", "action": {"method": "PUT"}},
                {"message": "text index", "action": {"method": "PUT"}}]}},
            {"code": "OLD", "description": "b", "solution": {"immediate": {"message": "do it", "action": {}}}},
            {"id": "C", "description": "c", "solution": {"refactor": "think"}},
            {"id": "D", "description": "d", "solution": "none"}]}, "status": "ok", "time": 0}"#;
        let issue = |id: &str, description: &str, solutions: &[&str]| Issue {
            id: id.into(),
            description: description.into(),
            solutions: solutions.iter().map(|text| (*text).into()).collect(),
        };
        let expected = [
            issue("UNINDEXED_FIELD/docs/city", "Unindexed field 'city'", &["keyword index", "text index"]),
            issue("OLD", "b", &["do it"]),
            issue("C", "c", &["think"]),
            issue("D", "d", &[]),
        ];
        assert_eq!(issues(text.as_bytes()).expect("an answer"), expected);
        assert!(issues(br#"{"result": {}}"#).is_err());
    }
}
