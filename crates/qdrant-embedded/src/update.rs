//! Changes to points: one form for all the requests that make them, and the engine's operation for it.

use qdrant_client::qdrant::points_selector::PointsSelectorOneOf;
use qdrant_client::qdrant::points_update_operation::{ClearPayload, DeletePoints, Operation};
use qdrant_client::qdrant::{
    Filter, PointStruct, PointVectors, PointsIdsList, PointsSelector, PointsUpdateOperation, ShardKeySelector,
    UpdateMode,
};
use qdrant_edge::{
    DeletePayloadOp, Filter as EngineFilter, PayloadOps, PointId, PointInsertOperations, PointOperations,
    PointStructPersisted, PointVectorsPersisted, SetPayloadOp, UpdateOperation, UpdateVectorsOp, VectorOperations,
};

use crate::convert::vectors::{self, Layout};
use crate::convert::{filter, payload, points};
use crate::error::{Error, Result};

/// A change that this server can make.
#[derive(Debug)]
pub(crate) struct Change {
    operation: Operation,
    /// Chooses the points, where the operation does not list their ids.
    filter: Option<EngineFilter>,
}

impl Change {
    /// The change, or what in it this server cannot do. The filter is for operations with a selector of points, whose
    /// ids it replaces.
    pub(crate) fn new(operation: Operation, filter: Option<EngineFilter>) -> Result<Self> {
        refuse_unsupported(&operation)?;
        Ok(Self { operation, filter })
    }

    /// The operation, with the ids that `find` finds in the place of the filter: so it means the same when it is made
    /// again.
    pub(crate) fn resolved(mut self, find: impl FnOnce(EngineFilter) -> Result<Vec<PointId>>) -> Result<Operation> {
        if let Some(filter) = self.filter {
            let ids = find(filter)?.into_iter().map(points::id_from_engine).collect::<Vec<_>>();
            let selector = selector(&mut self.operation)
                .ok_or_else(|| Error::Internal("a filter for a change that chooses no points".into()))?;
            *selector = ids.into();
        }
        Ok(self.operation)
    }
}

/// The change that a gRPC request asks for, deprecated forms replaced.
pub(crate) fn accepted(operation: PointsUpdateOperation) -> Result<Change> {
    let operation = operation.operation.ok_or_else(|| Error::invalid("Operation is missing"))?;
    #[expect(deprecated, reason = "older clients send the deprecated forms")]
    let mut operation = match operation {
        Operation::DeleteDeprecated(points) => {
            Operation::DeletePoints(DeletePoints { points: Some(points), shard_key_selector: None })
        }
        Operation::ClearPayloadDeprecated(points) => {
            Operation::ClearPayload(ClearPayload { points: Some(points), shard_key_selector: None })
        }
        operation => operation,
    };
    let filter = match selector(&mut operation) {
        Some(PointsSelector { points_selector_one_of: Some(PointsSelectorOneOf::Filter(filter)) }) => {
            Some(filter::to_engine(std::mem::take(filter))?)
        }
        _ => None,
    };
    Change::new(operation, filter)
}

/// What says which points an operation is for.
fn selector(operation: &mut Operation) -> Option<&mut PointsSelector> {
    match operation {
        Operation::SetPayload(change) => change.points_selector.as_mut(),
        Operation::OverwritePayload(change) => change.points_selector.as_mut(),
        Operation::DeletePayload(change) => change.points_selector.as_mut(),
        Operation::DeleteVectors(change) => change.points_selector.as_mut(),
        Operation::DeletePoints(change) => change.points.as_mut(),
        Operation::ClearPayload(change) => change.points.as_mut(),
        _ => None,
    }
}

