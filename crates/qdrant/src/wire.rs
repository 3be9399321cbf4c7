//! Between the server's messages and the parameters: descriptions are taken apart, requests put together. Each message
//! stands here once; what is in them is the table's ([`crate::parameter`]).

use std::collections::HashMap;

use qdrant_client::qdrant::payload_index_params::IndexParams;
use qdrant_client::qdrant::quantization_config_diff::Quantization as QuantizationDiff;
use qdrant_client::qdrant::vectors_config::Config;
use qdrant_client::qdrant::vectors_config_diff::Config as ConfigDiff;
use qdrant_client::qdrant::{
    CollectionConfig, CollectionParamsDiff, CreateCollection, Disabled, FieldType, Memory, MultiVectorConfig,
    PayloadIndexParams, PayloadSchemaInfo, PayloadSchemaType, PayloadStorageParams, QuantizationConfig,
    QuantizationConfigDiff, SparseVectorConfig, SparseVectorParams, TokenizerType, UpdateCollection, VectorParams,
    VectorParamsDiff, VectorParamsDiffMap, VectorParamsMap, VectorsConfig, VectorsConfigDiff,
};

use crate::parameter::{Fields, NONE, Parameter, Quantization, Scope, Value};
use crate::{CollectionSpec, IndexSpec, IndexType, Settings};

/// A message, unless there is nothing in it.
fn given<T: Default + PartialEq>(message: T) -> Option<T> {
    (message != T::default()).then_some(message)
}

/// The vectors of a collection by name, the empty one for a vector without a name.
pub(crate) fn vectors(config: Option<VectorsConfig>) -> HashMap<String, VectorParams> {
    match config.and_then(|config| config.config) {
        None => HashMap::new(),
        Some(Config::Params(params)) => HashMap::from([(String::new(), params)]),
        Some(Config::ParamsMap(map)) => map.map,
    }
}

#[expect(deprecated, reason = "servers before 1.19 know no other way to say where data is kept")]
pub(crate) fn collection_fields(config: CollectionConfig) -> Fields {
    let params = config.params.unwrap_or_default();
    Fields {
        shard_number: Some(params.shard_number).filter(|number| *number > 0),
        sharding_method: params.sharding_method,
        params: CollectionParamsDiff {
            replication_factor: params.replication_factor,
            write_consistency_factor: params.write_consistency_factor,
            on_disk_payload: Some(params.on_disk_payload),
            read_fan_out_factor: params.read_fan_out_factor,
            read_fan_out_delay_ms: params.read_fan_out_delay_ms,
            ..CollectionParamsDiff::default()
        },
        payload_memory: params.payload.and_then(|payload| payload.memory),
        hnsw: config.hnsw_config.unwrap_or_default(),
        optimizers: config.optimizer_config.unwrap_or_default(),
        wal: config.wal_config.unwrap_or_default(),
        strict_mode: config.strict_mode_config.unwrap_or_default(),
        quantization: config.quantization_config.and_then(|config| config.quantization),
        ..Fields::default()
    }
}

pub(crate) fn vector_fields(mut params: VectorParams) -> Fields {
    Fields {
        hnsw: params.hnsw_config.take().unwrap_or_default(),
        quantization: params.quantization_config.take().and_then(|config| config.quantization),
        comparator: params.multivector_config.take().map(|config| config.comparator),
        vector: params,
        ..Fields::default()
    }
}

pub(crate) fn sparse_fields(params: SparseVectorParams) -> Fields {
    Fields { modifier: params.modifier, sparse: params.index.unwrap_or_default(), ..Fields::default() }
}

/// The type of an index and what is known of it; `None` for a type that this version of dbops does not know.
pub(crate) fn index_fields(info: PayloadSchemaInfo) -> Option<(IndexType, Fields)> {
    let index_type = match info.data_type() {
        PayloadSchemaType::Keyword => IndexType::Keyword,
        PayloadSchemaType::Integer => IndexType::Integer,
        PayloadSchemaType::Float => IndexType::Float,
        PayloadSchemaType::Bool => IndexType::Bool,
        PayloadSchemaType::Datetime => IndexType::Datetime,
        PayloadSchemaType::Uuid => IndexType::Uuid,
        PayloadSchemaType::Text => IndexType::Text,
        PayloadSchemaType::Geo => IndexType::Geo,
        PayloadSchemaType::UnknownType => return None,
    };
    let index = info.params.and_then(|params| params.index_params).unwrap_or_else(|| empty_index(index_type));
    Some((index_type, Fields { index: Some(index), ..Fields::default() }))
}

