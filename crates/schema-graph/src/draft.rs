//! What happens to each object of two schemas, what is built on it included.

use std::collections::{HashMap, HashSet};

use crate::alter::{Change, change};
use crate::create::Names;
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
    /// A type that columns have, or a table: the old one makes room, and goes when the columns have the new one, or the
    /// new table the rows.
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
    /// And in the second.
    pub(crate) new_users: Vec<Vec<usize>>,
    pub(crate) fates: Vec<Fate>,
    pub(crate) numbers: HashMap<&'a ObjectId, usize>,
    /// The schemas and names of the first schema's NOT NULL constraints.
    taken: HashSet<(&'a str, &'a str)>,
    /// The foreign keys of both schemas that refer to a table.
    pub(crate) referring: HashMap<&'a ObjectId, Vec<usize>>,
}

impl<'a> Draft<'a> {
    pub(crate) fn new(from: &'a Graph, to: &'a Graph) -> Self {
        let (mut ids, mut old, mut new) = (Vec::new(), Vec::new(), Vec::new());
        for (id, is, becomes) in from.beside(to) {
            ids.push(id);
            old.push(is);
            new.push(becomes);
        }
        let numbers: HashMap<_, _> = ids.iter().enumerate().map(|(number, id)| (*id, number)).collect();
        let needs = |objects: &[Option<&Object>]| -> Vec<Vec<usize>> {
            let of = |object: &Object| object.depends_on.iter().filter_map(|id| numbers.get(id).copied()).collect();
            objects.iter().map(|object| object.map(of).unwrap_or_default()).collect()
        };
        let (old_needs, new_needs) = (needs(&old), needs(&new));
        let (old_users, new_users) = (users_of(&old_needs), users_of(&new_needs));
        let fate = |(old, new): (&Option<&Object>, &Option<&Object>)| match (old, new) {
            (Some(old), Some(new)) if old == new => Fate::Same,
            (Some(old), Some(new)) => match change(old, new, from) {
                Change::None => Fate::Same,
                Change::Alter(statements) => Fate::Alter(statements),
                Change::Replace => replacement(old.id.kind),
            },
            (Some(_), None) => Fate::Drop,
            (None, _) => Fate::Create,
        };
        let fates = old.iter().zip(&new).map(fate).collect();
        let place = |it: &'a Object| Some((it.id.schema.as_str(), it.parts.get(1)?.as_str()));
        let taken = from.of_kind(Kind::NotNull).filter_map(place).collect();
        let mut referring: HashMap<&ObjectId, Vec<usize>> = HashMap::new();
        for key in [from, to].into_iter().flat_map(|graph| graph.of_kind(Kind::Constraint)) {
            if let Some(table) = key.refers_to.as_ref().filter(|_| !key.is_inherited) {
                referring.entry(table).or_default().push(numbers[&key.id]);
            }
        }
        let mut draft = Self {
            from,
            to,
            ids,
            old,
            new,
            old_needs,
            new_needs,
            old_users,
            new_users,
            fates,
            numbers,
            taken,
            referring,
        };
        draft.descend();
        draft.retyped_keys();
        draft.inherit();
        draft.spread();
        while draft.contained_domains() {
            draft.spread();
        }
        draft.own_defaults();
        draft.validated_again();
        draft.identities();
        draft
    }

    /// A partition key's column has its type for good; so have the same columns of the partitions that are to fit.
    fn retyped_keys(&mut self) {
        for number in self.parents_first() {
            let Some(new) = self.new[number].filter(|_| self.is_retyped(number)) else { continue };
            let of_parent = self.ancestors(number).into_iter().any(|parent| self.is_exchanged_part(parent));
            for table in new.id.owners().filter_map(|owner| self.numbers.get(&owner).copied()).collect::<Vec<_>>() {
                let key = self.old[table].filter(|old| old.shape.starts_with('t'));
                let mut words = key.map(|it| it.shape.as_str()).unwrap_or_default().split(|c: char| !is_of_word(c));
                let is_key = words.any(|word| word == new.id.name);
                if (is_key || (of_parent && new.is_inherited)) && self.new[table].is_some() && self.old[table].is_some()
                {
                    self.fates[table] = Fate::Exchange;
                }
            }
        }
    }

    /// A domain in an array or a composite type takes no further constraint: only a new one has it.
    ///
    /// <https://www.postgresql.org/docs/18/sql-alterdomain.html#SQL-ALTERDOMAIN-NOTES>
    fn contained_domains(&mut self) -> bool {
        let mut is_found = false;
        for number in 0..self.ids.len() {
            let is_added = self.ids[number].kind == Kind::DomainConstraint
                && matches!(self.fates[number], Fate::Create | Fate::Replace)
                && self.new[number].is_some_and(|constraint| constraint.attribute("not valid").is_none());
            let domain = self.new_needs[number].iter().find(|need| self.ids[**need].kind == Kind::Domain).copied();
            let Some(domain) = domain.filter(|_| is_added) else { continue };
            let is_container = |user: &&usize| {
                matches!(self.ids[**user].kind, Kind::CompositeType | Kind::RangeType)
                    || self.old[**user].is_some_and(|user| user.columns.iter().any(|it| it.data_type.ends_with("[]")))
            };
            let is_kept = matches!(self.fates[domain], Fate::Same | Fate::Alter(_)) && self.old[domain].is_some();
            if is_kept && self.old_users[domain].iter().any(|user| is_container(&user)) {
                self.fates[domain] = Fate::Replace;
                is_found = true;
            }
        }
        is_found
    }

