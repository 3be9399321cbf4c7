//! The table. Bounds are those that the server checks.

use std::collections::BTreeMap;

use qdrant_client::qdrant::payload_index_params::IndexParams as Index;
use qdrant_client::qdrant::quantization_config::Quantization as Method;
use qdrant_client::qdrant::{
    BinaryQuantizationEncoding as Encoding, CompressionRatio as Ratio, Datatype, Distance, Modifier,
    MultiVectorComparator as Comparator, QuantizationType, ShardingMethod as Sharding, TextScoringType as Scored,
    TokenizerType as Tokenizer, TurboQuantBitSize as Bits,
    binary_quantization_query_encoding::Setting as QueryEncoding,
};

use super::slot::Slot::{
    Bool, Choice, Custom, Double, Languages, Large, Multivectors, Needed, Nowhere, Place, Prefix, Query, Ram, Scoring,
    Single, Size, Small, Sparse, Stemmer, Text, Threads, Word,
};
use super::slot::{Fields, Slot};
use super::{Kind, NONE, Parameter, Scope, Value};
use crate::IndexType;

const COLLECTION: &[Scope] = &[Scope::Collection];
const VECTOR: &[Scope] = &[Scope::Vector];
const BOTH: &[Scope] = &[Scope::Collection, Scope::Vector];
const SPARSE: &[Scope] = &[Scope::SparseVector];

const fn index(of: IndexType) -> Scope {
    Scope::PayloadIndex(of)
}

const KEYWORD: &[Scope] = &[index(IndexType::Keyword)];
const TEXT: &[Scope] = &[index(IndexType::Text)];
const INTEGER: &[Scope] = &[index(IndexType::Integer)];
const TENANT: &[Scope] = &[index(IndexType::Keyword), index(IndexType::Uuid)];
const PRINCIPAL: &[Scope] = &[index(IndexType::Integer), index(IndexType::Float), index(IndexType::Datetime)];
const EACH_INDEX: &[Scope] = &[
    index(IndexType::Keyword),
    index(IndexType::Integer),
    index(IndexType::Float),
    index(IndexType::Bool),
    index(IndexType::Datetime),
    index(IndexType::Uuid),
    index(IndexType::Text),
    index(IndexType::Geo),
];

