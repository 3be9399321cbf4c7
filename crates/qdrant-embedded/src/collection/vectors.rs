//! Vectors that a collection is given when it has points already.

use std::sync::Arc;

use qdrant_client::qdrant::create_vector_name_request::VectorConfig;
use qdrant_edge::{
    CreateVectorName, DenseVectorConfig, EdgeConfig, EdgeShard, SparseVectorConfig, UpdateOperation, VectorNameConfig,
    VectorNameOperations,
};

use super::Collection;
use crate::convert::config;
use crate::error::{Error, Result};

impl Collection {
    /// Adds a vector, which no point has until it is given one.
    pub(crate) fn add_vector(&self, name: &str, vector: Option<VectorConfig>) -> Result<u64> {
        let mut writer = self.writer.lock().map_err(Error::poisoned)?;
        let mut description = self.description()?;
        description.config = config::with_vector(description.config, name, vector)?;
        let wanted = config::to_engine(&description.config)?;
        // First what is to be: after a kill the next start makes the engine the same.
        self.describe(description)?;
        make_missing(&self.shard, &wanted)?;
        self.write_out(&mut writer)?;
        *self.layout.write().map_err(Error::poisoned)? = Arc::new(config::layout(&self.shard.config()));
        writer.operations += 1;
        Ok(writer.operations)
    }
}

/// Makes the vectors of `wanted` that the engine does not have yet.
pub(super) fn make_missing(shard: &EdgeShard, wanted: &EdgeConfig) -> Result<()> {
    let mut missing = Vec::new();
    {
        let present = shard.config();
        for (name, vector) in wanted.vectors.iter().filter(|(name, _)| !present.vectors.contains_key(*name)) {
            let config = DenseVectorConfig {
                size: vector.size,
                distance: vector.distance,
                multivector_config: vector.multivector_config,
                datatype: vector.datatype,
            };
            missing.push((name.clone(), VectorNameConfig::dense(config)));
        }
        let sparse = wanted.sparse_vectors.iter().filter(|(name, _)| !present.sparse_vectors.contains_key(*name));
        for (name, vector) in sparse {
            let config = SparseVectorConfig { modifier: vector.modifier, datatype: vector.datatype };
            missing.push((name.clone(), VectorNameConfig::sparse(config)));
        }
    }
    for (vector_name, config) in missing {
        let create = VectorNameOperations::CreateVectorName(CreateVectorName { vector_name, config });
        shard.update(UpdateOperation::VectorNameOperation(create))?;
    }
    Ok(())
}
