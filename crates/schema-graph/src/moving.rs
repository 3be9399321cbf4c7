//! Tables that only a new table can be like, as one that becomes partitioned: the old one makes room under another name
//! until its rows have gone over.

use dbops_postgres::{quote_identifier, quote_literal};

use crate::convert::{Conversion, conversion, has_cast};
use crate::draft::{Draft, Fate};
use crate::hazard::{Hazard, Statement};
use crate::{Column, Graph, Kind, Object, ObjectId};

/// The name under which an object waits: in full, and alone.
pub(crate) fn room_for(schema: &str, name: &str) -> (String, String) {
    let alone = quote_identifier(&format!("{name:.57}__old"));
    (format!("{}.{alone}", quote_identifier(schema)), alone)
}

fn name_of(table: &Object) -> &str {
    table.removal.trim_start_matches("DROP TABLE ")
}

fn column_id(table: &Object, column: &Column) -> ObjectId {
    let ObjectId { schema, name, .. } = &table.id;
    ObjectId { kind: Kind::Column, schema: schema.clone(), on_table: Some(name.clone()), name: column.name.clone() }
}

/// The sequence that counts a column and is in one of the two schemas only: an identity column's, or its own.
fn counter(graph: &Graph, other: &Graph, id: &ObjectId) -> Option<(ObjectId, String)> {
    if let [_, sequence] = &graph.get(id)?.parts[..] {
        let (schema, name) = sequence.split_once('.')?;
        let plain = |name: &str| name.trim_matches('"').replace("\"\"", "\"");
        let id = ObjectId { kind: Kind::Sequence, schema: plain(schema), on_table: None, name: plain(name) };
        return Some((id, sequence.clone()));
    }
    let link = graph.of_kind(Kind::SequenceOwner).find(|link| link.depends_on.contains(id))?;
    let sequence = graph.get(&ObjectId { kind: Kind::Sequence, ..link.id.clone() })?;
    let name = sequence.removal.trim_start_matches("DROP SEQUENCE ").to_owned();
    other.get(&sequence.id).is_none().then(|| (sequence.id.clone(), name))
}

/// The old sequence of a column, and the name under which it waits.
fn sequence(draft: &Draft<'_>, table: &Object, column: &Column) -> Option<(String, String, String)> {
    let (id, name) = counter(draft.from, draft.to, &column_id(table, column))?;
    let (waiting, alone) = room_for(&id.schema, &id.name);
    Some((name, waiting, alone))
}

/// The sequences that have names which the old table's hold until that makes room, and go on from these.
pub(crate) fn new_counters(draft: &Draft<'_>, new: &Object) -> Vec<ObjectId> {
    let ids = new.columns.iter().map(|column| column_id(new, column));
    ids.filter_map(|id| Some(counter(draft.to, draft.from, &id)?.0)).collect()
}

/// The names of the table and of its columns' sequences become free.
pub(crate) fn make_room(draft: &Draft<'_>, old: &Object) -> Vec<String> {
    let table = format!("ALTER TABLE {} RENAME TO {}", name_of(old), room_for(&old.id.schema, &old.id.name).1);
    let sequences = old.columns.iter().filter_map(|column| sequence(draft, old, column));
    let renames = sequences.map(|(sequence, _, alone)| format!("ALTER SEQUENCE {sequence} RENAME TO {alone}"));
    std::iter::once(table).chain(renames).collect()
}

/// The rows go over, the columns' sequences count on, and the old table goes.
pub(crate) fn move_rows(draft: &Draft<'_>, old: &Object, new: &Object) -> Vec<Statement> {
    let waiting = room_for(&old.id.schema, &old.id.name).0;
    let pairs: Vec<(&Column, &Column)> = new
        .columns
        .iter()
        .filter(|new| new.generated.is_none())
        .filter_map(|new| Some((old.columns.iter().find(|old| old.name == new.name)?, new)))
        .collect();
    let mut statements = Vec::new();
    if !pairs.is_empty() {
        let into: Vec<_> = pairs.iter().map(|(_, column)| column.identifier.clone()).collect();
        let values: Vec<_> = pairs.iter().map(|(one, other)| value(draft, &column_id(old, one), one, other)).collect();
        let sql = format!(
            "INSERT INTO {} ({}) OVERRIDING SYSTEM VALUE SELECT {} FROM {waiting}",
            name_of(new),
            into.join(", "),
            values.join(", ")
        );
        statements.push(statement(sql, hazards(old, new, &pairs)));
    }
    for (one, other) in &pairs {
        let to = counter(draft.to, draft.from, &column_id(new, other));
        if let (Some((_, waiting, _)), Some((_, to))) = (sequence(draft, old, one), to) {
            let to = quote_literal(&to);
            let sql = format!("SELECT pg_catalog.setval({to}, last_value, is_called) FROM {waiting}");
            statements.push(statement(sql, Vec::new()));
        }
    }
    statements.push(statement(format!("DROP TABLE {waiting}"), Vec::new()));
    statements
}

fn statement(sql: String, hazards: Vec<Hazard>) -> Statement {
    Statement { sql, lock: Some("ACCESS EXCLUSIVE"), is_transactional: true, hazards }
}

/// The old column's value as one of the new column's type.
fn value(draft: &Draft<'_>, id: &ObjectId, old: &Column, new: &Column) -> String {
    let needs = draft.numbers.get(id).map(|number| &draft.old_needs[*number][..]).unwrap_or_default();
    let is_exchanged = needs.iter().any(|need| draft.ids[*need].kind.is_type() && draft.fates[*need] == Fate::Exchange);
    if old.data_type == new.data_type && !is_exchanged {
        return old.identifier.clone();
    }
    let is_direct = !is_exchanged && !old.is_own_type && !new.is_own_type && has_cast(&old.data_type, &new.data_type);
    let way = if is_direct { "" } else { "::text" };
    format!("{}{way}::{}", old.identifier, new.data_type)
}

fn hazards(old: &Object, new: &Object, pairs: &[(&Column, &Column)]) -> Vec<Hazard> {
    let mut hazards = vec![Hazard::Rewrites, Hazard::MayFail("rows may not fit the new table")];
    let is_lost = |column: &Column| column.generated.is_none() && !new.columns.iter().any(|it| it.name == column.name);
    let is_cut = |(old, new): &(&Column, &Column)| conversion(&old.data_type, &new.data_type) == Conversion::Rounds;
    if old.columns.iter().any(is_lost) {
        hazards.push(Hazard::LosesData("the values of columns that the new table does not have"));
    }
    if pairs.iter().any(is_cut) {
        hazards.push(Hazard::LosesData("what the new type does not hold"));
    }
    hazards
}