/// The parameters of an index that says nothing about itself: those that the server takes then.
fn empty_index(index_type: IndexType) -> IndexParams {
    match index_type {
        IndexType::Keyword => IndexParams::KeywordIndexParams(Default::default()),
        IndexType::Integer => IndexParams::IntegerIndexParams(Default::default()),
        IndexType::Float => IndexParams::FloatIndexParams(Default::default()),
        IndexType::Bool => IndexParams::BoolIndexParams(Default::default()),
        IndexType::Datetime => IndexParams::DatetimeIndexParams(Default::default()),
        IndexType::Uuid => IndexParams::UuidIndexParams(Default::default()),
        IndexType::Geo => IndexParams::GeoIndexParams(Default::default()),
        IndexType::Text => {
            let text =
                qdrant_client::qdrant::TextIndexParams { tokenizer: TokenizerType::Word.into(), ..Default::default() };
            IndexParams::TextIndexParams(text)
        }
    }
}

/// An index as it is asked for: as declared, in all else as it is `there`. Parameters are sent only if there are any,
/// for older servers know none of some types.
pub(crate) fn index_request(
    spec: &IndexSpec,
    there: Option<PayloadSchemaInfo>,
) -> (FieldType, Option<PayloadIndexParams>) {
    let field_type = match spec.index_type {
        IndexType::Keyword => FieldType::Keyword,
        IndexType::Integer => FieldType::Integer,
        IndexType::Float => FieldType::Float,
        IndexType::Bool => FieldType::Bool,
        IndexType::Datetime => FieldType::Datetime,
        IndexType::Uuid => FieldType::Uuid,
        IndexType::Text => FieldType::Text,
        IndexType::Geo => FieldType::Geo,
    };
    let there = there.and_then(index_fields).filter(|(index_type, _)| *index_type == spec.index_type);
    let mut index = there.and_then(|(_, fields)| fields.index).unwrap_or_else(|| empty_index(spec.index_type));
    let empty = empty_index(spec.index_type);
    let mut fields = Fields { index: Some(index), ..Fields::default() };
    spec.settings.write(Scope::PayloadIndex(spec.index_type), &mut fields, |_| true);
    index = fields.index.unwrap_or_else(|| empty.clone());
    let params = (index != empty).then_some(PayloadIndexParams { index_params: Some(index) });
    (field_type, params)
}

#[expect(deprecated, reason = "servers before 1.19 know no other way to say where data is kept")]
pub(crate) fn create(spec: &CollectionSpec) -> CreateCollection {
    let Fields { shard_number, sharding_method, params, hnsw, optimizers, wal, strict_mode, quantization, .. } =
        spec.settings.fields(Scope::Collection, |_| true);
    let config = match spec.vectors.get("") {
        Some(unnamed) => Config::Params(vector(unnamed)),
        None => Config::ParamsMap(VectorParamsMap {
            map: spec.vectors.iter().map(|(name, settings)| (name.clone(), vector(settings))).collect(),
        }),
    };
    let sparse = spec.sparse_vectors.iter().map(|(name, settings)| (name.clone(), sparse(settings, |_| true)));
    CreateCollection {
        collection_name: spec.name.clone(),
        shard_number,
        sharding_method,
        replication_factor: params.replication_factor,
        write_consistency_factor: params.write_consistency_factor,
        on_disk_payload: params.on_disk_payload,
        hnsw_config: given(hnsw),
        optimizers_config: given(optimizers),
        wal_config: given(wal),
        strict_mode_config: given(strict_mode),
        quantization_config: quantization.map(|method| QuantizationConfig { quantization: Some(method) }),
        vectors_config: Some(VectorsConfig { config: Some(config) }),
        sparse_vectors_config: given(SparseVectorConfig { map: sparse.collect() }),
        ..CreateCollection::default()
    }
}

/// Whether a collection cannot be created with this parameter, only be given it afterwards.
pub(crate) fn is_only_updated(path: &str) -> bool {
    matches!(path, "read_fan_out_factor" | "read_fan_out_delay_ms")
}

/// A vector as it is created.
pub(crate) fn vector(settings: &Settings) -> VectorParams {
    let Fields { vector, hnsw, quantization, comparator, .. } = settings.fields(Scope::Vector, |_| true);
    VectorParams {
        hnsw_config: given(hnsw),
        quantization_config: quantization.map(|method| QuantizationConfig { quantization: Some(method) }),
        multivector_config: comparator.map(|comparator| MultiVectorConfig { comparator }),
        ..vector
    }
}

/// A sparse vector with those parameters that `is_wanted` chooses.
pub(crate) fn sparse(settings: &Settings, is_wanted: impl Fn(&Parameter) -> bool) -> SparseVectorParams {
    let fields = settings.fields(Scope::SparseVector, is_wanted);
    SparseVectorParams { modifier: fields.modifier, index: given(fields.sparse) }
}

/// What of a collection is changed: paths of parameters.
#[derive(Debug, Default)]
pub(crate) struct Changed<'a> {
    pub(crate) collection: Vec<&'a str>,
    pub(crate) vectors: HashMap<&'a str, Vec<&'a str>>,
    pub(crate) sparse_vectors: HashMap<&'a str, Vec<&'a str>>,
}

