//! The targets of a project as the command line names them.

use std::path::Path;

use dbops_migrate::alembic_url;
use dbops_postgres::DatabaseUrl;

use super::InitArgs;
use crate::commands::Context;
use crate::commands::migrate::AlembicProject;
use crate::config::{Config, TargetKind, can_name_target, is_address};
use crate::environment::UnreadableFile;
use crate::failure::{Failure, Result};

/// A target that is to be in the configuration.
pub(super) struct Draft {
    pub(super) name: String,
    pub(super) origin: Origin,
    /// The variable that has its URL.
    pub(super) variable: String,
    /// The URL for where the variable is not set, without a password. Nothing: it has to be set.
    pub(super) default: Option<String>,
    /// Nobody said where it is.
    pub(super) is_guess: bool,
    /// It was named by a URL, and not by a variable.
    is_url: bool,
    /// The URL of a database as it was given, perhaps with a password.
    given: Option<DatabaseUrl>,
}

/// What it is, and where what is to be written comes from.
pub(super) enum Origin {
    /// A PostgreSQL database that is to be built.
    Postgres,
    Alembic(AlembicProject),
    /// A PostgreSQL database without migrations.
    Database,
    /// A Qdrant server that is to be filled.
    Qdrant,
    /// A Qdrant server with collections.
    Collections,
}

impl Origin {
    pub(super) fn is_qdrant(&self) -> bool {
        matches!(self, Self::Qdrant | Self::Collections)
    }

    /// The option that names it.
    fn option(&self) -> &'static str {
        match self {
            Self::Postgres => "--postgres",
            Self::Alembic(_) => "--from-alembic",
            Self::Database => "--from-database",
            Self::Qdrant => "--qdrant",
            Self::Collections => "--from-qdrant",
        }
    }
}

impl Draft {
    /// A variable of this target: `BOT_DB_PASSWORD`.
    pub(super) fn variable_for(&self, what: &str) -> String {
        variable(&self.name, what)
    }

    /// Refuses to adopt another one than was named.
    fn differs(&self, there: &str) -> Result<()> {
        if !(self.is_url && matches!(self.origin, Origin::Database | Origin::Collections)) {
            return Ok(());
        }
        let Self { name, variable, .. } = self;
        let message = format!("{name}: the variable {variable} is set, and says something else: {there}");
        let hint = format!("unset {variable}, or name it instead of a URL: '${{{variable}}}'");
        Err(Failure::usage(message).with_hint(hint))
    }

    /// Whether its URL was given with a password, which is written nowhere.
    pub(super) fn has_password(&self) -> bool {
        self.given.as_ref().is_some_and(|url| url.password().is_some())
    }
}

/// Adds the passwords of URLs that were given, where the environment has none. What is adopted by its URL has to be
/// what the environment speaks of, if it does.
pub(super) fn complete(mut config: Config, drafts: &[Draft]) -> Result<Config> {
    for (draft, target) in drafts.iter().zip(&mut config.targets) {
        match &mut target.kind {
            TargetKind::Postgres(postgres) => {
                let Some(given) = &draft.given else { continue };
                if given.conninfo() != postgres.url.conninfo() {
                    draft.differs(&postgres.url.to_string())?;
                    continue;
                }
                let password = given.password().map(String::from_utf8_lossy).unwrap_or_default();
                postgres.url = postgres.url.clone().with_password(&password);
            }
            TargetKind::Qdrant(qdrant) => {
                let addresses: Vec<_> = qdrant.addresses.iter().map(|address| address.url.as_str()).collect();
                let given = draft.default.iter().flat_map(|urls| urls.split(',')).map(|url| url.trim_end_matches('/'));
                if !given.eq(addresses.iter().copied()) {
                    draft.differs(&addresses.join(", "))?;
                }
            }
        }
    }
    Ok(config)
}

/// What the command line asks for; a database that is to be built, where it asks for nothing.
pub(super) fn drafts(context: &Context, args: &InitArgs) -> Result<Vec<Draft>> {
    let mut named: Vec<_> = args.postgres.iter().map(|text| named(text, true)).collect();
    let mut drafts = Vec::new();
    for text in &args.from_alembic {
        let (name, ini) = self::named(text, false);
        let project = AlembicProject::find(context, Path::new(ini), args.python.as_deref())?;
        // The URL of a project that is given as well.
        let other = named.iter().position(|(other, _)| other.is_some() && *other == name);
        let url = match other.map(|index| named.remove(index)) {
            Some((_, url)) => url.to_owned(),
            None => usable_url(context, &project)?,
        };
        drafts.push(postgres(context, name, &url, Origin::Alembic(project))?);
    }
    for text in &args.from_database {
        let (name, url) = self::named(text, false);
        drafts.push(postgres(context, name, url, Origin::Database)?);
    }
    for (name, url) in named {
        drafts.push(postgres(context, name, url, Origin::Postgres)?);
    }
    let servers = args.from_qdrant.iter().map(|text| (self::named(text, false), Origin::Collections));
    let servers = servers.chain(args.qdrant.iter().map(|text| (self::named(text, true), Origin::Qdrant)));
    for ((name, url), origin) in servers {
        drafts.push(qdrant(name, url, origin)?);
    }
    if drafts.is_empty() {
        drafts.push(postgres(context, None, "", Origin::Postgres)?);
    }
    check_names(&drafts)?;
    for draft in &drafts {
        check_variable(context, draft)?;
    }
    Ok(drafts)
}

