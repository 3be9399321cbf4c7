//! Whether a setting is wrong: one that loses data, or does not fit the machine.

use std::collections::HashMap;

use super::asked::{Asked, Checked};
use super::server::machine_memory;
use crate::check::bytes;
use crate::{Check, Finding, Status};

pub(super) const CHECK: Check = Check {
    id: "settings",
    looks_at: "settings that lose data, stop autovacuum, weaken passwords, or do not fit the machine's memory",
    limits: None,
};

const GIB: f64 = 1024.0 * 1024.0 * 1024.0;

/// What a setting must not be, why, and what to do.
const WRONG: [(&str, &str, Status, &str, &str); 7] = [
    ("fsync", "off", Status::Critical, "a crash of the machine may destroy all data", "ALTER SYSTEM SET fsync = on"),
    (
        "full_page_writes",
        "off",
        Status::Critical,
        "a crash of the machine may leave half-written pages",
        "ALTER SYSTEM SET full_page_writes = on, unless the file system itself rules such pages out",
    ),
    (
        "zero_damaged_pages",
        "on",
        Status::Critical,
        "damaged pages are emptied without a word",
        "ALTER SYSTEM RESET zero_damaged_pages",
    ),
    (
        "ignore_checksum_failure",
        "on",
        Status::Critical,
        "damaged pages are used",
        "ALTER SYSTEM RESET ignore_checksum_failure",
    ),
    (
        "autovacuum",
        "off",
        Status::Warning,
        "dead rows stay and statistics grow old",
        "ALTER SYSTEM SET autovacuum = on",
    ),
    (
        "track_counts",
        "off",
        Status::Warning,
        "autovacuum does not know what to do",
        "ALTER SYSTEM SET track_counts = on",
    ),
    (
        "password_encryption",
        "md5",
        Status::Warning,
        "new passwords are kept as MD5 hashes, which PostgreSQL gives up",
        "ALTER SYSTEM SET password_encryption = 'scram-sha-256', then set the passwords anew",
    ),
];

/// What the settings are judged by.
struct Machine {
    /// Known when the server runs on this one.
    memory: Option<f64>,
    database_bytes: f64,
    is_public: bool,
}

pub(super) async fn check(asked: &Asked<'_>) -> Checked {
    let rows = asked.rows(include_str!("settings.sql")).await?;
    let texts: HashMap<String, String> = rows.iter().map(|row| (row.get("name"), row.get("setting"))).collect();
    let sizes: HashMap<String, f64> =
        rows.iter().filter_map(|row| Some((row.get("name"), row.get::<_, Option<f64>>("bytes")?))).collect();
    let machine = Machine {
        memory: asked.server.local_folder.as_ref().and_then(|_| machine_memory()),
        database_bytes: rows.first().and_then(|row| row.get("database_bytes")).unwrap_or(0.0),
        is_public: rows.first().is_some_and(|row| row.get("is_public")),
    };
    Ok(Some(judged(asked.target.name, &texts, &sizes, &machine)))
}

