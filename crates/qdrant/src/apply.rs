//! Carrying out a plan. Each step is one call that the server does whole or not at all, and the plan made after a
//! break holds what is left.

use std::collections::HashMap;

use qdrant_client::qdrant::alias_operations::Action;
use qdrant_client::qdrant::create_vector_name_request::VectorConfig;
use qdrant_client::qdrant::{
    AliasOperations, ChangeAliases, CreateAlias, CreateCollection, CreateFieldIndexCollection, CreateVectorNameRequest,
    DeleteAlias, DeleteFieldIndexCollection, DenseVectorCreationConfig, SparseVectorCreationConfig, Value as WireValue,
};

use crate::parameter::Scope;
use crate::wire::{self, Changed};
use crate::{Change, ChangeKind, CollectionSpec, Error, IndexSpec, Plan, Server, Settings, What, plan};

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
    /// [`Error::NotInPlace`] and [`Error::Changed`] before anything is done, [`Error::NotKept`] after all of it. After
    /// any other error the changes reported as done are there, and applying a new plan goes on from there.
    pub async fn apply(
        &self,
        declared: &[CollectionSpec],
        agreed: &Plan,
        extent: Extent,
        on_event: &mut dyn FnMut(Event<'_>),
    ) -> Result<Vec<Change>, Error> {
        let changes = agreed.applicable(extent)?;
        let live = self.live(declared).await?;
        if plan(declared, &live)?.changes != agreed.changes {
            return Err(Error::Changed);
        }
        let standing = live.standing(declared);
        for step in changes.chunk_by(|one, next| is_one_call(one, next)) {
            step.iter().for_each(|change| on_event(Event::Started(change)));
            self.make(&standing, step).await?;
            step.iter().for_each(|change| on_event(Event::Done(change)));
        }
        let made: Vec<_> = changes.into_iter().cloned().collect();
        if !made.is_empty() {
            let changes = not_kept(&made, &plan(declared, &self.live(declared).await?)?);
            if !changes.is_empty() {
                return Err(Error::NotKept { address: self.address(), changes });
            }
        }
        Ok(made)
    }

    pub(crate) async fn make(&self, declared: &[CollectionSpec], step: &[&Change]) -> Result<(), Error> {
        let Some(change) = step.first() else { return Ok(()) };
        let spec = declared.iter().find(|spec| spec.name == change.collection).ok_or(Error::Changed)?;
        match &change.what {
            What::Collection => self.create(spec, HashMap::new()).await?,
            What::PayloadIndex(path) => {
                let index = spec.payload_indexes.get(path).ok_or(Error::Changed)?;
                self.make_index(&spec.name, path, index, change.from.is_some()).await?;
            }
            What::Alias(_) => {
                let request = aliases_request(step);
                self.work("change the aliases", self.collections_api().update_aliases(request)).await?;
            }
            What::Vector(name) => self.add_vector(spec, name).await?,
            What::SparseVector(name) => self.add_sparse_vector(spec, name).await?,
            What::Parameter(_) | What::VectorParameter { .. } | What::SparseVectorParameter { .. } => {
                self.update(spec, &changed(step)).await?;
            }
        }
        Ok(())
    }

    /// Creates a collection with these notes in it.
    pub(crate) async fn create(
        &self,
        spec: &CollectionSpec,
        metadata: HashMap<String, WireValue>,
    ) -> Result<(), Error> {
        let doing = format!("create the collection {}", spec.name);
        let request = CreateCollection { metadata, ..wire::create(spec) };
        match self.work(&doing, self.collections_api().create(request)).await {
            Err(Error::Server { .. }) if self.info(&spec.name).await?.is_some() => return Err(Error::Changed),
            result => result?,
        };
        let later = spec.settings.of(Scope::Collection).map(|(parameter, _)| parameter.path);
        let collection: Vec<_> = later.filter(|path| wire::is_only_updated(path)).collect();
        if collection.is_empty() {
            return Ok(());
        }
        self.update(spec, &Changed { collection, ..Changed::default() }).await
    }

    async fn update(&self, spec: &CollectionSpec, changed: &Changed<'_>) -> Result<(), Error> {
        let there = self.info(&spec.name).await?.ok_or(Error::Changed)?.config.unwrap_or_default();
        let doing = format!("change the parameters of {}", spec.name);
        self.work(&doing, self.collections_api().update(wire::update(spec, changed, there))).await?;
        Ok(())
    }

    async fn add_vector(&self, spec: &CollectionSpec, name: &str) -> Result<(), Error> {
        let settings = spec.vectors.get(name).ok_or(Error::Changed)?;
        let wire = wire::vector(settings);
        let config = DenseVectorCreationConfig {
            size: wire.size,
            distance: wire.distance,
            multivector_config: wire.multivector_config,
            datatype: wire.datatype,
        };
        self.create_vector(spec, name, VectorConfig::DenseConfig(config)).await?;
        let paths = later(Scope::Vector, settings);
        if paths.is_empty() {
            return Ok(());
        }
        self.update(spec, &Changed { vectors: [(name, paths)].into(), ..Changed::default() }).await
    }

    async fn add_sparse_vector(&self, spec: &CollectionSpec, name: &str) -> Result<(), Error> {
        let settings = spec.sparse_vectors.get(name).ok_or(Error::Changed)?;
        let wire = wire::sparse(settings, |_| true);
        let datatype = wire.index.and_then(|index| index.datatype);
        let config = SparseVectorCreationConfig { modifier: wire.modifier, datatype };
        self.create_vector(spec, name, VectorConfig::SparseConfig(config)).await?;
        let mut paths = later(Scope::SparseVector, settings);
        paths.retain(|path| *path != "modifier");
        if paths.is_empty() {
            return Ok(());
        }
        self.update(spec, &Changed { sparse_vectors: [(name, paths)].into(), ..Changed::default() }).await
    }

    async fn create_vector(&self, spec: &CollectionSpec, name: &str, config: VectorConfig) -> Result<(), Error> {
        let request = CreateVectorNameRequest {
            collection_name: spec.name.clone(),
            wait: Some(true),
            vector_name: name.into(),
            vector_config: Some(config),
            ..CreateVectorNameRequest::default()
        };
        let doing = format!("add the vector {name} to {}", spec.name);
        self.work(&doing, self.points_api().create_vector_name(request)).await?;
        Ok(())
    }

    /// An index that is there otherwise is dropped first; what of it is not declared comes back as it was.
    async fn make_index(&self, collection: &str, path: &str, index: &IndexSpec, is_there: bool) -> Result<(), Error> {
        let mut there = None;
        if is_there {
            there = self.info(collection).await?.ok_or(Error::Changed)?.payload_schema.remove(path);
            self.drop_index(collection, path).await?;
        }
        let (field_type, field_index_params) = wire::index_request(index, there);
        let request = CreateFieldIndexCollection {
            collection_name: collection.into(),
            wait: Some(true),
            field_name: path.into(),
            field_type: Some(field_type.into()),
            field_index_params,
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

/// The changes that were made and are still to be made.
fn not_kept(made: &[Change], left: &Plan) -> Vec<Change> {
    let is_same = |one: &Change, other: &Change| {
        (&one.collection, &one.what, &one.to) == (&other.collection, &other.what, &other.to)
    };
    made.iter().filter(|change| left.changes.iter().any(|left| is_same(change, left))).cloned().collect()
}

/// What a vector is given only when it is there.
fn later(scope: Scope, settings: &Settings) -> Vec<&'static str> {
    settings.of(scope).filter(|(parameter, _)| parameter.in_place).map(|(parameter, _)| parameter.path).collect()
}

fn changed<'a>(step: &[&'a Change]) -> Changed<'a> {
    let mut changed = Changed::default();
    for change in step {
        match &change.what {
            What::Parameter(path) => changed.collection.push(path),
            What::VectorParameter { vector, path } => changed.vectors.entry(vector).or_default().push(path),
            What::SparseVectorParameter { vector, path } => {
                changed.sparse_vectors.entry(vector).or_default().push(path);
            }
            _ => {}
        }
    }
    changed
}

