//! Where parameters stand in the server's messages.

use qdrant_client::qdrant::binary_quantization_query_encoding::Variant;
use qdrant_client::qdrant::max_optimization_threads::Variant as ThreadsVariant;
use qdrant_client::qdrant::payload_index_params::IndexParams;
pub(crate) use qdrant_client::qdrant::quantization_config::Quantization;
use qdrant_client::qdrant::stemming_algorithm::StemmingParams;
use qdrant_client::qdrant::{
    BinaryQuantizationQueryEncoding, CollectionParamsDiff, HnswConfigDiff, KeywordPrefixParams, MaxOptimizationThreads,
    Memory, OptimizersConfigDiff, QuantizationType, ScalarQuantization, SnowballParams, SparseIndexConfig,
    StemmingAlgorithm, StopwordsSet, StrictModeConfig, StrictModeMultivector, StrictModeMultivectorConfig,
    StrictModeSparse, StrictModeSparseConfig, TextScoringParams, VectorParams, WalConfigDiff,
};

use super::{Kind, NONE, UNKNOWN, Value, sorted};

/// What parameters stand in: of a collection, a vector or an index, filled as far as it has such. Descriptions are
/// brought into this form and requests made from it (see [`crate::wire`]).
#[derive(Debug, Clone, Default)]
pub(crate) struct Fields {
    pub(crate) shard_number: Option<u32>,
    pub(crate) sharding_method: Option<i32>,
    pub(crate) params: CollectionParamsDiff,
    pub(crate) payload_memory: Option<i32>,
    pub(crate) hnsw: HnswConfigDiff,
    pub(crate) optimizers: OptimizersConfigDiff,
    pub(crate) wal: WalConfigDiff,
    pub(crate) strict_mode: StrictModeConfig,
    pub(crate) quantization: Option<Quantization>,
    /// Without the messages in it, which stand here beside it.
    pub(crate) vector: VectorParams,
    pub(crate) comparator: Option<i32>,
    pub(crate) modifier: Option<i32>,
    pub(crate) sparse: SparseIndexConfig,
    pub(crate) index: Option<IndexParams>,
}

