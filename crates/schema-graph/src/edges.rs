//! What has to happen before what.

use std::collections::{BTreeSet, HashMap};

use crate::draft::{Draft, Fate};
use crate::moving::new_counters;
use crate::order::{Node, exists, is_changed, is_created, is_dropped, is_partitioned};
use crate::{Kind, Object, ObjectId};

/// Pairs of nodes, the first of which comes before the second.
struct Edges<'a, 'b> {
    draft: &'a Draft<'b>,
    hosts: &'a HashMap<Node, Node>,
    found: BTreeSet<(Node, Node)>,
}

/// The pairs of nodes, as their hosts, whose order matters.
pub(crate) fn edges(draft: &Draft<'_>, hosts: &HashMap<Node, Node>, with_mentions: bool) -> BTreeSet<(Node, Node)> {
    let mut edges = Edges { draft, hosts, found: BTreeSet::new() };
    for number in 0..draft.ids.len() {
        edges.needs(number, with_mentions);
        edges.users(number);
        edges.own(number);
        match draft.ids[number].kind {
            Kind::Column => edges.column(number),
            Kind::Default => edges.default(number),
            Kind::DomainConstraint => edges.domain_constraint(number),
            Kind::Parent => edges.link(number),
            _ => {}
        }
        edges.inheritance(number);
    }
    edges.names();
    edges.found
}

impl Edges<'_, '_> {
    fn add(&mut self, before: Node, after: Node) {
        if exists(self.draft, before) && exists(self.draft, after) {
            let host = |node| *self.hosts.get(&node).unwrap_or(&node);
            let (before, after) = (host(before), host(after));
            // The old table goes when the new one has its rows.
            let is_exchange = before == (after.0, false) && self.draft.fates[after.0] == Fate::Exchange;
            if before != after && !is_exchange {
                self.found.insert((before, after));
            }
        }
    }

    /// What it needs comes before it.
    fn needs(&mut self, number: usize, with_mentions: bool) {
        let draft = self.draft;
        for need in &draft.new_needs[number] {
            self.add((*need, true), (number, true));
        }
        let mentions = draft.new[number].map(|object| &object.mentions[..]).filter(|_| with_mentions);
        for mentioned in mentions.unwrap_or_default().iter().filter_map(|id| draft.numbers.get(id)) {
            self.add((*mentioned, true), (number, true));
        }
    }

    /// What needs it goes before it.
    fn users(&mut self, number: usize) {
        let draft = self.draft;
        for user in &draft.old_users[number] {
            // What a table had from its parent does not matter to that when it has left.
            let is_inherited = draft.old[*user].is_some_and(|user| user.is_inherited)
                && draft.ids[*user].kind == draft.ids[number].kind;
            let is_exchanged = || draft.is_exchanged_part(*user) || draft.is_exchanged_part(number);
            if is_inherited && (draft.stays_behind(*user) || is_exchanged()) {
                continue;
            }
            self.add((*user, false), (number, false));
            // It takes the place of what it had from its parent.
            if is_changed(draft, *user) && !is_inherited {
                self.add((*user, true), (number, false));
            }
            let goes_along = self.hosts.get(&(*user, false)) == Some(&(number, false));
            // The others change under what is built on them.
            let is_in_the_way = match draft.ids[number].kind {
                Kind::Column | Kind::View => true,
                Kind::CompositeType => draft.ids[*user].kind != Kind::Column,
                Kind::Table => draft.ids[*user].kind == Kind::Constraint,
                _ => false,
            };
            // A type that goes can go when the columns that had it have another one.
            let is_gone_type =
                draft.ids[number].kind.is_type() && draft.ids[*user].kind.is_type() && draft.fates[*user] == Fate::Drop;
            let waits =
                goes_along || is_gone_type || draft.fates[*user] == Fate::Exchange || draft.is_exchanged_part(*user);
            let is_in_the_way = is_in_the_way && !is_inherited && !draft.is_exchanged_part(*user);
            if is_changed(draft, number) && is_in_the_way || (draft.fates[number] == Fate::Exchange && !waits) {
                self.add((*user, false), (number, true));
            }
        }
    }

    /// The old form and the new one.
    fn own(&mut self, number: usize) {
        let draft = self.draft;
        match draft.fates[number] {
            Fate::Replace => self.add((number, false), (number, true)),
            Fate::Exchange => {
                self.add((number, true), (number, false));
                if draft.ids[number].kind == Kind::Table {
                    self.move_between(number);
                }
            }
            _ => {}
        }
        // What goes by the old table's name goes before that makes room.
        if draft.is_exchanged_part(number) && !self.hosts.contains_key(&(number, false)) {
            let tables = draft.ids[number].owners().filter_map(|owner| draft.numbers.get(&owner).copied());
            tables.for_each(|table| self.add((number, false), (table, true)));
        }
    }

    fn column(&mut self, number: usize) {
        let draft = self.draft;
        if is_changed(draft, number) {
            // Its parent's column takes it along: what is built on it has gone by then.
            for ancestor in draft.ancestors(number) {
                let is_built_on = |user: &&usize| {
                    let is_child =
                        draft.ids[**user].kind == Kind::Column && draft.old[**user].is_some_and(|it| it.is_inherited);
                    !is_child && !draft.is_exchanged_part(**user)
                };
                let users = draft.old_users[number].iter().filter(is_built_on);
                users.for_each(|user| self.add((*user, false), (ancestor, true)));
            }
            self.identity(number);
        }
        if is_dropped(draft, number) && is_partitioned(draft, number) {
            let kept = draft.old_users[number].iter().filter(|user| draft.ids[**user].kind == Kind::Column);
            kept.flat_map(|user| draft.links(*user)).for_each(|link| self.add((link, false), (number, false)));
        }
    }

