//! Quantization in JSON, in both directions.

#![expect(deprecated, reason = "Qdrant 1.20 deprecates `always_ram` for `memory`, which Qdrant 1.18 does not know")]

use qdrant_client::qdrant::binary_quantization_query_encoding::{Setting, Variant as QueryVariant};
use qdrant_client::qdrant::quantization_config::Quantization as Message;
use qdrant_client::qdrant::quantization_config_diff::Quantization as MessageDiff;
use qdrant_client::qdrant::{
    BinaryQuantization, BinaryQuantizationEncoding, BinaryQuantizationQueryEncoding, CompressionRatio,
    Disabled as DisabledMessage, ProductQuantization, QuantizationConfig, QuantizationConfigDiff, QuantizationType,
    ScalarQuantization, TurboQuantBitSize, TurboQuantization,
};
use serde::{Deserialize, Serialize};

use super::config::words;

/// How vectors are made smaller.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Quantization {
    Scalar(Scalar),
    Product(Product),
    Binary(Binary),
    Turbo(Turbo),
}

/// A change of it: another, or none.
#[derive(Debug, Deserialize)]
#[serde(untagged, expecting = "expected a quantization (scalar, product, binary or turbo) or \"Disabled\"")]
pub(super) enum QuantizationDiff {
    Disabled(Disabled),
    To(Quantization),
}

/// None.
#[derive(Debug, Deserialize)]
pub(super) enum Disabled {
    Disabled,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Scalar {
    r#type: ScalarWord,
    #[serde(skip_serializing_if = "Option::is_none")]
    quantile: Option<f32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    always_ram: Option<bool>,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Product {
    compression: CompressionWord,
    #[serde(skip_serializing_if = "Option::is_none")]
    always_ram: Option<bool>,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Binary {
    #[serde(skip_serializing_if = "Option::is_none")]
    always_ram: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    encoding: Option<EncodingWord>,
    #[serde(skip_serializing_if = "Option::is_none")]
    query_encoding: Option<QueryWord>,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Turbo {
    #[serde(skip_serializing_if = "Option::is_none")]
    always_ram: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bits: Option<BitsWord>,
}

words! {
    /// The type of numbers that scalar quantization makes.
    ScalarWord = QuantizationType { "int8" Int8 }
}

words! {
    /// How much smaller product quantization makes a vector.
    CompressionWord = CompressionRatio { "x4" X4, "x8" X8, "x16" X16, "x32" X32, "x64" X64 }
}

words! {
    /// The bits of binary quantization.
    EncodingWord = BinaryQuantizationEncoding {
        "one_bit" OneBit, "two_bits" TwoBits, "one_and_half_bits" OneAndHalfBits,
    }
}

words! {
    /// What becomes of the vector of a query.
    QueryWord = Setting {
        "default" Default, "binary" Binary, "scalar4bits" Scalar4Bits, "scalar8bits" Scalar8Bits,
    }
}

words! {
    /// The bits of TurboQuant.
    BitsWord = TurboQuantBitSize { "bits1" Bits1, "bits1_5" Bits15, "bits2" Bits2, "bits4" Bits4, "bits8" Bits8 }
}

impl From<Quantization> for Message {
    fn from(json: Quantization) -> Self {
        match json {
            Quantization::Scalar(json) => Self::Scalar(ScalarQuantization {
                r#type: json.r#type.into(),
                quantile: json.quantile,
                always_ram: json.always_ram,
                ..ScalarQuantization::default()
            }),
            Quantization::Product(json) => Self::Product(ProductQuantization {
                compression: json.compression.into(),
                always_ram: json.always_ram,
                ..ProductQuantization::default()
            }),
            Quantization::Binary(json) => Self::Binary(BinaryQuantization {
                always_ram: json.always_ram,
                encoding: json.encoding.map(Into::into),
                query_encoding: json
                    .query_encoding
                    .map(|word| BinaryQuantizationQueryEncoding { variant: Some(QueryVariant::Setting(word.into())) }),
                ..BinaryQuantization::default()
            }),
            Quantization::Turbo(json) => Self::Turboquant(TurboQuantization {
                always_ram: json.always_ram,
                bits: json.bits.map(Into::into),
                ..TurboQuantization::default()
            }),
        }
    }
}

impl From<Quantization> for QuantizationConfig {
    fn from(json: Quantization) -> Self {
        Self { quantization: Some(json.into()) }
    }
}

impl From<QuantizationDiff> for QuantizationConfigDiff {
    fn from(json: QuantizationDiff) -> Self {
        let quantization = match json {
            QuantizationDiff::Disabled(Disabled::Disabled) => MessageDiff::Disabled(DisabledMessage {}),
            QuantizationDiff::To(json) => match json.into() {
                Message::Scalar(scalar) => MessageDiff::Scalar(scalar),
                Message::Product(product) => MessageDiff::Product(product),
                Message::Binary(binary) => MessageDiff::Binary(binary),
                Message::Turboquant(turbo) => MessageDiff::Turboquant(turbo),
            },
        };
        Self { quantization: Some(quantization) }
    }
}

impl Quantization {
    /// What a collection has; `None` if it is none of those that Qdrant 1.18 knows.
    pub(super) fn of(message: QuantizationConfig) -> Option<Self> {
        Some(match message.quantization? {
            Message::Scalar(message) => Self::Scalar(Scalar {
                r#type: message.r#type.try_into().ok()?,
                quantile: message.quantile,
                always_ram: message.always_ram,
            }),
            Message::Product(message) => Self::Product(Product {
                compression: message.compression.try_into().ok()?,
                always_ram: message.always_ram,
            }),
            Message::Binary(message) => Self::Binary(Binary {
                always_ram: message.always_ram,
                encoding: message.encoding.and_then(|number| number.try_into().ok()),
                query_encoding: message.query_encoding.and_then(|encoding| match encoding.variant? {
                    QueryVariant::Setting(number) => number.try_into().ok(),
                }),
            }),
            Message::Turboquant(message) => Self::Turbo(Turbo {
                always_ram: message.always_ram,
                bits: message.bits.and_then(|number| number.try_into().ok()),
            }),
        })
    }
}