/// A field of a message.
pub(super) enum Slot<'a> {
    /// The message that it would stand in is not there.
    Nowhere,
    Bool(&'a mut Option<bool>),
    /// Whether something is on disk. The newer setting beside it overrides it where a server knows both.
    Place(&'a mut Option<bool>, &'a mut Option<i32>),
    /// The same of what is in memory whatever else is on disk.
    Ram(&'a mut Option<bool>, &'a mut Option<i32>),
    Small(&'a mut Option<u32>),
    Large(&'a mut Option<u64>),
    /// Never absent; 0 is none.
    Size(&'a mut u64),
    Single(&'a mut Option<f32>),
    Double(&'a mut Option<f64>),
    Word(&'a mut Option<i32>),
    /// A word that is never absent.
    Needed(&'a mut i32),
    Threads(&'a mut Option<MaxOptimizationThreads>),
    Query(&'a mut Option<BinaryQuantizationQueryEncoding>),
    Choice(&'a mut Option<Quantization>),
    /// A message that is there or not.
    Prefix(&'a mut Option<KeywordPrefixParams>),
    Languages(&'a mut Option<StopwordsSet>),
    Custom(&'a mut Option<StopwordsSet>),
    Stemmer(&'a mut Option<StemmingAlgorithm>),
    Scoring(&'a mut Option<TextScoringParams>),
    Multivectors(&'a mut Option<StrictModeMultivectorConfig>),
    Sparse(&'a mut Option<StrictModeSparseConfig>),
    Text(&'a mut Option<String>),
}

impl Slot<'_> {
    pub(super) fn get(self, kind: &Kind) -> Option<Value> {
        match self {
            Self::Nowhere => None,
            Self::Bool(slot) => slot.map(Value::Bool),
            Self::Place(on_disk, memory) => is_cold(*memory).or(*on_disk).map(Value::Bool),
            Self::Ram(always, memory) => is_cold(*memory).map(|cold| !cold).or(*always).map(Value::Bool),
            Self::Small(slot) => slot.map(|number| Value::Integer(number.into())),
            Self::Large(slot) => slot.map(Value::Integer),
            Self::Size(slot) => Some(Value::Integer(*slot)).filter(|_| *slot > 0),
            // The shortest number that is this one: 0.99 and not 0.9900000095.
            Self::Single(slot) => slot.and_then(|number| number.to_string().parse().ok()).map(Value::Float),
            Self::Double(slot) => slot.map(Value::Float),
            Self::Word(slot) => slot.map(|number| word(kind, number)),
            Self::Needed(slot) => Some(word(kind, *slot)),
            Self::Threads(slot) => match slot.and_then(|threads| threads.variant)? {
                ThreadsVariant::Value(number) => Some(Value::Integer(number)),
                ThreadsVariant::Setting(_) => None,
            },
            Self::Query(slot) => {
                let Variant::Setting(number) = slot.and_then(|encoding| encoding.variant)?;
                Some(word(kind, number))
            }
            Self::Choice(slot) => slot.as_ref().map(|method| {
                Value::Word(match method {
                    Quantization::Scalar(_) => "scalar",
                    Quantization::Product(_) => "product",
                    Quantization::Binary(_) => "binary",
                    Quantization::Turboquant(_) => "turbo",
                })
            }),
            Self::Prefix(slot) => Some(Value::Bool(slot.is_some())),
            Self::Languages(slot) => slot.as_ref().map(|set| Value::Set(sorted(set.languages.clone()))),
            Self::Custom(slot) => slot.as_ref().map(|set| Value::Set(sorted(set.custom.clone()))),
            Self::Stemmer(slot) => Some(Value::Word(match slot.as_ref()?.stemming_params.as_ref()? {
                StemmingParams::Snowball(snowball) => name(kind, &snowball.language),
                StemmingParams::Disabled(_) => NONE,
            })),
            Self::Scoring(slot) => slot.map(|scoring| word(kind, scoring.r#type)),
            Self::Multivectors(slot) => slot.as_ref().map(|config| {
                let limit =
                    |(name, limits): (&String, &StrictModeMultivector)| Some((name.clone(), limits.max_vectors?));
                Value::PerVector(config.multivector_config.iter().filter_map(limit).collect())
            }),
            Self::Sparse(slot) => slot.as_ref().map(|config| {
                let limit = |(name, limits): (&String, &StrictModeSparse)| Some((name.clone(), limits.max_length?));
                Value::PerVector(config.sparse_config.iter().filter_map(limit).collect())
            }),
            Self::Text(slot) => slot.clone().map(Value::Text),
        }
    }

    pub(super) fn put(self, kind: &Kind, value: Value) {
        match (self, value) {
            (Self::Bool(slot), Value::Bool(value)) => *slot = Some(value),
            (Self::Place(older, newer) | Self::Ram(older, newer), Value::Bool(value)) => {
                (*older, *newer) = (Some(value), None);
            }
            (Self::Small(slot), Value::Integer(value)) => *slot = Some(u32::try_from(value).unwrap_or(u32::MAX)),
            (Self::Large(slot), Value::Integer(value)) => *slot = Some(value),
            (Self::Size(slot), Value::Integer(value)) => *slot = value,
            #[expect(clippy::cast_possible_truncation, reason = "the wire has no more digits, see `rounded`")]
            (Self::Single(slot), Value::Float(value)) => *slot = Some(value as f32),
            (Self::Double(slot), Value::Float(value)) => *slot = Some(value),
            (Self::Word(slot), Value::Word(word)) => *slot = number(kind, word),
            (Self::Needed(slot), Value::Word(word)) => *slot = number(kind, word).unwrap_or_default(),
            (Self::Threads(slot), Value::Integer(value)) => {
                *slot = Some(MaxOptimizationThreads { variant: Some(ThreadsVariant::Value(value)) });
            }
            (Self::Query(slot), Value::Word(word)) => {
                let variant = number(kind, word).map(Variant::Setting);
                *slot = Some(BinaryQuantizationQueryEncoding { variant });
            }
            (Self::Choice(slot), Value::Word(word)) => choose(slot, word),
            (Self::Prefix(slot), Value::Bool(value)) => *slot = value.then_some(KeywordPrefixParams {}),
            (Self::Languages(slot), Value::Set(words)) => stop(slot, |set| set.languages = words),
            (Self::Custom(slot), Value::Set(words)) => stop(slot, |set| set.custom = words),
            (Self::Stemmer(slot), Value::Word(word)) => {
                let snowball = StemmingParams::Snowball(SnowballParams { language: word.into() });
                *slot = (word != NONE).then_some(StemmingAlgorithm { stemming_params: Some(snowball) });
            }
            (Self::Scoring(slot), Value::Word(word)) => {
                let scoring = number(kind, word).filter(|_| word != NONE);
                *slot = scoring.map(|number| TextScoringParams { r#type: number });
            }
            (Self::Multivectors(slot), Value::PerVector(limits)) => {
                let limit = |(name, limit)| (name, StrictModeMultivector { max_vectors: Some(limit) });
                *slot =
                    Some(StrictModeMultivectorConfig { multivector_config: limits.into_iter().map(limit).collect() });
            }
            (Self::Sparse(slot), Value::PerVector(limits)) => {
                let limit = |(name, limit)| (name, StrictModeSparse { max_length: Some(limit) });
                *slot = Some(StrictModeSparseConfig { sparse_config: limits.into_iter().map(limit).collect() });
            }
            (Self::Text(slot), Value::Text(text)) => *slot = Some(text),
            // The file's reader lets no other value through.
            _ => {}
        }
    }
}

fn is_cold(memory: Option<i32>) -> Option<bool> {
    match Memory::try_from(memory?) {
        Ok(Memory::Cold) => Some(true),
        Ok(Memory::Cached | Memory::Pinned) => Some(false),
        Ok(Memory::Unknown) | Err(_) => None,
    }
}

/// What is chosen already keeps its own parameters.
fn choose(slot: &mut Option<Quantization>, word: &str) {
    *slot = match (word, slot.take()) {
        ("scalar", Some(old @ Quantization::Scalar(_)))
        | ("product", Some(old @ Quantization::Product(_)))
        | ("binary", Some(old @ Quantization::Binary(_)))
        | ("turbo", Some(old @ Quantization::Turboquant(_))) => Some(old),
        ("scalar", _) => {
            let scalar = ScalarQuantization { r#type: QuantizationType::Int8.into(), ..Default::default() };
            Some(Quantization::Scalar(scalar))
        }
        ("product", _) => Some(Quantization::Product(Default::default())),
        ("binary", _) => Some(Quantization::Binary(Default::default())),
        ("turbo", _) => Some(Quantization::Turboquant(Default::default())),
        (NONE, _) => None,
        (_, old) => old,
    };
}

/// A set without any words is none.
fn stop(slot: &mut Option<StopwordsSet>, change: impl FnOnce(&mut StopwordsSet)) {
    let mut set = slot.take().unwrap_or_default();
    change(&mut set);
    *slot = Some(set).filter(|set| *set != StopwordsSet::default());
}

/// The name as the table has it; servers tell it as it was sent to them.
fn name(kind: &Kind, sent: &str) -> &'static str {
    let Kind::Name(names) = kind else { return UNKNOWN };
    names.iter().find(|name| name.eq_ignore_ascii_case(sent)).copied().unwrap_or(UNKNOWN)
}

fn word(kind: &Kind, number: i32) -> Value {
    let Kind::Word(words) = kind else { return Value::Word(UNKNOWN) };
    Value::Word(words.iter().find(|(_, known)| *known == number).map_or(UNKNOWN, |(word, _)| *word))
}

fn number(kind: &Kind, word: &str) -> Option<i32> {
    let Kind::Word(words) = kind else { return None };
    words.iter().find(|(known, _)| *known == word).map(|(_, number)| *number)
}
