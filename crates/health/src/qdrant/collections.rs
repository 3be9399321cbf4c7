//! Whether the declared collections are there, and every collection is in a good state.

use dbops_qdrant::{CollectionState, CollectionStatus, Error, generation};

use crate::{Check, Finding, Status};

pub(super) const CHECK: Check = Check {
    id: ID,
    looks_at: "whether the declared collections are there, and none is red, grey, or given up by the optimizer",
    limits: None,
};

pub(super) const ID: &str = "collections";

pub(super) fn unknown(target: &str, error: &Error) -> Finding {
    Finding { remedy: error.hint(), ..Finding::new(ID, target, Status::Unknown, error.to_string()) }
}

/// The worst of them decides; all that are not well are named.
pub(super) fn finding(target: &str, found: &[CollectionStatus], declared: &[String]) -> Finding {
    // After a rebuild a later generation stands for what is declared, and an alias leads there.
    let stands = |name: &str, collection: &CollectionStatus| {
        collection.name == name || (generation(name, &collection.name).is_some() && !collection.aliases.is_empty())
    };
    let missing: Vec<_> =
        declared.iter().filter(|name| !found.iter().any(|collection| stands(name, collection))).collect();
    let mut troubles: Vec<_> = found.iter().filter_map(trouble).collect();
    if !missing.is_empty() {
        let names: Vec<_> = missing.iter().map(|name| name.as_str()).collect();
        let remedy = format!("dbops qdrant apply -t {target}");
        troubles.push((Status::Warning, format!("{} missing", names.join(", ")), remedy));
    }
    // The worst first: its remedy is the one to begin with.
    troubles.sort_by_key(|(status, ..)| std::cmp::Reverse(*status));
    #[expect(clippy::cast_precision_loss, reason = "nobody has so many collections")]
    let count = found.len() as f64;
    let finding = match troubles.first() {
        Some((status, _, remedy)) => {
            let summaries: Vec<_> = troubles.iter().map(|(_, summary, _)| summary.as_str()).collect();
            Finding::new(ID, target, *status, summaries.join("; ")).remedy(remedy)
        }
        None => Finding::new(ID, target, Status::Ok, well(found)),
    };
    finding.measured(count, "collections")
}

fn trouble(collection: &CollectionStatus) -> Option<(Status, String, String)> {
    let name = &collection.name;
    let reason = collection.optimizer_error.as_deref().map(|error| format!(": {error}")).unwrap_or_default();
    match collection.state {
        CollectionState::Red => Some((
            Status::Critical,
            format!("{name} is red{reason}"),
            "read the server's log, look for a full disk, and restore a snapshot if the collection stays red".into(),
        )),
        CollectionState::Grey => Some((
            Status::Warning,
            format!("{name} is grey: optimizations wait"),
            format!(
                "they go on with the next update of {name}; any change will do, such as PATCH /collections/{name} \
                 with {{\"optimizers_config\": {{}}}}"
            ),
        )),
        CollectionState::Unknown => Some((
            Status::Unknown,
            format!("{name} is in a state that this dbops does not know"),
            "upgrade dbops".into(),
        )),
        // Green and yellow: an error of the optimizer leaves the collection as it is and searches slow.
        CollectionState::Green | CollectionState::Yellow => collection.optimizer_error.as_ref().map(|error| {
            let remedy = "read the server's log, and look for a full disk or too little memory";
            (Status::Warning, format!("{name} is not optimized: {error}"), remedy.into())
        }),
    }
}

fn well(found: &[CollectionStatus]) -> String {
    if found.is_empty() {
        return "no collections".into();
    }
    let describe = |collection: &CollectionStatus| match collection.state {
        CollectionState::Yellow => format!("{} optimizing", collection.name),
        _ => format!("{} {}", collection.name, collection.state.name()),
    };
    found.iter().map(describe).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use dbops_qdrant::{CollectionState, CollectionStatus};

    use super::finding;
    use crate::Status;

    fn collection(name: &str, state: CollectionState, optimizer_error: Option<&str>) -> CollectionStatus {
        CollectionStatus {
            name: name.into(),
            state,
            points: 0,
            indexed_vectors: 0,
            segments: 1,
            shards: 1,
            replication_factor: 1,
            strict_mode: false,
            aliases: Vec::new(),
            optimizer_error: optimizer_error.map(Into::into),
        }
    }

    #[test]
    fn the_worst_collection_decides_and_all_are_named() {
        use CollectionState::{Green, Grey, Red, Unknown, Yellow};
        type States<'a> = &'a [(CollectionState, Option<&'a str>)];
        let plain = |state| (state, None);
        let cases: [(States, Status, &str, &str); 9] = [
            (&[], Status::Warning, "c0 missing", "dbops qdrant apply -t q"),
            (&[plain(Green), plain(Green)], Status::Ok, "c0 green, c1 green", ""),
            (&[plain(Yellow)], Status::Ok, "c0 optimizing", ""),
            (&[plain(Grey)], Status::Warning, "c0 is grey: optimizations wait", "they go on with the next update"),
            (&[plain(Red)], Status::Critical, "c0 is red", "read the server's log"),
            (&[(Red, Some("no space"))], Status::Critical, "c0 is red: no space", "read the server's log"),
            (&[(Green, Some("no memory"))], Status::Warning, "c0 is not optimized: no memory", "read the server's log"),
            (&[plain(Unknown)], Status::Unknown, "c0 is in a state", "upgrade dbops"),
            (&[plain(Grey), plain(Red)], Status::Critical, "c1 is red; c0 is grey", "read the server's log"),
        ];
        for (states, status, summary, remedy) in cases {
            let found: Vec<_> = states
                .iter()
                .enumerate()
                .map(|(index, (state, error))| collection(&format!("c{index}"), *state, *error))
                .collect();
            let finding = finding("q", &found, &["c0".into()]);
            assert_eq!(finding.status, status, "{finding:?}");
            assert!(finding.summary.starts_with(summary), "{finding:?}");
            assert!(finding.remedy.unwrap_or_default().starts_with(remedy), "{summary}");
        }
    }

    #[test]
    fn collections_that_nobody_declared_need_not_be_there() {
        let finding = finding("q", &[], &[]);
        assert_eq!((finding.status, finding.summary.as_str()), (Status::Ok, "no collections"));
    }
}
