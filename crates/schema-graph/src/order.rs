//! Steps in an order in which each finds what it needs.
//!
//! Every object has at most two nodes: one that drops it and one that makes it, by creation or by change. A part that
//! goes or comes with its table shares the table's node. Where that leads to a circle, the part gets a step of its own
//! again; where that does not help, what functions speak of in quotes counts no longer.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap, HashMap};

use crate::create::is_validated_alone;
use crate::draft::{Draft, Fate, has_index};
use crate::edges::edges;
use crate::{Kind, ObjectId};

/// A node: an object's number, and whether it is the one that makes it.
pub(crate) type Node = (usize, bool);

/// The nodes in their order, each with the parts that it takes along.
pub(crate) struct Order {
    pub(crate) nodes: Vec<(Node, Vec<usize>)>,
}

impl Order {
    pub(crate) fn new(draft: &Draft<'_>) -> Self {
        let mut apart = BTreeSet::new();
        let mut with_mentions = true;
        loop {
            let hosts = hosts(draft, &apart);
            let edges = edges(draft, &hosts, with_mentions);
            let (sorted, circle) = sort(draft, &hosts, &edges);
            let guests: Vec<Node> =
                hosts.iter().filter(|(_, host)| circle.contains(host)).map(|(guest, _)| *guest).collect();
            if circle.is_empty() {
                return Self { nodes: with_guests(sorted, &hosts) };
            }
            let guests = choose(draft, &guests);
            if !guests.is_empty() {
                apart.extend(guests);
            } else if with_mentions {
                with_mentions = false;
            } else {
                // No order works; what the proof says of this one names the objects.
                let mut nodes = sorted;
                nodes.extend(circle);
                return Self { nodes: with_guests(nodes, &hosts) };
            }
        }
    }
}

/// Those first without which most circles are none, and which can well stand alone.
fn choose(draft: &Draft<'_>, guests: &[Node]) -> Vec<Node> {
    let rank = |(number, _): &Node| match draft.ids[*number].kind {
        Kind::Default => 0,
        Kind::Policy | Kind::Rule | Kind::Trigger | Kind::Statistics | Kind::PublishedTable | Kind::Index => 1,
        Kind::Constraint | Kind::DomainConstraint => 2,
        Kind::Parent => 3,
        Kind::NotNull => 5,
        _ => 4,
    };
    let can_stand_alone = |(number, makes): &&Node| {
        let id = draft.ids[*number];
        let is_partitioned = |owner: ObjectId| {
            let mut tables = [draft.from, draft.to].into_iter().filter_map(|graph| graph.get(&owner));
            tables.any(|table| table.shape.starts_with('t'))
        };
        match id.kind {
            Kind::NotNull => *makes,
            Kind::Column => !draft.is_exchanged_part(*number) && !id.owners().any(is_partitioned),
            _ => true,
        }
    };
    let guests: Vec<_> = guests.iter().filter(can_stand_alone).collect();
    let first = guests.iter().map(|guest| rank(guest)).min();
    guests.into_iter().filter(|guest| Some(rank(guest)) == first).copied().collect()
}

fn with_guests(sorted: Vec<Node>, hosts: &HashMap<Node, Node>) -> Vec<(Node, Vec<usize>)> {
    let mut guests: BTreeMap<Node, Vec<usize>> = BTreeMap::new();
    for (guest, host) in hosts {
        guests.entry(*host).or_default().push(guest.0);
    }
    let mut take = |node: &Node| {
        let mut parts = guests.remove(node).unwrap_or_default();
        parts.sort_unstable();
        parts
    };
    sorted.iter().map(|node| (*node, take(node))).collect()
}

pub(crate) fn is_dropped(draft: &Draft<'_>, number: usize) -> bool {
    matches!(draft.fates[number], Fate::Drop | Fate::Replace | Fate::Exchange)
}

pub(crate) fn is_created(draft: &Draft<'_>, number: usize) -> bool {
    matches!(draft.fates[number], Fate::Create | Fate::Replace | Fate::Exchange)
}

pub(crate) fn is_changed(draft: &Draft<'_>, number: usize) -> bool {
    matches!(draft.fates[number], Fate::Alter(_) | Fate::Retype)
}

pub(crate) fn exists(draft: &Draft<'_>, (number, makes): Node) -> bool {
    if makes { is_created(draft, number) || is_changed(draft, number) } else { is_dropped(draft, number) }
}