/// The engine's operation. Everything is checked here: what passes is written to the journal and must then apply.
pub(crate) fn to_engine(operation: Operation, layout: &Layout) -> Result<UpdateOperation> {
    Ok(match operation {
        Operation::Upsert(change) => UpdateOperation::PointOperation(PointOperations::UpsertPoints(
            PointInsertOperations::PointsList(each(change.points, |point| upserted(point, layout))?),
        )),
        Operation::DeletePoints(change) => {
            UpdateOperation::PointOperation(PointOperations::DeletePoints { ids: ids(change.points)? })
        }
        Operation::SetPayload(change) => UpdateOperation::PayloadOperation(PayloadOps::SetPayload(SetPayloadOp {
            payload: payload::to_engine(change.payload)?,
            points: Some(ids(change.points_selector)?),
            filter: None,
            key: change.key.as_deref().map(payload::path).transpose()?,
        })),
        Operation::OverwritePayload(change) => {
            UpdateOperation::PayloadOperation(PayloadOps::OverwritePayload(SetPayloadOp {
                payload: payload::to_engine(change.payload)?,
                points: Some(ids(change.points_selector)?),
                filter: None,
                key: None,
            }))
        }
        Operation::DeletePayload(change) => {
            UpdateOperation::PayloadOperation(PayloadOps::DeletePayload(DeletePayloadOp {
                keys: each(change.keys, |key| payload::path(&key))?,
                points: Some(ids(change.points_selector)?),
                filter: None,
            }))
        }
        Operation::ClearPayload(change) => {
            UpdateOperation::PayloadOperation(PayloadOps::ClearPayload { points: ids(change.points)? })
        }
        Operation::UpdateVectors(change) => {
            UpdateOperation::VectorOperation(VectorOperations::UpdateVectors(UpdateVectorsOp {
                points: each(change.points, |point| revectored(point, layout))?,
                update_filter: None,
            }))
        }
        Operation::DeleteVectors(change) => {
            let names = change.vectors.map(|vectors| vectors.names).unwrap_or_default();
            for name in &names {
                vectors::kind(layout, name)?;
            }
            let points = ids(change.points_selector)?;
            UpdateOperation::VectorOperation(VectorOperations::DeleteVectors(points.into(), names))
        }
        #[expect(deprecated, reason = "the deprecated forms are named to be ruled out")]
        Operation::DeleteDeprecated(_) | Operation::ClearPayloadDeprecated(_) => {
            return Err(Error::Internal("a deprecated form was not replaced".into()));
        }
    })
}

/// The points whose absence the engine would report as an error. A journal replays their change without those that a
/// later change, already on disk, has deleted.
pub(crate) fn must_exist(operation: &UpdateOperation) -> Option<Vec<PointId>> {
    match operation {
        UpdateOperation::PayloadOperation(_) | UpdateOperation::VectorOperation(_) => operation.point_ids(),
        _ => None,
    }
}

/// Refuses what only a cluster can do.
pub(crate) fn no_shard_key(selector: Option<&ShardKeySelector>) -> Result<()> {
    match selector {
        Some(selector) if !selector.shard_keys.is_empty() || selector.fallback.is_some() => {
            Err(Error::Unsupported("shard keys"))
        }
        _ => Ok(()),
    }
}

fn refuse_unsupported(operation: &Operation) -> Result<()> {
    let key = match operation {
        Operation::Upsert(change) => {
            no_update_filter(change.update_filter.as_ref())?;
            if change.update_mode.is_some_and(|mode| mode != UpdateMode::Upsert as i32) {
                return Err(Error::Unsupported("update modes other than upsert"));
            }
            change.shard_key_selector.as_ref()
        }
        Operation::UpdateVectors(change) => {
            no_update_filter(change.update_filter.as_ref())?;
            change.shard_key_selector.as_ref()
        }
        Operation::OverwritePayload(change) => {
            if change.key.is_some() {
                return Err(Error::Unsupported("overwriting a part of a payload"));
            }
            change.shard_key_selector.as_ref()
        }
        Operation::SetPayload(change) => change.shard_key_selector.as_ref(),
        Operation::DeletePayload(change) => change.shard_key_selector.as_ref(),
        Operation::DeleteVectors(change) => change.shard_key_selector.as_ref(),
        Operation::DeletePoints(change) => change.shard_key_selector.as_ref(),
        Operation::ClearPayload(change) => change.shard_key_selector.as_ref(),
        #[expect(deprecated, reason = "the deprecated forms have no options")]
        Operation::DeleteDeprecated(_) | Operation::ClearPayloadDeprecated(_) => None,
    };
    no_shard_key(key)
}

fn no_update_filter(filter: Option<&Filter>) -> Result<()> {
    match filter {
        Some(_) => Err(Error::Unsupported("conditional updates")),
        None => Ok(()),
    }
}

fn ids(selector: Option<PointsSelector>) -> Result<Vec<PointId>> {
    match selector.and_then(|selector| selector.points_selector_one_of) {
        Some(PointsSelectorOneOf::Points(PointsIdsList { ids })) => points::ids_to_engine(ids),
        Some(PointsSelectorOneOf::Filter(_)) => Err(Error::Internal("a filter was not resolved".into())),
        None => Err(Error::invalid("No points or filter specified")),
    }
}

fn upserted(point: PointStruct, layout: &Layout) -> Result<PointStructPersisted> {
    Ok(PointStructPersisted {
        id: points::id_to_engine(point.id)?,
        vector: vectors::to_engine(point.vectors, layout)?,
        payload: Some(payload::to_engine(point.payload)?),
    })
}

fn revectored(point: PointVectors, layout: &Layout) -> Result<PointVectorsPersisted> {
    Ok(PointVectorsPersisted {
        id: points::id_to_engine(point.id)?,
        vector: vectors::to_engine(point.vectors, layout)?,
    })
}

fn each<T, U>(values: Vec<T>, convert: impl FnMut(T) -> Result<U>) -> Result<Vec<U>> {
    values.into_iter().map(convert).collect()
}
