//! Carrying out a plan. Each step is one call that the server does whole or not at all, and the plan made after a
//! break holds what is left.

use std::collections::HashMap;

use qdrant_client::qdrant::alias_operations::Action;
use qdrant_client::qdrant::vectors_config::Config as WireVectors;
use qdrant_client::qdrant::vectors_config_diff::Config as WireVectorsDiff;
use qdrant_client::qdrant::{
    AliasOperations, ChangeAliases, CollectionParamsDiff, CreateAlias, CreateCollection, CreateFieldIndexCollection,
    DeleteAlias, DeleteFieldIndexCollection, Distance as WireDistance, FieldType, HnswConfigDiff, UpdateCollection,
    VectorParams, VectorParamsDiff, VectorParamsDiffMap, VectorParamsMap, VectorsConfig, VectorsConfigDiff,
};

use crate::{Change, ChangeKind, CollectionSpec, Distance, Error, IndexType, Plan, Server, VectorSpec, What, plan};

/// How far it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event<'a> {
    /// This change is next. Changes that one call makes are all announced before it.
    Started(&'a Change),
    /// The server has made this change.
    Done(&'a Change),
}

/// Whether a plan may be carried out in part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// All of it, or nothing: changes that cannot be made in place refuse the whole plan.
    Whole,
    /// Only the changes that can be made in place.
    InPlace,
}

impl Plan {
    /// The changes that would be made; refused when there are others and all are wanted.
    ///
    /// # Errors
    ///
    /// [`Error::NotInPlace`].
    pub fn applicable(&self, extent: Extent) -> Result<Vec<&Change>, Error> {
        let (in_place, others): (Vec<_>, Vec<_>) =
            self.changes.iter().partition(|change| change.kind == ChangeKind::InPlace);
        match extent {
            Extent::Whole if !others.is_empty() => {
                Err(Error::NotInPlace { changes: others.into_iter().cloned().collect() })
            }
            Extent::Whole | Extent::InPlace => Ok(in_place),
        }
    }
}

