//! From an open port to a session: TLS, password, database.

use dbops_postgres::tokio_postgres::Client;
use dbops_postgres::{ConnectError, ConnectErrorKind, connect, quote_identifier};

use super::container::Container;
use super::walk::{Broken, Walk};
use crate::commands::Context;
use crate::config::PostgresTarget;

pub(super) async fn enter(
    walk: &mut Walk<'_>,
    context: &Context,
    target: &PostgresTarget,
    container: Option<&Container>,
) -> Result<Client, Broken> {
    let limit = walk.deadline;
    let error = match tokio::time::timeout(limit, connect(&target.url)).await {
        Ok(Ok(client)) => {
            let (user, database) = (target.url.user(), target.url.database());
            walk.passed("login", format!("\"{user}\" may use database \"{database}\""));
            return Ok(client);
        }
        Ok(Err(error)) => error,
        Err(_) => {
            let seen = format!("the server gave no answer within {} s", limit.as_secs());
            let remedy = "see whether it is overloaded, or hangs: its log, `docker logs`, `top`";
            return Err(walk.broken("login", seen, remedy));
        }
    };
    let (step, remedy) = match error.kind {
        ConnectErrorKind::Password => {
            ("authentication", password(walk, context, target, container, &error.reason).await)
        }
        _ => verdict(&error),
    };
    Err(walk.broken(step, error.reason, remedy))
}

/// The step that an error is about, and what to do. Of passwords more is to be said.
fn verdict(error: &ConnectError) -> (&'static str, String) {
    let reason = &error.reason;
    match error.kind {
        ConnectErrorKind::Tls => ("tls", tls(reason)),
        ConnectErrorKind::Full => (
            "connections",
            "close sessions that are idle (SELECT pid, application_name, state FROM pg_stat_activity), use a pooler, or \
             raise max_connections and restart the server"
                .into(),
        ),
        ConnectErrorKind::NotReady => {
            ("startup", "wait until the server has started or recovered; its log (`docker logs`) tells how far it is".into())
        }
        ConnectErrorKind::NoDatabase => (
            "database",
            format!(
                "create it as a superuser: CREATE DATABASE {}; or correct the name at the end of the URL",
                quote_identifier(&error.database)
            ),
        ),
        _ => ("login", error.hint()),
    }
}

fn tls(reason: &str) -> String {
    let cases = [
        (
            "does not support TLS",
            "turn TLS on at the server (ssl = on), or use sslmode=prefer where the network is trusted",
        ),
        ("sslrootcert", "correct sslrootcert in the URL: the file with the certificate of the authority, or `system`"),
        ("Expired", "renew the server's certificate, and reload the server"),
        ("NotValidYet", "see whether the clocks of this machine and the server are right"),
        ("expired", "renew the server's certificate, and reload the server"),
        ("UnknownIssuer", "name the authority that signed the server's certificate: sslrootcert=FILE in the URL"),
        // The authority has a new key under the old name.
        ("BadSignature", "name the authority that signed the server's certificate: sslrootcert=FILE in the URL"),
        (
            "not valid for",
            "connect by a name that the certificate has, or use sslmode=verify-ca, which does not look at the name",
        ),
        (
            "NotValidForName",
            "connect by a name that the certificate has, or use sslmode=verify-ca, which does not look at the name",
        ),
    ];
    let found = cases.iter().find(|(words, _)| reason.contains(words));
    found.map_or("check sslmode and sslrootcert in the URL", |(_, remedy)| remedy).to_owned()
}

/// PostgreSQL says the same of a wrong password and an unknown user: only who gets in otherwise can tell.
async fn password(
    walk: &Walk<'_>,
    context: &Context,
    target: &PostgresTarget,
    container: Option<&Container>,
    reason: &str,
) -> String {
    let user = target.url.user();
    let role = quote_identifier(user);
    if reason.contains("password missing") {
        let passfile = context.environment.passfile().map(|path| path.display().to_string()).unwrap_or_default();
        return format!("put the password into the URL, or a line for this server into {passfile} (mode 600)");
    }
    let either = format!(
        "the password may be wrong, or there may be no user \"{user}\": the server does not say which. Compare with \
         the variables of docker-compose.yml, or as a superuser: ALTER ROLE {role} PASSWORD '…'"
    );
    let Some(container) = container else { return either };
    match container.has_role(walk, user).await {
        None => either,
        Some(false) => format!(
            "there is no user \"{user}\" in {}: correct the user in the URL, or CREATE ROLE {role} LOGIN PASSWORD '…'",
            container.name
        ),
        Some(true) => {
            let given = target.url.password().map(|password| String::from_utf8_lossy(password).into_owned());
            let same = container.variable("POSTGRES_PASSWORD") == given.as_deref();
            let why = match (container.variable("POSTGRES_USER").unwrap_or("postgres") == user, same) {
                (true, true) => {
                    "it is POSTGRES_PASSWORD of the container, which counts only when the volume is created: the \
                     database has an older one"
                }
                (true, false) => "it differs from POSTGRES_PASSWORD of the container",
                _ => "the user is there",
            };
            format!(
                "the password is wrong ({why}): correct the URL, or set it: docker exec -it {} psql -U {} -c '\\password \
                 {user}'",
                container.name,
                container.variable("POSTGRES_USER").unwrap_or("postgres"),
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use super::tls;

    #[test]
    fn each_trouble_with_certificates_has_its_remedy() {
        let cases = [
            ("error performing TLS handshake: server does not support TLS", "ssl = on"),
            ("invalid peer certificate: Expired", "renew"),
            ("invalid peer certificate: certificate expired: verification time 1", "renew"),
            ("invalid peer certificate: UnknownIssuer", "sslrootcert=FILE"),
            ("invalid peer certificate: certificate not valid for name \"x\"", "verify-ca"),
            ("something else", "check sslmode"),
        ];
        for (reason, remedy) in cases {
            assert!(tls(reason).contains(remedy), "{reason}");
        }
    }
}
