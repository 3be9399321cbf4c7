//! Archives that belong to no set, so that no manifest tells how long they are: whether they are cut off where pg_restore
//! would not notice. Of a tar file that is cut off it reads the end for ever, and of a folder it takes what is left of a
//! file for all of it, unless that is compressed by gzip.

use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use crate::archive::TAR_BLOCK;
use crate::script::open_source;

/// What follows the rows of a table, in both of pg_dump's ways to write them.
const ROWS_END: &[u8] = b"\n\n";
/// The beginnings of compressed files, by the ends of their names.
const MAGIC: [(&str, &[u8]); 3] = [("gz", b"\x1f\x8b"), ("zst", b"\x28\xb5\x2f\xfd"), ("lz4", b"\x04\x22\x4d\x18")];

/// How a folder or a tar file is cut off; `None` when it is whole, as far as can be told.
pub(crate) fn problem(path: &Path, is_tar: bool) -> io::Result<Option<String>> {
    if is_tar {
        return tar_problem(&mut File::open(path)?);
    }
    if path.is_dir() {
        for entry in fs::read_dir(path)? {
            let path = entry?.path();
            if path.is_file() && is_cut_off(&path)? {
                let name = path.file_name().unwrap_or_default().to_string_lossy();
                return Ok(Some(format!("its file {name} is cut off")));
            }
        }
    }
    Ok(None)
}

/// By the sizes that the headers of its members tell, up to the empty block at its end.
fn tar_problem(file: &mut (impl Read + Seek)) -> io::Result<Option<String>> {
    let length = file.seek(SeekFrom::End(0))?;
    let block = TAR_BLOCK as u64;
    let mut place = 0_u64;
    let mut header = [0; TAR_BLOCK];
    while place.checked_add(block).is_some_and(|end| end <= length) {
        file.seek(SeekFrom::Start(place))?;
        file.read_exact(&mut header)?;
        if header.iter().all(|byte| *byte == 0) {
            return Ok(None);
        }
        let Some(size) = member_size(&header) else { return Ok(Some("a size in it is no number".into())) };
        let blocks = size.div_ceil(block).checked_mul(block);
        let next = blocks.and_then(|bytes| place.checked_add(block)?.checked_add(bytes));
        match next {
            Some(next) if next <= length => place = next,
            _ => break,
        }
    }
    Ok(Some("it is cut off".into()))
}

/// Octal digits, or where they do not suffice the number itself, with the first bit set.
fn member_size(header: &[u8; TAR_BLOCK]) -> Option<u64> {
    let field = &header[124..136];
    if field[0] & 0x80 != 0 {
        let (high, low) = field.split_at(4);
        let is_small = high[0] & 0x7f == 0 && high[1..].iter().all(|byte| *byte == 0);
        return is_small.then(|| low.iter().fold(0, |value, byte| value << 8 | u64::from(*byte)));
    }
    let digits = std::str::from_utf8(field).ok()?;
    u64::from_str_radix(digits.trim_matches(['\0', ' ']), 8).ok()
}

fn is_cut_off(path: &Path) -> io::Result<bool> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let end = name.rsplit('.').next().unwrap_or_default();
    if let Some((_, magic)) = MAGIC.iter().find(|(suffix, _)| *suffix == end) {
        let mut beginning = Vec::new();
        File::open(path)?.take(magic.len() as u64).read_to_end(&mut beginning)?;
        return Ok(beginning != *magic
            || open_source(path).and_then(|mut source| io::copy(&mut source, &mut io::sink())).is_err());
    }
    let length = fs::metadata(path)?.len();
    // A large object may be empty, and nothing tells how it ends.
    let is_large_object = name.starts_with("blob_");
    if end == "dat" && name.starts_with(|first: char| first.is_ascii_digit()) {
        let mut file = File::open(path)?;
        let mut last = Vec::new();
        file.seek(SeekFrom::Start(length.saturating_sub(ROWS_END.len() as u64)))?;
        file.read_to_end(&mut last)?;
        return Ok(last != ROWS_END);
    }
    Ok(length == 0 && !is_large_object)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::{Cursor, Write};

    use proptest::prelude::*;

    use super::{TAR_BLOCK, is_cut_off, member_size, tar_problem};

    fn header(size: &[u8]) -> [u8; TAR_BLOCK] {
        let mut header = [0; TAR_BLOCK];
        header[..7].copy_from_slice(b"toc.dat");
        header[124..124 + size.len()].copy_from_slice(size);
        header
    }

    #[test]
    fn reads_sizes_of_both_kinds() {
        let large = [&[0x80, 0, 0, 0][..], &(9_u64 << 30).to_be_bytes()].concat();
        let cases: [(&[u8], Option<u64>); 5] = [
            (b"00000001750\0", Some(1000)),
            (b"     001750 ", Some(1000)),
            (&large, Some(9 << 30)),
            (b"9", None),
            (&[0xff; 12], None),
        ];
        for (field, size) in cases {
            assert_eq!(member_size(&header(field)), size, "{field:?}");
        }
    }

    /// Not every pg_dump can write these.
    #[test]
    fn compressed_files_that_are_cut_off_are_found() {
        let rows = "1\tsome text\n".repeat(50_000);
        let zst = zstd::encode_all(rows.as_bytes(), 3).expect("zstd");
        let mut lz4 = lz4_flex::frame::FrameEncoder::new(Vec::new());
        lz4.write_all(rows.as_bytes()).expect("lz4");
        let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gz.write_all(rows.as_bytes()).expect("gzip");
        let folder = tempfile::tempdir().expect("a folder");
        let files =
            [("1.dat.zst", zst), ("1.dat.lz4", lz4.finish().expect("lz4")), ("1.dat.gz", gz.finish().expect("gzip"))];
        for (name, bytes) in files {
            let path = folder.path().join(name);
            for (length, is_cut) in
                [(0, true), (1, true), (bytes.len() / 2, true), (bytes.len() - 9, true), (bytes.len(), false)]
            {
                fs::write(&path, &bytes[..length]).expect("a file");
                assert_eq!(is_cut_off(&path).ok(), Some(is_cut), "{name} at {length} of {}", bytes.len());
            }
        }
    }

    proptest! {
        #[test]
        fn never_panics(size in proptest::collection::vec(any::<u8>(), 12), more in 0_usize..3000) {
            let bytes = [header(&size).to_vec(), vec![7; more]].concat();
            drop(tar_problem(&mut Cursor::new(bytes)));
        }
    }
}