const BOOL: Kind = Kind::Bool;
const FRACTION: Kind = Kind::Float { least: 0.0, most: 1.0 };
const DATATYPE: Kind = Kind::Word(&[
    ("float32", Datatype::Float32 as i32),
    ("uint8", Datatype::Uint8 as i32),
    ("float16", Datatype::Float16 as i32),
]);
const DISTANCE: Kind = Kind::Word(&[
    ("Cosine", Distance::Cosine as i32),
    ("Dot", Distance::Dot as i32),
    ("Euclid", Distance::Euclid as i32),
    ("Manhattan", Distance::Manhattan as i32),
]);
const SHARDING: Kind = Kind::Word(&[("auto", Sharding::Auto as i32), ("custom", Sharding::Custom as i32)]);
const RATIO: Kind = Kind::Word(&[
    ("x4", Ratio::X4 as i32),
    ("x8", Ratio::X8 as i32),
    ("x16", Ratio::X16 as i32),
    ("x32", Ratio::X32 as i32),
    ("x64", Ratio::X64 as i32),
]);
const ENCODING: Kind = Kind::Word(&[
    ("one_bit", Encoding::OneBit as i32),
    ("two_bits", Encoding::TwoBits as i32),
    ("one_and_half_bits", Encoding::OneAndHalfBits as i32),
]);
const QUERY_ENCODING: Kind = Kind::Word(&[
    ("default", QueryEncoding::Default as i32),
    ("binary", QueryEncoding::Binary as i32),
    ("scalar4bits", QueryEncoding::Scalar4Bits as i32),
    ("scalar8bits", QueryEncoding::Scalar8Bits as i32),
]);
const TOKENIZER: Kind = Kind::Word(&[
    ("word", Tokenizer::Word as i32),
    ("whitespace", Tokenizer::Whitespace as i32),
    ("prefix", Tokenizer::Prefix as i32),
    ("multilingual", Tokenizer::Multilingual as i32),
    ("code", Tokenizer::Code as i32),
]);
const SCORING: Kind = Kind::Word(&[(NONE, -1), ("bm25", Scored::Bm25 as i32)]);
const BITS: Kind = Kind::Word(&[
    ("bits1", Bits::Bits1 as i32),
    ("bits1_5", Bits::Bits15 as i32),
    ("bits2", Bits::Bits2 as i32),
    ("bits4", Bits::Bits4 as i32),
    ("bits8", Bits::Bits8 as i32),
]);
/// Those that Qdrant has stop words of.
const STOPWORDS: Kind = Kind::Set(&[
    "arabic",
    "azerbaijani",
    "basque",
    "bengali",
    "catalan",
    "chinese",
    "danish",
    "dutch",
    "english",
    "finnish",
    "french",
    "german",
    "greek",
    "hebrew",
    "hinglish",
    "hungarian",
    "indonesian",
    "italian",
    "japanese",
    "kazakh",
    "nepali",
    "norwegian",
    "portuguese",
    "romanian",
    "russian",
    "slovene",
    "spanish",
    "swedish",
    "tajik",
    "turkish",
]);
/// Those that Snowball has rules for.
const STEMMER: Kind = Kind::Name(&[
    NONE,
    "arabic",
    "armenian",
    "danish",
    "dutch",
    "english",
    "finnish",
    "french",
    "german",
    "greek",
    "hungarian",
    "italian",
    "norwegian",
    "portuguese",
    "romanian",
    "russian",
    "spanish",
    "swedish",
    "tamil",
    "turkish",
]);
const INT8: Kind = Kind::Word(&[("int8", QuantizationType::Int8 as i32)]);
const MAX_SIM: Kind = Kind::Word(&[("max_sim", Comparator::MaxSim as i32)]);
const MODIFIER: Kind = Kind::Word(&[(NONE, Modifier::None as i32), ("idf", Modifier::Idf as i32)]);
const METHOD: Kind = Kind::Choice(&[NONE, "scalar", "product", "binary", "turbo"]);

/// A number that fits what it is on the wire, 64 bits.
const fn long(least: u64) -> Kind {
    Kind::Integer { least, most: u64::MAX }
}

/// The same of 32 bits.
const fn short(least: u64) -> Kind {
    Kind::Integer { least, most: u32::MAX as u64 }
}

type At = fn(&mut Fields) -> Slot<'_>;

const fn row(path: &'static str, scopes: &'static [Scope], kind: Kind, about: &'static str, slot: At) -> Parameter {
    Parameter { path, scopes, kind, in_place: true, is_required: false, absent: None, about, slot }
}

impl Parameter {
    const fn rebuild(mut self) -> Self {
        self.in_place = false;
        self
    }

    const fn required(mut self) -> Self {
        self.is_required = true;
        self
    }

    const fn absent(mut self, value: &'static Value) -> Self {
        self.absent = Some(value);
        self
    }
}

const FALSE: &Value = &Value::Bool(false);
const TRUE: &Value = &Value::Bool(true);
const NO_WORDS: &Value = &Value::Set(Vec::new());
const NO_LIMITS: &Value = &Value::PerVector(BTreeMap::new());

/// A field of the index's own message, which is another for each type.
macro_rules! of_index {
    ($wrap:ident, $field:ident: $($variant:ident),+) => {
        |f| match &mut f.index { $(Some(Index::$variant(p)) => $wrap(&mut p.$field),)+ _ => Nowhere }
    };
}

