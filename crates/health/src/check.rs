//! What a check is called, what it looks at, and from which value on it is not content.

use std::collections::BTreeMap;

use crate::{Finding, Status};

/// A check, for lists and documentation.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Check {
    /// What it is called, for `--check` and the configuration.
    pub id: &'static str,
    /// What it looks at, in a line.
    pub looks_at: &'static str,
    /// From where on it warns; `None` where there is nothing to measure.
    pub limits: Option<Limits>,
}

/// The values that are too many, or too few.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limits {
    /// From here on a warning.
    pub warning: Option<f64>,
    /// From here on critical.
    pub critical: Option<f64>,
    /// Of what they are numbers.
    pub unit: Unit,
    /// Whether it is small values that are bad.
    pub is_floor: bool,
}

/// Of what a value is a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// `percent`
    Percent,
    /// `s`
    Seconds,
    /// `bytes`
    Bytes,
    /// `bytes/day`
    BytesADay,
    /// How many there are of something.
    Count(&'static str),
}

/// Which checks are run, and from where on they warn.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Selection {
    /// Only these; all when there are none.
    pub only: Vec<String>,
    /// Not these.
    pub skip: Vec<String>,
    /// Limits that stand in place of a check's own, by its id.
    pub limits: BTreeMap<String, Limits>,
    /// What a warning or a critical finding of a check counts as, by its id.
    pub severities: BTreeMap<String, Status>,
}

impl Limits {
    pub(crate) const fn new(unit: Unit, warning: f64, critical: f64) -> Option<Self> {
        Some(Self { warning: Some(warning), critical: Some(critical), unit, is_floor: false })
    }

    pub(crate) const fn warning(unit: Unit, warning: f64) -> Option<Self> {
        Some(Self { warning: Some(warning), critical: None, unit, is_floor: false })
    }

    /// How a value is.
    pub(crate) fn judge(&self, value: f64) -> Status {
        let is_past =
            |limit: Option<f64>| limit.is_some_and(|limit| if self.is_floor { value <= limit } else { value >= limit });
        if is_past(self.critical) {
            Status::Critical
        } else if is_past(self.warning) {
            Status::Warning
        } else {
            Status::Ok
        }
    }
}

impl Unit {
    /// As in reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Percent => "percent",
            Self::Seconds => "s",
            Self::Bytes => "bytes",
            Self::BytesADay => "bytes/day",
            Self::Count(name) => name,
        }
    }

    /// A value as people read it: `83 %`, `1.5 GiB`, `3 h 5 min`.
    #[must_use]
    pub fn show(self, value: f64) -> String {
        match self {
            Self::Percent => format!("{} %", rounded(value)),
            Self::Seconds => duration(value),
            Self::Bytes => bytes(value),
            Self::BytesADay => format!("{} a day", bytes(value)),
            Self::Count(name) => format!("{} {name}", rounded(value)),
        }
    }
}

/// Three digits do for people.
fn rounded(value: f64) -> String {
    if value.abs() >= 100.0 || value.fract() == 0.0 { format!("{value:.0}") } else { format!("{value:.1}") }
}

pub(crate) fn bytes(value: f64) -> String {
    let mut value = value;
    for unit in ["B", "KiB", "MiB", "GiB"] {
        if value.abs() < 1024.0 {
            return format!("{} {unit}", rounded(value));
        }
        value /= 1024.0;
    }
    format!("{} TiB", rounded(value))
}

pub(crate) fn duration(seconds: f64) -> String {
    const STEPS: [(f64, &str); 4] = [(86_400.0, "d"), (3600.0, "h"), (60.0, "min"), (1.0, "s")];
    let Some(first) = STEPS.iter().position(|(length, _)| seconds >= *length) else {
        return format!("{:.0} ms", seconds * 1000.0);
    };
    let (length, unit) = STEPS[first];
    let whole = (seconds / length).floor();
    let rest = STEPS.get(first + 1).map(|(smaller, name)| (((seconds - whole * length) / smaller).floor(), name));
    match rest {
        Some((rest, name)) if rest >= 1.0 => format!("{whole:.0} {unit} {rest:.0} {name}"),
        _ => format!("{whole:.0} {unit}"),
    }
}

