//! A plan in parts, each of which can run as one revision: what no transaction can hold is apart from what one should,
//! and rows are looked at when no lock is held any more.

use std::collections::BTreeSet;

use crate::hazard::Statement;
use crate::{Action, Graph, ObjectId, Step};

/// What a part is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PartKind {
    /// Labels of enums, which can be used when they are committed.
    Labels,
    /// What a transaction can hold.
    Definitions,
    /// Indexes that are built or dropped while the table is used: each statement stands alone.
    Indexes,
    /// What is built on these indexes.
    Constraints,
    /// A look at every row.
    Validation,
}

impl PartKind {
    /// The word for it in a message.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Labels => "labels",
            Self::Definitions => "definitions",
            Self::Indexes => "indexes",
            Self::Constraints => "constraints",
            Self::Validation => "validation",
        }
    }
}

/// Steps that run together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// What it is for.
    pub kind: PartKind,
    /// In their order.
    pub steps: Vec<Step>,
}

impl Part {
    /// Whether it can be a transaction.
    #[must_use]
    pub fn is_transactional(&self) -> bool {
        self.steps.iter().flat_map(|step| &step.statements).all(|statement| statement.is_transactional)
    }
}

/// The parts of a plan to `to`, in their order; one, if one can hold it all. With `labels_first` new labels of enums
/// are a part of their own: the others may use them.
#[must_use]
pub fn parts(steps: Vec<Step>, to: &Graph, labels_first: bool) -> Vec<Part> {
    let (mut labels, mut parts) = (Vec::new(), Vec::new());
    let mut later = Later::default();
    for step in steps {
        let is_label = |statement: &Statement| labels_first && statement.sql.contains(" ADD VALUE ");
        let step = take(step, is_label, |step| push(&mut labels, PartKind::Labels, step));
        later.split(step, to, &mut parts);
    }
    let Later { indexes, constraints, validation, .. } = later;
    for (kind, steps) in
        [(PartKind::Indexes, indexes), (PartKind::Constraints, constraints), (PartKind::Validation, validation)]
    {
        steps.into_iter().for_each(|step| push(&mut parts, kind, step));
    }
    labels.extend(parts);
    labels
}

/// What can wait for the end.
#[derive(Default)]
struct Later {
    objects: BTreeSet<ObjectId>,
    indexes: Vec<Step>,
    constraints: Vec<Step>,
    validation: Vec<Step>,
}

impl Later {
    /// Takes from a step what can wait, and adds the rest to the parts.
    fn split(&mut self, step: Step, to: &Graph, parts: &mut Vec<Part>) {
        if step.action == Action::Drop {
            // What comes next may need its name.
            let is_alone = |statement: &Statement| !statement.is_transactional;
            let kind = if step.statements.iter().any(is_alone) { PartKind::Indexes } else { PartKind::Definitions };
            return push(parts, kind, step);
        }
        let step = take(step, is_validation, |step| self.validation.push(step));
        let needs = to.get(&step.object).map(|object| &object.depends_on[..]).unwrap_or_default();
        let waits = needs.iter().any(|id| self.objects.contains(id));
        let first = step.statements.iter().position(|statement| waits || !statement.is_transactional);
        let Step { object, action, mut statements } = step;
        let rest = statements.split_off(first.unwrap_or(statements.len()));
        let now = |statements| Step { object: object.clone(), action, statements };
        push(parts, PartKind::Definitions, now(statements));
        if !rest.is_empty() {
            self.objects.insert(object.clone());
        }
        let rest = take(now(rest), |statement| !statement.is_transactional, |step| self.indexes.push(step));
        self.constraints.push(rest);
    }
}

fn is_validation(statement: &Statement) -> bool {
    statement.sql.contains(" VALIDATE CONSTRAINT ")
}

/// The step without the statements that are wanted; those are given away.
fn take(step: Step, is_wanted: impl Fn(&Statement) -> bool, give: impl FnOnce(Step)) -> Step {
    let Step { object, action, statements } = step;
    let (wanted, others): (Vec<_>, Vec<_>) = statements.into_iter().partition(is_wanted);
    if !wanted.is_empty() {
        give(Step { object: object.clone(), action, statements: wanted });
    }
    Step { object, action, statements: others }
}

/// Adds a step to the last part, or begins another.
fn push(parts: &mut Vec<Part>, kind: PartKind, step: Step) {
    if step.statements.is_empty() {
        return;
    }
    match parts.last_mut().filter(|part| part.kind == kind) {
        Some(part) => part.steps.push(step),
        None => parts.push(Part { kind, steps: vec![step] }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Kind;

    fn step(kind: Kind, name: &str, action: Action, sql: &[&str]) -> Step {
        let object = ObjectId { kind, schema: "public".into(), on_table: Some("t".into()), name: name.into() };
        let statement = |sql: &&str| Statement {
            sql: (*sql).to_owned(),
            lock: None,
            is_transactional: !sql.contains("CONCURRENTLY"),
            hazards: Vec::new(),
        };
        Step { object, action, statements: sql.iter().map(statement).collect() }
    }

    fn shown(steps: Vec<Step>, labels_first: bool) -> Vec<String> {
        let line = |part: &Part| {
            let sql = part.steps.iter().flat_map(|step| &step.statements).map(|statement| statement.sql.as_str());
            format!("{}: {}", part.kind.name(), sql.collect::<Vec<_>>().join("; "))
        };
        parts(steps, &Graph::default(), labels_first).iter().map(line).collect()
    }

    #[test]
    fn what_a_transaction_cannot_hold_stands_apart() {
        let steps = vec![
            step(Kind::Index, "a", Action::Drop, &["DROP INDEX CONCURRENTLY a"]),
            step(Kind::Column, "c", Action::Drop, &["DROP c"]),
            step(Kind::Enum, "e", Action::Alter, &["ALTER TYPE e ADD VALUE 'x'"]),
            step(Kind::Constraint, "f", Action::Create, &["ADD f NOT VALID", "ALTER TABLE t VALIDATE CONSTRAINT f"]),
            step(Kind::Constraint, "u", Action::Create, &["CREATE UNIQUE INDEX CONCURRENTLY u", "ADD u USING INDEX u"]),
            step(Kind::Index, "i", Action::Create, &["CREATE INDEX CONCURRENTLY i", "COMMENT ON i"]),
            step(Kind::View, "v", Action::Create, &["CREATE VIEW v"]),
        ];
        let expected = [
            "indexes: DROP INDEX CONCURRENTLY a",
            "definitions: DROP c; ALTER TYPE e ADD VALUE 'x'; ADD f NOT VALID; CREATE VIEW v",
            "indexes: CREATE UNIQUE INDEX CONCURRENTLY u; CREATE INDEX CONCURRENTLY i",
            "constraints: ADD u USING INDEX u; COMMENT ON i",
            "validation: ALTER TABLE t VALIDATE CONSTRAINT f",
        ];
        assert_eq!(shown(steps.clone(), false), expected);
        let labels = shown(steps, true);
        assert_eq!(labels[0], "labels: ALTER TYPE e ADD VALUE 'x'");
        assert_eq!(labels[2], "definitions: DROP c; ADD f NOT VALID; CREATE VIEW v");
    }

    #[test]
    fn one_part_is_enough_where_one_can_hold_it_all() {
        let steps = vec![
            step(Kind::Column, "c", Action::Create, &["ADD c"]),
            step(Kind::Index, "i", Action::Create, &["CREATE INDEX i"]),
        ];
        assert_eq!(shown(steps, true), ["definitions: ADD c; CREATE INDEX i"]);
    }
}
