//! `qdrant search`: the nearest points to a vector, and the nearest rows beside them.

use clap::Args;
use dbops_qdrant::parameter::Value;
use dbops_qdrant::{CollectionSpec, Distance, Id, PointVector, Search, Settings};
use dbops_sync::{Hit, Searched};
use serde::Serialize;

use super::sources::{Sourced, declared, sourced};
use super::{Prepared, prepare};
use crate::commands::{Context, Outcome};
use crate::config::{Config, suggest};
use crate::failure::{Failure, Result};
use crate::ui::{FAINT, STRONG, paint, printable};

#[derive(Args)]
pub(super) struct SearchArgs {
    /// The collection, by its name or alias
    collection: String,
    #[command(flatten)]
    by: By,
    /// Of several vectors, which
    #[arg(long, value_name = "NAME")]
    using: Option<String>,
    /// How many are wanted
    #[arg(short, long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=1000))]
    limit: u64,
    /// Compare all points and rows, instead of going by the indexes
    #[arg(long)]
    exact: bool,
}

#[derive(Args)]
#[group(required = true, multiple = false)]
struct By {
    /// Search by this vector: [0.1, 0.2, …]
    #[arg(long, value_name = "NUMBERS", allow_hyphen_values = true)]
    vector: Option<String>,
    /// Search by the vector of this point: a number or a UUID
    #[arg(long, value_name = "ID")]
    point: Option<String>,
    /// Search by the vector of the row with this key
    #[arg(long, value_name = "KEY", allow_hyphen_values = true)]
    row: Option<String>,
}

/// `{"target", "collection", "qdrant": [{"id", "score"}], "pgvector": [{"id", "key"}], "same"}`; the last two are null for a
/// collection without a table, and `same` counts those that both found.
#[derive(Serialize)]
struct SearchDocument {
    target: String,
    collection: String,
    qdrant: Vec<PointDocument>,
    pgvector: Option<Vec<RowDocument>>,
    same: Option<usize>,
}

#[derive(Serialize)]
struct PointDocument {
    id: String,
    score: f32,
}

#[derive(Serialize)]
struct RowDocument {
    id: String,
    key: String,
}

pub(super) async fn search(context: &Context, config: &Config, names: &[String], args: &SearchArgs) -> Result<Outcome> {
    let prepared = prepare(context, config, names)?;
    let (target, spec) = declared(&prepared, &args.collection)?;
    let (using, vector) = vector_named(spec, args.using.as_deref())?;
    let table = match &spec.source {
        None => None,
        Some(_) => Some(open(&sourced(config, target, spec).await?, using, vector).await?),
    };
    let collection = target.standing(spec).await?;
    let wanted = wanted(&args.by, target, spec, &collection, using, table.as_ref()).await?;
    if let Some(Value::Integer(size)) = vector.get("size")
        && args.by.vector.is_some()
        && wanted.len() as u64 != size
    {
        let given = wanted.len();
        return Err(Failure::usage(format!("{} has vectors of {size} numbers, and --vector gives {given}", spec.name)));
    }
    let search = Search { vector: &wanted, using, limit: args.limit, exact: args.exact };
    let points = target.server.nearest(&collection, search).await?;
    let rows = match &table {
        None => None,
        Some(table) => Some(table.nearest(&wanted, args.limit, args.exact).await?),
    };
    show(context, &points, rows.as_deref())?;
    let is_found = |row: &&Hit| points.iter().any(|(id, _)| *id == row.id);
    context.ui.document(&SearchDocument {
        target: target.name.into(),
        collection,
        same: rows.as_ref().map(|rows| rows.iter().filter(is_found).count()),
        qdrant: points.iter().map(|(id, score)| PointDocument { id: id.to_string(), score: *score }).collect(),
        pgvector: rows
            .map(|rows| rows.into_iter().map(|row| RowDocument { id: row.id.to_string(), key: row.key }).collect()),
    })?;
    Ok(Outcome::Done)
}

pub(super) async fn open(one: &Sourced<'_>, using: &str, vector: &Settings) -> Result<Searched> {
    let distance = Distance::of(vector).unwrap_or(Distance::Cosine);
    let opened = Searched::open(one.database, one.source, using, distance).await;
    opened.map_err(|error| one.failed(error))
}