fn check_names(drafts: &[Draft]) -> Result<()> {
    for (index, draft) in drafts.iter().enumerate() {
        let name = &draft.name;
        if !can_name_target(name) {
            let hint = "use letters, digits, `_` and `-`, a letter first; subcommands such as `list` are taken";
            let option = draft.origin.option();
            return Err(Failure::usage(format!("{option}: `{name}` cannot name a target")).with_hint(hint));
        }
        if drafts[..index].iter().any(|other| other.name == *name) {
            return Err(Failure::usage(format!("two targets would be called `{name}`"))
                .with_hint("give each a name: NAME=…, before its URL or file"));
        }
        let same_variables = |other: &&Draft| other.variable_for("URL") == draft.variable_for("URL");
        if let Some(other) = drafts[..index].iter().find(same_variables) {
            let variable = draft.variable_for("URL");
            let message = format!("the targets `{}` and `{name}` would share their variables: {variable}", other.name);
            let hint = "give one another name, in which more differs than case, or `-` and `_`";
            return Err(Failure::usage(message).with_hint(hint));
        }
    }
    Ok(())
}

/// Refuses what the configuration could not be read with, as long as it is not there to be named.
fn check_variable(context: &Context, draft: &Draft) -> Result<()> {
    let (option, variable) = (draft.origin.option(), &draft.variable);
    if variable.is_empty() || !variable.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
        return Err(Failure::usage(format!("{option}: `${{{variable}}}` is not a variable"))
            .with_hint("write ${NAME} or ${NAME:-URL}"));
    }
    let value = context.environment.text_or_file(variable).map_err(|UnreadableFile { variable, reason }| {
        Failure::usage(format!("{option}: the environment variable {variable} {reason}"))
            .with_hint(format!("let {variable} name a file with the value in it, or unset it"))
    })?;
    match value {
        None if draft.default.is_none() => {
            Err(Failure::usage(format!("{option}: the environment variable {variable} is not set"))
                .with_hint(format!("set {variable}, or give a default: ${{{variable}:-URL}}")))
        }
        Some(url) if draft.origin.is_qdrant() => check_addresses(&url, draft),
        Some(url) => match DatabaseUrl::parse(&url, context.environment.user()) {
            Ok(_) => Ok(()),
            Err(error) => {
                Err(Failure::usage(format!("{option}: in the variable {variable}: {error}")).with_hint(error.hint()))
            }
        },
        None => Ok(()),
    }
}

/// `NAME=VALUE`; a value alone; or, where a name may stand alone, that.
fn named(text: &str, may_be_alone: bool) -> (Option<&str>, &str) {
    // Perhaps one that cannot name a target, which is for others to say.
    let is_name = |text: &str| !text.is_empty() && !text.contains([':', '/', '@', '$', '?']);
    match text.split_once('=') {
        Some((name, value)) if is_name(name) => (Some(name), value),
        None if may_be_alone && is_name(text) => (Some(text), ""),
        _ => (None, text),
    }
}

fn variable(name: &str, what: &str) -> String {
    format!("{}_{what}", name.to_ascii_uppercase().replace('-', "_"))
}

/// An address as it was given: a URL, `${VARIABLE}`, or `${VARIABLE:-URL}`.
fn address(text: &str) -> (Option<&str>, Option<&str>) {
    let Some(body) = text.strip_prefix("${").and_then(|rest| rest.strip_suffix('}')) else {
        return (None, Some(text).filter(|text| !text.is_empty()));
    };
    match body.split_once(":-") {
        Some((variable, url)) => (Some(variable), Some(url)),
        None => (Some(body), None),
    }
}

