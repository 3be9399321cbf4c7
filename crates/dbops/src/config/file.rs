//! `dbops.yaml` as it is written: reading it, with the line of every mistake.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Component, Path, PathBuf};

use dbops_migrate::lint::{self, LintOptions};
use dbops_postgres::DatabaseUrl;
use serde::Deserialize;
use serde::de::{MapAccess, Visitor};

use super::backup::Backup;
use super::expand::{ExpandError, expand};
use super::health::Health;
use super::qdrant::RawAddresses;
use super::schema::{DeclaredSchema, Program, RawSchema};
use super::{Config, PostgresTarget, Target, TargetKind, suggest};
use crate::environment::{Environment, UnreadableFile};
use crate::failure::{Failure, Result};

/// A target's URL as the text has it, with its variables; nothing when the text cannot be read.
pub(super) fn url_as_written(text: &str, target: &str) -> Option<String> {
    let file: File = serde_yaml::from_str(text.strip_prefix('\u{feff}').unwrap_or(text)).ok()?;
    file.targets.0.into_iter().find(|(name, _)| name == target).and_then(|(_, target)| target.url.into_text())
}

/// Words that follow a command and so cannot name a target.
pub(super) const RESERVED: [&str; 12] =
    ["list", "show", "verify", "prune", "delete", "create", "restore", "status", "plan", "apply", "latest", "all"];

/// Whether a target may have this name.
pub(crate) fn can_name_target(name: &str) -> bool {
    is_word(name) && !RESERVED.contains(&name)
}

fn is_word(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-')
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    version: u32,
    targets: Targets,
    #[serde(default)]
    backup: Backup,
    #[serde(default)]
    lint: Lint,
    #[serde(default)]
    health: Health,
}

/// Which rules `migrate lint` asks, where that differs from the default.
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct Lint {
    rules: BTreeMap<String, Switch>,
    pg_version: Option<Scalar>,
}

#[derive(Deserialize, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
enum Switch {
    On,
    Off,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "a target with its keys")]
pub(super) struct RawTarget {
    kind: Kind,
    pub(super) url: RawAddresses,
    pub(super) nodes: Option<RawAddresses>,
    password: Option<String>,
    versions: Option<String>,
    schema: Option<RawSchema>,
    pub(super) grpc_port: Option<Scalar>,
    pub(super) api_key: Option<String>,
    pub(super) collections: Option<String>,
    pub(super) container: Option<String>,
}

#[derive(Deserialize, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Postgres,
    Qdrant,
}

/// A number as written: a number, or text with a variable.
pub(super) struct Scalar(pub(super) String);

impl<'de> Deserialize<'de> for Scalar {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        struct NumberOrText;
        impl Visitor<'_> for NumberOrText {
            type Value = Scalar;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number")
            }

            fn visit_f64<E: serde::de::Error>(self, number: f64) -> std::result::Result<Scalar, E> {
                Ok(Scalar(number.to_string()))
            }

            fn visit_u64<E: serde::de::Error>(self, number: u64) -> std::result::Result<Scalar, E> {
                Ok(Scalar(number.to_string()))
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> std::result::Result<Scalar, E> {
                Ok(Scalar(text.to_owned()))
            }
        }
        deserializer.deserialize_any(NumberOrText)
    }
}

/// The targets in the order of the file.
struct Targets(Vec<(String, RawTarget)>);

impl<'de> Deserialize<'de> for Targets {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        struct InOrder;
        impl<'de> Visitor<'de> for InOrder {
            type Value = Targets;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a map of targets")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> std::result::Result<Targets, A::Error> {
                let mut targets: Vec<(String, RawTarget)> = Vec::new();
                while let Some((name, target)) = map.next_entry::<String, RawTarget>()? {
                    if targets.iter().any(|(other, _)| *other == name) {
                        return Err(serde::de::Error::custom(format!("the target `{name}` is there twice")));
                    }
                    targets.push((name, target));
                }
                Ok(Targets(targets))
            }
        }
        deserializer.deserialize_map(InOrder)
    }
}

