//! Labels of sets: `NAME=VALUE`.

use std::collections::BTreeMap;
use std::str::FromStr;

use crate::failure::{Failure, Result};

/// The longest value in bytes.
const LIMIT: usize = 256;

/// A label as it is written on the command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Label {
    name: String,
    value: String,
}

impl FromStr for Label {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        let (name, value) = text.split_once('=').ok_or("write NAME=VALUE")?;
        let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
        if name.is_empty() || name.len() > LIMIT || !name.chars().all(is_plain) {
            return Err("a label's name has letters, digits, `_`, `-` and `.`".into());
        }
        if value.len() > LIMIT || value.contains(char::is_control) {
            return Err(format!("a label's value has one line of at most {LIMIT} bytes"));
        }
        Ok(Self { name: name.into(), value: value.into() })
    }
}

/// Labels by their names.
pub(super) fn map(labels: &[Label]) -> Result<BTreeMap<String, String>> {
    let mut map = BTreeMap::new();
    for Label { name, value } in labels {
        if map.insert(name.clone(), value.clone()).is_some() {
            return Err(Failure::usage(format!("the label `{name}` is there twice")));
        }
    }
    Ok(map)
}

/// Whether all that are wanted are there.
pub(super) fn are_on(wanted: &[Label], labels: &BTreeMap<String, String>) -> bool {
    wanted.iter().all(|label| labels.get(&label.name) == Some(&label.value))
}

pub(super) fn shown(labels: &BTreeMap<String, String>) -> String {
    labels.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(", ")
}
