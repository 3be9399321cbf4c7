//! SHA-256 of files, in bounded memory.

use std::fs::File;
use std::io::{self, Read};

use sha2::{Digest, Sha256};

/// How much is read, hashed and written at a time.
pub(crate) const CHUNK: usize = 256 * 1024;

/// Counts and hashes what passes by.
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
        let digest = self.hasher.finalize();
        (self.bytes, digest.iter().map(|byte| format!("{byte:02x}")).collect())
    }
}

/// Hashes a file to its end; `on_bytes` hears of each chunk. Ends at the next chunk when the future is dropped.
pub(crate) async fn hash_file(mut file: File, on_bytes: &mut dyn FnMut(u64)) -> io::Result<(u64, String)> {
    let mut tally = Tally::new();
    let mut buffer = vec![0; CHUNK];
    loop {
        let count = file.read(&mut buffer)?;
        if count == 0 {
            return Ok(tally.finish());
        }
        tally.add(&buffer[..count]);
        on_bytes(count as u64);
        // A chunk takes a millisecond; in between, an interruption must be able to get a word in.
        tokio::task::yield_now().await;
    }
}