/// Only what differs is sent, so that nothing else of the collection is disturbed.
#[expect(deprecated, reason = "servers before 1.19 know no other way to say where data is kept")]
pub(crate) fn update(spec: &CollectionSpec, changed: &Changed<'_>, there: CollectionConfig) -> UpdateCollection {
    let there_params = there.params.clone().unwrap_or_default();
    let mut fields = spec.settings.fields(Scope::Collection, |it| changed.collection.contains(&it.path));
    let payload = there_params.payload.and_then(|payload| payload.memory);
    let payload = placed(payload, fields.params.on_disk_payload);
    fields.params.payload = payload.map(|memory| PayloadStorageParams { memory: Some(memory) });
    fields.hnsw.memory = placed(there.hnsw_config.and_then(|hnsw| hnsw.memory), fields.hnsw.on_disk);
    UpdateCollection {
        collection_name: spec.name.clone(),
        params: given(fields.params),
        hnsw_config: given(fields.hnsw),
        optimizers_config: given(fields.optimizers),
        strict_mode_config: given(fields.strict_mode),
        quantization_config: quantization(
            Scope::Collection,
            &spec.settings,
            &changed.collection,
            there.quantization_config,
        ),
        sparse_vectors_config: sparse_update(spec, changed, there_params.sparse_vectors_config.unwrap_or_default()),
        vectors_config: vectors_update(spec, changed, vectors(there_params.vectors_config)),
        ..UpdateCollection::default()
    }
}

/// A server that was told in its newer way where something is kept goes by that alone.
fn placed(there: Option<i32>, on_disk: Option<bool>) -> Option<i32> {
    there.and(on_disk).map(|on_disk| if on_disk { Memory::Cold } else { Memory::Cached }.into())
}

fn vectors_update(
    spec: &CollectionSpec,
    changed: &Changed<'_>,
    there: HashMap<String, VectorParams>,
) -> Option<VectorsConfigDiff> {
    let diffs = spec.vectors.iter().filter_map(|(name, settings)| {
        let paths = changed.vectors.get(name.as_str())?;
        Some((name.clone(), vector_update(settings, paths, there.get(name).copied().unwrap_or_default())))
    });
    let mut diffs: HashMap<_, _> = diffs.collect();
    let config = match diffs.remove("") {
        Some(unnamed) => ConfigDiff::Params(unnamed),
        None if diffs.is_empty() => return None,
        None => ConfigDiff::ParamsMap(VectorParamsDiffMap { map: diffs }),
    };
    Some(VectorsConfigDiff { config: Some(config) })
}

#[expect(deprecated, reason = "servers before 1.19 know no other way to say where data is kept")]
fn vector_update(settings: &Settings, paths: &[&str], there: VectorParams) -> VectorParamsDiff {
    let Fields { mut hnsw, vector, .. } = settings.fields(Scope::Vector, |it| paths.contains(&it.path));
    hnsw.memory = placed(there.hnsw_config.and_then(|hnsw| hnsw.memory), hnsw.on_disk);
    VectorParamsDiff {
        hnsw_config: given(hnsw),
        quantization_config: quantization(Scope::Vector, settings, paths, there.quantization_config),
        on_disk: vector.on_disk,
        memory: placed(there.memory, vector.on_disk),
    }
}

#[expect(deprecated, reason = "servers before 1.19 know no other way to say where data is kept")]
fn sparse_update(
    spec: &CollectionSpec,
    changed: &Changed<'_>,
    there: SparseVectorConfig,
) -> Option<SparseVectorConfig> {
    let update = spec.sparse_vectors.iter().filter_map(|(name, settings)| {
        let paths = changed.sparse_vectors.get(name.as_str())?;
        let mut update = sparse(settings, |it| paths.contains(&it.path));
        let there = there.map.get(name).and_then(|vector| vector.index);
        if let Some(index) = &mut update.index {
            index.memory = placed(there.and_then(|index| index.memory), index.on_disk);
        }
        Some((name.clone(), update))
    });
    given(SparseVectorConfig { map: update.collect() })
}

/// The server takes quantization whole: what is declared, in all else what is `there`.
fn quantization(
    scope: Scope,
    settings: &Settings,
    paths: &[&str],
    there: Option<QuantizationConfig>,
) -> Option<QuantizationConfigDiff> {
    let is_part = |path: &str| path == "quantization" || path.starts_with("quantization.");
    paths.iter().find(|path| is_part(path))?;
    let mut fields = Fields { quantization: there.and_then(|there| there.quantization), ..Fields::default() };
    settings.write(scope, &mut fields, |it| is_part(it.path));
    let off = settings.get("quantization") == Some(Value::Word(NONE));
    let quantization = match fields.quantization.filter(|_| !off) {
        None => QuantizationDiff::Disabled(Disabled {}),
        Some(Quantization::Scalar(scalar)) => QuantizationDiff::Scalar(scalar),
        Some(Quantization::Product(product)) => QuantizationDiff::Product(product),
        Some(Quantization::Binary(binary)) => QuantizationDiff::Binary(binary),
        Some(Quantization::Turboquant(turbo)) => QuantizationDiff::Turboquant(turbo),
    };
    Some(QuantizationConfigDiff { quantization: Some(quantization) })
}
