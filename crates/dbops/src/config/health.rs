//! The section `health` as it is written: limits by check, and which checks are left out.

use std::collections::BTreeMap;

use dbops_health::{Limits, Selection, Status, Unit, checks};
use serde::Deserialize;

use super::file::{Reader, Scalar};
use super::suggest;
use crate::failure::Result;

/// The keys of checks are known only to the library: they are read first, then looked at.
#[derive(Deserialize, Default)]
#[serde(transparent)]
pub(super) struct Health(BTreeMap<String, Entry>);

/// A list of checks under `skip`, else what is said of one check.
enum Entry {
    Skip(Vec<String>),
    Check(RawCheck),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawCheck {
    warning: Option<Scalar>,
    critical: Option<Scalar>,
    severity: Option<Severity>,
}

#[derive(Deserialize, Clone, Copy)]
#[serde(rename_all = "lowercase")]
enum Severity {
    Ok,
    Warning,
    Critical,
}

impl<'de> Deserialize<'de> for Entry {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        struct ListOrMap;
        impl<'de> serde::de::Visitor<'de> for ListOrMap {
            type Value = Entry;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a list of checks under `skip`, or the limits of a check")
            }

            fn visit_seq<A: serde::de::SeqAccess<'de>>(self, list: A) -> std::result::Result<Entry, A::Error> {
                Deserialize::deserialize(serde::de::value::SeqAccessDeserializer::new(list)).map(Entry::Skip)
            }

            fn visit_map<A: serde::de::MapAccess<'de>>(self, map: A) -> std::result::Result<Entry, A::Error> {
                Deserialize::deserialize(serde::de::value::MapAccessDeserializer::new(map)).map(Entry::Check)
            }
        }
        deserializer.deserialize_any(ListOrMap)
    }
}

impl Health {
    pub(super) fn read(self, reader: &Reader<'_>) -> Result<Selection> {
        let mut selection = Selection::default();
        for (key, entry) in self.0 {
            let raw = match entry {
                Entry::Skip(ids) if key == "skip" => {
                    for id in &ids {
                        known(reader, &["health", "skip"], id)?;
                    }
                    selection.skip = ids;
                    continue;
                }
                Entry::Check(raw) if key != "skip" => raw,
                Entry::Skip(_) | Entry::Check(_) => {
                    known(reader, &["health", &key], &key)?;
                    let failure = reader.failure(&["health", &key], format!("`{key}` is not written so"));
                    return Err(failure.with_hint("write `skip: [CHECK]` and `CHECK: {warning: 80, critical: 95}`"));
                }
            };
            known(reader, &["health", &key], &key)?;
            let status = |severity| match severity {
                Severity::Ok => Status::Ok,
                Severity::Warning => Status::Warning,
                Severity::Critical => Status::Critical,
            };
            selection.severities.extend(raw.severity.map(|severity| (key.clone(), status(severity))));
            if let Some(limits) = limits(reader, &key, &raw)? {
                selection.limits.insert(key, limits);
            }
        }
        Ok(selection)
    }
}

/// Every check by its id, once.
pub(crate) fn ids() -> Vec<&'static str> {
    let mut ids: Vec<_> = checks().into_iter().flat_map(|(_, checks)| checks).map(|check| check.id).collect();
    ids.sort_unstable();
    ids.dedup();
    ids
}

fn known(reader: &Reader<'_>, place: &[&str], id: &str) -> Result<()> {
    let ids = ids();
    if ids.contains(&id) {
        return Ok(());
    }
    Err(reader.failure(place, format!("there is no check `{id}`")).with_hint(suggest(id, &ids)))
}

/// What is written, over what the check has by itself.
fn limits(reader: &Reader<'_>, id: &str, raw: &RawCheck) -> Result<Option<Limits>> {
    if raw.warning.is_none() && raw.critical.is_none() {
        return Ok(None);
    }
    let all = checks();
    let check = all.iter().flat_map(|(_, checks)| checks).find(|check| check.id == id);
    let Some(own) = check.and_then(|check| check.limits) else {
        let failure = reader.failure(&["health", id], format!("`{id}` measures nothing that could have a limit"));
        return Err(failure.with_hint("set its `severity`, or leave it out with `skip`"));
    };
    let read = |key: &str, written: &Option<Scalar>, otherwise| match written {
        None => Ok(otherwise),
        Some(Scalar(text)) => parse(text, own.unit).map(Some).map_err(|hint| {
            reader.failure(&["health", id], format!("`{text}` is not a limit of `{id}` ({key})")).with_hint(hint)
        }),
    };
    let warning = read("warning", &raw.warning, own.warning)?;
    let critical = read("critical", &raw.critical, own.critical)?;
    Ok(Some(Limits { warning, critical, ..own }))
}

/// Reads `80`, `80%`, `26h`, `500MB`.
fn parse(text: &str, unit: Unit) -> std::result::Result<f64, &'static str> {
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, suffix) = (text[..digits].parse::<f64>(), text[digits..].trim());
    const KIB: f64 = 1024.0;
    let (factor, hint) = match unit {
        Unit::Percent => (["", "%"].contains(&suffix).then_some(1.0), "write a number of percent, such as 80"),
        Unit::Count(_) => (suffix.is_empty().then_some(1.0), "write a number"),
        Unit::Seconds => {
            let factor = match suffix {
                "" | "s" => Some(1.0),
                "m" | "min" => Some(60.0),
                "h" => Some(3600.0),
                "d" => Some(86_400.0),
                _ => None,
            };
            (factor, "write a length of time, such as 90s, 30m, 26h or 8d")
        }
        Unit::Bytes | Unit::BytesADay => {
            let factor = match suffix {
                "" | "B" => Some(1.0),
                "kB" | "KB" | "KiB" => Some(KIB),
                "MB" | "MiB" => Some(KIB * KIB),
                "GB" | "GiB" => Some(KIB * KIB * KIB),
                "TB" | "TiB" => Some(KIB * KIB * KIB * KIB),
                _ => None,
            };
            (factor, "write a size, such as 500MB or 10GB")
        }
    };
    match (number, factor) {
        (Ok(number), Some(factor)) => Ok(number * factor),
        _ => Err(hint),
    }
}

#[cfg(test)]
mod tests {
    use dbops_health::Unit;

    use super::parse;

    #[test]
    fn limits_are_read_in_their_unit() {
        let cases = [
            ("80", Unit::Percent, Some(80.0)),
            ("99.5 %", Unit::Percent, Some(99.5)),
            ("80h", Unit::Percent, None),
            ("26h", Unit::Seconds, Some(93_600.0)),
            ("30m", Unit::Seconds, Some(1800.0)),
            ("8d", Unit::Seconds, Some(691_200.0)),
            ("8w", Unit::Seconds, None),
            ("500MB", Unit::Bytes, Some(524_288_000.0)),
            ("1.5 GiB", Unit::Bytes, Some(1_610_612_736.0)),
            ("10GB", Unit::BytesADay, Some(10_737_418_240.0)),
            ("", Unit::Bytes, None),
            ("-1", Unit::Count("x"), None),
            ("12", Unit::Count("x"), Some(12.0)),
        ];
        for (text, unit, value) in cases {
            assert_eq!(parse(text, unit).ok(), value, "{text}");
        }
    }
}
