//! Whether every node that is named answers: the others do its work meanwhile, with less to fall back on.

use dbops_qdrant::{Error, Server, ServerOptions};
use tokio::task::JoinSet;

use super::asked::Asked;
use crate::{Check, Finding, Status};

pub(super) const CHECK: Check =
    Check { id: "nodes", looks_at: "whether every node that is named answers, with one version", limits: None };

pub(super) async fn check(asked: &Asked<'_>) -> Finding {
    let target = asked.target;
    match target.nodes {
        [] | [_] => asked.ok(&CHECK, "one address is named"),
        nodes => finding(target.name, &ask(nodes).await),
    }
}

/// Asks all at once.
async fn ask(nodes: &[ServerOptions]) -> Vec<(String, Result<String, Error>)> {
    let mut asked = JoinSet::new();
    for options in nodes.iter().cloned() {
        asked.spawn(async move {
            let version = match Server::new(&options) {
                Ok(server) => server.version().await,
                Err(error) => Err(error),
            };
            (options.url, version)
        });
    }
    let mut answers = asked.join_all().await;
    answers.sort_by(|(a, _), (b, _)| a.cmp(b));
    answers
}

fn finding(target: &str, answers: &[(String, Result<String, Error>)]) -> Finding {
    #[expect(clippy::cast_precision_loss, reason = "nobody has so many nodes")]
    let answering = answers.iter().filter(|(_, answer)| answer.is_ok()).count() as f64;
    let silent: Vec<_> =
        answers.iter().filter_map(|(url, answer)| Some(format!("{url}: {}", answer.as_ref().err()?))).collect();
    let mut versions: Vec<_> = answers.iter().filter_map(|(_, answer)| answer.as_deref().ok()).collect();
    versions.sort_unstable();
    versions.dedup();
    let finding = if !silent.is_empty() {
        Finding::new(
            CHECK.id,
            target,
            Status::Warning,
            format!("{} of {} do not answer: {}", silent.len(), answers.len(), silent.join("; ")),
        )
        .remedy("start the node again, or take its address out of the configuration when it is gone for good")
    } else if versions.len() > 1 {
        Finding::new(
            CHECK.id,
            target,
            Status::Warning,
            format!("the nodes are of different versions: {}", versions.join(", ")),
        )
        .remedy("upgrade the older ones, one at a time")
    } else {
        Finding::new(CHECK.id, target, Status::Ok, format!("{} nodes answer", answers.len()))
    };
    finding.measured(answering, "nodes")
}

#[cfg(test)]
mod tests {
    use dbops_qdrant::Error;

    use super::finding;
    use crate::Status;

    #[test]
    fn silent_nodes_and_different_versions_are_warned_of() {
        let silent = || Err(Error::Unreachable { address: "b:6334".into(), reason: "refused".into() });
        let answer = |version: &str| Ok(version.to_owned());
        let cases = [
            (answer("1.18.2"), Status::Ok, "2 nodes answer", ""),
            (answer("1.17.0"), Status::Warning, "the nodes are of different versions: 1.17.0, 1.18.2", "upgrade"),
            (
                silent(),
                Status::Warning,
                "1 of 2 do not answer: http://b: cannot reach Qdrant at b:6334",
                "start the node",
            ),
        ];
        for (second, status, summary, remedy) in cases {
            let finding = finding("q", &[("http://a".into(), answer("1.18.2")), ("http://b".into(), second)]);
            assert_eq!(finding.status, status, "{finding:?}");
            assert!(finding.summary.starts_with(summary), "{finding:?}");
            assert!(finding.remedy.unwrap_or_default().starts_with(remedy), "{summary}");
        }
    }
}
