//! Steps in an order in which each finds what it needs.
//!
//! Every object has at most two nodes: one that drops it and one that makes it, by creation or by change. A part that
//! goes or comes with its table shares the table's node. Where that leads to a circle, the part gets a step of its own
//! again; where that does not help, what functions speak of in quotes counts no longer.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap, HashMap};

use crate::draft::{Draft, Fate};
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
            if !guests.is_empty() {
                apart.extend(choose(draft, &guests));
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

/// Defaults before all others: without them most circles are none.
fn choose(draft: &Draft<'_>, guests: &[Node]) -> Vec<Node> {
    let defaults: Vec<_> =
        guests.iter().filter(|(number, _)| draft.ids[*number].kind == Kind::Default).copied().collect();
    if defaults.is_empty() { guests.to_vec() } else { defaults }
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

fn is_dropped(draft: &Draft<'_>, number: usize) -> bool {
    matches!(draft.fates[number], Fate::Drop | Fate::Replace | Fate::Exchange)
}

fn is_created(draft: &Draft<'_>, number: usize) -> bool {
    matches!(draft.fates[number], Fate::Create | Fate::Replace | Fate::Exchange)
}

fn is_changed(draft: &Draft<'_>, number: usize) -> bool {
    matches!(draft.fates[number], Fate::Alter(_) | Fate::Retype)
}

fn exists(draft: &Draft<'_>, (number, makes): Node) -> bool {
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
        _ if id.kind.is_part() => owner(),
        _ => None,
    }
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
    let of_column = || id.column().and_then(created).filter(|_| object.attribute("not valid").is_none());
    let Some(table) = id.owners().find_map(created).filter(is_table) else { return of_column() };
    let is_partition = draft.new[table].is_some_and(|table| table.parts[0].contains(" PARTITION OF "));
    // A child's own default for a column of its parent's cannot stand in CREATE TABLE.
    let of_parent = id.kind == Kind::Default
        && id.column().and_then(|id| draft.to.get(&id)).is_some_and(|column| column.is_inherited);
    let stands_alone = object.attribute("not valid").is_some()
        || object.refers_to.is_some()
        || (of_parent && !is_partition && !object.is_inherited);
    (!stands_alone).then_some(table)
}

fn edges(draft: &Draft<'_>, hosts: &HashMap<Node, Node>, with_mentions: bool) -> BTreeSet<(Node, Node)> {
    let mut edges = BTreeSet::new();
    let mut add = |before: Node, after: Node| {
        if exists(draft, before) && exists(draft, after) {
            let host = |node| *hosts.get(&node).unwrap_or(&node);
            let (before, after) = (host(before), host(after));
            if before != after {
                edges.insert((before, after));
            }
        }
    };
    for number in 0..draft.ids.len() {
        for need in &draft.new_needs[number] {
            add((*need, true), (number, true));
        }
        if with_mentions && let Some(object) = draft.new[number] {
            for id in &object.mentions {
                if let Some(mentioned) = draft.numbers.get(id) {
                    add((*mentioned, true), (number, true));
                }
            }
        }
        for user in &draft.old_users[number] {
            add((*user, false), (number, false));
            if is_changed(draft, *user) {
                add((*user, true), (number, false));
            }
            if is_changed(draft, number) || draft.fates[number] == Fate::Exchange {
                add((*user, false), (number, true));
            }
        }
        match draft.fates[number] {
            Fate::Replace => add((number, false), (number, true)),
            Fate::Exchange => add((number, true), (number, false)),
            _ => {}
        }
    }
    for number in (0..draft.ids.len()).filter(|number| is_changed(draft, *number)) {
        let id = draft.ids[number];
        // A child's NOT NULL can have a new name while it is nobody's child.
        if id.kind == Kind::NotNull {
            for link in draft.links(number) {
                add((link, false), (number, true));
                add((number, true), (link, true));
            }
        }
        // An identity column's sequence comes and goes with the column's change.
        if id.kind == Kind::Column {
            let name = format!("{}_{}_seq", id.on_table.as_deref().unwrap_or_default(), id.name);
            let sequence = ObjectId { kind: Kind::Sequence, schema: id.schema.clone(), on_table: None, name };
            if let Some(sequence) = draft.numbers.get(&sequence) {
                let has_identity = |object: Option<&crate::Object>| {
                    object.is_some_and(|object| object.columns.iter().any(|column| column.identity.is_some()))
                };
                if has_identity(draft.old[number]) {
                    add((number, true), (*sequence, true));
                }
                if has_identity(draft.new[number]) {
                    add((*sequence, false), (number, true));
                }
            }
        }
    }
    // A name is free when its bearer has gone.
    let mut bearers: HashMap<(&str, &str), Vec<usize>> = HashMap::new();
    let is_bearer = |number: &usize| draft.ids[*number].kind.has_common_name();
    for number in (0..draft.ids.len()).filter(is_bearer).filter(|number| is_dropped(draft, *number)) {
        bearers.entry((&draft.ids[number].schema, &draft.ids[number].name)).or_default().push(number);
    }
    for number in (0..draft.ids.len()).filter(is_bearer).filter(|number| is_created(draft, *number)) {
        let id = draft.ids[number];
        for other in bearers.get(&(id.schema.as_str(), id.name.as_str())).into_iter().flatten() {
            if *other != number {
                add((*other, false), (number, true));
            }
        }
    }
    edges
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