/// The node that each part goes along with, unless it is to be `apart`.
fn hosts(draft: &Draft<'_>, apart: &BTreeSet<Node>) -> HashMap<Node, Node> {
    let mut hosts = HashMap::new();
    for number in 0..draft.ids.len() {
        if is_dropped(draft, number)
            && !apart.contains(&(number, false))
            && let Some(host) = drop_host(draft, number)
        {
            hosts.insert((number, false), (host, false));
        }
        if is_created(draft, number)
            && !apart.contains(&(number, true))
            && let Some(host) = create_host(draft, number)
        {
            hosts.insert((number, true), (host, true));
        }
    }
    // The host of a host, as of a column's default whose table goes.
    let direct = hosts.clone();
    for host in hosts.values_mut() {
        while let Some(next) = direct.get(host) {
            *host = *next;
        }
    }
    hosts
}

fn drop_host(draft: &Draft<'_>, number: usize) -> Option<usize> {
    let id = draft.ids[number];
    let dropped = |id: &ObjectId| draft.numbers.get(id).copied().filter(|number| is_dropped(draft, *number));
    let owner = || id.owners().find_map(|owner| dropped(&owner));
    match id.kind {
        Kind::Default | Kind::NotNull => id.column().and_then(|column| dropped(&column)).or_else(owner),
        // Their names have to be free, and the old table is nobody's partition, before the new one comes.
        Kind::Index | Kind::Statistics | Kind::Parent if draft.is_exchanged_part(number) => None,
        Kind::Constraint if draft.is_exchanged_part(number) && draft.old[number].is_some_and(has_index) => None,
        // Its rows move with its parent's.
        Kind::Table if draft.fates[number] == Fate::Drop => moving_parent(draft, number),
        // A foreign key stands in the way of the other table, too.
        Kind::Constraint => {
            let other = draft.old[number].and_then(|object| object.refers_to.as_ref());
            if other.and_then(dropped).is_some() { None } else { owner() }
        }
        Kind::Sequence if draft.fates[number] == Fate::Drop => {
            dropped_owner(draft, &ObjectId { kind: Kind::SequenceOwner, ..id.clone() })
        }
        Kind::SequenceOwner => dropped(&ObjectId { kind: Kind::Sequence, ..id.clone() }),
        Kind::DomainConstraint => {
            dropped(&ObjectId { kind: Kind::Domain, name: id.on_table.clone()?, on_table: None, ..id.clone() })
        }
        Kind::PublishedTable | Kind::PublishedSchema => {
            let publication =
                ObjectId { kind: Kind::Publication, schema: String::new(), on_table: None, name: id.name.clone() };
            dropped(&publication).or_else(owner)
        }
        Kind::Parent if is_referred(draft, id) && !moves_along(draft, id) => None,
        _ if id.kind.is_part() => owner(),
        _ => None,
    }
}

/// Whether a column is one of a partitioned table.
pub(crate) fn is_partitioned(draft: &Draft<'_>, column: usize) -> bool {
    draft.ids[column].owners().filter_map(|id| draft.from.get(&id)).any(|table| table.shape.starts_with('t'))
}

fn is_referred(draft: &Draft<'_>, link: &ObjectId) -> bool {
    draft.referring_keys(link).into_iter().any(|key| draft.old[key].is_some())
}

fn moves_along(draft: &Draft<'_>, link: &ObjectId) -> bool {
    let mut tables = link.owners().filter_map(|owner| draft.numbers.get(&owner).copied());
    tables.any(|table| draft.fates[table] == Fate::Drop && moving_parent(draft, table).is_some())
}

/// The table that a partition's rows are part of, and move with.
fn moving_parent(draft: &Draft<'_>, partition: usize) -> Option<usize> {
    let parents = draft.from.parts_of(draft.ids[partition], Kind::Parent).filter(|it| it.removal.contains(" DETACH "));
    let tables = parents.flat_map(|link| link.depends_on.iter().filter(|id| id.kind == Kind::Table));
    let mut numbers = tables.filter_map(|id| draft.numbers.get(id).copied()).filter(|number| *number != partition);
    numbers.find_map(|parent| match draft.fates[parent] {
        Fate::Exchange => Some(parent),
        Fate::Drop => moving_parent(draft, parent),
        _ => None,
    })
}