/// The vector of this name; of a single one none has to be given.
pub(super) fn vector_named<'a>(spec: &'a CollectionSpec, using: Option<&str>) -> Result<(&'a str, &'a Settings)> {
    // One list of numbers is compared, here and by pgvector.
    let is_single = |vector: &Settings| vector.get("multivector.comparator").is_none();
    let known: Vec<_> =
        spec.vectors.iter().filter(|(_, vector)| is_single(vector)).map(|(name, _)| name.as_str()).collect();
    let found = match (using, known.as_slice()) {
        (None, [only]) => spec.vectors.get_key_value(*only),
        (None, _) => {
            let failure = match known.as_slice() {
                [] => Failure::usage(format!("{} has no dense vector, and others are not searched", spec.name)),
                _ => Failure::usage(format!("{} has the vectors {}", spec.name, known.join(", ")))
                    .with_hint("name one with --using"),
            };
            return Err(failure);
        }
        (Some(name), _) => spec.vectors.get_key_value(name).filter(|(_, vector)| is_single(vector)),
    };
    found.map(|(name, vector)| (name.as_str(), vector)).ok_or_else(|| {
        let name = using.unwrap_or_default();
        Failure::usage(format!("{} has no vector `{name}` that is one list of numbers", spec.name))
            .with_hint(suggest(name, &known))
    })
}

async fn wanted(
    by: &By,
    target: &Prepared<'_>,
    spec: &CollectionSpec,
    collection: &str,
    using: &str,
    table: Option<&Searched>,
) -> Result<Vec<f32>> {
    if let Some(text) = &by.vector {
        let numbers = text.trim().trim_start_matches('[').trim_end_matches(']').split(',');
        let numbers: std::result::Result<Vec<f32>, _> = numbers.map(|number| number.trim().parse()).collect();
        let is_finite = |numbers: &Vec<f32>| numbers.iter().all(|number| number.is_finite());
        return numbers.ok().filter(is_finite).ok_or_else(|| {
            Failure::usage("--vector takes numbers").with_hint("write them with commas between: [0.1, 0.2, 0.3]")
        });
    }
    if let Some(text) = &by.point {
        let id = Id::parse(text).ok_or_else(|| {
            Failure::usage(format!("`{text}` is no id of a point")).with_hint("write a number or a UUID")
        })?;
        let stored = target.server.stored(collection, &[id]).await?.pop();
        let vector = stored.and_then(|mut point| point.vectors.remove(using)).and_then(PointVector::dense);
        return vector.ok_or_else(|| Failure::usage(format!("{} has no point {id} with that vector", spec.name)));
    }
    let key = by.row.as_deref().unwrap_or_default();
    let Some(table) = table else {
        return Err(Failure::usage(format!("{} has no table", spec.name)).with_hint("search by --vector or --point"));
    };
    let vector = table.vector_of(key).await?;
    vector.ok_or_else(|| Failure::usage(format!("there is no row {key} with that vector")))
}

/// Side by side; what only one side found is marked.
fn show(context: &Context, points: &[(Id, f32)], rows: Option<&[Hit]>) -> Result<()> {
    let Some(found) = rows else {
        let lines = points
            .iter()
            .enumerate()
            .map(|(index, (id, score))| vec![(index + 1).to_string(), id.to_string(), format!("{score:.4}")]);
        return context.ui.table(&["rank", "point", "score"], lines.collect());
    };
    let lines = (0..points.len().max(found.len())).map(|index| {
        let point = points.get(index);
        let row = found.get(index);
        let is_alone = |id: Id| !points.iter().any(|(it, _)| *it == id) || !found.iter().any(|it| it.id == id);
        let mark = |id: Id| if is_alone(id) { " *" } else { "" };
        vec![
            (index + 1).to_string(),
            point.map(|(id, _)| format!("{id}{}", mark(*id))).unwrap_or_default(),
            point.map(|(_, score)| format!("{score:.4}")).unwrap_or_default(),
            row.map(|row| format!("{}{}", printable(&row.key), mark(row.id))).unwrap_or_default(),
        ]
    });
    context.ui.table(&["rank", "qdrant", "score", "pgvector"], lines.collect())?;
    let same = found.iter().filter(|row| points.iter().any(|(id, _)| *id == row.id)).count();
    let note = if same < found.len().max(points.len()) { "; * is found by one side only" } else { "" };
    context.ui.data(format!(
        "{} of {} found by both{}",
        paint(STRONG, same),
        points.len().max(found.len()),
        paint(FAINT, note)
    ))
}