    /// How the NOT NULL constraints among the parts of a new table, or of a new column, get their names: PostgreSQL gives
    /// each another one than all others of the schema.
    pub(crate) fn names_for(&self, parts: &[usize]) -> Names {
        let not_null = |part: &&usize| self.ids[**part].kind == Kind::NotNull;
        let is_taken = |part: &usize| {
            let name = self.new[*part].and_then(|it| Some((it.id.schema.as_str(), it.parts.get(1)?.as_str())));
            name.is_some_and(|name| self.taken.contains(&name))
        };
        if parts.iter().filter(not_null).any(is_taken) { Names::All } else { Names::Needed }
    }

    /// Whether it is part of a table whose rows move into another.
    pub(crate) fn is_exchanged_part(&self, number: usize) -> bool {
        self.ids[number].owners().any(|owner| self.is_exchanged(&owner))
    }

    /// Whether it is a table whose rows move into another.
    pub(crate) fn is_exchanged(&self, id: &ObjectId) -> bool {
        id.kind == Kind::Table && self.numbers.get(id).is_some_and(|it| self.fates[*it] == Fate::Exchange)
    }

    pub(crate) fn is_changed(&self, number: usize) -> bool {
        self.fates[number] != Fate::Same
    }

    /// Rebuilds what is built on something that goes, or becomes another thing.
    fn spread(&mut self) {
        let mut work: Vec<usize> = (0..self.ids.len()).filter(|number| self.disturbs(*number)).collect();
        while let Some(number) = work.pop() {
            // What a type is made of is there as long as the old one waits.
            if self.fates[number] == Fate::Exchange && self.ids[number].kind.is_type() {
                for need in self.old_needs[number].clone() {
                    if self.ids[need].kind.is_type() && self.fates[need] == Fate::Replace {
                        self.fates[need] = Fate::Exchange;
                        work.push(need);
                    }
                }
            }
            for user in self.old_users[number].clone() {
                if self.leaves(user, number) || self.moves(user, number) || self.is_left(user, number) {
                    self.fates[number] = Fate::Exchange;
                    work.push(number);
                }
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

    /// Whether a column goes from a type, which is replaced, to another: its values need both.
    fn leaves(&self, user: usize, number: usize) -> bool {
        self.ids[number].kind.is_type()
            && self.fates[number] == Fate::Replace
            && self.ids[user].kind == Kind::Column
            && self.is_retyped(user)
            && matches!(self.fates[user], Fate::Alter(_))
    }

    /// Whether a column of a table has a type, which is replaced, when its rows move: while both types are there.
    fn moves(&self, user: usize, number: usize) -> bool {
        self.ids[number].kind.is_type()
            && self.fates[number] == Fate::Replace
            && self.ids[user].kind == Kind::Column
            && self.is_exchanged_part(user)
    }

    /// Whether a type that goes is made of one which is replaced, and has values that go over to another.
    fn is_left(&self, user: usize, number: usize) -> bool {
        let of = |number: usize| self.ids[number].kind;
        let has_values = |it: &usize| match of(*it) {
            Kind::Column => self.new[*it].is_some(),
            _ => self.is_left(*it, number),
        };
        of(number).is_type()
            && self.fates[number] == Fate::Replace
            && of(user).is_type()
            && self.fates[user] == Fate::Drop
            && self.old_users[user].iter().any(has_values)
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
        if self.is_exchanged_part(user) {
            return Some(Fate::Replace);
        }
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
            // Its own change ends the dependency.
            if matches!(self.fates[user], Fate::Alter(_)) && !self.new_needs[user].contains(&number) {
                return None;
            }
            return (self.fates[number] != Fate::Drop).then_some(Fate::Retype);
        }
        match (&self.fates[number], &self.fates[user]) {
            // Its own change ends the dependency.
            (Fate::Drop, Fate::Alter(_) | Fate::Retype) if kind != Kind::View => None,
            (Fate::Replace | Fate::Exchange, Fate::Alter(_)) if !self.new_needs[user].contains(&number) => None,
            (Fate::Drop | Fate::Replace | Fate::Exchange, _) if old.is_inherited => None,
            // Where its parent was is nothing that a table is made of.
            (Fate::Drop, Fate::Same) if kind == Kind::Column => None,
            (Fate::Drop | Fate::Replace | Fate::Exchange, _) => Some(replacement(kind)),
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

fn users_of(needs: &[Vec<usize>]) -> Vec<Vec<usize>> {
    let mut users = vec![Vec::new(); needs.len()];
    for (user, needs) in needs.iter().enumerate() {
        needs.iter().for_each(|need| users[*need].push(user));
    }
    users
}

fn is_of_word(character: char) -> bool {
    character.is_alphanumeric() || character == '_' || character == '$'
}

/// Whether it is an index, or a constraint that has one.
pub(crate) fn has_index(object: &Object) -> bool {
    let is_key = || object.parts.first().is_some_and(|kind| ["p", "u", "x"].contains(&kind.as_str()));
    object.id.kind == Kind::Index || (object.id.kind == Kind::Constraint && is_key())
}

/// A table keeps its rows.
fn replacement(kind: Kind) -> Fate {
    if kind == Kind::Table { Fate::Exchange } else { Fate::Replace }
}