fn judged(target: &str, texts: &HashMap<String, String>, sizes: &HashMap<String, f64>, machine: &Machine) -> Finding {
    let is = |name: &str, value: &str| texts.get(name).is_some_and(|text| text == value);
    let size = |name: &str| sizes.get(name).copied().unwrap_or(0.0);
    let mut found: Vec<(Status, String, String)> = WRONG
        .iter()
        .filter(|(name, value, ..)| is(name, value))
        .map(|(name, value, status, why, remedy)| (*status, format!("{name} is {value}: {why}"), (*remedy).to_owned()))
        .collect();
    let mut warn = |text: String, remedy: &str| found.push((Status::Warning, text, remedy.to_owned()));
    if machine.is_public && is("ssl", "off") {
        let text = "ssl is off, and the server is reached at a public address".into();
        warn(text, "set up ssl, ssl_cert_file and ssl_key_file, and demand it with hostssl in pg_hba.conf");
    }
    if let Some(memory) = machine.memory {
        let shared = size("shared_buffers");
        let sessions = texts.get("max_connections").and_then(|text| text.parse::<f64>().ok()).unwrap_or(0.0);
        let small = shared <= 128.0 * 1024.0 * 1024.0 && memory >= 4.0 * GIB && machine.database_bytes > GIB;
        if small {
            let text = format!(
                "shared_buffers is {} for a database of {} on a machine with {}",
                bytes(shared),
                bytes(machine.database_bytes),
                bytes(memory)
            );
            warn(text, "ALTER SYSTEM SET shared_buffers to a quarter of the memory, and restart");
        }
        if shared > 0.8 * memory {
            let text = format!("shared_buffers is {}, and the machine has {}", bytes(shared), bytes(memory));
            warn(text, "ALTER SYSTEM SET shared_buffers to a quarter of the memory, and restart");
        } else if shared + sessions * size("work_mem") > 2.0 * memory {
            let text = format!(
                "{sessions} connections with work_mem {} may take more than twice the machine's {}",
                bytes(size("work_mem")),
                bytes(memory)
            );
            warn(text, "lower max_connections and use a connection pooler, or lower work_mem");
        }
    }
    found.sort_by_key(|(status, ..)| std::cmp::Reverse(*status));
    let Some((status, _, remedy)) = found.first() else {
        return Finding::new(CHECK.id, target, Status::Ok, "no setting is wrong");
    };
    let texts: Vec<_> = found.iter().map(|(_, text, _)| text.clone()).collect();
    let finding = Finding::new(CHECK.id, target, *status, texts.join("; ")).remedy(remedy);
    Finding { details: texts, ..finding }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::super::testing::{finding, is_ok, server};
    use super::{GIB, Machine, judged};
    use crate::Status;

    #[tokio::test]
    async fn settings_that_lose_data_are_found() {
        let careless = server(&["autovacuum=off", "password_encryption=md5"]);
        let found = finding(&careless.url("postgres"), "settings").await;
        assert_eq!((found.status, found.details.len()), (Status::Critical, 4), "{found:?}");
        assert!(found.summary.starts_with("fsync is off: a crash"), "{found:?}");
        let careful = server(&["fsync=on", "full_page_writes=on"]);
        is_ok(&finding(&careful.url("postgres"), "settings").await);
    }

    /// Settings, the machine's memory and the database's size in GiB, whether it is at a public address; what is said.
    #[test]
    fn what_does_not_fit_the_machine_is_found() {
        let cases = [
            (0.125, 4.0, 100, Some(16.0), 0.5, false, ""),
            (0.125, 4.0, 100, Some(16.0), 2.0, false, "shared_buffers is 128 MiB for a database of 2 GiB"),
            (0.125, 4.0, 100, Some(2.0), 2.0, false, ""),
            (0.125, 4.0, 100, None, 2.0, false, ""),
            (15.0, 4.0, 100, Some(16.0), 2.0, false, "shared_buffers is 15 GiB, and the machine has 16 GiB"),
            (4.0, 64.0, 400, Some(16.0), 2.0, false, ""),
            (4.0, 64.0, 1000, Some(16.0), 2.0, false, "1000 connections with work_mem 64 MiB"),
            (4.0, 4.0, 100, None, 2.0, true, "ssl is off"),
        ];
        for (shared, work_mib, sessions, memory, database, is_public, expected) in cases {
            let sizes: HashMap<_, _> =
                [("shared_buffers".to_owned(), shared * GIB), ("work_mem".to_owned(), work_mib * GIB / 1024.0)].into();
            let texts = [("max_connections", sessions.to_string()), ("ssl", "off".to_owned())];
            let texts = texts.map(|(name, text)| (name.to_owned(), text)).into();
            let memory = memory.map(|memory: f64| memory * GIB);
            let machine = Machine { memory, database_bytes: database * GIB, is_public };
            let finding = judged("app", &texts, &sizes, &machine);
            if expected.is_empty() {
                is_ok(&finding);
            } else {
                assert!(finding.status == Status::Warning && finding.summary.starts_with(expected), "{finding:?}");
            }
        }
    }
}
