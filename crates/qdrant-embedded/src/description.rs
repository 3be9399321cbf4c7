//! `collection.json`: a collection's name, configuration and payload schema.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::ensure;
use prost::Message;
use qdrant_client::qdrant::{CollectionConfig, CollectionInfo, PayloadSchemaInfo};
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::files;

/// The format of the file that this server writes and reads.
const FORMAT: u32 = 1;

/// What is known of a collection besides its points.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Description {
    /// The name it was created with.
    pub(crate) name: String,
    /// The configuration, whole.
    pub(crate) config: CollectionConfig,
    /// The payload indexes by field, without the number of their points.
    pub(crate) schema: BTreeMap<String, PayloadSchemaInfo>,
    /// The directory of the collection in whose place it was put by a recovery. If that is still there, a kill came
    /// between.
    pub(crate) replaces: Option<String>,
}

/// The file. Configuration and schema are in wire form, in hexadecimal: they have some two hundred fields, none of
/// which may be lost, and more with every release of Qdrant.
#[derive(Debug, Serialize, Deserialize)]
struct File {
    format: u32,
    name: String,
    info: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    replaces: Option<String>,
}

impl Description {
    /// Writes the file, whole or not at all.
    pub(crate) fn write(&self, path: &Path) -> Result<()> {
        let info = CollectionInfo {
            config: Some(self.config.clone()),
            payload_schema: self.schema.clone().into_iter().collect(),
            ..CollectionInfo::default()
        };
        let file = File {
            format: FORMAT,
            name: self.name.clone(),
            info: files::hexadecimal(&info.encode_to_vec()),
            replaces: self.replaces.clone(),
        };
        let json = serde_json::to_vec_pretty(&file).map_err(|error| Error::Internal(error.to_string()))?;
        Ok(files::write_atomically(path, &json)?)
    }

    /// Reads the file.
    pub(crate) fn read(path: &Path) -> anyhow::Result<Self> {
        Self::parse(&fs::read(path)?)
    }

    /// Reads the file's content.
    pub(crate) fn parse(bytes: &[u8]) -> anyhow::Result<Self> {
        let file: File = serde_json::from_slice(bytes)?;
        ensure!(file.format == FORMAT, "it has format {}, and this server knows format {FORMAT}", file.format);
        let bytes = file
            .info
            .as_bytes()
            .chunks(2)
            .map(|pair| Ok(u8::from_str_radix(std::str::from_utf8(pair)?, 16)?))
            .collect::<anyhow::Result<Vec<u8>>>()?;
        let info = CollectionInfo::decode(bytes.as_slice())?;
        Ok(Self {
            name: file.name,
            config: info.config.unwrap_or_default(),
            schema: info.payload_schema.into_iter().collect(),
            replaces: file.replaces,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_comes_back_and_another_format_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("collection.json");
        let schema = PayloadSchemaInfo { data_type: 1, params: None, points: None };
        let description = Description {
            name: "ü".to_owned(),
            config: CollectionConfig { hnsw_config: Some(Default::default()), ..Default::default() },
            schema: BTreeMap::from([("metadata.source".to_owned(), schema)]),
            replaces: Some("00000000-0000-0000-0000-000000000000".to_owned()),
        };
        description.write(&path).unwrap();
        assert_eq!(Description::read(&path).unwrap(), description);

        let json = fs::read_to_string(&path).unwrap();
        fs::write(&path, json.replace("\"format\": 1", "\"format\": 2")).unwrap();
        let refused = Description::read(&path).unwrap_err().to_string();
        assert_eq!(refused, "it has format 2, and this server knows format 1");
    }
}
