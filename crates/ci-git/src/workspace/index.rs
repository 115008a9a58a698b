//! What git's index remembers of the files: kept true for a copy, so that git need not read them again.
//!
//! The index holds the stat data of each file as it was when git last wrote or compared it. A copy has
//! other inodes and other times of change, so git would take every file for changed and read them all.
//! Where a file was unchanged in the source by the index's own measure, its copy is written in.

use std::fs::{self, File, FileTimes};
use std::io;
use std::ops::Range;
use std::path::Path;
use std::time::SystemTime;

use rustix::fs::Stat;

/// The stat data of an entry: times, device, inode, mode, owner, group, size.
const STAT: usize = 40;
/// Where in it the device is, which git does not compare.
const DEVICE: Range<usize> = 16..20;
/// Where in it the mode is, which is git's own way of writing it.
const MODE: Range<usize> = 24..28;
/// Signature, version, number of entries.
const HEADER: usize = 12;
/// A flag of an entry: more flags follow.
const EXTENDED: u16 = 0x4000;
/// Names that are longer than this say so by this length.
const LONG_NAME: usize = 0x0fff;

/// An index as it was read, in the two versions that pad their entries.
pub(super) struct Index {
    bytes: Vec<u8>,
    /// In the order of their paths.
    entries: Vec<Entry>,
    digest: usize,
    modified: SystemTime,
}

struct Entry {
    start: usize,
    path: Range<usize>,
}

/// The new stat data of one entry.
pub(super) struct Moved {
    start: usize,
    stat: [u8; STAT],
}

impl Index {
    /// Reads the index at `path`, whose objects have names of `digest` bytes. `None` where there is none,
    /// or none that we understand: git makes it anew then.
    pub(super) fn read(path: &Path, digest: usize) -> io::Result<Option<Self>> {
        let bytes = match fs::read(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            bytes => bytes?,
        };
        let modified = fs::metadata(path)?.modified()?;
        let entries = parse(&bytes, digest);
        Ok(entries.map(|entries| Self { bytes, entries, digest, modified }))
    }

    /// What to write for the file at `path` of the source, which is `before`, now that its copy is
    /// `after`. `None` where git does not know it, or would not take it for unchanged.
    pub(super) fn moved(&self, path: &[u8], before: &Stat, after: &Stat) -> Option<Moved> {
        let of = |entry: &Entry| self.bytes[entry.path.clone()].cmp(path);
        let entry = &self.entries[self.entries.binary_search_by(of).ok()?];
        let known = &self.bytes[entry.start..entry.start + STAT];
        let (before, mut stat) = (stat_data(before), stat_data(after));
        let is_compared = |at: &usize| !DEVICE.contains(at) && !MODE.contains(at);
        if !(0..STAT).filter(is_compared).all(|at| known[at] == before[at]) {
            return None;
        }
        stat[MODE].copy_from_slice(&known[MODE]);
        Some(Moved { start: entry.start, stat })
    }

    /// Writes the index of the copy to `path`. It is as old as the one that was read: by that git judges
    /// whether a file may have changed after it was looked at.
    pub(super) fn write(mut self, moved: &[Moved], path: &Path) -> io::Result<()> {
        for Moved { start, stat } in moved {
            self.bytes[*start..*start + STAT].copy_from_slice(stat);
        }
        // Git takes zeros for "no checksum", and writes one when it next writes the index.
        let checksum = self.bytes.len() - self.digest;
        self.bytes[checksum..].fill(0);
        fs::write(path, &self.bytes)?;
        File::options()
            .append(true)
            .open(path)?
            .set_times(FileTimes::new().set_modified(self.modified))
    }
}

/// Finds the entries; `None` where this is no index that we understand.
fn parse(bytes: &[u8], digest: usize) -> Option<Vec<Entry>> {
    let number = |at: usize| Some(u32::from_be_bytes(bytes.get(at..at + 4)?.try_into().ok()?));
    let is_known = bytes.get(..4)? == b"DIRC" && matches!(number(4)?, 2 | 3);
    let count = usize::try_from(number(8)?).ok()?;
    // A broken index may claim to have any number of them.
    if !is_known || count > bytes.len() / STAT {
        return None;
    }
    let mut entries = Vec::with_capacity(count);
    let mut start = HEADER;
    for _ in 0..count {
        let flags_at = start + STAT + digest;
        let flags = u16::from_be_bytes(bytes.get(flags_at..flags_at + 2)?.try_into().ok()?);
        let name = flags_at + if flags & EXTENDED == 0 { 2 } else { 4 };
        let length = match usize::from(flags) & LONG_NAME {
            LONG_NAME => bytes.get(name..)?.iter().position(|byte| *byte == 0)?,
            length => length,
        };
        let end = name + length;
        // At least one zero, and as many as make the next entry begin at a multiple of eight.
        let next = start + (end - start + 8) / 8 * 8;
        if bytes.len() < next + digest {
            return None;
        }
        entries.push(Entry { start, path: name..end });
        start = next;
    }
    entries.is_sorted_by_key(|entry| &bytes[entry.path.clone()]).then_some(entries)
}

/// What git writes of a file, where large numbers lose their upper half.
fn stat_data(stat: &Stat) -> [u8; STAT] {
    let fields = [
        stat.st_ctime.cast_unsigned(),
        stat.st_ctime_nsec,
        stat.st_mtime.cast_unsigned(),
        stat.st_mtime_nsec,
        stat.st_dev,
        stat.st_ino,
        0,
        u64::from(stat.st_uid),
        u64::from(stat.st_gid),
        stat.st_size.cast_unsigned(),
    ];
    let mut data = [0; STAT];
    for (place, field) in data.chunks_exact_mut(4).zip(fields) {
        place.copy_from_slice(&field.to_be_bytes()[4..]);
    }
    data
}
