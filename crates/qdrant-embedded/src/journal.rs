//! The journal of a collection: each change to its points, written before it is made.
//!
//! The engine keeps a write-ahead log of its own, but qdrant-edge 0.7 never reads it back: what a killed process
//! had not flushed would be lost. So every change is appended here first and made again on the next start.
//!
//! Changes name points by id (a filter is resolved before), so making one again, in order, on data that already
//! has it or has a later one ends in the same state.
//!
//! A record is its length (u32), its checksum (u64) and a `PointsUpdateOperation` in wire form.

use std::fs::{File, OpenOptions};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::Path;

use prost::Message;
use qdrant_client::qdrant::PointsUpdateOperation;

const HEADER: usize = 12;

/// An open journal.
#[derive(Debug)]
pub(crate) struct Journal {
    file: File,
    length: u64,
}

impl Journal {
    /// Opens or creates the journal and reads the changes it holds, oldest first.
    ///
    /// A record torn by a kill ends the journal: its change was never acknowledged.
    pub(crate) fn open(path: &Path) -> io::Result<(Self, Vec<PointsUpdateOperation>)> {
        let bytes = match std::fs::read(path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(error),
        };
        let (operations, length) = decode(&bytes);
        let mut file = OpenOptions::new().create(true).truncate(false).read(true).write(true).open(path)?;
        file.set_len(length)?;
        file.seek(SeekFrom::End(0))?;
        Ok((Self { file, length }, operations))
    }

    /// The size in bytes.
    pub(crate) fn length(&self) -> u64 {
        self.length
    }

    /// Adds a change. With `durable` it is on the disk, not only with the operating system, when this returns.
    pub(crate) fn append(&mut self, operation: &PointsUpdateOperation, durable: bool) -> io::Result<()> {
        let body = operation.encode_to_vec();
        let size = u32::try_from(body.len()).map_err(io::Error::other)?;
        let mut record = Vec::with_capacity(HEADER + body.len());
        record.extend_from_slice(&size.to_le_bytes());
        record.extend_from_slice(&checksum(&body).to_le_bytes());
        record.extend_from_slice(&body);

        let written = self.file.write_all(&record).and_then(|()| if durable { self.file.sync_data() } else { Ok(()) });
        if let Err(error) = written {
            // A torn record in the middle would hide every later one.
            self.file.set_len(self.length)?;
            self.file.seek(SeekFrom::End(0))?;
            return Err(error);
        }
        self.length += record.len() as u64;
        Ok(())
    }

    /// Forgets all changes, once the engine has them on disk.
    pub(crate) fn clear(&mut self) -> io::Result<()> {
        self.file.set_len(0)?;
        self.file.seek(SeekFrom::Start(0))?;
        self.file.sync_data()?;
        self.length = 0;
        Ok(())
    }
}

/// The complete records at the beginning of `bytes`, and how many bytes they take.
fn decode(bytes: &[u8]) -> (Vec<PointsUpdateOperation>, u64) {
    let mut operations = Vec::new();
    let mut rest = bytes;
    while let Some((operation, after)) = decode_one(rest) {
        operations.push(operation);
        rest = after;
    }
    (operations, (bytes.len() - rest.len()) as u64)
}

fn decode_one(bytes: &[u8]) -> Option<(PointsUpdateOperation, &[u8])> {
    let (size, rest) = bytes.split_first_chunk::<4>()?;
    let (sum, rest) = rest.split_first_chunk::<8>()?;
    let (body, rest) = rest.split_at_checked(u32::from_le_bytes(*size) as usize)?;
    if checksum(body) != u64::from_le_bytes(*sum) {
        return None;
    }
    let operation = PointsUpdateOperation::decode(body).ok()?;
    Some((operation, rest))
}

/// FNV-1a: enough to tell a torn record, which is all that a kill leaves behind.
fn checksum(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use qdrant_client::qdrant::PointId;
    use qdrant_client::qdrant::points_update_operation::{DeletePoints, Operation};

    use super::*;

    fn delete(id: u64) -> PointsUpdateOperation {
        PointsUpdateOperation {
            operation: Some(Operation::DeletePoints(DeletePoints {
                points: Some(vec![PointId::from(id)].into()),
                shard_key_selector: None,
            })),
        }
    }

    #[test]
    fn a_torn_tail_is_dropped_and_what_precedes_it_stays() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("journal");
        let (mut journal, none) = Journal::open(&path).unwrap();
        assert!(none.is_empty());
        journal.append(&delete(1), true).unwrap();
        journal.append(&delete(2), false).unwrap();
        let whole = std::fs::read(&path).unwrap();

        let one = whole.len() / 2;
        for cut in 0..=whole.len() {
            std::fs::write(&path, &whole[..cut]).unwrap();
            let (mut journal, operations) = Journal::open(&path).unwrap();
            let expected = cut / one;
            assert_eq!(operations.len(), expected, "cut at {cut}");
            journal.append(&delete(3), true).unwrap();
            let (_, operations) = Journal::open(&path).unwrap();
            assert_eq!(operations.last(), Some(&delete(3)), "cut at {cut}");
            assert_eq!(operations.len(), expected + 1, "cut at {cut}");
        }
    }

    #[test]
    fn a_damaged_record_ends_the_journal() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("journal");
        let (mut journal, _) = Journal::open(&path).unwrap();
        journal.append(&delete(1), true).unwrap();
        journal.append(&delete(2), true).unwrap();
        let mut bytes = std::fs::read(&path).unwrap();
        let last = bytes.len() - 1;
        bytes[last] ^= 1;
        std::fs::write(&path, &bytes).unwrap();
        assert_eq!(Journal::open(&path).unwrap().1, vec![delete(1)]);
    }

    #[test]
    fn a_cleared_journal_is_empty() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("journal");
        let (mut journal, _) = Journal::open(&path).unwrap();
        journal.append(&delete(1), true).unwrap();
        journal.clear().unwrap();
        assert_eq!(journal.length(), 0);
        journal.append(&delete(2), true).unwrap();
        assert_eq!(Journal::open(&path).unwrap().1, vec![delete(2)]);
    }
}