/// Reads the text of the file at `path`.
pub(super) fn parse(path: &Path, text: &str, environment: &Environment) -> Result<Config> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let reader = Reader { path, text, environment };
    let file: File = serde_yaml::from_str(text).map_err(|error| reader.yaml_failure(&error))?;
    if file.version != 1 {
        return Err(reader
            .failure(&["version"], format!("version {} is not known", file.version))
            .with_hint("write `version: 1`"));
    }
    let targets = file.targets.0.into_iter().map(|(name, raw)| reader.target(name, raw)).collect::<Result<Vec<_>>>()?;
    if targets.is_empty() {
        return Err(reader.failure(&["targets"], "there is no target".into()));
    }
    let backup = file.backup.read(&reader)?;
    let lint = reader.lint(file.lint)?;
    let health = file.health.read(&reader)?;
    Ok(Config { path: path.to_path_buf(), targets, backup, lint, health })
}

pub(super) struct Reader<'a> {
    path: &'a Path,
    text: &'a str,
    pub(super) environment: &'a Environment,
}

impl Reader<'_> {
    fn target(&self, name: String, raw: RawTarget) -> Result<Target> {
        let place = ["targets", &name];
        if !is_word(&name) {
            let failure = self.failure(&place, format!("`{name}` cannot name a target"));
            return Err(failure.with_hint("use letters, digits, `_` and `-`, a letter first"));
        }
        if RESERVED.contains(&name.as_str()) {
            let failure = self.failure(&place, format!("`{name}` cannot name a target: it is a subcommand"));
            return Err(failure.with_hint("choose another name"));
        }
        let foreign: &[(&str, bool)] = match raw.kind {
            Kind::Postgres => &[
                ("nodes", raw.nodes.is_some()),
                ("grpc_port", raw.grpc_port.is_some()),
                ("api_key", raw.api_key.is_some()),
                ("collections", raw.collections.is_some()),
            ],
            Kind::Qdrant => &[
                ("password", raw.password.is_some()),
                ("versions", raw.versions.is_some()),
                ("schema", raw.schema.is_some()),
            ],
        };
        if let Some((key, _)) = foreign.iter().find(|(_, is_set)| *is_set) {
            let kind = if raw.kind == Kind::Postgres { "postgres" } else { "qdrant" };
            return Err(self.failure(&["targets", &name, key], format!("a target of kind {kind} has no key `{key}`")));
        }
        let kind = match raw.kind {
            Kind::Postgres => TargetKind::Postgres(Box::new(self.postgres(&name, raw)?)),
            Kind::Qdrant => TargetKind::Qdrant(super::qdrant::read(self, &name, raw)?),
        };
        Ok(Target { name, kind })
    }

    fn lint(&self, raw: Lint) -> Result<LintOptions> {
        if let Some(unknown) = raw.rules.keys().find(|name| !lint::is_rule(name)) {
            let known = lint::rules();
            let known: Vec<_> = known.iter().map(|rule| rule.code.as_str()).collect();
            let failure = self.failure(&["lint", "rules", unknown], format!("there is no rule `{unknown}`"));
            return Err(failure.with_hint(suggest(unknown, &known)));
        }
        let pg_version = raw.pg_version.map(|Scalar(text)| text);
        if let Some(version) =
            pg_version.as_ref().filter(|text| text.split('.').any(|part| part.parse::<u16>().is_err()))
        {
            let failure = self.failure(&["lint", "pg_version"], format!("`{version}` is not a version"));
            return Err(failure.with_hint("write a major version, such as 18"));
        }
        let are = |wanted: Switch| {
            raw.rules.iter().filter(|(_, switch)| **switch == wanted).map(|(name, _)| name.clone()).collect()
        };
        Ok(LintOptions { on: are(Switch::On), off: are(Switch::Off), pg_version })
    }

    fn postgres(&self, name: &str, raw: RawTarget) -> Result<PostgresTarget> {
        let RawAddresses::One(url) = &raw.url else {
            let failure = self.failure(&["targets", name, "url"], "a PostgreSQL target has one `url`".into());
            return Err(failure.with_hint("write several servers as postgresql://HOST1:PORT,HOST2:PORT/DATABASE"));
        };
        let text = self.expand(&["targets", name, "url"], url)?;
        let url = DatabaseUrl::parse(&text, self.environment.user()).map_err(|error| {
            let hint = error.hint();
            self.failure(&["targets", name, "url"], error.to_string()).with_hint(hint)
        })?;
        let password = self.expand(&["targets", name, "password"], raw.password.as_deref().unwrap_or_default())?;
        let container = self.container(name, raw.container.as_deref())?;
        let versions = raw.versions.unwrap_or_else(|| format!("{name}/versions"));
        let schema = raw.schema.map(|schema| self.schema(name, &schema)).transpose()?;
        Ok(PostgresTarget {
            url: url.with_password(&password).with_passfile(self.environment.passfile()),
            versions: self.resolve(&self.expand(&["targets", name, "versions"], &versions)?),
            schema,
            container,
        })
    }

    fn schema(&self, name: &str, raw: &RawSchema) -> Result<DeclaredSchema> {
        let place = ["targets", name, "schema"];
        let words = match raw {
            RawSchema::Path(path) => return Ok(DeclaredSchema::Path(self.resolve(&self.expand(&place, path)?))),
            RawSchema::Command(words) => words.iter().map(|word| self.expand(&place, word)),
        };
        let mut words = words.collect::<Result<Vec<_>>>()?.into_iter();
        let Some(program) = words.next().filter(|program| !program.is_empty()) else {
            let failure = self.failure(&place, "`command` names no program".into());
            return Err(failure.with_hint("write `schema: {command: [python3, print_ddl.py]}`"));
        };
        // A name alone is looked up in PATH.
        let path = if program.contains('/') { self.resolve(&program) } else { program.into() };
        Ok(DeclaredSchema::Program(Program { path, arguments: words.collect(), folder: self.resolve("") }))
    }

    pub(super) fn container(&self, name: &str, raw: Option<&str>) -> Result<Option<String>> {
        raw.map(|raw| self.expand(&["targets", name, "container"], raw)).transpose()
    }

    pub(super) fn expand(&self, place: &[&str], value: &str) -> Result<String> {
        expand(value, |name| self.environment.text_or_file(name)).map_err(|error| match error {
            ExpandError::File(UnreadableFile { variable, reason }) => self
                .failure(place, format!("the environment variable {variable} {reason}"))
                .with_hint(format!("let {variable} name a file with the value in it, or unset it")),
            ExpandError::Unset(name) => self
                .failure(place, format!("the environment variable {name} is not set"))
                .with_hint(format!("set {name}, or give a default: ${{{name}:-default}}")),
            ExpandError::Malformed(text) => self
                .failure(place, format!("`{text}` is not a variable"))
                .with_hint("write ${NAME} or ${NAME:-default}; $$ stands for a dollar sign"),
        })
    }

    /// A path relative to the file's folder, without `..` in it.
    pub(super) fn resolve(&self, path: &str) -> PathBuf {
        let folder = self.path.parent().unwrap_or(Path::new("."));
        // Only below a folder without links does `a/..` mean nothing.
        let mut resolved = folder.canonicalize().unwrap_or_else(|_| folder.to_path_buf());
        for component in Path::new(path).components() {
            match component {
                Component::CurDir => {}
                Component::ParentDir => drop(resolved.pop()),
                other => resolved.push(other),
            }
        }
        resolved
    }

    pub(super) fn failure(&self, place: &[&str], message: String) -> Failure {
        let line = line_of(self.text, place).map(|line| format!(":{line}")).unwrap_or_default();
        Failure::usage(format!("{}{line}: {message}", self.path.display()))
    }

    fn yaml_failure(&self, error: &serde_yaml::Error) -> Failure {
        let place = error.location().map(|at| format!(":{}:{}", at.line(), at.column())).unwrap_or_default();
        let message = error.to_string();
        let message = without_values(message.split(" at line ").next().unwrap_or(&message));
        let failure = Failure::usage(format!("{}{place}: {message}", self.path.display()));
        match unknown_field(&message) {
            Some((wrong, known)) => failure.with_hint(suggest(wrong, &known)),
            None => failure.with_hint("check indentation, quotes and brackets at that place"),
        }
    }
}

