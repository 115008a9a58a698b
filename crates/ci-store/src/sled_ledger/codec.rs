//! How a stream lies in sled: keys in the order in which a replay wants them, values small and sealed.
//!
//! ```text
//! h 1 stream                  where the stream stands
//! s 1 stream 0 seq part       its snapshot, in parts
//! r 1 stream 0 seq part       its records, in parts
//! ```
//!
//! The digit is the version of the key. Numbers are big-endian, so the order of keys is the order of records.
//! Every value is a cell: a format byte, whether more parts follow, a checksum over key and content, the content.

use crate::head::Head;
use crate::{Seq, StreamId};

const KEY_VERSION: u8 = 1;
const CELL_FORMAT: u8 = 1;
/// The most content in one cell. sled writes whole leaves of about 16 cells, and puts what exceeds 128 KiB into a file
/// of its own that it never syncs; cells of this size stay well below.
const PART_BYTES: usize = 4 << 10;

/// The kinds of keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Section {
    Head = b'h',
    Snapshot = b's',
    Record = b'r',
}

/// A key of a snapshot or record, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct EntryKey {
    pub(super) stream: StreamId,
    pub(super) seq: Seq,
    pub(super) part: u16,
}

/// A key and its value.
pub(super) type Cell = (Vec<u8>, Vec<u8>);

/// The start of all keys of `section` whose stream begins with `stream`.
pub(super) fn section_prefix(section: Section, stream: &str) -> Vec<u8> {
    let mut key = vec![section as u8, KEY_VERSION];
    key.extend_from_slice(stream.as_bytes());
    key
}

/// The start of all keys of `section` of exactly this stream.
pub(super) fn stream_prefix(section: Section, stream: &StreamId) -> Vec<u8> {
    let mut key = section_prefix(section, stream.as_str());
    key.push(0);
    key
}

/// The first key of `section` at `seq` or after it.
pub(super) fn seq_prefix(section: Section, stream: &StreamId, seq: Seq) -> Vec<u8> {
    let mut key = stream_prefix(section, stream);
    key.extend_from_slice(&seq.0.to_be_bytes());
    key
}

pub(super) fn head_key(stream: &StreamId) -> Vec<u8> {
    section_prefix(Section::Head, stream.as_str())
}

/// The stream that a head's key names.
pub(super) fn parse_head_key(key: &[u8]) -> Option<StreamId> {
    let [_, KEY_VERSION, name @ ..] = key else { return None };
    StreamId::new(std::str::from_utf8(name).ok()?).ok()
}

pub(super) fn parse_entry_key(key: &[u8]) -> Option<EntryKey> {
    let (rest, part) = key.split_last_chunk()?;
    let (rest, seq) = rest.split_last_chunk()?;
    let [_, KEY_VERSION, name @ .., 0] = rest else { return None };
    Some(EntryKey {
        stream: StreamId::new(std::str::from_utf8(name).ok()?).ok()?,
        seq: Seq(u64::from_be_bytes(*seq)),
        part: u16::from_be_bytes(*part),
    })
}

/// Seals content for its place; the same bytes under another key do not pass for it.
pub(super) fn seal(key: &[u8], more: bool, content: &[u8]) -> Vec<u8> {
    let mut cell = vec![CELL_FORMAT, u8::from(more)];
    cell.extend_from_slice(&checksum(key, more, content).to_be_bytes());
    cell.extend_from_slice(content);
    cell
}

/// Opens a cell, and says whether more parts follow it.
pub(super) fn unseal<'a>(key: &[u8], cell: &'a [u8]) -> Result<(bool, &'a [u8]), String> {
    let Some(([format, more, sum @ ..], content)) = cell.split_first_chunk::<6>() else {
        return Err(format!("a value of {} bytes is too short", cell.len()));
    };
    if *format != CELL_FORMAT {
        return Err(format!("unknown format {format} of a value"));
    }
    let more = *more != 0;
    if checksum(key, more, content).to_be_bytes() != *sum {
        return Err("checksum does not match".to_owned());
    }
    Ok((more, content))
}

/// Cuts one snapshot or record into cells.
pub(super) fn entry_cells(
    section: Section,
    stream: &StreamId,
    seq: Seq,
    content: &[u8],
) -> Vec<Cell> {
    let parts = content.chunks(PART_BYTES);
    let last = parts.len().saturating_sub(1);
    let cell = |(part, content): (usize, &[u8])| {
        let mut key = seq_prefix(section, stream, seq);
        let number = u16::try_from(part).expect("bodies are limited to far fewer parts");
        key.extend_from_slice(&number.to_be_bytes());
        let value = seal(&key, part < last, content);
        (key, value)
    };
    parts.enumerate().map(cell).collect()
}

pub(super) fn head_cell(stream: &StreamId, head: Head) -> Cell {
    let key = head_key(stream);
    let content = [head.last.0.to_be_bytes(), head.folded.0.to_be_bytes()].concat();
    let value = seal(&key, false, &content);
    (key, value)
}

pub(super) fn decode_head(content: &[u8]) -> Result<Head, String> {
    let ([last, folded], []) = content.as_chunks() else {
        return Err(format!("a head of {} bytes", content.len()));
    };
    Ok(Head { last: Seq(u64::from_be_bytes(*last)), folded: Seq(u64::from_be_bytes(*folded)) })
}

fn checksum(key: &[u8], more: bool, content: &[u8]) -> u32 {
    let mut sum = crc32fast::Hasher::new();
    sum.update(key);
    sum.update(&[u8::from(more)]);
    sum.update(content);
    sum.finalize()
}