impl Selection {
    /// Whether a check is to be run.
    #[must_use]
    pub fn wants(&self, id: &str) -> bool {
        let has = |list: &[String]| list.iter().any(|it| it == id);
        (self.only.is_empty() || has(&self.only)) && !has(&self.skip)
    }

    /// The limits of a check.
    #[must_use]
    pub fn limits(&self, check: &Check) -> Option<Limits> {
        self.limits.get(check.id).copied().or(check.limits)
    }

    /// Leaves what was not asked for, with the severities that were asked for. That a target cannot be used at all is
    /// always told.
    pub(crate) fn apply(&self, findings: Vec<Finding>) -> Vec<Finding> {
        let is_door = |finding: &Finding| matches!(finding.id, "reachable" | "authentication");
        let mut left = findings;
        left.retain(|finding| self.wants(finding.id) || (is_door(finding) && finding.status != Status::Ok));
        for finding in &mut left {
            if let Some(severity) = self.severities.get(finding.id)
                && matches!(finding.status, Status::Warning | Status::Critical)
            {
                finding.status = *severity;
            }
        }
        left
    }
}

#[cfg(test)]
mod tests {
    use super::{Limits, Selection, Unit};
    use crate::{Finding, Status};

    #[test]
    fn values_are_shown_as_people_read_them() {
        let cases = [
            (Unit::Percent, 83.04, "83.0 %"),
            (Unit::Percent, 100.0, "100 %"),
            (Unit::Bytes, 1023.0, "1023 B"),
            (Unit::Bytes, 1536.0, "1.5 KiB"),
            (Unit::Bytes, 5e12, "4.5 TiB"),
            (Unit::BytesADay, 1536.0, "1.5 KiB a day"),
            (Unit::Seconds, 0.25, "250 ms"),
            (Unit::Seconds, 59.9, "59 s"),
            (Unit::Seconds, 11_100.0, "3 h 5 min"),
            (Unit::Seconds, 172_800.0, "2 d"),
            (Unit::Count("sets"), 3.0, "3 sets"),
        ];
        for (unit, value, shown) in cases {
            assert_eq!(unit.show(value), shown);
        }
    }

    #[test]
    fn limits_are_reached_from_above_or_below() {
        let upper = Limits { warning: Some(80.0), critical: Some(95.0), unit: Unit::Percent, is_floor: false };
        let lower = Limits { warning: Some(90.0), critical: None, is_floor: true, ..upper };
        let cases = [
            (upper, 79.9, Status::Ok),
            (upper, 80.0, Status::Warning),
            (upper, 95.0, Status::Critical),
            (lower, 90.1, Status::Ok),
            (lower, 1.0, Status::Warning),
        ];
        for (limits, value, status) in cases {
            assert_eq!(limits.judge(value), status, "{limits:?} {value}");
        }
    }

    #[test]
    fn what_was_not_asked_for_is_left_out_unless_nothing_can_be_asked() {
        let finding = |id, status| Finding::new(id, "app", status, "");
        let all = || {
            vec![
                finding("reachable", Status::Critical),
                finding("authentication", Status::Ok),
                finding("sequences", Status::Critical),
                finding("settings", Status::Unknown),
            ]
        };
        let show = |selection: &Selection| -> Vec<String> {
            let left = selection.apply(all());
            left.iter().map(|finding| format!("{} {}", finding.id, finding.status.name())).collect()
        };
        let mut selection = Selection { only: vec!["sequences".into(), "settings".into()], ..Selection::default() };
        assert_eq!(show(&selection), ["reachable critical", "sequences critical", "settings unknown"]);
        selection.severities = [("sequences".to_owned(), Status::Warning), ("settings".to_owned(), Status::Ok)].into();
        assert_eq!(show(&selection), ["reachable critical", "sequences warning", "settings unknown"]);
        selection.skip = vec!["sequences".into()];
        assert_eq!(show(&selection), ["reachable critical", "settings unknown"]);
    }
}
