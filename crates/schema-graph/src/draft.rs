//! What happens to each object of two schemas, what is built on it included.

use std::collections::{BTreeSet, HashMap};

use crate::alter::{Change, change};
use crate::{Graph, Kind, Object, ObjectId};

/// What happens to an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Fate {
    Same,
    Alter(Vec<String>),
    /// A column whose type is another one under the same name.
    Retype,
    Drop,
    Create,
    /// Dropped and created.
    Replace,
    /// A type that columns have: the old one makes room, and goes when the columns have the new one.
    Exchange,
}

/// The objects of both schemas side by side, by number in the order of their identities.
pub(crate) struct Draft<'a> {
    pub(crate) from: &'a Graph,
    pub(crate) to: &'a Graph,
    pub(crate) ids: Vec<&'a ObjectId>,
    pub(crate) old: Vec<Option<&'a Object>>,
    pub(crate) new: Vec<Option<&'a Object>>,
    /// What each needs, in the first schema and in the second.
    pub(crate) old_needs: Vec<Vec<usize>>,
    pub(crate) new_needs: Vec<Vec<usize>>,
    /// Who needs it in the first.
    pub(crate) old_users: Vec<Vec<usize>>,
    pub(crate) fates: Vec<Fate>,
    pub(crate) numbers: HashMap<&'a ObjectId, usize>,
}

