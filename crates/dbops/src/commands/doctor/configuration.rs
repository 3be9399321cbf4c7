//! Where the target's address and password come from.

use std::io;
use std::path::Path;

use dbops_postgres::{DatabaseUrl, passfile};

use super::walk::Walk;
use crate::commands::Context;
use crate::config::{Config, Target, TargetKind};

pub(super) fn look(walk: &mut Walk<'_>, context: &Context, config: &Config, target: &Target) {
    let written = config.url_as_written(&target.name).unwrap_or_default();
    let is_set = |name: &str| context.environment.get(name).is_some();
    let file = context.environment.shown(&config.path);
    walk.passed("configuration", format!("{file}: {}", origin(&written, is_set)));
    if let TargetKind::Postgres(postgres) = &target.kind {
        let path = context.environment.passfile().unwrap_or_default();
        walk.passed("credentials", credentials(&postgres.url, &path, is_set("PGPASSWORD")));
    }
}

/// Where a value comes from, by the text that the file has for it.
fn origin(written: &str, is_set: impl Fn(&str) -> bool) -> String {
    let told = variables(written).into_iter().map(|name| match is_set(name) {
        true => format!("the URL comes from the variable {name}"),
        false => format!("the variable {name} is not set, so the default in the file is the URL"),
    });
    let told: Vec<_> = told.collect();
    if told.is_empty() { "the URL is written there".into() } else { told.join("; ") }
}

/// The names in `${NAME}` and `${NAME:-default}`.
fn variables(written: &str) -> Vec<&str> {
    // `$$` stands for one dollar sign.
    let parts = written.split("$$").flat_map(|part| part.split("${").skip(1));
    parts.filter_map(|part| part.split(['}', ':']).next()).filter(|name| !name.is_empty()).collect()
}

fn credentials(url: &DatabaseUrl, passfile: &Path, has_pgpassword: bool) -> String {
    let user = url.user();
    if url.password().is_some() {
        return format!("user \"{user}\", password in the URL");
    }
    let shown = passfile.display();
    match is_in_file(url, passfile) {
        Ok(true) => format!("user \"{user}\", password in the password file {shown}"),
        Ok(false) if has_pgpassword => {
            format!("user \"{user}\", no password: PGPASSWORD is set, which dbops does not read; put it in the URL")
        }
        Ok(false) => format!("user \"{user}\", no password in the URL or in {shown}"),
        Err(error) => format!("user \"{user}\", the password file {shown} cannot be read: {error}"),
    }
}

fn is_in_file(url: &DatabaseUrl, path: &Path) -> io::Result<bool> {
    for (host, port) in url.servers() {
        if passfile::find(path, &host, port, url.database(), url.user())?.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

#[cfg(test)]
mod tests {
    use super::{origin, variables};

    #[test]
    fn variables_are_found_and_their_values_never_shown() {
        let cases = [
            ("postgresql://u:p@h/d", vec![]),
            ("${DATABASE_URL_SYNC:-postgresql://postgres:admin@localhost/d}", vec!["DATABASE_URL_SYNC"]),
            ("postgresql://${USER}:$${PASSWORD}@${HOST}/d", vec!["USER", "HOST"]),
        ];
        for (written, names) in cases {
            assert_eq!(variables(written), names, "{written}");
        }
        let written = "${URL:-postgresql://postgres:s3cret@localhost/d}";
        assert_eq!(origin(written, |_| true), "the URL comes from the variable URL");
        let default = "the variable URL is not set, so the default in the file is the URL";
        assert_eq!(origin(written, |_| false), default);
        assert_eq!(origin("postgresql://u:s3cret@h/d", |_| true), "the URL is written there");
    }
}
