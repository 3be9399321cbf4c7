//! Connection URLs, read as libpq reads them.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use tokio_postgres::Config;
use tokio_postgres::config::{ChannelBinding, Host, SslMode as DriverSslMode, TargetSessionAttrs};

use crate::tls::{RootCertificates, TlsMode, TlsOptions};

/// How long a connection attempt to one address may take unless the URL says otherwise.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// The name that the server shows unless the URL has another.
const APPLICATION_NAME: &str = "dbops";

/// Why a connection URL cannot be used. The text never holds the password.
#[derive(Debug, thiserror::Error)]
pub enum UrlError {
    /// Another scheme, or none.
    #[error("this is not a PostgreSQL URL{}", .0.as_deref().map(|scheme| format!(": its scheme is `{scheme}`")).unwrap_or_default())]
    Scheme(Option<String>),
    /// A part that cannot be read.
    #[error("the URL {redacted} cannot be read: {reason}")]
    Invalid {
        /// The URL with its password masked.
        redacted: String,
        /// What is wrong with it.
        reason: String,
    },
}

impl UrlError {
    /// What to write instead.
    #[must_use]
    pub fn hint(&self) -> String {
        "write postgresql://USER:PASSWORD@HOST:PORT/DATABASE, with special characters percent-encoded (@ is %40)".into()
    }
}

/// Where a database is and how to get in. Shown, it has its password masked.
#[derive(Clone)]
pub struct DatabaseUrl {
    pub(crate) config: Config,
    pub(crate) tls: TlsOptions,
    pub(crate) passfile: Option<PathBuf>,
}