/// The column with which a sequence goes.
fn dropped_owner(draft: &Draft<'_>, link: &ObjectId) -> Option<usize> {
    let link = draft.numbers.get(link)?;
    let column = |need: &&usize| draft.ids[**need].kind == Kind::Column && is_dropped(draft, **need);
    draft.old[*link].and_then(|_| draft.old_needs[*link].iter().find(column).copied())
}

fn create_host(draft: &Draft<'_>, number: usize) -> Option<usize> {
    let id = draft.ids[number];
    if !matches!(id.kind, Kind::Column | Kind::Default | Kind::NotNull | Kind::Parent | Kind::Constraint) {
        return None;
    }
    let is_table = |number: &usize| matches!(draft.ids[*number].kind, Kind::Table | Kind::ForeignTable);
    let created =
        |id: ObjectId| -> Option<usize> { draft.numbers.get(&id).copied().filter(|number| is_created(draft, *number)) };
    let object = draft.new[number]?;
    // A new column of a table that is there fills its rows with its default, and has to, if it is NOT NULL.
    let is_plain = object.attribute("not valid").is_none() && !draft.joins(number);
    // A column that comes with its parent's has no statement that could say more.
    let is_added = |column: &usize| draft.new[*column].is_some_and(|it| !it.is_inherited || draft.joins(*column));
    let of_column = || id.column().and_then(created).filter(|column| is_plain && is_added(column));
    let Some(table) = id.owners().find_map(created).filter(is_table) else { return of_column() };
    let is_partition = draft.new[table].is_some_and(|table| table.parts[0].contains(" PARTITION OF "));
    // A child's own default for a column of its parent's cannot stand in CREATE TABLE.
    let of_parent = id.kind == Kind::Default
        && id.column().and_then(|id| draft.to.get(&id)).is_some_and(|column| column.is_inherited);
    // A key in CREATE TABLE would make a NOT NULL of its own beside the parent's.
    let is_parents = |id: &ObjectId| id.kind == Kind::NotNull && draft.to.get(id).is_some_and(|it| it.is_inherited);
    let stands_alone = object.attribute("not valid").is_some()
        || object.refers_to.is_some()
        || is_validated_alone(draft.to, object)
        || (id.kind == Kind::Constraint && !is_partition && object.depends_on.iter().any(is_parents))
        || (of_parent && !is_partition && !object.is_inherited);
    (!stands_alone).then_some(table)
}

/// The nodes that could be sorted, and those that stand in a circle.
fn sort(draft: &Draft<'_>, hosts: &HashMap<Node, Node>, edges: &BTreeSet<(Node, Node)>) -> (Vec<Node>, BTreeSet<Node>) {
    let both = (0..draft.ids.len()).flat_map(|number| [(number, false), (number, true)]);
    let nodes: Vec<Node> = both.filter(|node| exists(draft, *node) && !hosts.contains_key(node)).collect();
    let mut waiting: HashMap<Node, usize> = nodes.iter().map(|node| (*node, 0)).collect();
    let mut after: HashMap<Node, Vec<Node>> = HashMap::new();
    for (one, other) in edges {
        after.entry(*one).or_default().push(*other);
        *waiting.entry(*other).or_default() += 1;
    }
    // What goes first goes in the opposite order of what comes; default privileges are for what comes later.
    let priority = |(number, makes): Node| {
        let is_last = draft.ids[number].kind == Kind::DefaultPrivileges;
        let place = if makes || is_last { number } else { usize::MAX - number };
        Reverse((makes || is_last, is_last, place, (number, makes)))
    };
    let mut ready: BinaryHeap<_> = nodes.iter().filter(|node| waiting[node] == 0).map(|node| priority(*node)).collect();
    let mut sorted = Vec::with_capacity(nodes.len());
    while let Some(Reverse((.., node))) = ready.pop() {
        sorted.push(node);
        for next in after.get(&node).into_iter().flatten() {
            if let Some(count) = waiting.get_mut(next) {
                *count -= 1;
                if *count == 0 {
                    ready.push(priority(*next));
                }
            }
        }
    }
    let done: BTreeSet<_> = sorted.iter().copied().collect();
    let mut circle: BTreeSet<Node> = nodes.into_iter().filter(|node| !done.contains(node)).collect();
    // What only waits for the circle is not in it.
    loop {
        let leads_on = |node: &Node| after.get(node).into_iter().flatten().any(|next| circle.contains(next));
        let kept: BTreeSet<Node> = circle.iter().filter(|node| leads_on(node)).copied().collect();
        if kept.len() == circle.len() {
            return (sorted, circle);
        }
        circle = kept;
    }
}