macro_rules! of_each_index {
    ($p:ident => $slot:expr) => {
        |f| match &mut f.index {
            Some(Index::KeywordIndexParams($p)) => $slot,
            Some(Index::IntegerIndexParams($p)) => $slot,
            Some(Index::FloatIndexParams($p)) => $slot,
            Some(Index::BoolIndexParams($p)) => $slot,
            Some(Index::DatetimeIndexParams($p)) => $slot,
            Some(Index::UuidIndexParams($p)) => $slot,
            Some(Index::TextIndexParams($p)) => $slot,
            Some(Index::GeoIndexParams($p)) => $slot,
            None => Nowhere,
        }
    };
}

macro_rules! of_method {
    ($variant:ident($p:ident) => $slot:expr) => {
        |f| match &mut f.quantization {
            Some(Method::$variant($p)) => $slot,
            _ => Nowhere,
        }
    };
}

/// Every parameter that can be declared; a row is a line.
#[rustfmt::skip]
#[expect(deprecated, reason = "servers before 1.19 know no other way to say where data is kept")]
pub static PARAMETERS: &[Parameter] = &[
    // A collection.
    row("shard_number", COLLECTION, short(1), "shards that the points are spread over", |f| Small(&mut f.shard_number)).rebuild(),
    row("sharding_method", COLLECTION, SHARDING, "whether the server or the application chooses a point's shard", |f| Word(&mut f.sharding_method))
        .rebuild().absent(&Value::Word("auto")),
    row("replication_factor", COLLECTION, short(1), "replicas of each shard", |f| Small(&mut f.params.replication_factor)),
    row("write_consistency_factor", COLLECTION, short(1), "replicas that have to confirm a write", |f| Small(&mut f.params.write_consistency_factor)),
    row("read_fan_out_factor", COLLECTION, short(0), "further nodes that each read is sent to", |f| Small(&mut f.params.read_fan_out_factor)),
    row("read_fan_out_delay_ms", COLLECTION, long(0), "milliseconds before another replica is asked", |f| Large(&mut f.params.read_fan_out_delay_ms)),
    row("on_disk_payload", COLLECTION, BOOL, "keep payloads on disk instead of in memory", |f| Place(&mut f.params.on_disk_payload, &mut f.payload_memory)),
    // A dense vector.
    row("size", VECTOR, Kind::Integer { least: 1, most: 65536 }, "dimensions, as the embedding model gives them", |f| Size(&mut f.vector.size))
        .rebuild().required(),
    row("distance", VECTOR, DISTANCE, "how two vectors are compared", |f| Needed(&mut f.vector.distance)).rebuild().required(),
    row("datatype", VECTOR, DATATYPE, "what the numbers of a vector are stored as", |f| Word(&mut f.vector.datatype))
        .rebuild().absent(&Value::Word("float32")),
    row("multivector.comparator", VECTOR, MAX_SIM, "several vectors per point, and how they are compared", |f| Word(&mut f.comparator))
        .rebuild().required(),
    row("on_disk", VECTOR, BOOL, "keep the vectors on disk instead of in memory", |f| Place(&mut f.vector.on_disk, &mut f.vector.memory)).absent(FALSE),
    // A sparse vector.
    row("modifier", SPARSE, MODIFIER, "whether weights are multiplied by how rare a term is", |f| Word(&mut f.modifier)).absent(&Value::Word(NONE)),
    row("index.on_disk", SPARSE, BOOL, "keep the index on disk instead of in memory", |f| Place(&mut f.sparse.on_disk, &mut f.sparse.memory)).absent(FALSE),
    row("index.full_scan_threshold", SPARSE, long(0), "vectors up to which all are compared", |f| Large(&mut f.sparse.full_scan_threshold)),
    row("index.datatype", SPARSE, DATATYPE, "what the weights are stored as", |f| Word(&mut f.sparse.datatype))
        .rebuild().absent(&Value::Word("float32")),
    // The graph index: of the collection, and of a vector that has it otherwise.
    row("hnsw.m", BOTH, long(0), "links per point; 0 builds no graph", |f| Large(&mut f.hnsw.m)),
    row("hnsw.ef_construct", BOTH, long(4), "candidates that are looked at while the graph is built", |f| Large(&mut f.hnsw.ef_construct)),
    row("hnsw.full_scan_threshold", BOTH, long(0), "KiB of vectors up to which all are compared", |f| Large(&mut f.hnsw.full_scan_threshold)),
    row("hnsw.max_indexing_threads", BOTH, long(0), "threads that build the graph; 0 lets the server choose", |f| Large(&mut f.hnsw.max_indexing_threads)),
    row("hnsw.on_disk", BOTH, BOOL, "keep the graph on disk instead of in memory", |f| Place(&mut f.hnsw.on_disk, &mut f.hnsw.memory)),
    row("hnsw.payload_m", BOTH, long(0), "further links per point and indexed payload value", |f| Large(&mut f.hnsw.payload_m)),
    row("hnsw.inline_storage", BOTH, BOOL, "copies of the vectors in the graph's file", |f| Bool(&mut f.hnsw.inline_storage)),
    // Quantization, likewise.
    row("quantization", BOTH, METHOD, "a smaller copy of the vectors that is searched first", |f| Choice(&mut f.quantization)).absent(&Value::Word(NONE)),
    row("quantization.scalar.type", BOTH, INT8, "what a number becomes", of_method!(Scalar(p) => Needed(&mut p.r#type))),
    row("quantization.scalar.quantile", BOTH, Kind::Float { least: 0.5, most: 1.0 }, "the part of the numbers that is kept without clipping",
        of_method!(Scalar(p) => Single(&mut p.quantile))),
    row("quantization.scalar.always_ram", BOTH, BOOL, "keep the copy in memory", of_method!(Scalar(p) => Ram(&mut p.always_ram, &mut p.memory))),
    row("quantization.product.compression", BOTH, RATIO, "how much smaller the copy is", of_method!(Product(p) => Needed(&mut p.compression))).required(),
    row("quantization.product.always_ram", BOTH, BOOL, "keep the copy in memory", of_method!(Product(p) => Ram(&mut p.always_ram, &mut p.memory))),
    row("quantization.binary.encoding", BOTH, ENCODING, "bits per number", of_method!(Binary(p) => Word(&mut p.encoding))).absent(&Value::Word("one_bit")),
    row("quantization.binary.query_encoding", BOTH, QUERY_ENCODING, "what a query's numbers become", of_method!(Binary(p) => Query(&mut p.query_encoding)))
        .absent(&Value::Word("default")),
    row("quantization.binary.always_ram", BOTH, BOOL, "keep the copy in memory", of_method!(Binary(p) => Ram(&mut p.always_ram, &mut p.memory))),
    row("quantization.turbo.bits", BOTH, BITS, "bits per number", of_method!(Turboquant(p) => Word(&mut p.bits))).absent(&Value::Word("bits4")),
    row("quantization.turbo.always_ram", BOTH, BOOL, "keep the copy in memory", of_method!(Turboquant(p) => Ram(&mut p.always_ram, &mut p.memory))),
    // When segments are built anew.
    row("optimizers.deleted_threshold", COLLECTION, FRACTION, "part of deleted points from which a segment is cleaned", |f| Double(&mut f.optimizers.deleted_threshold)),
    row("optimizers.vacuum_min_vector_number", COLLECTION, long(100), "vectors from which a segment is cleaned", |f| Large(&mut f.optimizers.vacuum_min_vector_number)),
    row("optimizers.default_segment_number", COLLECTION, long(0), "segments per shard; 0 lets the server choose", |f| Large(&mut f.optimizers.default_segment_number)),
    row("optimizers.max_segment_size", COLLECTION, long(1), "KiB of vectors in a segment", |f| Large(&mut f.optimizers.max_segment_size)),
    row("optimizers.memmap_threshold", COLLECTION, long(0), "KiB of vectors from which a segment is on disk", |f| Large(&mut f.optimizers.memmap_threshold)),
    row("optimizers.indexing_threshold", COLLECTION, long(0), "KiB of vectors from which a segment has a graph; 0 builds none", |f| Large(&mut f.optimizers.indexing_threshold)),
    row("optimizers.flush_interval_sec", COLLECTION, long(1), "seconds between writes to disk", |f| Large(&mut f.optimizers.flush_interval_sec)),
    row("optimizers.max_optimization_threads", COLLECTION, long(0), "optimizations at a time and shard; 0 stops them", |f| Threads(&mut f.optimizers.max_optimization_threads)),
    row("optimizers.prevent_unoptimized", COLLECTION, BOOL, "leave new points out of answers until they are indexed", |f| Bool(&mut f.optimizers.prevent_unoptimized)),
    // The log of changes, which no server changes afterwards.
    row("wal.wal_capacity_mb", COLLECTION, long(1), "MiB of a file of the log", |f| Large(&mut f.wal.wal_capacity_mb)).rebuild(),
    row("wal.wal_segments_ahead", COLLECTION, long(0), "files that are made ahead", |f| Large(&mut f.wal.wal_segments_ahead)).rebuild(),
    row("wal.wal_retain_closed", COLLECTION, long(1), "full files that are kept", |f| Large(&mut f.wal.wal_retain_closed)).rebuild(),
    // What the server refuses.
    row("strict_mode.enabled", COLLECTION, BOOL, "whether the limits below hold", |f| Bool(&mut f.strict_mode.enabled)),
    row("strict_mode.max_query_limit", COLLECTION, short(1), "the largest `limit`", |f| Small(&mut f.strict_mode.max_query_limit)),
    row("strict_mode.max_timeout", COLLECTION, short(1), "the largest `timeout`, in seconds", |f| Small(&mut f.strict_mode.max_timeout)),
    row("strict_mode.unindexed_filtering_retrieve", COLLECTION, BOOL, "allow reads to filter by what has no index", |f| Bool(&mut f.strict_mode.unindexed_filtering_retrieve)),
    row("strict_mode.unindexed_filtering_update", COLLECTION, BOOL, "allow changes to filter by what has no index", |f| Bool(&mut f.strict_mode.unindexed_filtering_update)),
    row("strict_mode.search_max_hnsw_ef", COLLECTION, short(0), "the largest `hnsw_ef`", |f| Small(&mut f.strict_mode.search_max_hnsw_ef)),
    row("strict_mode.search_allow_exact", COLLECTION, BOOL, "allow exact searches", |f| Bool(&mut f.strict_mode.search_allow_exact)),
    row("strict_mode.search_max_oversampling", COLLECTION, Kind::Float { least: 0.0, most: 1e9 }, "the largest `oversampling`", |f| Single(&mut f.strict_mode.search_max_oversampling)),
    row("strict_mode.search_max_batchsize", COLLECTION, long(0), "searches in one request", |f| Large(&mut f.strict_mode.search_max_batchsize)),
    row("strict_mode.upsert_max_batchsize", COLLECTION, long(0), "points in one request", |f| Large(&mut f.strict_mode.upsert_max_batchsize)),
    row("strict_mode.max_collection_vector_size_bytes", COLLECTION, long(0), "bytes of all vectors", |f| Large(&mut f.strict_mode.max_collection_vector_size_bytes)),
    row("strict_mode.max_collection_payload_size_bytes", COLLECTION, long(0), "bytes of all payloads", |f| Large(&mut f.strict_mode.max_collection_payload_size_bytes)),
    row("strict_mode.max_points_count", COLLECTION, long(1), "points in the collection", |f| Large(&mut f.strict_mode.max_points_count)),
    row("strict_mode.max_payload_index_count", COLLECTION, long(0), "payload indexes of the collection", |f| Large(&mut f.strict_mode.max_payload_index_count)),
    row("strict_mode.read_rate_limit", COLLECTION, short(1), "reads per minute and replica", |f| Small(&mut f.strict_mode.read_rate_limit)),
    row("strict_mode.write_rate_limit", COLLECTION, short(1), "writes per minute and replica", |f| Small(&mut f.strict_mode.write_rate_limit)),
    row("strict_mode.filter_max_conditions", COLLECTION, long(0), "conditions in a filter", |f| Large(&mut f.strict_mode.filter_max_conditions)),
    row("strict_mode.condition_max_size", COLLECTION, long(0), "values in a condition", |f| Large(&mut f.strict_mode.condition_max_size)),
    row("strict_mode.max_resident_memory_percent", COLLECTION, Kind::Integer { least: 1, most: 100 }, "percent of the machine's memory from which writes are refused",
        |f| Small(&mut f.strict_mode.max_resident_memory_percent)),
    row("strict_mode.multivector_config", COLLECTION, Kind::PerVector("max_vectors"), "vectors of a point under this name", |f| Multivectors(&mut f.strict_mode.multivector_config))
        .absent(NO_LIMITS),
    row("strict_mode.sparse_config", COLLECTION, Kind::PerVector("max_length"), "weights of a sparse vector of this name", |f| Sparse(&mut f.strict_mode.sparse_config))
        .absent(NO_LIMITS),
    // A payload index. It is dropped and built again, which needs no point to be written.
    row("is_tenant", TENANT, BOOL, "keep the points of one value together", of_index!(Bool, is_tenant: KeywordIndexParams, UuidIndexParams)).absent(FALSE),
    row("prefix", KEYWORD, BOOL, "serve filters for the beginning of a value", of_index!(Prefix, prefix: KeywordIndexParams)).absent(FALSE),
    row("is_principal", PRINCIPAL, BOOL, "order the points by it", of_index!(Bool, is_principal: IntegerIndexParams, FloatIndexParams, DatetimeIndexParams)).absent(FALSE),
    row("lookup", INTEGER, BOOL, "serve filters for one value", of_index!(Bool, lookup: IntegerIndexParams)).absent(TRUE),
    row("range", INTEGER, BOOL, "serve filters for a range", of_index!(Bool, range: IntegerIndexParams)).absent(TRUE),
    row("tokenizer", TEXT, TOKENIZER, "how texts are cut into tokens", of_index!(Needed, tokenizer: TextIndexParams)),
    row("min_token_len", TEXT, long(0), "characters of the shortest token", of_index!(Large, min_token_len: TextIndexParams)),
    row("max_token_len", TEXT, long(1), "characters of the longest token", of_index!(Large, max_token_len: TextIndexParams)),
    row("lowercase", TEXT, BOOL, "make tokens lower case", of_index!(Bool, lowercase: TextIndexParams)).absent(TRUE),
    row("ascii_folding", TEXT, BOOL, "take the accents off letters", of_index!(Bool, ascii_folding: TextIndexParams)).absent(FALSE),
    row("phrase_matching", TEXT, BOOL, "serve filters for phrases", of_index!(Bool, phrase_matching: TextIndexParams)).absent(FALSE),
    row("stopwords.languages", TEXT, STOPWORDS, "whose stop words are left out", of_index!(Languages, stopwords: TextIndexParams)).absent(NO_WORDS),
    row("stopwords.custom", TEXT, Kind::Set(&[]), "further words that are left out", of_index!(Custom, stopwords: TextIndexParams)).absent(NO_WORDS),
    row("stemmer", TEXT, STEMMER, "the language whose endings are cut off words", of_index!(Stemmer, stemmer: TextIndexParams)).absent(&Value::Word(NONE)),
    row("scoring", TEXT, SCORING, "whether points can be ranked by the text", of_index!(Scoring, scoring: TextIndexParams)).absent(&Value::Word(NONE)),
    row("nested", EACH_INDEX, Kind::Text, "the array whose objects are indexed each by itself", of_each_index!(p => Text(&mut p.nested))),
    row("on_disk", EACH_INDEX, BOOL, "keep the index on disk instead of in memory", of_each_index!(p => Place(&mut p.on_disk, &mut p.memory))).absent(FALSE),
    row("enable_hnsw", EACH_INDEX, BOOL, "build the graph's further links for it", of_each_index!(p => Bool(&mut p.enable_hnsw))).absent(TRUE),
];
