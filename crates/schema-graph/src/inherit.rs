//! What parents pass on to their partitions and children, and what these have beside it.

use crate::create::is_validated_alone;
use crate::draft::{Draft, Fate, has_index};
use crate::{Graph, Kind, Object, ObjectId};

impl Draft<'_> {
    /// A change that a parent's column passes on is not made again.
    pub(crate) fn inherit(&mut self) {
        for number in self.parents_first() {
            let (Some(old), Some(new)) = (self.old[number], self.new[number]) else { continue };
            if self.ids[number].kind == Kind::Column && (old.is_inherited || new.is_inherited) {
                let is_passed = |parent: &usize| {
                    self.ids[*parent].kind == Kind::Column
                        && self.is_changed(*parent)
                        && !self.is_exchanged_part(*parent)
                };
                let links = self.links(number);
                let is_kept = links.iter().all(|link| self.fates[*link] == Fate::Same);
                let mut definitions = links.iter().filter_map(|link| self.old[*link].or(self.new[*link]));
                let is_partition = definitions.any(|link| link.removal.contains(" DETACH PARTITION "));
                let is_passed = old.is_inherited && new.is_inherited && self.old_needs[number].iter().any(is_passed);
                if let Fate::Alter(statements) = &mut self.fates[number] {
                    // A partition's identity comes and goes with its parent; a child has none from there.
                    let is_made = |it: &str| match is_identity(it) {
                        true => is_partition && (is_passed || !is_kept),
                        false => is_passed && is_kept && is_passed_on(it),
                    };
                    statements.retain(|statement| !is_made(statement));
                }
            }
            if old.is_inherited && self.ids[number].kind == Kind::NotNull && self.is_changed(number) {
                self.rename_inherited(number);
            }
        }
    }

    /// Only a new table has its parent's column without having one of its own, or one of its own beside its parent's.
    pub(crate) fn descend(&mut self) {
        for number in 0..self.ids.len() {
            let Some(new) = self.new[number].filter(|new| new.id.kind == Kind::Column) else { continue };
            let links = self.links(number);
            let is_child = |link: &usize| self.new[*link].is_some_and(|link| link.definition.contains(" INHERIT "));
            if !links.iter().any(is_child) {
                continue;
            }
            let is_new_child = links.iter().any(|link| self.old[*link].is_none());
            let gives = |graph: &Graph, link: Option<&Object>| {
                let on_parent =
                    |id: &ObjectId| ObjectId { kind: Kind::Column, name: new.id.name.clone(), ..part_of(id) };
                let mut columns = link.into_iter().flat_map(|link| &link.depends_on).map(on_parent);
                columns.any(|column| column != new.id && graph.get(&column).is_some())
            };
            let stays = |link: &usize| gives(self.from, self.old[*link]) && gives(self.to, self.new[*link]);
            let needs_new_table = match (self.old[number].map(|old| old.is_inherited), new.is_inherited) {
                (Some(true), true) => !links.iter().any(stays),
                (Some(true), false) => links.iter().any(|link| gives(self.to, self.new[*link])),
                (Some(false), is_inherited) => is_inherited,
                (None, is_inherited) => is_inherited && is_new_child,
            };
            let table = new.id.owners().find_map(|owner| self.numbers.get(&owner).copied());
            if let Some(table) =
                table.filter(|it| needs_new_table && self.old[*it].is_some() && self.new[*it].is_some())
            {
                self.fates[table] = Fate::Exchange;
            }
        }
    }

    /// Whether it is a default that its parent's, which stays as it is, does not pass on.
    fn is_passed_over(&self, number: usize, parents: &[ObjectId]) -> bool {
        let is_kept = |id: &ObjectId| {
            id.kind == Kind::Default && self.numbers.get(id).is_some_and(|it| self.fates[*it] == Fate::Same)
        };
        self.ids[number].kind == Kind::Default && parents.iter().any(is_kept)
    }

    /// What a parent's new default passes on to a column that has one of its own is undone.
    pub(crate) fn own_defaults(&mut self) {
        for number in 0..self.ids.len() {
            let Some(new) = self.new[number].filter(|new| new.id.kind == Kind::Default && !new.is_inherited) else {
                continue;
            };
            let is_changed = self.parents_default(number).into_iter().any(|parent| self.is_changed(parent));
            if is_changed && self.fates[number] == Fate::Same {
                self.fates[number] = Fate::Alter(vec![new.definition.clone()]);
            }
        }
    }

    /// A partition's constraint comes again with its parent's, and is valid there only if it is looked at.
    pub(crate) fn validated_again(&mut self) {
        for number in 0..self.ids.len() {
            let Some(new) = self.new[number].filter(|_| self.fates[number] == Fate::Same) else { continue };
            let comes = |need: &usize| self.fates[*need] == Fate::Replace && self.ids[*need].kind == Kind::Constraint;
            if is_validated_alone(self.to, new)
                && self.new_needs[number].iter().any(comes)
                && let [_, name, _, target] = &new.parts[..]
            {
                self.fates[number] = Fate::Alter(vec![format!("ALTER {target} VALIDATE CONSTRAINT {name}")]);
            }
        }
    }

    /// The defaults of the columns that a default's column comes from.
    pub(crate) fn parents_default(&self, number: usize) -> Vec<usize> {
        let column = self.ids[number].column().and_then(|column| self.numbers.get(&column)).copied();
        let parents = column.map(|column| self.ancestors(column)).unwrap_or_default();
        let default = |column: usize| ObjectId { kind: Kind::Default, ..self.ids[column].clone() };
        parents.into_iter().filter_map(|column| self.numbers.get(&default(column)).copied()).collect()
    }

    /// Whether a part that came from a parent is left over, for its table goes on without it.
    pub(crate) fn stays_behind(&self, number: usize) -> bool {
        let is_gone = |link: usize| matches!(self.fates[link], Fate::Drop | Fate::Replace);
        let goes = |table: &ObjectId| match self.numbers.get(table).map(|it| &self.fates[*it]) {
            Some(Fate::Drop | Fate::Replace) => true,
            // The names of indexes are needed for those of the new table.
            Some(Fate::Exchange) => !self.old[number].is_some_and(has_index),
            _ => false,
        };
        let needs = self.old[number].map(|old| &old.depends_on[..]).unwrap_or_default();
        matches!(self.fates[number], Fate::Drop | Fate::Replace)
            && self.old[number].is_some_and(|old| old.is_inherited)
            && (self.links(number).into_iter().any(is_gone)
                || (self.new[number].is_none() && self.is_passed_over(number, needs)))
            && !self.ids[number].owners().any(|table| goes(&table))
    }

    /// Whether a part that is a parent's, too, has to be given to a table that was there: before it becomes a partition
    /// or child, or because nothing is passed on.
    pub(crate) fn joins(&self, number: usize) -> bool {
        let is_new = |link: usize| matches!(self.fates[link], Fate::Create | Fate::Replace);
        let Some(new) = self.new[number].filter(|new| new.is_inherited) else { return false };
        let is_asked_for = match new.id.kind {
            Kind::Column | Kind::NotNull | Kind::Default => true,
            Kind::Constraint => new.parts.first().is_some_and(|kind| kind == "c"),
            _ => false,
        };
        let goes_on = |table: &ObjectId| self.from.get(table).is_some() && self.to.get(table).is_some();
        is_asked_for
            && (self.links(number).into_iter().any(is_new) || self.is_passed_over(number, &new.depends_on))
            && new.id.owners().any(|table| goes_on(&table) && !self.is_exchanged(&table))
    }

    /// The numbers, those of parents' columns before those of their children's.
    pub(crate) fn parents_first(&self) -> Vec<usize> {
        let mut order: Vec<(usize, usize)> =
            (0..self.ids.len()).map(|number| (self.ancestors(number).len(), number)).collect();
        order.sort_unstable();
        order.into_iter().map(|(_, number)| number).collect()
    }

    /// The columns that an inherited one comes from: its parent's, and that one's.
    pub(crate) fn ancestors(&self, number: usize) -> Vec<usize> {
        let mut found = Vec::new();
        let mut next = vec![number];
        while let Some(number) = next.pop() {
            let is_child = self.old[number].is_some_and(|old| old.is_inherited && old.id.kind == Kind::Column);
            let needs = self.old_needs[number].iter().filter(|_| is_child);
            for parent in needs.filter(|need| self.ids[**need].kind == Kind::Column) {
                if !found.contains(parent) && self.ids[*parent].name == self.ids[number].name {
                    found.push(*parent);
                    next.push(*parent);
                }
            }
        }
        found
    }

    /// An inherited NOT NULL is renamed with its parent's, or while its table has no parent.
    fn rename_inherited(&mut self, number: usize) {
        let is_parents =
            |need: &usize| self.ids[*need].kind == Kind::NotNull && matches!(self.fates[*need], Fate::Alter(_));
        if self.old_needs[number].iter().any(is_parents) {
            self.fates[number] = Fate::Same;
            return;
        }
        for link in self.links(number) {
            let is_child = self.old[link].is_some_and(|link| link.definition.contains(" INHERIT "));
            let tables = self.ids[number].owners().filter_map(|owner| self.numbers.get(&owner).copied());
            if let Some(table) = tables.filter(|_| is_child).find(|table| self.old[*table].is_some()) {
                // What it has of its parent only would be its own by the way.
                self.fates[table] = Fate::Exchange;
            } else if self.fates[link] == Fate::Same {
                self.fates[link] = Fate::Replace;
            }
        }
    }

    /// What the table of a part is a partition or child of, or becomes or ceases to be.
    pub(crate) fn links(&self, number: usize) -> Vec<usize> {
        let id = self.ids[number];
        let first = ObjectId { kind: Kind::Parent, name: String::new(), ..id.clone() };
        let start = self.ids.partition_point(|other| **other < first);
        let is_link = |other: &&ObjectId| {
            (other.kind, &other.schema, &other.on_table) == (Kind::Parent, &id.schema, &id.on_table)
        };
        let count = self.ids[start..].iter().take_while(|other| is_link(other)).count();
        (start..start + count).collect()
    }

    /// The foreign keys that refer to a table which the one of this link is a partition of: as long as they do it
    /// cannot be dropped, nor leave while rows refer to its rows.
    pub(crate) fn referring_keys(&self, link: &ObjectId) -> Vec<usize> {
        let is_table = |id: &&ObjectId| id.kind == Kind::Table && Some(&id.name) != link.on_table.as_ref();
        let mut keys = Vec::new();
        let partition = self.from.get(link).filter(|link| link.removal.contains(" DETACH PARTITION "));
        for table in partition.into_iter().flat_map(|link| link.depends_on.iter().filter(is_table)) {
            keys.extend(self.referring.get(table).into_iter().flatten());
            keys.extend(self.from.parts_of(table, Kind::Parent).flat_map(|link| self.referring_keys(&link.id)));
        }
        keys
    }
}

/// The identity of a part of a table, but for its kind and its name.
fn part_of(table: &ObjectId) -> ObjectId {
    ObjectId { on_table: Some(table.name.clone()), ..table.clone() }
}

fn is_identity(statement: &str) -> bool {
    [" GENERATED ", " DROP IDENTITY"].iter().any(|it| statement.contains(it))
}

/// Whether ALTER COLUMN of a parent does it to its children, too.
fn is_passed_on(statement: &str) -> bool {
    [" TYPE ", " SET EXPRESSION ", " DROP EXPRESSION"].iter().any(|it| statement.contains(it))
}