fn postgres(context: &Context, name: Option<&str>, text: &str, origin: Origin) -> Result<Draft> {
    let user = context.environment.user();
    let (variable_name, url) = address(text);
    let parse = |url: &str| {
        DatabaseUrl::parse(url, user).map_err(|error| {
            // The URL of an Alembic project is given by this one.
            let option = if matches!(origin, Origin::Alembic(_)) { "--postgres" } else { origin.option() };
            Failure::usage(format!("{option}: {error}")).with_hint(error.hint())
        })
    };
    let given = url.map(parse).transpose()?;
    let name = match (name, &given, variable_name) {
        (Some(name), ..) => name.to_owned(),
        (None, Some(given), _) => name_of(given),
        (None, None, Some(variable)) => {
            let value = context.environment.text_or_file(variable).ok().flatten();
            value
                .and_then(|url| DatabaseUrl::parse(&url, user).ok())
                .map_or_else(|| UNNAMED.into(), |url| name_of(&url))
        }
        (None, None, None) => UNNAMED.into(),
    };
    let default = match (&given, variable_name) {
        (Some(given), _) if given.password().is_some() => Some(given.without_password()),
        (Some(_), _) => url.map(ToOwned::to_owned),
        (None, Some(_)) => None,
        (None, None) => Some(format!("postgresql://postgres@localhost:5432/{name}")),
    };
    let variable = variable_name.map_or_else(|| variable(&name, "URL"), ToOwned::to_owned);
    let (is_guess, is_url) = (text.is_empty(), variable_name.is_none());
    Ok(Draft { name, origin, variable, default: default.map(|text| plain(&text)), is_guess, is_url, given })
}

/// A target that nobody named.
const UNNAMED: &str = "database";

fn name_of(url: &DatabaseUrl) -> String {
    Some(url.database()).filter(|name| can_name_target(name)).unwrap_or(UNNAMED).to_owned()
}

fn qdrant(name: Option<&str>, text: &str, origin: Origin) -> Result<Draft> {
    let name = name.unwrap_or("qdrant").to_owned();
    let (variable_name, url) = address(text);
    let default = match (url, variable_name) {
        (None, Some(_)) => None,
        (url, _) => Some(plain(url.unwrap_or("http://localhost:6333"))),
    };
    let variable = variable_name.map_or_else(|| variable(&name, "URL"), ToOwned::to_owned);
    let (is_guess, is_url) = (text.is_empty(), variable_name.is_none());
    let draft = Draft { name, origin, variable, default, is_guess, is_url, given: None };
    if let Some(url) = url {
        check_addresses(url, &draft)?;
    }
    Ok(draft)
}

/// Refuses what is not the address of a Qdrant server, or of several with commas between.
fn check_addresses(text: &str, draft: &Draft) -> Result<()> {
    if text.split(',').all(|url| is_address(url.trim())) {
        return Ok(());
    }
    // What was put there by mistake may be a secret.
    let (option, key) = (draft.origin.option(), draft.variable_for("API_KEY"));
    Err(Failure::usage(format!("{option}: this is not the address of a Qdrant server"))
        .with_hint(format!("write http://HOST:PORT or https://HOST:PORT; a key goes to {key}")))
}

/// A URL in a form that neither ends a default nor means anything to YAML.
fn plain(url: &str) -> String {
    let is_kept = |c: char| c.is_ascii_graphic() && !matches!(c, '}' | '"' | '\'' | '#' | '\\');
    let encode = |c: char| {
        let mut bytes = [0; 4];
        c.encode_utf8(&mut bytes).bytes().map(|byte| format!("%{byte:02X}")).collect::<String>()
    };
    url.chars().map(|c| if is_kept(c) { c.to_string() } else { encode(c) }).collect()
}

/// The URL that an Alembic project's ini has, if it is one of PostgreSQL; else nothing.
fn usable_url(context: &Context, project: &AlembicProject) -> Result<String> {
    let url = alembic_url(&project.ini)?;
    let is_usable = |url: &String| DatabaseUrl::parse(url, context.environment.user()).is_ok();
    Ok(url.filter(is_usable).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::{address, named, plain, variable};

    #[test]
    fn names_stand_before_what_they_name() {
        let cases = [
            ("bot_db", (Some("bot_db"), "")),
            ("bot_db=postgresql://h/d?sslmode=require", (Some("bot_db"), "postgresql://h/d?sslmode=require")),
            ("postgresql://h/d?sslmode=require", (None, "postgresql://h/d?sslmode=require")),
            ("a=${URL}", (Some("a"), "${URL}")),
            ("src/alembic.ini", (None, "src/alembic.ini")),
            ("", (None, "")),
            ("1x", (Some("1x"), "")),
            ("bot db=http://h", (Some("bot db"), "http://h")),
            ("localhost:5432", (None, "localhost:5432")),
            ("me:s3cret@h/d", (None, "me:s3cret@h/d")),
        ];
        for (text, expected) in cases {
            assert_eq!(named(text, true), expected, "{text}");
        }
        assert_eq!(named("alembic", false), (None, "alembic"));
    }

    #[test]
    fn addresses_may_be_variables() {
        assert_eq!(address("${URL}"), (Some("URL"), None));
        assert_eq!(address("${URL:-http://h}"), (Some("URL"), Some("http://h")));
        assert_eq!(address("http://h"), (None, Some("http://h")));
        assert_eq!(address(""), (None, None));
        assert_eq!(variable("bot-db", "URL"), "BOT_DB_URL");
        assert_eq!(plain("postgresql://h/a}b \"ä#"), "postgresql://h/a%7Db%20%22%C3%A4%23");
    }
}