/// Each update of a collection's parameters makes the server look at all its segments again, so they go together; and
/// all aliases change in one moment.
fn is_one_call(one: &Change, next: &Change) -> bool {
    let is_alias = |change: &Change| matches!(change.what, What::Alias(_));
    (is_parameter(&one.what) && is_parameter(&next.what) && one.collection == next.collection)
        || (is_alias(one) && is_alias(next))
}

fn is_parameter(what: &What) -> bool {
    matches!(what, What::Parameter(_) | What::VectorParameter { .. } | What::SparseVectorParameter { .. })
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

#[cfg(test)]
mod tests {
    use super::not_kept;
    use crate::{Change, ChangeKind, Plan, What};

    /// What was made, what is left to do, and what of it the server did not keep.
    #[test]
    fn what_a_server_passes_over_is_noticed() {
        let change = |collection: &str, path, from: &str, to: &str| Change {
            collection: collection.into(),
            what: What::Parameter(path),
            kind: ChangeKind::InPlace,
            from: Some(from.into()),
            to: Some(to.into()),
        };
        let made = [change("a", "hnsw.m", "8", "16"), change("a", "hnsw.inline_storage", "not set", "true")];
        let left = |changes: &[Change]| Plan { changes: changes.to_vec(), undeclared: Vec::new() };
        assert_eq!(not_kept(&made, &left(&[])), []);
        assert_eq!(not_kept(&made, &left(&[made[1].clone()])), [made[1].clone()]);
        let others = [change("b", "hnsw.m", "8", "16"), change("a", "hnsw.m", "16", "32")];
        assert_eq!(not_kept(&made, &left(&others)), []);
    }
}
