//! Whether the extensions that the schema needs are there.

use dbops_postgres::quote_identifier;

use super::asked::{Asked, Checked};
use crate::{Check, Finding, Status};

pub(super) const CHECK: Check = Check {
    id: ID,
    looks_at: "whether the extensions of the declared schema are there, and pgvector has no known errors",
    limits: None,
};

const ID: &str = "extensions";

/// Versions below these have errors that lose data or crash the server.
/// pgvector: parallel index builds overflow a buffer below 0.8.2, and vacuum may corrupt HNSW indexes below 0.8.3.
const FAULTY_BELOW: [(&str, &str); 1] = [("vector", "0.8.3")];

/// An extension as the server has it.
struct Extension {
    name: String,
    installed: Option<String>,
    offered: Option<String>,
}

pub(super) async fn check(asked: &Asked<'_>) -> Checked {
    let rows = asked.rows(include_str!("extensions.sql")).await?;
    let known: Vec<_> = rows
        .iter()
        .map(|row| Extension { name: row.get("name"), installed: row.get("installed"), offered: row.get("offered") })
        .collect();
    let finding = finding(asked.target.name, asked.target.extensions, &known);
    // Nothing that could be missing is no finding.
    Ok(Some(finding).filter(|finding| finding.status != Status::Ok || !asked.target.extensions.is_empty()))
}

fn finding(target: &str, needed: &[String], known: &[Extension]) -> Finding {
    let find = |name: &String| known.iter().find(|extension| extension.name == *name);
    let is_installed = |name: &&String| find(name).is_some_and(|extension| extension.installed.is_some());
    let missing: Vec<_> = needed.iter().filter(|name| !is_installed(name)).collect();
    if !missing.is_empty() {
        let (offered, unoffered): (Vec<_>, Vec<_>) = missing.iter().partition(|name| find(name).is_some());
        return missing_finding(target, &offered, &unoffered);
    }
    let present: Vec<_> = needed.iter().filter_map(find).collect();
    let faulty = known.iter().find_map(|extension| {
        let (_, good) = FAULTY_BELOW.iter().find(|(name, _)| *name == extension.name)?;
        let installed = extension.installed.as_deref()?;
        (numbers(installed) < numbers(good)).then_some((extension, installed, good))
    });
    if let Some((extension, installed, good)) = faulty {
        let name = &extension.name;
        let summary = format!("{name} {installed} has errors that can damage indexes; they are gone in {good}");
        return Finding::new(ID, target, Status::Warning, summary).remedy(format!(
            "install {name} {good} or newer on the server, then in the database: ALTER EXTENSION {} UPDATE; and \
             REINDEX the indexes made by it",
            quote_identifier(name)
        ));
    }
    Finding::new(
        ID,
        target,
        Status::Ok,
        present.iter().map(|extension| describe(extension)).collect::<Vec<_>>().join(", "),
    )
}

/// What the server offers takes a statement; for the others, something has to be installed before.
fn missing_finding(target: &str, offered: &[&String], unoffered: &[&String]) -> Finding {
    let names = |names: &[&String]| names.iter().map(|name| name.as_str()).collect::<Vec<_>>().join(", ");
    let (mut summary, mut remedy) = (Vec::new(), Vec::new());
    if !offered.is_empty() {
        summary.push(format!("{} missing", names(offered)));
    }
    if !unoffered.is_empty() {
        summary.push(format!("{} missing, and not installed on the server", names(unoffered)));
        remedy.push(format!("install the package that brings {} on the server", names(unoffered)));
    }
    let creates = [offered, unoffered].concat();
    let creates: Vec<_> = creates.iter().map(|name| format!("CREATE EXTENSION {};", quote_identifier(name))).collect();
    remedy.push(format!("dbops migrate -t {target}, or in the database: {}", creates.join(" ")));
    Finding::new(ID, target, Status::Critical, summary.join("; ")).remedy(remedy.join(", then "))
}

/// Name and version, and the version that an update would give.
fn describe(extension: &Extension) -> String {
    let Extension { name, installed, offered } = extension;
    let installed = installed.as_deref().unwrap_or_default();
    match offered {
        Some(offered) if offered != installed => format!("{name} {installed} (the server offers {offered})"),
        _ => format!("{name} {installed}"),
    }
}

/// The numbers of a version, for comparing.
fn numbers(version: &str) -> Vec<u32> {
    version.split(|c: char| !c.is_ascii_digit()).filter_map(|part| part.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::super::testing::found;
    use super::{Extension, finding};
    use crate::{Selection, Status};

    #[test]
    fn missing_faulty_and_outdated_extensions_are_told_apart() {
        let known = |version: &str| {
            let extension = |name: &str, installed: Option<&str>, offered: &str| Extension {
                name: name.into(),
                installed: installed.map(Into::into),
                offered: Some(offered.into()),
            };
            vec![
                extension("vector", Some(version).filter(|version| !version.is_empty()), "0.8.10"),
                extension("pg_trgm", Some("1.6"), "1.6"),
                extension("uuid-ossp", None, "1.1"),
            ]
        };
        let cases: [(&str, &[&str], Status, &str, &str); 8] = [
            ("0.8.10", &["vector", "pg_trgm"], Status::Ok, "vector 0.8.10, pg_trgm 1.6", ""),
            ("0.8.3", &["vector"], Status::Ok, "vector 0.8.3 (the server offers 0.8.10)", ""),
            ("0.8.2", &["vector"], Status::Warning, "vector 0.8.2 has errors", "ALTER EXTENSION \"vector\" UPDATE;"),
            ("0.5.1", &["pg_trgm"], Status::Warning, "vector 0.5.1 has errors", "ALTER EXTENSION \"vector\" UPDATE;"),
            ("", &["vector"], Status::Critical, "vector missing", "dbops migrate -t app, or in the database"),
            ("", &["uuid-ossp"], Status::Critical, "uuid-ossp missing", "CREATE EXTENSION \"uuid-ossp\";"),
            (
                "",
                &["Odd-Name", "postgis", "vector"],
                Status::Critical,
                "vector missing; Odd-Name, postgis missing, and not installed on the server",
                "install the package that brings Odd-Name, postgis on the server, then dbops migrate -t app, or in the \
                 database: CREATE EXTENSION \"vector\"; CREATE EXTENSION \"Odd-Name\"; CREATE EXTENSION \"postgis\";",
            ),
            (
                "0.8.10",
                &["vector", "postgis"],
                Status::Critical,
                "postgis missing, and not installed on the server",
                "install the package that brings postgis on the server, then dbops migrate -t app, or in the database: \
                 CREATE EXTENSION \"postgis\";",
            ),
        ];
        for (version, needed, status, summary, remedy) in cases {
            let needed: Vec<_> = needed.iter().map(ToString::to_string).collect();
            let finding = finding("app", &needed, &known(version));
            assert_eq!(finding.status, status, "{finding:?}");
            assert!(finding.summary.starts_with(summary), "{finding:?}");
            assert!(finding.remedy.unwrap_or_default().contains(remedy), "{summary}");
        }
    }

    #[tokio::test]
    async fn the_server_is_asked() {
        let url = dbops_testbed::create_database("extensions");
        for (needed, status) in [("plpgsql", Status::Ok), ("vector", Status::Critical), ("none_such", Status::Critical)]
        {
            let finding = found(&url, &[needed.to_owned()], &Selection::default(), "extensions").await;
            assert_eq!(finding.expect("a finding").status, status);
        }
        assert_eq!(found(&url, &[], &Selection::default(), "extensions").await, None);
    }
}
