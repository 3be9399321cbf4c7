//! Changes to points.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::response::Response;
use axum::routing::{post, put};
use qdrant_client::qdrant::points_update_operation::{
    ClearPayload, DeletePayload as DeletePayloadMessage, DeletePoints, DeleteVectors as DeleteVectorsMessage,
    Operation, OverwritePayload, PointStructList, SetPayload as SetPayloadMessage,
    UpdateVectors as UpdateVectorsMessage,
};
use qdrant_client::qdrant::{
    PointStruct, PointVectors as PointVectorsMessage, PointsSelector, UpdateMode, VectorsSelector,
};
use qdrant_edge::{Filter, PointId};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

use super::SharedStore;
use super::answer::run;
use super::request::{Body, Parameters, filter, without};
use super::vectors::{BatchVectors, Vectors, unequal};
use crate::convert::{payload, points};
use crate::error::{Error, Result};
use crate::store::Store;
use crate::update::Change;

pub(super) fn router() -> Router<Arc<Store>> {
    Router::new()
        .route("/collections/{collection}/points", put(change::<Upsert>).post(super::read::retrieve))
        .route("/collections/{collection}/points/delete", post(change::<Delete>))
        .route("/collections/{collection}/points/vectors", put(change::<UpdateVectors>))
        .route("/collections/{collection}/points/vectors/delete", post(change::<DeleteVectors>))
        .route("/collections/{collection}/points/payload", post(change::<SetPayload>).put(change::<Overwrite>))
        .route("/collections/{collection}/points/payload/delete", post(change::<DeletePayload>))
        .route("/collections/{collection}/points/payload/clear", post(change::<Clear>))
        .route("/collections/{collection}/points/batch", post(batch))
}

type Payload = Map<String, Json>;

/// A body that asks for a change.
trait ChangeBody: DeserializeOwned {
    fn change(self) -> Result<Change>;
}