impl<'a> Draft<'a> {
    pub(crate) fn new(from: &'a Graph, to: &'a Graph) -> Self {
        let ids: BTreeSet<_> = from.objects().chain(to.objects()).map(|object| &object.id).collect();
        let ids: Vec<_> = ids.into_iter().collect();
        let numbers: HashMap<_, _> = ids.iter().enumerate().map(|(number, id)| (*id, number)).collect();
        let needs = |graph: &'a Graph| -> Vec<Vec<usize>> {
            let of = |id: &&ObjectId| graph.get(id).map(|object| &object.depends_on[..]).unwrap_or_default();
            ids.iter().map(|id| of(id).iter().filter_map(|id| numbers.get(id).copied()).collect()).collect()
        };
        let (old_needs, new_needs) = (needs(from), needs(to));
        let mut old_users = vec![Vec::new(); ids.len()];
        for (user, needs) in old_needs.iter().enumerate() {
            needs.iter().for_each(|need| old_users[*need].push(user));
        }
        let old: Vec<_> = ids.iter().map(|id| from.get(id)).collect();
        let new: Vec<_> = ids.iter().map(|id| to.get(id)).collect();
        let fate = |(old, new): (&Option<&Object>, &Option<&Object>)| match (old, new) {
            (Some(old), Some(new)) if old == new => Fate::Same,
            (Some(old), Some(new)) => match change(old, new, from) {
                Change::None => Fate::Same,
                Change::Alter(statements) => Fate::Alter(statements),
                Change::Replace => Fate::Replace,
            },
            (Some(_), None) => Fate::Drop,
            (None, _) => Fate::Create,
        };
        let fates = old.iter().zip(&new).map(fate).collect();
        let mut draft = Self { from, to, ids, old, new, old_needs, new_needs, old_users, fates, numbers };
        draft.inherit();
        draft.spread();
        draft.identities();
        draft
    }

    /// A change that a parent's column passes on is not made again.
    fn inherit(&mut self) {
        for number in 0..self.ids.len() {
            let (Some(old), Some(new)) = (self.old[number], self.new[number]) else { continue };
            if old.is_inherited && new.is_inherited && self.ids[number].kind == Kind::Column {
                let parents = &self.old_needs[number];
                if parents.iter().any(|parent| self.ids[*parent].kind == Kind::Column && self.is_changed(*parent)) {
                    self.fates[number] = Fate::Same;
                }
            }
            if old.is_inherited && self.ids[number].kind == Kind::NotNull && self.is_changed(number) {
                self.rename_inherited(number);
            }
        }
    }

    /// An inherited NOT NULL is renamed with its parent's, or while its table has no parent.
    fn rename_inherited(&mut self, number: usize) {
        let is_parents = |need: &usize| self.ids[*need].kind == Kind::NotNull && self.is_changed(*need);
        if self.old_needs[number].iter().any(is_parents) {
            self.fates[number] = Fate::Same;
            return;
        }
        for link in self.links(number) {
            if self.fates[link] == Fate::Same {
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

    fn is_changed(&self, number: usize) -> bool {
        self.fates[number] != Fate::Same
    }

    /// Rebuilds what is built on something that goes, or becomes another thing.
    fn spread(&mut self) {
        let mut work: Vec<usize> = (0..self.ids.len()).filter(|number| self.disturbs(*number)).collect();
        while let Some(number) = work.pop() {
            for user in self.old_users[number].clone() {
                if let Some(fate) = self.disturbed(user, number)
                    && self.fates[user] != fate
                {
                    if fate == Fate::Retype && self.fates[number] == Fate::Replace {
                        self.fates[number] = Fate::Exchange;
                        work.push(number);
                    }
                    self.fates[user] = fate;
                    work.push(user);
                }
            }
        }
    }

    fn disturbs(&self, number: usize) -> bool {
        match &self.fates[number] {
            Fate::Drop | Fate::Replace | Fate::Exchange | Fate::Retype => true,
            Fate::Alter(_) => self.is_retyped(number),
            Fate::Same | Fate::Create => false,
        }
    }

    pub(crate) fn is_retyped(&self, number: usize) -> bool {
        let column = |object: Option<&'a Object>| object.and_then(|object| object.columns.first());
        self.ids[number].kind == Kind::Column
            && (self.fates[number] == Fate::Retype
                || column(self.old[number])
                    .zip(column(self.new[number]))
                    .is_some_and(|(old, new)| old.is_retyped(new) || old.generated != new.generated))
    }

    /// What becomes of an object that needs one which goes or changes; nothing new if `None`.
    fn disturbed(&self, user: usize, number: usize) -> Option<Fate> {
        let (Some(old), Some(_)) = (self.old[user], self.new[user]) else { return None };
        if matches!(self.fates[user], Fate::Replace | Fate::Exchange) {
            return None;
        }
        let (kind, of) = (self.ids[user].kind, self.ids[number].kind);
        if of == Kind::Column && self.is_retyped(number) && matches!(self.fates[number], Fate::Alter(_) | Fate::Retype)
        {
            let is_generated = old.columns.first().is_some_and(|column| column.generated.is_some());
            let goes = match kind {
                Kind::Column => is_generated,
                Kind::View
                | Kind::MaterializedView
                | Kind::Rule
                | Kind::Trigger
                | Kind::Policy
                | Kind::Function
                | Kind::PublishedTable
                | Kind::Default => true,
                // Foreign keys compare two columns: one of them is changed first.
                Kind::Constraint => old.refers_to.is_some(),
                _ => false,
            };
            return goes.then_some(Fate::Replace);
        }
        let is_column = kind == Kind::Column && old.columns.first().is_some_and(|column| column.generated.is_none());
        if of.is_type() && is_column {
            return (self.fates[number] != Fate::Drop).then_some(Fate::Retype);
        }
        match (&self.fates[number], &self.fates[user]) {
            // Its own change ends the dependency.
            (Fate::Drop, Fate::Alter(_) | Fate::Retype) => None,
            (Fate::Replace | Fate::Exchange, Fate::Alter(_)) if !self.new_needs[user].contains(&number) => None,
            (Fate::Drop | Fate::Replace | Fate::Exchange, _) if old.is_inherited => None,
            // Where its parent was is nothing that a table is made of.
            (Fate::Drop, Fate::Same) if kind == Kind::Column => None,
            (Fate::Drop | Fate::Replace | Fate::Exchange, _) => Some(Fate::Replace),
            _ => None,
        }
    }

    /// An identity column refuses NULL: one that becomes so is told first, one that ceases to be so afterwards.
    fn identities(&mut self) {
        for number in 0..self.ids.len() {
            let (Some(old), Some(new)) = (self.old[number], self.new[number]) else { continue };
            let (Some(old), Some(new)) = (old.columns.first(), new.columns.first()) else { continue };
            if self.ids[number].kind != Kind::Column || old.identity.is_some() == new.identity.is_some() {
                continue;
            }
            let id = ObjectId { kind: Kind::NotNull, ..self.ids[number].clone() };
            let Some(not_null) = self.numbers.get(&id).copied() else { continue };
            let objects = (self.old[not_null], self.new[not_null]);
            let fate = self.fates[not_null].clone();
            let Fate::Alter(statements) = &mut self.fates[number] else { continue };
            match (fate, objects) {
                (Fate::Create, (_, Some(new))) => statements.insert(0, new.definition.clone()),
                (Fate::Drop, (Some(old), _)) => statements.push(old.removal.clone()),
                _ => continue,
            }
            self.fates[not_null] = Fate::Same;
        }
    }
}
