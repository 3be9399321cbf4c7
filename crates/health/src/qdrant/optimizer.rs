//! Whether the optimizer of a collection gets done: one that is yellow is well, unless it stays so.

use std::time::{Duration, SystemTime};

use dbops_qdrant::{CollectionState, Optimizations};
use futures_util::future::join_all;

use super::asked::Asked;
use crate::check::duration;
use crate::fold::Item;
use crate::{Check, Finding, Limits, Status, Unit};

pub(super) const CHECK: Check = Check {
    id: "optimizer",
    looks_at: "how long an optimization of a collection has run, and whether any runs where some wait",
    limits: Limits::warning(Unit::Seconds, 3600.0),
};

/// Between two optimizations the next is on its way.
const PAUSE: Duration = Duration::from_secs(1);

/// Asks about those alone that are being optimized.
pub(super) async fn check(asked: &Asked<'_>) -> Finding {
    let yellow = asked.collections.iter().filter(|collection| collection.state == CollectionState::Yellow);
    let names: Vec<_> = yellow.map(|collection| collection.name.as_str()).collect();
    let told: Result<Vec<_>, _> = join_all(names.iter().map(|name| ask(asked, name))).await.into_iter().collect();
    match told {
        Ok(told) => finding(asked, &names, &told, SystemTime::now()),
        Err(error) => asked.unknown(&CHECK, &error),
    }
}

async fn ask(asked: &Asked<'_>, name: &str) -> Result<Option<Optimizations>, dbops_qdrant::Error> {
    let told = asked.server.optimizations(name).await?;
    if told.as_ref().and_then(idle).is_some() {
        tokio::time::sleep(PAUSE).await;
        return asked.server.optimizations(name).await;
    }
    Ok(told)
}

/// How many wait where none is run.
fn idle(told: &Optimizations) -> Option<u64> {
    told.waiting.filter(|count| told.running.is_empty() && *count > 0)
}

fn finding(asked: &Asked<'_>, names: &[&str], told: &[Option<Optimizations>], now: SystemTime) -> Finding {
    let told = || names.iter().zip(told);
    let running = told().flat_map(|(name, told)| told.iter().flat_map(|told| &told.running).map(move |it| (name, it)));
    let items = running.map(|(name, it)| {
        let seconds = now.duration_since(it.started.into()).unwrap_or_default().as_secs_f64();
        let percent = it.percent.map(|percent| format!(" ({percent} % of its step)")).unwrap_or_default();
        Item {
            value: seconds,
            text: format!("{name}: `{}` has run for {}{percent}", it.optimizer, duration(seconds)),
            remedy:
                "a large collection may take hours: look whether the percentage grows, at the server's log, and for a \
                     full disk or too little memory"
                    .into(),
        }
    });
    let silent: Vec<_> = told().filter(|(_, told)| told.is_none()).map(|(name, _)| *name).collect();
    let well = if names.is_empty() {
        "nothing is being optimized".to_owned()
    } else if silent.is_empty() {
        format!("being optimized, not for long: {}", names.join(", "))
    } else {
        format!("being optimized, and the server does not tell since when: {}", silent.join(", "))
    };
    let finding = asked.fold(&CHECK, items.collect(), ("optimizations do not get done", &well));
    let idle = told().find_map(|(name, told)| Some((name, told.as_ref().and_then(idle)?)));
    match idle {
        Some((name, count)) if finding.status == Status::Ok => {
            let summary = format!("{name}: {count} optimizations wait, and none is run");
            Finding::new(CHECK.id, asked.target.name, Status::Warning, summary).remedy(format!(
                "see whether max_optimization_threads of {name} is 0; else restart the server, whose log may say more"
            ))
        }
        _ => finding,
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use dbops_qdrant::{Optimization, Optimizations, Server, ServerOptions};

    use super::finding;
    use crate::qdrant::{QdrantTarget, asked::Asked};
    use crate::{Selection, Status};

    /// As documented: the engine of the tests optimizes within the call that makes it necessary, and is never yellow.
    #[tokio::test]
    async fn what_does_not_get_done_is_told() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000);
        let running = |seconds: u64, percent| Optimization {
            optimizer: "indexing".into(),
            started: (now - Duration::from_secs(seconds)).try_into().expect("a time"),
            percent,
        };
        let told = |running, waiting| Some(Optimizations { running, waiting });
        let cases = [
            (told(vec![], None), Status::Ok, "being optimized, not for long: docs", Some(0.0)),
            (told(vec![], Some(0)), Status::Ok, "being optimized, not for long: docs", Some(0.0)),
            (told(vec![running(60, None)], Some(3)), Status::Ok, "being optimized, not for long: docs", Some(60.0)),
            (
                told(vec![running(11_520, Some(42)), running(60, None)], Some(3)),
                Status::Warning,
                "docs: `indexing` has run for 3 h 12 min (42 % of its step)",
                Some(11_520.0),
            ),
            (told(vec![], Some(2)), Status::Warning, "docs: 2 optimizations wait, and none is run", None),
            (None, Status::Ok, "being optimized, and the server does not tell since when: docs", Some(0.0)),
        ];
        let options = ServerOptions {
            url: "http://localhost:1".into(),
            grpc_port: 2,
            api_key: None,
            timeout: Duration::from_secs(1),
        };
        let server = Server::new(&options).expect("options");
        let selection = Selection::default();
        let target = QdrantTarget {
            name: "q",
            options: &options,
            others: &[],
            nodes: &[],
            collections: &[],
            sources: &[],
            selection: &selection,
        };
        let asked = Asked { target: &target, server: &server, collections: &[] };
        for (told, status, summary, value) in cases {
            let finding = finding(&asked, &["docs"], &[told], now);
            assert_eq!((finding.status, finding.summary.as_str(), finding.value), (status, summary, value));
        }
        assert_eq!(finding(&asked, &[], &[], now).summary, "nothing is being optimized");
    }
}
