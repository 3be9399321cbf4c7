//! Parameters as they stand in the file: maps within maps, down the paths of the table.

use std::collections::BTreeMap;

use super::raw::{Entries, Node, Scalar};
use super::{FileError, Key, Reader, key, one_of, words};
use crate::Settings;
use crate::parameter::{Kind, NONE, Parameter, Scope, Value, join, keys, parameter, parameters};

impl Reader<'_> {
    /// A map; an empty one where nothing stands.
    pub(super) fn map(&self, place: &[Key<'_>], node: Node) -> Result<Entries<Node>, FileError> {
        match node {
            Node::Nothing => Ok(Entries::default()),
            Node::Map(entries) => Ok(entries),
            Node::List(_) => {
                let advice = words("write {key: value}, or one key per line without `-` before it");
                Err(self.error(place, "a list stands where a map belongs".into(), advice))
            }
            Node::Scalar(scalar) => {
                let message = format!("{scalar} stands where a map belongs");
                Err(self.error(place, message, words("write {key: value}, or one key per line, further to the right")))
            }
        }
    }

    /// The parameters of `scope` that stand in `entries`.
    pub(super) fn settings(
        &self,
        scope: Scope,
        place: &[Key<'_>],
        entries: Entries<Node>,
    ) -> Result<Settings, FileError> {
        let mut settings = Settings::default();
        self.section(scope, "", place, entries, &mut settings)?;
        Ok(settings)
    }

    /// What stands below the path `prefix`.
    fn section(
        &self,
        scope: Scope,
        prefix: &str,
        place: &[Key<'_>],
        entries: Entries<Node>,
        settings: &mut Settings,
    ) -> Result<(), FileError> {
        self.no_twins(place, "key", &entries)?;
        let known = keys(scope, prefix);
        for (name, node) in entries.0 {
            let below = [place, &[key(&name)]].concat();
            if !known.contains(&name.as_str()) {
                let message = format!("{} has no key `{name}`", owner(scope, prefix));
                return Err(self.error(&below, message, one_of(&name, &known)));
            }
            let path = join(prefix, &name);
            match (parameter(scope, &path), keys(scope, &path).is_empty()) {
                (Some(choice), false) => self.choice(scope, choice, &below, node, settings)?,
                (Some(parameter), true) => settings.set(parameter, self.value(parameter, &below, node)?),
                (None, _) => {
                    let entries = self.map(&below, node)?;
                    self.section(scope, &path, &below, entries, settings)?;
                }
            }
        }
        self.nothing_is_missing(scope, prefix, place, settings)
    }

    fn nothing_is_missing(
        &self,
        scope: Scope,
        prefix: &str,
        place: &[Key<'_>],
        settings: &Settings,
    ) -> Result<(), FileError> {
        let is_here = |parameter: &&Parameter| match parameter.path.rsplit_once('.') {
            Some((parent, _)) => parent == prefix,
            None => prefix.is_empty(),
        };
        let needed = parameters(scope).filter(is_here).filter(|parameter| parameter.is_required);
        let Some(missing) = needed.into_iter().find(|parameter| settings.get(parameter.path).is_none()) else {
            return Ok(());
        };
        let name = missing.path.rsplit('.').next().unwrap_or(missing.path);
        let advice = format!("write {name}: {}", example(&missing.kind));
        Err(self.error(place, format!("`{name}` is missing: {}", missing.about), words(&advice)))
    }

    /// `none`, or a map with the one thing that is chosen.
    fn choice(
        &self,
        scope: Scope,
        choice: &'static Parameter,
        place: &[Key<'_>],
        node: Node,
        settings: &mut Settings,
    ) -> Result<(), FileError> {
        let form = format!("write {NONE}, or a map with one of {}", keys(scope, choice.path).join(", "));
        let chosen = match node {
            Node::Scalar(Scalar::Text(word)) if word == NONE => {
                settings.set(choice, Value::Word(NONE));
                return Ok(());
            }
            Node::Scalar(other) => {
                return Err(self.error(place, format!("{other} cannot stand alone here"), words(&form)));
            }
            Node::Nothing => Entries::default(),
            other => self.map(place, other)?,
        };
        let name = match chosen.0.as_slice() {
            [(name, _)] => name.clone(),
            _ => return Err(self.error(place, "one of them has to be chosen".into(), words(&form))),
        };
        if let Some(word) = choice.kind.words().into_iter().find(|word| *word == name) {
            settings.set(choice, Value::Word(word));
        }
        self.section(scope, choice.path, place, chosen, settings)
    }

    fn value(&self, parameter: &Parameter, place: &[Key<'_>], node: Node) -> Result<Value, FileError> {
        let name = parameter.path.rsplit('.').next().unwrap_or(parameter.path);
        let form = form(&parameter.kind);
        let node = match (parameter.kind, node) {
            (Kind::Set(known), Node::List(nodes)) => return self.set(name, known, place, nodes, &form),
            (Kind::PerVector(limit), Node::Map(entries)) => return self.per_vector(limit, place, entries),
            (_, node) => node,
        };
        let scalar = match node {
            Node::Scalar(scalar) => scalar,
            Node::Nothing => return Err(self.error(place, format!("`{name}` says nothing"), words(&form))),
            Node::Map(_) => return Err(self.error(place, format!("`{name}` is no map"), words(&form))),
            Node::List(_) => return Err(self.error(place, format!("`{name}` is no list"), words(&form))),
        };
        match (parameter.kind, &scalar) {
            (Kind::Bool, Scalar::Bool(value)) => Ok(Value::Bool(*value)),
            (Kind::Integer { least, most }, Scalar::Integer(number)) if (least..=most).contains(number) => {
                Ok(Value::Integer(*number))
            }
            #[expect(clippy::cast_precision_loss, reason = "the bounds are far below what has no exact form")]
            (Kind::Float { least, most }, Scalar::Integer(number)) if (least..=most).contains(&(*number as f64)) => {
                Ok(Value::Float(*number as f64))
            }
            (Kind::Float { least, most }, Scalar::Float(number)) if (least..=most).contains(number) => {
                Ok(Value::Float(*number))
            }
            (Kind::Word(_), Scalar::Text(text)) => {
                let known = parameter.kind.words();
                let word = known.iter().find(|word| *word == text).copied();
                word.map(Value::Word)
                    .ok_or_else(|| self.error(place, format!("the {name} {scalar} is not known"), one_of(text, &known)))
            }
            (Kind::Name(known), Scalar::Text(text)) => {
                let word = known.iter().find(|word| *word == text).copied();
                word.map(Value::Word)
                    .ok_or_else(|| self.error(place, format!("the {name} {scalar} is not known"), one_of(text, known)))
            }
            (Kind::Text, Scalar::Text(text)) if !text.is_empty() => Ok(Value::Text(text.clone())),
            _ => Err(self.error(place, format!("`{name}` cannot be {scalar}"), words(&form))),
        }
    }

    fn set(
        &self,
        name: &str,
        known: &[&str],
        place: &[Key<'_>],
        nodes: Vec<Node>,
        form: &str,
    ) -> Result<Value, FileError> {
        let mut found: Vec<String> = Vec::new();
        for node in nodes {
            let Node::Scalar(Scalar::Text(word)) = node else {
                return Err(self.error(place, format!("`{name}` holds something that is no word"), words(form)));
            };
            if word.is_empty() || !(known.is_empty() || known.contains(&word.as_str())) {
                let message = format!("`{}` cannot stand in `{name}`", word.escape_default());
                return Err(self.error(place, message, one_of(&word, known)));
            }
            if found.contains(&word) {
                let message = format!("`{}` is twice in `{name}`", word.escape_default());
                return Err(self.error(place, message, words("remove one of them")));
            }
            found.push(word);
        }
        Ok(Value::Set(found))
    }

    fn per_vector(&self, limit: &str, place: &[Key<'_>], entries: Entries<Node>) -> Result<Value, FileError> {
        self.no_twins(place, "vector", &entries)?;
        let mut limits = BTreeMap::new();
        for (vector, node) in entries.0 {
            let below = [place, &[key(&vector)]].concat();
            let number = match node {
                Node::Map(Entries(inner)) => match inner.as_slice() {
                    [(name, Node::Scalar(Scalar::Integer(number)))] if name == limit && *number > 0 => Some(*number),
                    _ => None,
                },
                _ => None,
            };
            let Some(number) = number else {
                let message = format!("the limit of the vector `{}` cannot be read", vector.escape_default());
                return Err(self.error(&below, message, words(&format!("write {{{limit}: 100}}"))));
            };
            limits.insert(vector, number);
        }
        Ok(Value::PerVector(limits))
    }
}

/// What to write for a value.
fn form(kind: &Kind) -> String {
    match kind {
        Kind::Bool => "write true or false".to_owned(),
        Kind::Integer { least, most: u64::MAX } => format!("write a whole number, {least} or more"),
        Kind::Integer { least, most } => format!("write a whole number, {least} to {most}"),
        Kind::Float { least, most } => format!("write a number, {least} to {most}"),
        Kind::Word(_) | Kind::Name(_) | Kind::Choice(_) => format!("write one of {}", kind.words().join(", ")),
        Kind::Set([]) => "write a list of words: [one, another]".to_owned(),
        Kind::Set(words) => format!("write a list of some of {}", words.join(", ")),
        Kind::PerVector(limit) => format!("write a map of vectors: {{NAME: {{{limit}: 100}}}}"),
        Kind::Text => "write a text".to_owned(),
    }
}

/// What a value may look like.
fn example(kind: &Kind) -> String {
    match kind {
        Kind::Bool => "true".into(),
        Kind::Integer { .. } => "384".into(),
        Kind::Float { .. } => "0.5".into(),
        Kind::Word(_) | Kind::Name(_) | Kind::Choice(_) => kind.words().first().copied().unwrap_or_default().into(),
        Kind::Set(_) => "[]".into(),
        Kind::PerVector(_) => "{}".into(),
        Kind::Text => "text".into(),
    }
}

fn owner(scope: Scope, prefix: &str) -> String {
    match (prefix, scope) {
        ("", Scope::Collection) => "a collection".into(),
        ("", Scope::Vector) => "a vector".into(),
        ("", Scope::SparseVector) => "a sparse vector".into(),
        ("", Scope::PayloadIndex(index_type)) => format!("an index of type {index_type}"),
        (prefix, _) => format!("`{prefix}`"),
    }
}