/// serde's message without the value that did not fit: it may be a URL with a password in the wrong place.
fn without_values(message: &str) -> String {
    let cut = |start: &str, end: char| {
        let from = message.find(start)? + start.len();
        let to = from + message[from..].rfind(end)?;
        Some(format!("{}…{}", &message[..from], &message[to..]))
    };
    if message.contains("invalid type: ") || message.contains("invalid value: ") {
        return cut("string \"", '"').unwrap_or_else(|| message.to_owned());
    }
    match message.split_once(", expected") {
        Some((before, expected)) if before.contains("unknown variant") => {
            let place = before.split("unknown variant").next().unwrap_or_default();
            format!("{place}unknown value, expected{expected}")
        }
        _ => message.to_owned(),
    }
}

/// The names in serde's "unknown field `a`, expected one of `b`, `c`".
pub(crate) fn unknown_field(message: &str) -> Option<(&str, Vec<&str>)> {
    let (_, rest) = message.split_once("unknown field `")?;
    let mut names = rest.split('`').step_by(2);
    Some((names.next()?, names.filter(|name| !name.is_empty()).collect()))
}

/// The line, counted from 1, on which the key at the end of `place` stands in block-style YAML.
fn line_of(text: &str, place: &[&str]) -> Option<usize> {
    let mut wanted = place.iter();
    let mut key = wanted.next()?;
    let mut depth = None;
    let mut found = None;
    for (index, line) in text.lines().enumerate() {
        let indent = line.len() - line.trim_start().len();
        if depth.is_some_and(|depth| indent <= depth) && found.is_some() && !line.trim().is_empty() {
            break;
        }
        if line
            .trim_start()
            .trim_start_matches(['"', '\''])
            .strip_prefix(key)
            .is_some_and(|rest| rest.trim_start_matches(['"', '\'']).starts_with(':'))
        {
            (depth, found) = (Some(indent), Some(index + 1));
            match wanted.next() {
                Some(next) => key = next,
                None => return found,
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use serde_json::Value as Json;

    use super::super::json_schema;
    use super::{File, line_of, unknown_field};

    #[test]
    fn finds_the_line_of_a_key() {
        let text = "version: 1\ntargets:\n  one:\n    url: a\n  two:\n    kind: x\n    url: b\nbackup: {}\n";
        let cases: [(&[&str], Option<usize>); 6] = [
            (&["version"], Some(1)),
            (&["targets", "one", "url"], Some(4)),
            (&["targets", "two", "url"], Some(7)),
            // A key that is not written: the line of what should hold it.
            (&["targets", "one", "kind"], Some(3)),
            (&["backup", "repository"], Some(8)),
            (&["nothing"], None),
        ];
        for (place, line) in cases {
            assert_eq!(line_of(text, place), line, "{place:?}");
        }
    }

    /// The reader names the keys that it knows where another stands.
    fn known(text: &str) -> Vec<String> {
        let error = serde_yaml::from_str::<File>(text).err().expect(text).to_string();
        let (_, known) = unknown_field(&error).unwrap_or_else(|| panic!("{text}: {error}"));
        sorted(known.into_iter().map(ToOwned::to_owned))
    }

    fn sorted(keys: impl Iterator<Item = String>) -> Vec<String> {
        let mut keys: Vec<_> = keys.collect();
        keys.sort();
        keys.dedup();
        keys
    }

    fn keys(schema: &Json) -> impl Iterator<Item = String> + '_ {
        schema["properties"].as_object().expect("properties").keys().cloned()
    }

    #[test]
    fn the_schema_has_the_keys_of_the_reader() {
        let schema = json_schema();
        let backup = &schema["properties"]["backup"];
        let target = &schema["properties"]["targets"]["additionalProperties"];
        let (postgres, qdrant) = (&target["else"], &target["then"]);
        assert_eq!(known("{x: 1}"), sorted(keys(&schema)));
        assert_eq!(known("{targets: {a: {x: 1}}}"), sorted(keys(postgres).chain(keys(qdrant))));
        let command = &postgres["properties"]["schema"]["anyOf"][1];
        assert_eq!(known("{targets: {a: {schema: {x: 1}}}}"), sorted(keys(command)));
        assert_eq!(known("{backup: {x: 1}}"), sorted(keys(backup)));
        for part in ["retention", "encryption", "hooks"] {
            let keys = sorted(keys(&backup["properties"][part]));
            assert_eq!(known(&format!("{{backup: {{{part}: {{x: 1}}}}}}")), keys, "{part}");
        }
        assert_eq!(known("{lint: {x: 1}}"), sorted(keys(&schema["properties"]["lint"])));
    }
}
