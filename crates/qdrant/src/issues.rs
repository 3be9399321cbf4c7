//! What the server itself has noticed: filters on fields without an index, for one.
//! <https://github.com/qdrant/qdrant/pull/3819>

use serde::Deserialize;

use crate::{Error, Server};

/// Something that the server noticed.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Issue {
    /// What it is about, such as `UNINDEXED_FIELD/documents/metadata.source`.
    #[serde(alias = "code")]
    pub id: String,
    /// A sentence.
    pub description: String,
}

#[derive(Deserialize)]
struct Answer {
    result: Issues,
}

#[derive(Deserialize)]
struct Issues {
    issues: Vec<Issue>,
}

impl Server {
    /// What the server noticed since its start; `None` from the embedded one, which does not look.
    ///
    /// # Errors
    ///
    /// When the server cannot be asked over HTTP, or answers something else.
    pub async fn issues(&self) -> Result<Option<Vec<Issue>>, Error> {
        let doing = "ask for issues";
        let Some(text) = self.told(doing, "/issues").await? else { return Ok(None) };
        let strange =
            |error| Error::Server { doing: doing.into(), reason: format!("the answer is not understood: {error}") };
        read(&text).map(Some).map_err(strange)
    }
}

fn read(text: &[u8]) -> serde_json::Result<Vec<Issue>> {
    Ok(serde_json::from_slice::<Answer>(text)?.result.issues)
}

#[cfg(test)]
mod tests {
    use super::{Issue, read};

    #[test]
    fn answers_of_older_and_newer_servers_are_read() {
        let expected =
            Issue { id: "UNINDEXED_FIELD/c/f".into(), description: "Unindexed field 'f' in collection 'c'".into() };
        for key in ["code", "id"] {
            let text = format!(
                r#"{{"result": {{"issues": [{{"{key}": "UNINDEXED_FIELD/c/f", "description": "Unindexed field 'f' in
                collection 'c'", "solution": {{"refactor": "x"}}, "timestamp": "2026-01-02T03:04:05Z"}}]}}, "time": 0}}"#
            );
            let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
            assert_eq!(read(text.as_bytes()).expect("an answer"), [expected.clone()]);
        }
        assert!(read(b"{}").is_err() && read(br#"{"result": {"issues": []}}"#).expect("an answer").is_empty());
    }
}
