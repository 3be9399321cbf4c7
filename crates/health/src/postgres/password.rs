//! Whether the role's password is one that everybody tries first, at an address that others can reach.

use dbops_postgres::{DatabaseUrl, quote_identifier};

use super::asked::{Asked, Checked};
use super::server::is_at_hand;
use crate::{Check, Finding, Status};

pub(super) const CHECK: Check = Check {
    id: "password",
    looks_at: "whether the target's password is a well-known one, unless the server is on this machine",
    limits: None,
};

/// Those of images, tutorials and this project's own development stack.
const WELL_KNOWN: [&str; 14] = [
    "123456",
    "12345678",
    "admin",
    "changeme",
    "default",
    "example",
    "mysecretpassword",
    "pass",
    "password",
    "postgres",
    "root",
    "secret",
    "test",
    "toor",
];

pub(super) async fn check(asked: &Asked<'_>) -> Checked {
    Ok(Some(judged(asked.target.name, asked.target.url)))
}

/// Tries nothing on the server: what the target is configured with is compared.
fn judged(target: &str, url: &DatabaseUrl) -> Finding {
    let ok = |summary: &str| Finding::new(CHECK.id, target, Status::Ok, summary);
    if is_at_hand(url) {
        return ok("the server is on this machine");
    }
    let Some(password) = url.password() else { return ok("the password is not in the URL") };
    let is_known = |known: &&str| known.as_bytes().eq_ignore_ascii_case(password);
    if password != url.user().as_bytes() && !WELL_KNOWN.iter().any(is_known) {
        return ok("the password is none of the well-known ones");
    }
    let user = quote_identifier(url.user());
    let summary = format!("{user} has a well-known password, and the server is at {}", url.server());
    Finding::new(CHECK.id, target, Status::Critical, summary)
        .remedy(format!("set a long random one with `\\password {user}` in psql, then in the configuration's variable"))
}

#[cfg(test)]
mod tests {
    use dbops_postgres::DatabaseUrl;

    use super::judged;
    use crate::Status;

    #[test]
    fn well_known_passwords_matter_where_others_can_reach_the_server() {
        let cases = [
            ("postgresql://postgres:admin@localhost/d", Status::Ok),
            ("postgresql://postgres:admin@127.0.0.1/d", Status::Ok),
            ("postgresql://postgres:admin@[::1]/d", Status::Ok),
            ("postgresql://postgres:admin@/d?host=/run/postgresql", Status::Ok),
            ("postgresql://postgres:admin@db.example.com/d", Status::Critical),
            ("postgresql://postgres:Password@10.0.0.7/d", Status::Critical),
            ("postgresql://bot:bot@10.0.0.7/d", Status::Critical),
            ("postgresql://postgres:admin@localhost,10.0.0.7/d", Status::Critical),
            ("postgresql://bot:kT4-unlikely@10.0.0.7/d", Status::Ok),
            ("postgresql://bot@10.0.0.7/d", Status::Ok),
        ];
        for (text, status) in cases {
            let finding = judged("app", &DatabaseUrl::parse(text, "me").expect(text));
            assert_eq!(finding.status, status, "{text}: {finding:?}");
            let shown = format!("{finding:?}");
            assert!(!shown.contains("admin") && !shown.contains("Password@"), "{shown}");
        }
    }
}