impl DatabaseUrl {
    /// Reads a `postgresql://` URL with libpq's parameters; a driver suffix as in `postgresql+asyncpg://` is dropped.
    ///
    /// `default_user` stands in when the URL names no user. `sslmode=allow` is taken as `prefer`.
    ///
    /// # Errors
    ///
    /// When the scheme is another or a parameter is unknown or has a value that it cannot have.
    pub fn parse(text: &str, default_user: &str) -> Result<Self, UrlError> {
        let plain = without_driver_suffix(text).ok_or_else(|| UrlError::Scheme(scheme(text)))?;
        let invalid = |reason: String| UrlError::Invalid { redacted: redact(text), reason };
        let (base, query) = plain.split_once('?').unwrap_or((&plain, ""));

        let mut tls = TlsOptions::default();
        let mut mode = None;
        let mut passfile = None;
        let mut passed_on = Vec::new();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (key, value) =
                pair.split_once('=').ok_or_else(|| invalid(format!("parameter `{pair}` has no value")))?;
            let decoded =
                percent_decode_str(value).decode_utf8().map_err(|_| invalid(format!("`{key}` is not UTF-8")))?;
            match key {
                "sslmode" => {
                    let known = TlsMode::parse(&decoded);
                    mode = Some(known.ok_or_else(|| invalid(format!("sslmode `{decoded}` is unknown")))?);
                }
                "sslrootcert" if decoded == "system" => tls.roots = RootCertificates::System,
                "sslrootcert" => tls.roots = RootCertificates::File(PathBuf::from(decoded.as_ref())),
                // The driver knows two kinds of server, by whether a transaction may write.
                "target_session_attrs" if decoded == "primary" => passed_on.push("target_session_attrs=read-write"),
                "target_session_attrs" if decoded == "standby" => passed_on.push("target_session_attrs=read-only"),
                "passfile" => passfile = Some(PathBuf::from(decoded.as_ref())),
                _ => passed_on.push(pair),
            }
        }
        tls.mode = match (mode, &tls.roots) {
            // libpq: any of the public authorities may have signed, so that all hangs on the name.
            (None | Some(TlsMode::VerifyFull), RootCertificates::System) => TlsMode::VerifyFull,
            (Some(weaker), RootCertificates::System) => {
                let weaker = weaker.as_str();
                return Err(invalid(format!("sslrootcert=system needs sslmode=verify-full, and not {weaker}")));
            }
            (mode, _) => mode.unwrap_or_default(),
        };
        let separator = if passed_on.is_empty() { "" } else { "?" };
        let rest = format!("{base}{separator}{}", passed_on.join("&"));
        let mut config = Config::from_str(&rest).map_err(|error| invalid(chain(&error)))?;
        config.ssl_mode(match tls.mode {
            TlsMode::Disable => DriverSslMode::Disable,
            TlsMode::Prefer => DriverSslMode::Prefer,
            TlsMode::Require | TlsMode::VerifyCa | TlsMode::VerifyFull => DriverSslMode::Require,
        });
        if config.get_user().is_none() {
            config.user(default_user);
        }
        if config.get_dbname().is_none() {
            let user = config.get_user().unwrap_or_default().to_owned();
            config.dbname(user);
        }
        if config.get_hosts().is_empty() {
            config.host("localhost");
        }
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(CONNECT_TIMEOUT);
        }
        if config.get_application_name().is_none() {
            config.application_name(APPLICATION_NAME);
        }
        Ok(Self { config, tls, passfile })
    }

    /// The same server and account, another database.
    #[must_use]
    pub fn with_database(&self, name: &str) -> Self {
        let mut other = self.clone();
        other.config.dbname(name);
        other
    }

    /// The password for when the URL has none; an empty one is none.
    #[must_use]
    pub fn with_password(mut self, password: &str) -> Self {
        if self.config.get_password().is_none() && !password.is_empty() {
            self.config.password(password);
        }
        self
    }

    /// The password file to look in when the URL has no password; one in the URL itself (`passfile=`) wins.
    #[must_use]
    pub fn with_passfile(mut self, path: Option<PathBuf>) -> Self {
        self.passfile = self.passfile.or(path);
        self
    }

    /// The name that the server shows for these connections in `pg_stat_activity`.
    #[must_use]
    pub fn with_application_name(mut self, name: &str) -> Self {
        self.config.application_name(name);
        self
    }

    /// Settings of the server for these sessions, over those that the URL has in `options`.
    #[must_use]
    pub fn with_settings(&self, settings: &[(&str, &str)]) -> Self {
        let mut other = self.clone();
        let mut options = other.config.get_options().unwrap_or_default().to_owned();
        for (name, value) in settings {
            options.push_str(&format!(" -c {name}={value}"));
        }
        other.config.options(options.trim_start());
        other
    }

    /// The database's name.
    #[must_use]
    pub fn database(&self) -> &str {
        self.config.get_dbname().unwrap_or_default()
    }

    /// The account's name.
    #[must_use]
    pub fn user(&self) -> &str {
        self.config.get_user().unwrap_or_default()
    }

    /// The password in the URL, if there is one.
    #[must_use]
    pub fn password(&self) -> Option<&[u8]> {
        self.config.get_password()
    }

    /// Host and port of every server that the URL names; a socket's folder counts as a host.
    #[must_use]
    pub fn servers(&self) -> Vec<(String, u16)> {
        let ports = self.config.get_ports();
        let port = |i: usize| ports.get(i).or(ports.first()).copied().unwrap_or(5432);
        self.config.get_hosts().iter().enumerate().map(|(i, host)| (host_text(host), port(i))).collect()
    }

    /// How long connecting may take in all: `connect_timeout` for each server.
    pub(crate) fn connect_limit(&self) -> Duration {
        let servers = u32::try_from(self.servers().len().max(1)).unwrap_or(1);
        self.config.get_connect_timeout().copied().unwrap_or(CONNECT_TIMEOUT).saturating_mul(servers)
    }

    /// `host:port`, for messages.
    #[must_use]
    pub fn server(&self) -> String {
        join_servers(&self.servers())
    }

    /// libpq's keyword form, for the argument list of psql and pg_dump: everything but the password.
    #[must_use]
    pub fn conninfo(&self) -> String {
        let servers = self.servers();
        let hosts: Vec<_> = servers.iter().map(|(host, _)| host.as_str()).collect();
        let ports: Vec<_> = servers.iter().map(|(_, port)| port.to_string()).collect();
        let mut pairs = vec![
            ("host", hosts.join(",")),
            ("port", ports.join(",")),
            ("user", self.user().to_owned()),
            ("dbname", self.database().to_owned()),
            ("connect_timeout", CONNECT_TIMEOUT.as_secs().to_string()),
        ];
        for (key, value) in self.parameters() {
            pairs.retain(|(other, _)| *other != key);
            pairs.push((key, value));
        }
        join(&pairs)
    }

    /// The same for a program that runs beside the server, where it is reached without an address.
    #[must_use]
    pub fn conninfo_at_hand(&self) -> String {
        let of_the_way =
            ["host", "hostaddr", "port", "sslmode", "sslrootcert", "channel_binding", "target_session_attrs"];
        let mut pairs = vec![("user", self.user().to_owned()), ("dbname", self.database().to_owned())];
        pairs.extend(self.parameters().into_iter().filter(|(key, _)| !of_the_way.contains(key)));
        join(&pairs)
    }

    /// The URL with its password, for a configuration file or an application. Never print it.
    #[must_use]
    pub fn reveal(&self) -> String {
        let password = self.password().map(String::from_utf8_lossy);
        self.render(password.as_deref().map(encode))
    }

    /// The URL without its password, for a file that anybody may read.
    #[must_use]
    pub fn without_password(&self) -> String {
        self.render(None)
    }

    /// The same database on each of the servers alone, in their order.
    #[must_use]
    pub fn each_server(&self) -> Vec<Self> {
        let servers = self.servers();
        if servers.len() < 2 {
            return vec![self.clone()];
        }
        let password = self.password().map(|password| encode(&String::from_utf8_lossy(password)));
        let addresses = self.config.get_hostaddrs();
        let alone = |(index, server): (usize, &(String, u16))| {
            let mut parameters = self.parameters();
            parameters.retain(|(key, _)| *key != "hostaddr");
            parameters.extend(addresses.get(index).map(|address| ("hostaddr", address.to_string())));
            let text = self.render_for(password.clone(), std::slice::from_ref(server), parameters);
            Self::parse(&text, self.user()).ok().map(|url| url.with_passfile(self.passfile.clone()))
        };
        servers.iter().enumerate().filter_map(alone).collect()
    }

    fn render(&self, password: Option<String>) -> String {
        self.render_for(password, &self.servers(), self.parameters())
    }

    fn render_for(
        &self,
        password: Option<String>,
        servers: &[(String, u16)],
        mut parameters: Vec<(&'static str, String)>,
    ) -> String {
        let user = encode(self.user());
        let password = password.map(|password| format!(":{password}")).unwrap_or_default();
        let database = encode(self.database());
        let socket = servers.first().filter(|(host, _)| Path::new(host).is_absolute());
        let hosts = match socket {
            Some((folder, port)) => {
                parameters.insert(0, ("port", port.to_string()));
                parameters.insert(0, ("host", folder.clone()));
                String::new()
            }
            None => join_servers(servers),
        };
        let pairs: Vec<_> = parameters.iter().map(|(key, value)| format!("{key}={}", encode(value))).collect();
        let separator = if pairs.is_empty() { "" } else { "?" };
        format!("postgresql://{user}{password}@{hosts}/{database}{separator}{}", pairs.join("&"))
    }

    /// What the URL says beyond servers, account and database, where it differs from the default.
    fn parameters(&self) -> Vec<(&'static str, String)> {
        let mut parameters = Vec::new();
        if self.tls.mode != TlsMode::default() {
            parameters.push(("sslmode", self.tls.mode.as_str().to_owned()));
        }
        match &self.tls.roots {
            RootCertificates::None => {}
            RootCertificates::System => parameters.push(("sslrootcert", "system".into())),
            RootCertificates::File(path) => parameters.push(("sslrootcert", path.display().to_string())),
        }
        if let Some(options) = self.config.get_options() {
            parameters.push(("options", options.to_owned()));
        }
        if let Some(timeout) = self.config.get_connect_timeout().filter(|timeout| **timeout != CONNECT_TIMEOUT) {
            parameters.push(("connect_timeout", timeout.as_secs().max(1).to_string()));
        }
        match self.config.get_target_session_attrs() {
            TargetSessionAttrs::ReadWrite => parameters.push(("target_session_attrs", "read-write".into())),
            TargetSessionAttrs::ReadOnly => parameters.push(("target_session_attrs", "read-only".into())),
            _ => {}
        }
        let addresses: Vec<_> = self.config.get_hostaddrs().iter().map(ToString::to_string).collect();
        if !addresses.is_empty() {
            parameters.push(("hostaddr", addresses.join(",")));
        }
        match self.config.get_channel_binding() {
            ChannelBinding::Disable => parameters.push(("channel_binding", "disable".into())),
            ChannelBinding::Require => parameters.push(("channel_binding", "require".into())),
            _ => {}
        }
        if let Some(name) = self.config.get_application_name().filter(|name| *name != APPLICATION_NAME) {
            parameters.push(("application_name", name.to_owned()));
        }
        parameters
    }
}

