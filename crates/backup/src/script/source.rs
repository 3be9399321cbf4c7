//! A script's file as text, decompressed as it is read.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use flate2::bufread::MultiGzDecoder;
use lz4_flex::frame::FrameDecoder;

use crate::hash::CHUNK;

const GZIP: &[u8] = b"\x1f\x8b";
const ZSTD: &[u8] = b"\x28\xb5\x2f\xfd";
const LZ4: &[u8] = b"\x04\x22\x4d\x18";
/// What some editors and systems write at the beginning of a text.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

pub(crate) type Source = BufReader<Box<dyn Read + Send>>;

/// Tells the compression by the first bytes, whatever the file's name is.
pub(crate) fn open(path: &Path) -> io::Result<Source> {
    let mut file = BufReader::with_capacity(CHUNK, File::open(path)?);
    let beginning = file.fill_buf()?;
    let reader: Box<dyn Read + Send> = if beginning.starts_with(GZIP) {
        Box::new(MultiGzDecoder::new(file))
    } else if beginning.starts_with(ZSTD) {
        Box::new(zstd::Decoder::with_buffer(file)?)
    } else if beginning.starts_with(LZ4) {
        Box::new(FrameDecoder::new(file))
    } else {
        Box::new(file)
    };
    let mut source = BufReader::with_capacity(CHUNK, reader);
    if source.fill_buf()?.starts_with(BYTE_ORDER_MARK) {
        source.consume(BYTE_ORDER_MARK.len());
    }
    Ok(source)
}
