//! The log of one command as it is written: every byte up to a limit, of a longer one the head and the
//! tail. What is where, [`crate::log`] says.

use std::collections::VecDeque;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use crate::log::{TimesWriter, tail_folder};

/// How many parts the tail has at most. With one of them just begun, the tail that is kept is an eighth
/// shorter than its half of the limit.
const PARTS: u64 = 8;

/// The log while its command runs. It only ever grows, but for the oldest part of a long tail.
#[derive(Debug)]
pub(super) struct LogFile {
    path: PathBuf,
    head: File,
    length: u64,
    limit: u64,
    tail: Option<Tail>,
    times: TimesWriter,
}

/// The last bytes of a long log: a row of files, of which the first is removed when there are too many.
#[derive(Debug)]
struct Tail {
    folder: PathBuf,
    /// How long a part gets.
    capacity: u64,
    /// The names of the parts: where each begins.
    starts: VecDeque<u64>,
    part: File,
    /// How long the last part is.
    filled: u64,
}

impl LogFile {
    /// Makes an empty log of which about `limit` bytes are kept at most.
    pub(super) fn create(path: &Path, limit: u64) -> io::Result<Self> {
        let head = OpenOptions::new().append(true).create(true).open(path)?;
        let times = TimesWriter::of(path);
        Ok(Self { path: path.to_owned(), head, length: 0, limit, tail: None, times })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// How many bytes were written, those that were not kept included.
    pub(super) fn length(&self) -> u64 {
        self.length
    }

    /// Takes what the command wrote.
    pub(super) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        if bytes.is_empty() {
            return Ok(());
        }
        self.times.note(self.length)?;
        let room = (self.limit - self.limit / 2).saturating_sub(self.length);
        let (head, rest) = split(bytes, room);
        self.head.write_all(head)?;
        self.length += head.len() as u64;
        if rest.is_empty() {
            return Ok(());
        }
        let tail = match &mut self.tail {
            Some(tail) => tail,
            None => self.tail.insert(Tail::create(&self.path, self.limit, self.length)?),
        };
        tail.write(rest, self.length)?;
        self.length += rest.len() as u64;
        Ok(())
    }
}

impl Tail {
    fn create(log: &Path, limit: u64, start: u64) -> io::Result<Self> {
        let folder = tail_folder(log);
        DirBuilder::new().recursive(true).mode(0o700).create(&folder)?;
        let part = create(&folder, start)?;
        let capacity = (limit / 2 / PARTS).max(1);
        Ok(Self { folder, capacity, starts: [start].into(), part, filled: 0 })
    }

    /// Appends bytes that begin at `offset`.
    fn write(&mut self, mut bytes: &[u8], mut offset: u64) -> io::Result<()> {
        while !bytes.is_empty() {
            if self.filled == self.capacity {
                self.begin_part(offset)?;
            }
            let (now, later) = split(bytes, self.capacity - self.filled);
            self.part.write_all(now)?;
            self.filled += now.len() as u64;
            offset += now.len() as u64;
            bytes = later;
        }
        Ok(())
    }

    fn begin_part(&mut self, start: u64) -> io::Result<()> {
        self.part = create(&self.folder, start)?;
        self.filled = 0;
        self.starts.push_back(start);
        if self.starts.len() as u64 > PARTS
            && let Some(oldest) = self.starts.pop_front()
        {
            fs::remove_file(self.folder.join(oldest.to_string()))?;
        }
        Ok(())
    }
}

fn create(folder: &Path, start: u64) -> io::Result<File> {
    OpenOptions::new().append(true).create(true).open(folder.join(start.to_string()))
}

fn split(bytes: &[u8], at: u64) -> (&[u8], &[u8]) {
    bytes.split_at(bytes.len().min(usize::try_from(at).unwrap_or(usize::MAX)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::LogReader;

    /// Writes `input` in pieces of `piece` bytes and returns a reader of the log.
    fn log(dir: &Path, input: &[u8], piece: usize, limit: u64) -> LogReader {
        let path = dir.join("0-1.log");
        let mut log = LogFile::create(&path, limit).unwrap();
        input.chunks(piece).for_each(|bytes| log.write(bytes).unwrap());
        assert_eq!(log.length(), input.len() as u64);
        LogReader::new(path)
    }

    #[test]
    fn a_log_within_the_limit_is_kept_to_the_byte() {
        for length in [0, 1, 9, 10, 11, 17, 18] {
            let input: Vec<u8> = (0..length).collect();
            for piece in [1, 3, 7, 64] {
                let dir = tempfile::tempdir().unwrap();
                let log = log(dir.path(), &input, piece, 20);
                let read = log.read_at(0, usize::MAX).unwrap();
                assert_eq!((read.bytes, read.next), (input.clone(), input.len() as u64));
            }
        }
    }

    #[test]
    fn of_a_longer_one_head_and_tail_are_kept_and_the_gap_is_declared() {
        let input: Vec<u8> = (0..1000_u64).map(|n| (n % 251) as u8).collect();
        for (piece, limit) in [(1, 160), (7, 160), (2000, 160), (13, 161), (5, 1), (5, 0)] {
            let dir = tempfile::tempdir().unwrap();
            let log = log(dir.path(), &input, piece, limit);
            let head = (limit - limit / 2) as usize;
            let part = (limit / 2 / PARTS).max(1) as usize;
            // Everything but the parts that had to go; the last of them may just have been begun.
            let parts = (input.len() - head).div_ceil(part) - PARTS as usize;
            let end = head + parts * part;
            let gap = format!(
                "\n[{} bytes left out here: the log is longer than its limit]\n",
                end - head
            );
            let expected = [&input[..head], gap.as_bytes(), &input[end..]].concat();
            let read = log.read_at(0, usize::MAX).unwrap();
            assert_eq!((read.bytes, read.next), (expected, 1000), "limit {limit} by {piece}");
            assert!((head + input.len() - end) as u64 <= limit.max(PARTS + 1));
            assert_eq!(log.length().unwrap(), 1000);
            // Each byte is where it was written.
            for offset in (0..head).chain(end..1000) {
                let byte = log.read_at(offset as u64, 1).unwrap();
                assert_eq!((byte.bytes[0], byte.next), (input[offset], offset as u64 + 1));
            }
            let gap = log.read_at(head as u64 + 5, 10).unwrap();
            let said = String::from_utf8(gap.bytes).unwrap();
            assert!(said.starts_with(&format!("\n[{} bytes left out", end - head - 5)), "{said}");
            assert_eq!(gap.next, end as u64);
            assert_eq!(log.read_at(1000, 10).unwrap().next, 1000);
        }
    }

    #[test]
    fn times_are_noted_with_offsets() {
        let dir = tempfile::tempdir().unwrap();
        let before = crate::UnixMillis::now();
        let log = log(dir.path(), b"all within a second", 3, 100);
        let times = log.times().unwrap();
        assert_eq!((times.len(), times[0].0), (1, 0));
        assert!(times[0].1 >= before && times[0].1 <= crate::UnixMillis::now());
    }
}