impl Server {
    /// Carries out `agreed`, the plan of `declared`, and gives the changes that were made.
    ///
    /// # Errors
    ///
    /// [`Error::NotInPlace`] and [`Error::Changed`] before anything is done. After any other error the changes
    /// reported as done are there, and applying a new plan goes on from there.
    pub async fn apply(
        &self,
        declared: &[CollectionSpec],
        agreed: &Plan,
        extent: Extent,
        on_event: &mut dyn FnMut(Event<'_>),
    ) -> Result<Vec<Change>, Error> {
        let changes = agreed.applicable(extent)?;
        if plan(declared, &self.live().await?)?.changes != agreed.changes {
            return Err(Error::Changed);
        }
        for step in changes.chunk_by(|one, next| is_one_call(one, next)) {
            step.iter().for_each(|change| on_event(Event::Started(change)));
            self.make(declared, step).await?;
            step.iter().for_each(|change| on_event(Event::Done(change)));
        }
        Ok(changes.into_iter().cloned().collect())
    }

    async fn make(&self, declared: &[CollectionSpec], step: &[&Change]) -> Result<(), Error> {
        let Some(change) = step.first() else { return Ok(()) };
        let spec = declared.iter().find(|spec| spec.name == change.collection).ok_or(Error::Changed)?;
        match &change.what {
            What::Collection => {
                let doing = format!("create the collection {}", spec.name);
                match self.work(&doing, self.collections_api().create(create_request(spec))).await {
                    Err(Error::Server { .. }) if self.info(&spec.name).await?.is_some() => return Err(Error::Changed),
                    result => result?,
                };
            }
            What::PayloadIndex(path) => {
                let index = *spec.payload_indexes.get(path).ok_or(Error::Changed)?;
                if change.from.is_some() {
                    self.drop_index(&spec.name, path).await?;
                }
                self.create_index(&spec.name, path, index).await?;
            }
            What::Alias(_) => {
                let request = aliases_request(step);
                self.work("change the aliases", self.collections_api().update_aliases(request)).await?;
            }
            _ => {
                let doing = format!("change the parameters of {}", spec.name);
                self.work(&doing, self.collections_api().update(update_request(spec, step))).await?;
            }
        }
        Ok(())
    }

    async fn create_index(&self, collection: &str, path: &str, index: IndexType) -> Result<(), Error> {
        let request = CreateFieldIndexCollection {
            collection_name: collection.into(),
            wait: Some(true),
            field_name: path.into(),
            field_type: Some(field_type(index).into()),
            ..Default::default()
        };
        let doing = format!("index {path} of {collection}");
        self.work(&doing, self.points_api().create_field_index(request)).await?;
        Ok(())
    }

    async fn drop_index(&self, collection: &str, path: &str) -> Result<(), Error> {
        let request = DeleteFieldIndexCollection {
            collection_name: collection.into(),
            wait: Some(true),
            field_name: path.into(),
            ..Default::default()
        };
        let doing = format!("drop the index on {path} of {collection}");
        self.work(&doing, self.points_api().delete_field_index(request)).await?;
        Ok(())
    }
}

/// Each update of a collection's parameters makes the server look at all its segments again, so they go together; and
/// all aliases change in one moment.
fn is_one_call(one: &Change, next: &Change) -> bool {
    let is_alias = |change: &Change| matches!(change.what, What::Alias(_));
    (is_parameter(&one.what) && is_parameter(&next.what) && one.collection == next.collection)
        || (is_alias(one) && is_alias(next))
}

fn is_parameter(what: &What) -> bool {
    matches!(what, What::HnswM | What::HnswEfConstruct | What::OnDiskPayload | What::VectorOnDisk(_))
}

#[expect(deprecated, reason = "servers before 1.19 know no other way to say where data is kept")]
fn create_request(spec: &CollectionSpec) -> CreateCollection {
    let vector = |vector: &VectorSpec| VectorParams {
        size: vector.size,
        distance: wire_distance(vector.distance).into(),
        on_disk: vector.on_disk,
        ..Default::default()
    };
    let config = match spec.vectors.get("") {
        Some(unnamed) => WireVectors::Params(vector(unnamed)),
        None => WireVectors::ParamsMap(VectorParamsMap {
            map: spec.vectors.iter().map(|(name, one)| (name.clone(), vector(one))).collect(),
        }),
    };
    let hnsw = HnswConfigDiff { m: spec.hnsw.m, ef_construct: spec.hnsw.ef_construct, ..Default::default() };
    CreateCollection {
        collection_name: spec.name.clone(),
        vectors_config: Some(VectorsConfig { config: Some(config) }),
        on_disk_payload: spec.on_disk_payload,
        hnsw_config: (hnsw != HnswConfigDiff::default()).then_some(hnsw),
        ..Default::default()
    }
}

/// Only what differs is sent, so that nothing else of the collection is disturbed.
#[expect(deprecated, reason = "servers before 1.19 know no other way to say where data is kept")]
fn update_request(spec: &CollectionSpec, step: &[&Change]) -> UpdateCollection {
    let differs = |what: What| step.iter().any(|change| change.what == what);
    let hnsw = HnswConfigDiff {
        m: spec.hnsw.m.filter(|_| differs(What::HnswM)),
        ef_construct: spec.hnsw.ef_construct.filter(|_| differs(What::HnswEfConstruct)),
        ..Default::default()
    };
    let params = CollectionParamsDiff {
        on_disk_payload: spec.on_disk_payload.filter(|_| differs(What::OnDiskPayload)),
        ..Default::default()
    };
    let vectors = spec.vectors.iter().filter(|(name, _)| differs(What::VectorOnDisk((*name).clone())));
    let mut vectors: HashMap<_, _> = vectors
        .map(|(name, vector)| (name.clone(), VectorParamsDiff { on_disk: vector.on_disk, ..Default::default() }))
        .collect();
    let vectors = match vectors.remove("") {
        Some(unnamed) => Some(WireVectorsDiff::Params(unnamed)),
        None if vectors.is_empty() => None,
        None => Some(WireVectorsDiff::ParamsMap(VectorParamsDiffMap { map: vectors })),
    };
    UpdateCollection {
        collection_name: spec.name.clone(),
        params: (params != CollectionParamsDiff::default()).then_some(params),
        hnsw_config: (hnsw != HnswConfigDiff::default()).then_some(hnsw),
        vectors_config: vectors.map(|config| VectorsConfigDiff { config: Some(config) }),
        ..Default::default()
    }
}

/// The server carries out all actions of one call at once, in order.
fn aliases_request(step: &[&Change]) -> ChangeAliases {
    let moves = step.iter().filter_map(|change| match &change.what {
        What::Alias(alias) => Some((alias, *change)),
        _ => None,
    });
    let deletions = moves
        .clone()
        .filter(|(_, change)| change.from.is_some())
        .map(|(alias, _)| Action::DeleteAlias(DeleteAlias { alias_name: alias.clone() }));
    let creations = moves.map(|(alias, change)| {
        Action::CreateAlias(CreateAlias { collection_name: change.collection.clone(), alias_name: alias.clone() })
    });
    let actions = deletions.chain(creations).map(|action| AliasOperations { action: Some(action) });
    ChangeAliases { actions: actions.collect(), timeout: None }
}

fn wire_distance(distance: Distance) -> WireDistance {
    match distance {
        Distance::Cosine => WireDistance::Cosine,
        Distance::Dot => WireDistance::Dot,
        Distance::Euclid => WireDistance::Euclid,
        Distance::Manhattan => WireDistance::Manhattan,
    }
}

fn field_type(index: IndexType) -> FieldType {
    match index {
        IndexType::Keyword => FieldType::Keyword,
        IndexType::Integer => FieldType::Integer,
        IndexType::Float => FieldType::Float,
        IndexType::Bool => FieldType::Bool,
        IndexType::Datetime => FieldType::Datetime,
        IndexType::Uuid => FieldType::Uuid,
        IndexType::Text => FieldType::Text,
        IndexType::Geo => FieldType::Geo,
    }
}
