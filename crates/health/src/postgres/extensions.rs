//! Whether the extensions that the schema needs are there.

use dbops_postgres::deadpool_postgres::Object;
use dbops_postgres::{SqlError, quote_identifier};

use crate::{Finding, Status};

pub(super) const ID: &str = "extensions";

/// Versions below these have errors that lose data or crash the server.
/// pgvector: parallel index builds overflow a buffer below 0.8.2, and vacuum may corrupt HNSW indexes below 0.8.3.
const FAULTY_BELOW: [(&str, &str); 1] = [("vector", "0.8.3")];

/// An extension as the server has it.
struct Extension {
    name: String,
    installed: Option<String>,
    offered: Option<String>,
}

pub(super) async fn check(target: &str, needed: &[String], client: Object) -> Result<Finding, SqlError> {
    let rows = client.query(include_str!("extensions.sql"), &[]).await?;
    let known: Vec<_> = rows
        .iter()
        .map(|row| Extension { name: row.get("name"), installed: row.get("installed"), offered: row.get("offered") })
        .collect();
    Ok(finding(target, needed, &known))
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
    let faulty = present.iter().find_map(|extension| {
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
    use dbops_postgres::pool;

    use super::{Extension, check, finding};
    use crate::Status;

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
            ("0.5.1", &["pg_trgm"], Status::Ok, "pg_trgm 1.6", ""),
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
        let pool = pool(&url, 1).expect("a pool");
        for (needed, status) in [("plpgsql", Status::Ok), ("vector", Status::Critical), ("none_such", Status::Critical)]
        {
            let client = pool.get().await.expect("a connection");
            let finding = check("app", &[needed.to_owned()], client).await.expect("the query");
            assert_eq!(finding.status, status, "{finding:?}");
        }
    }
}