fn join_servers(servers: &[(String, u16)]) -> String {
    servers.iter().map(|(host, port)| format!("{host}:{port}")).collect::<Vec<_>>().join(",")
}

/// Pairs in libpq's keyword form.
fn join(pairs: &[(&str, String)]) -> String {
    let quote = |value: &str| format!("'{}'", value.replace('\\', r"\\").replace('\'', r"\'"));
    pairs.iter().map(|(key, value)| format!("{key}={}", quote(value))).collect::<Vec<_>>().join(" ")
}

impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(self.password().map(|_| "***".to_owned())))
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DatabaseUrl({self})")
    }
}

/// Masks the password in text that may be a URL, whether or not the rest of it can be read.
#[must_use]
pub(crate) fn redact(text: &str) -> String {
    let Some((scheme, rest)) = text.split_once("://") else { return "(not a URL)".into() };
    // Up to the last @ of all: a password with an unencoded @, / or ? must not leave its tail in the message.
    let (user, rest) = rest.rsplit_once('@').map_or((None, rest), |(user, rest)| (Some(user), rest));
    let user = match user.map(|user| user.split_once(':').ok_or(user)) {
        Some(Ok((user, _))) => format!("{user}:***@"),
        Some(Err(user)) => format!("{user}@"),
        None => String::new(),
    };
    let (authority, query) = rest.split_once('?').map_or((rest, None), |(before, after)| (before, Some(after)));
    let query = query.map(|query| {
        let pairs = query.split('&').map(|pair| match pair.split_once('=') {
            Some((key, _)) if key.to_ascii_lowercase().contains("password") => format!("{key}=***"),
            _ => pair.to_owned(),
        });
        format!("?{}", pairs.collect::<Vec<_>>().join("&"))
    });
    format!("{scheme}://{user}{authority}{}", query.unwrap_or_default())
}

