//! A packed log: a gzip file of which any part can be read by itself.
//!
//! Each block of the log is a gzip member of its own, so that `zcat` shows the whole. The extra field of
//! a member's header, `CI`, tells the offset of the block in the log, its length, and the length of the
//! member, which is the way to the next one. A gap in the log is one between the offsets.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;

use flate2::read::GzDecoder;
use flate2::{Compression, GzBuilder};

use super::plain::{self, Found};
use super::{packed_path, tail_folder};

/// How much of a log is one block. It is what has to be unpacked to read one byte.
const BLOCK: usize = 64 * 1024;
/// Most of what can be gained, in a third of the time.
const LEVEL: Compression = Compression::new(3);
/// A log that fits into one block of a disk gains nothing.
const LEAST: u64 = 4096;
/// What a member begins with: the fixed part of its header, two bytes for the length of the extra
/// field, and the extra field.
const HEADER: usize = 12 + EXTRA;
/// The name of the subfield and its length, then the offset, the length of the block and that of the
/// member.
const EXTRA: usize = 4 + 8 + 4 + 4;

/// A packed log that is open.
#[derive(Debug)]
pub(super) struct Packed {
    file: File,
    blocks: Vec<Block>,
}

/// Where a block is in the log, and where its member is in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Block {
    start: u64,
    length: u32,
    at: u64,
    size: u32,
}

impl Packed {
    /// Opens the packed log at `path`; `None` where there is none.
    pub(super) fn open(path: &Path) -> io::Result<Option<Self>> {
        let file = match File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let (end, mut at, mut blocks) = (file.metadata()?.len(), 0, Vec::new());
        while at < end {
            let mut header = [0; HEADER];
            file.read_exact_at(&mut header, at)?;
            let block = Block::parse(&header, at)?;
            let goes_back = blocks.last().is_some_and(|last: &Block| last.end() > block.start);
            at += u64::from(block.size);
            if goes_back || at > end {
                return Err(damaged(block.at));
            }
            blocks.push(block);
        }
        Ok(Some(Self { file, blocks }))
    }

    /// The offset after the last byte of the log.
    pub(super) fn length(&self) -> u64 {
        self.blocks.last().map_or(0, Block::end)
    }

    /// Reads up to `limit` bytes at `offset`, which may be fewer than there are.
    pub(super) fn read_at(&self, offset: u64, limit: usize) -> io::Result<Found> {
        let position = self.blocks.partition_point(|block| block.end() <= offset);
        let Some(block) = self.blocks.get(position) else { return Ok(Found::Nothing) };
        let Some(skip) = offset.checked_sub(block.start) else {
            return Ok(Found::Gap(block.start));
        };
        let bytes = self.unpack(block)?;
        let skip = usize::try_from(skip).unwrap_or(usize::MAX).min(bytes.len());
        let bytes = &bytes[skip..];
        Ok(Found::Bytes(bytes[..bytes.len().min(limit)].to_vec()))
    }

    fn unpack(&self, block: &Block) -> io::Result<Vec<u8>> {
        let mut member = vec![0; block.size as usize];
        self.file.read_exact_at(&mut member, block.at)?;
        let mut bytes = Vec::with_capacity(block.length as usize);
        GzDecoder::new(member.as_slice())
            .take(u64::from(block.length) + 1)
            .read_to_end(&mut bytes)?;
        if bytes.len() == block.length as usize { Ok(bytes) } else { Err(damaged(block.at)) }
    }
}

impl Block {
    fn end(&self) -> u64 {
        self.start + u64::from(self.length)
    }

    fn parse(header: &[u8; HEADER], at: u64) -> io::Result<Self> {
        let known = [&[0x1f, 0x8b, 8, 4][..], &[EXTRA as u8, 0, b'C', b'I', EXTRA as u8 - 4, 0]];
        let number = |from: usize, count: usize| {
            let bytes = header[from..from + count].iter().rev();
            bytes.fold(0, |number, byte| number << 8 | u64::from(*byte))
        };
        let (start, length, size) = (number(16, 8), number(24, 4) as u32, number(28, 4) as u32);
        let is_ours = header.starts_with(known[0]) && header[10..].starts_with(known[1]);
        let is_small = (size as usize) < HEADER || length == 0;
        let is_large = length as usize > BLOCK
            || size as usize > 2 * BLOCK
            || start.checked_add(u64::from(length)).is_none();
        if !is_ours || is_small || is_large {
            return Err(damaged(at));
        }
        Ok(Self { start, length, at, size })
    }
}

/// Packs the log at `log`, whose writer is done, and removes what it was in; does nothing where that has
/// been done or is not worth it.
///
/// Killed anywhere, it leaves a log that can be read, and can be begun again.
pub(crate) fn pack(log: &Path) -> io::Result<()> {
    let packed = packed_path(log);
    if !packed.exists() {
        if plain::length(log)? <= LEAST {
            return Ok(());
        }
        let temporary = packed.with_extension("gz.tmp");
        let mut options = OpenOptions::new();
        let mut file =
            options.write(true).create(true).truncate(true).mode(0o600).open(&temporary)?;
        write(log, &mut file)?;
        file.sync_all()?;
        fs::rename(&temporary, &packed)?;
        if let Some(folder) = packed.parent() {
            File::open(folder)?.sync_all()?;
        }
    }
    // The beginning first: without it, no reader takes what is left of the rest for the log.
    remove(fs::remove_file(log))?;
    remove(fs::remove_dir_all(tail_folder(log)))
}

fn write(log: &Path, file: &mut File) -> io::Result<()> {
    let mut offset = 0;
    loop {
        match plain::read_at(log, offset, BLOCK)? {
            Found::Bytes(bytes) => {
                file.write_all(&member(offset, &bytes)?)?;
                offset += bytes.len() as u64;
            }
            Found::Gap(end) => offset = end,
            Found::Nothing => return Ok(()),
        }
    }
}

/// One block as a member of a gzip file.
fn member(start: u64, bytes: &[u8]) -> io::Result<Vec<u8>> {
    let mut extra = Vec::with_capacity(EXTRA);
    extra.extend([b'C', b'I', EXTRA as u8 - 4, 0]);
    extra.extend(start.to_le_bytes());
    extra.extend(u32::try_from(bytes.len()).map_err(io::Error::other)?.to_le_bytes());
    // The length of the member is known only once it is there.
    extra.extend([0; 4]);
    let mut encoder = GzBuilder::new().extra(extra).write(Vec::new(), LEVEL);
    encoder.write_all(bytes)?;
    let mut member = encoder.finish()?;
    let size = u32::try_from(member.len()).map_err(io::Error::other)?;
    member[HEADER - 4..HEADER].copy_from_slice(&size.to_le_bytes());
    Ok(member)
}

fn remove(removed: io::Result<()>) -> io::Result<()> {
    match removed {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn damaged(at: u64) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("the packed log is damaged at {at}"))
}

#[cfg(test)]
mod tests;
