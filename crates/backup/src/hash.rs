//! SHA-256, and counting what passes by.

use sha2::{Digest, Sha256};

/// How much is read, hashed and written at a time.
pub(crate) const CHUNK: usize = 256 * 1024;

/// Counts and hashes what passes by.
#[derive(Debug)]
pub(crate) struct Tally {
    bytes: u64,
    hasher: Sha256,
}

impl Tally {
    pub(crate) fn new() -> Self {
        Self { bytes: 0, hasher: Sha256::new() }
    }

    pub(crate) fn add(&mut self, chunk: &[u8]) {
        self.bytes += chunk.len() as u64;
        self.hasher.update(chunk);
    }

    /// The number of bytes, and the hash in hexadecimal.
    pub(crate) fn finish(self) -> (u64, String) {
        (self.bytes, hexadecimal(&self.hasher.finalize()))
    }
}

/// The hash of a few bytes, in hexadecimal.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    hexadecimal(&Sha256::digest(bytes))
}

fn hexadecimal(digest: &[u8]) -> String {
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}