/// What stands before `://`, if it can be a scheme: anything else may be a password.
fn scheme(text: &str) -> Option<String> {
    let (scheme, _) = text.split_once("://")?;
    let is_scheme =
        scheme.len() <= 20 && scheme.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'));
    is_scheme.then(|| scheme.to_owned())
}

/// `postgresql://…` for `postgresql+asyncpg://…`, `postgres://…` and `postgresql://…`; nothing for another scheme.
fn without_driver_suffix(text: &str) -> Option<String> {
    let (scheme, rest) = text.split_once("://")?;
    let name = scheme.split_once('+').map_or(scheme, |(name, _)| name);
    matches!(name, "postgresql" | "postgres").then(|| format!("postgresql://{rest}"))
}

fn host_text(host: &Host) -> String {
    match host {
        Host::Tcp(name) => name.clone(),
        #[cfg(unix)]
        Host::Unix(folder) => folder.display().to_string(),
    }
}

fn encode(text: &str) -> String {
    const KEPT: &percent_encoding::AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');
    utf8_percent_encode(text, KEPT).to_string()
}

/// An error and all its causes on one line.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let next = error.to_string();
        // Some drivers repeat their cause in their own text.
        if !text.ends_with(&next) {
            text = format!("{text}: {next}");
        }
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests;