    /// An identity column's sequence comes and goes with the column's change.
    fn identity(&mut self, number: usize) {
        let (draft, id) = (self.draft, self.draft.ids[number]);
        let name = format!("{}_{}_seq", id.on_table.as_deref().unwrap_or_default(), id.name);
        let sequence = ObjectId { kind: Kind::Sequence, schema: id.schema.clone(), on_table: None, name };
        let Some(sequence) = draft.numbers.get(&sequence) else { return };
        let has_identity = |object: Option<&Object>| {
            object.is_some_and(|object| object.columns.iter().any(|column| column.identity.is_some()))
        };
        if has_identity(draft.old[number]) {
            self.add((number, true), (*sequence, true));
        }
        if has_identity(draft.new[number]) {
            self.add((*sequence, false), (number, true));
        }
    }

    fn default(&mut self, number: usize) {
        let draft = self.draft;
        if let Some(column) = draft.ids[number].column().and_then(|column| draft.numbers.get(&column)) {
            // It is passed on to children, and would be theirs.
            let children = draft.new_users[*column].iter().filter(|user| draft.ids[**user].kind == Kind::Column);
            children
                .filter(|child| is_created(draft, **child))
                .for_each(|child| self.add((number, true), (*child, true)));
        }
        if is_changed(draft, number) {
            for parent in draft.parents_default(number) {
                self.add((parent, false), (number, true));
                self.add((parent, true), (number, true));
            }
        }
    }

    /// Columns in whose arrays or fields a domain is already would refuse it.
    fn domain_constraint(&mut self, number: usize) {
        let draft = self.draft;
        for domain in draft.new_needs[number].iter().filter(|need| draft.fates[**need] == Fate::Exchange) {
            let users = draft.new_users[*domain].iter();
            users
                .filter(|user| **user != number && draft.ids[**user].kind != Kind::DomainConstraint)
                .for_each(|user| self.add((number, true), (*user, true)));
        }
    }

    fn link(&mut self, number: usize) {
        if is_dropped(self.draft, number) {
            for key in self.draft.referring_keys(self.draft.ids[number]) {
                self.add((key, false), (number, false));
                self.add((number, false), (key, true));
            }
        }
    }

    /// What a table has of its own, or has again, it gets while it is nobody's partition or child.
    fn inheritance(&mut self, number: usize) {
        let draft = self.draft;
        if draft.stays_behind(number) {
            draft.links(number).into_iter().for_each(|link| self.add((link, false), (number, false)));
        }
        let is_made_alone = is_changed(draft, number) && matches!(draft.ids[number].kind, Kind::Column | Kind::NotNull);
        if draft.joins(number) || is_made_alone {
            for link in draft.links(number) {
                self.add((link, false), (number, true));
                self.add((number, true), (link, true));
            }
        }
    }

    /// A name is free when its bearer has gone.
    fn names(&mut self) {
        let draft = self.draft;
        let mut bearers: HashMap<(&str, &str), Vec<usize>> = HashMap::new();
        let is_bearer = |number: &usize| draft.ids[*number].kind.has_common_name();
        for number in (0..draft.ids.len()).filter(is_bearer).filter(|number| is_dropped(draft, *number)) {
            bearers.entry((&draft.ids[number].schema, &draft.ids[number].name)).or_default().push(number);
        }
        for number in (0..draft.ids.len()).filter(is_bearer).filter(|number| is_created(draft, *number)) {
            let id = draft.ids[number];
            for other in bearers.get(&(id.schema.as_str(), id.name.as_str())).into_iter().flatten() {
                if *other != number {
                    self.add((*other, false), (number, true));
                }
            }
        }
    }

    /// Rows move when the new table has its partitions, and before what would look at each of them or depends on them.
    fn move_between(&mut self, table: usize) {
        let draft = self.draft;
        let counters = draft.new[table].map(|new| new_counters(draft, new)).unwrap_or_default();
        for counter in counters.iter().filter_map(|id| draft.numbers.get(id)) {
            self.add((table, true), (*counter, true));
            self.add((*counter, true), (table, false));
        }
        let mut parents = vec![table];
        while let Some(parent) = parents.pop() {
            for user in &draft.new_users[parent] {
                let id = draft.ids[*user];
                let is_own = id.owners().any(|owner| owner == *draft.ids[parent]);
                let child = id.owners().find_map(|owner| draft.numbers.get(&owner)).copied();
                match id.kind {
                    Kind::Parent if !is_own => {
                        self.add((*user, true), (table, false));
                        parents.extend(child);
                    }
                    Kind::Column | Kind::Default | Kind::NotNull | Kind::Parent | Kind::SequenceOwner => {}
                    Kind::Constraint if draft.new[*user].is_some_and(|it| it.refers_to.is_none()) => {}
                    _ => self.add((table, false), (*user, true)),
                }
            }
        }
    }
}