/// New points, or others in the place of those with their ids.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Upsert {
    points: Option<Vec<Point>>,
    batch: Option<Batch>,
    shard_key: Option<Json>,
    update_filter: Option<Json>,
    update_mode: Option<Mode>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Point {
    id: PointId,
    vector: Vectors,
    payload: Option<Payload>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Batch {
    ids: Vec<PointId>,
    vectors: BatchVectors,
    payloads: Option<Vec<Option<Payload>>>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Mode {
    Upsert,
    InsertOnly,
    UpdateOnly,
}

/// Which points a change is for.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Selector {
    points: Option<Vec<PointId>>,
    #[serde(default, deserialize_with = "filter")]
    filter: Option<Filter>,
    shard_key: Option<Json>,
}

#[derive(Debug, Deserialize)]
#[serde(transparent)]
struct Delete(Selector);

#[derive(Debug, Deserialize)]
#[serde(transparent)]
struct Clear(Selector);

/// Vectors in the place of those of the points with these ids.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct UpdateVectors {
    points: Vec<PointVectors>,
    shard_key: Option<Json>,
    update_filter: Option<Json>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct PointVectors {
    id: PointId,
    vector: Vectors,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct DeleteVectors {
    vector: Vec<String>,
    points: Option<Vec<PointId>>,
    #[serde(default, deserialize_with = "filter")]
    filter: Option<Filter>,
    shard_key: Option<Json>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct SetPayload {
    payload: Payload,
    key: Option<String>,
    points: Option<Vec<PointId>>,
    #[serde(default, deserialize_with = "filter")]
    filter: Option<Filter>,
    shard_key: Option<Json>,
}

#[derive(Debug, Deserialize)]
#[serde(transparent)]
struct Overwrite(SetPayload);

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct DeletePayload {
    keys: Vec<String>,
    points: Option<Vec<PointId>>,
    #[serde(default, deserialize_with = "filter")]
    filter: Option<Filter>,
    shard_key: Option<Json>,
}

/// Several changes, made in this order.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Changes {
    operations: Vec<AnyChange>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum AnyChange {
    Upsert(Upsert),
    Delete(Delete),
    SetPayload(SetPayload),
    OverwritePayload(Overwrite),
    DeletePayload(DeletePayload),
    ClearPayload(Clear),
    UpdateVectors(UpdateVectors),
    DeleteVectors(DeleteVectors),
}

/// What is told of a change.
#[derive(Serialize)]
pub(super) struct Updated {
    operation_id: Option<u64>,
    status: &'static str,
}

/// The change is made in either case; who did not wait is told no more than Qdrant would.
pub(super) fn update_result(operation_id: Option<u64>, wait: bool) -> Updated {
    Updated { operation_id, status: if wait { "completed" } else { "acknowledged" } }
}

impl ChangeBody for Upsert {
    fn change(self) -> Result<Change> {
        without(self.shard_key.as_ref(), "shard keys")?;
        without(self.update_filter.as_ref(), "conditional updates")?;
        let points = match (self.points, self.batch) {
            (Some(points), None) => points.into_iter().map(Point::message).collect::<Result<_>>()?,
            (None, Some(batch)) => batch.messages()?,
            _ => return Err(Error::invalid("an upsert has either `points` or a `batch`")),
        };
        let mode = self.update_mode.map(|mode| match mode {
            Mode::Upsert => UpdateMode::Upsert as i32,
            Mode::InsertOnly => UpdateMode::InsertOnly as i32,
            Mode::UpdateOnly => UpdateMode::UpdateOnly as i32,
        });
        let list = PointStructList { points, shard_key_selector: None, update_filter: None, update_mode: mode };
        Change::new(Operation::Upsert(list), None)
    }
}

impl Point {
    fn message(self) -> Result<PointStruct> {
        message(self.id, self.vector.message()?, self.payload)
    }
}

impl Batch {
    fn messages(self) -> Result<Vec<PointStruct>> {
        let count = self.ids.len();
        let payloads = match self.payloads {
            Some(payloads) if payloads.len() != count => return Err(unequal("payloads", payloads.len(), count)),
            Some(payloads) => payloads,
            None => std::iter::repeat_with(|| None).take(count).collect(),
        };
        let points = self.ids.into_iter().zip(self.vectors.messages(count)?).zip(payloads);
        points.map(|((id, vectors), payload)| message(id, vectors, payload)).collect()
    }
}

fn message(id: PointId, vectors: qdrant_client::qdrant::Vectors, payload: Option<Payload>) -> Result<PointStruct> {
    Ok(PointStruct {
        id: Some(points::id_from_engine(id)),
        vectors: Some(vectors),
        payload: payload::of_json(payload.unwrap_or_default())?,
    })
}

impl Selector {
    /// The ids, and the filter if there are none.
    fn read(self) -> Result<(Option<PointsSelector>, Option<Filter>)> {
        without(self.shard_key.as_ref(), "shard keys")?;
        match (self.points, self.filter) {
            (Some(ids), None) => {
                let ids: Vec<_> = ids.into_iter().map(points::id_from_engine).collect();
                Ok((Some(ids.into()), None))
            }
            (None, Some(filter)) => Ok((Some(PointsSelector::default()), Some(filter))),
            (None, None) => Err(Error::invalid("Either list of point ids or filter must be provided")),
            (Some(_), Some(_)) => Err(Error::invalid("a change is for `points` or for those of a `filter`, not both")),
        }
    }
}

impl ChangeBody for Delete {
    fn change(self) -> Result<Change> {
        let (points, filter) = self.0.read()?;
        Change::new(Operation::DeletePoints(DeletePoints { points, shard_key_selector: None }), filter)
    }
}

impl ChangeBody for Clear {
    fn change(self) -> Result<Change> {
        let (points, filter) = self.0.read()?;
        Change::new(Operation::ClearPayload(ClearPayload { points, shard_key_selector: None }), filter)
    }
}

impl ChangeBody for UpdateVectors {
    fn change(self) -> Result<Change> {
        without(self.shard_key.as_ref(), "shard keys")?;
        without(self.update_filter.as_ref(), "conditional updates")?;
        let points = self.points.into_iter().map(|point| {
            Ok(PointVectorsMessage {
                id: Some(points::id_from_engine(point.id)),
                vectors: Some(point.vector.message()?),
            })
        });
        let points = points.collect::<Result<_>>()?;
        let update = UpdateVectorsMessage { points, shard_key_selector: None, update_filter: None };
        Change::new(Operation::UpdateVectors(update), None)
    }
}

impl ChangeBody for DeleteVectors {
    fn change(self) -> Result<Change> {
        let Self { vector, points, filter, shard_key } = self;
        let (points_selector, filter) = Selector { points, filter, shard_key }.read()?;
        let vectors = Some(VectorsSelector { names: vector });
        let delete = DeleteVectorsMessage { points_selector, vectors, shard_key_selector: None };
        Change::new(Operation::DeleteVectors(delete), filter)
    }
}

impl ChangeBody for SetPayload {
    fn change(self) -> Result<Change> {
        let Self { payload, key, points, filter, shard_key } = self;
        let (points_selector, filter) = Selector { points, filter, shard_key }.read()?;
        let payload = payload::of_json(payload)?;
        let set = SetPayloadMessage { payload, points_selector, shard_key_selector: None, key };
        Change::new(Operation::SetPayload(set), filter)
    }
}

impl ChangeBody for Overwrite {
    fn change(self) -> Result<Change> {
        let SetPayload { payload, key, points, filter, shard_key } = self.0;
        let (points_selector, filter) = Selector { points, filter, shard_key }.read()?;
        let payload = payload::of_json(payload)?;
        let overwrite = OverwritePayload { payload, points_selector, shard_key_selector: None, key };
        Change::new(Operation::OverwritePayload(overwrite), filter)
    }
}

impl ChangeBody for DeletePayload {
    fn change(self) -> Result<Change> {
        let Self { keys, points, filter, shard_key } = self;
        let (points_selector, filter) = Selector { points, filter, shard_key }.read()?;
        let delete = DeletePayloadMessage { keys, points_selector, shard_key_selector: None };
        Change::new(Operation::DeletePayload(delete), filter)
    }
}

impl AnyChange {
    fn change(self) -> Result<Change> {
        match self {
            Self::Upsert(body) => body.change(),
            Self::Delete(body) => body.change(),
            Self::SetPayload(body) => body.change(),
            Self::OverwritePayload(body) => body.change(),
            Self::DeletePayload(body) => body.change(),
            Self::ClearPayload(body) => body.change(),
            Self::UpdateVectors(body) => body.change(),
            Self::DeleteVectors(body) => body.change(),
        }
    }
}

async fn change<T: ChangeBody>(
    State(store): SharedStore,
    Path(collection): Path<String>,
    Parameters { wait }: Parameters,
    body: Body,
) -> Response {
    run(&store, move |store| {
        let change = body.parse::<T>()?.change()?;
        let numbers = store.collection(&collection)?.update([Ok(change)], wait)?;
        Ok(update_result(numbers.last().copied(), wait))
    })
    .await
}

async fn batch(
    State(store): SharedStore,
    Path(collection): Path<String>,
    Parameters { wait }: Parameters,
    body: Body,
) -> Response {
    run(&store, move |store| {
        let changes = body.parse::<Changes>()?.operations.into_iter().map(AnyChange::change);
        let numbers = store.collection(&collection)?.update(changes, wait)?;
        Ok(numbers.into_iter().map(|number| update_result(Some(number), wait)).collect::<Vec<_>>())
    })
    .await
}
