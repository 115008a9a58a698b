//! The log of one command: every byte up to a limit, of a longer one the head and the tail.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

/// How much of the tail is copied at once.
const COPY_CHUNK: u64 = 64 * 1024;

/// The log while its command runs. It only ever grows; the tail of a long one comes at the end.
#[derive(Debug)]
pub(super) struct LogFile {
    path: PathBuf,
    file: File,
    length: u64,
    limit: u64,
    tail: Option<Tail>,
}

/// The last bytes of a long log: a file that is written round and round.
#[derive(Debug)]
struct Tail {
    ring: File,
    capacity: u64,
    /// How many bytes were ever written.
    total: u64,
}

impl LogFile {
    /// Makes an empty log that will hold about `limit` bytes at most.
    pub(super) fn create(path: &Path, limit: u64) -> io::Result<Self> {
        let file = OpenOptions::new().append(true).create(true).open(path)?;
        Ok(Self { path: path.to_owned(), file, length: 0, limit, tail: None })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Takes what the command wrote.
    pub(super) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        let room = (self.limit - self.limit / 2).saturating_sub(self.length);
        let (head, rest) =
            bytes.split_at(bytes.len().min(usize::try_from(room).unwrap_or(usize::MAX)));
        self.append(head)?;
        if rest.is_empty() {
            return Ok(());
        }
        let tail = match &mut self.tail {
            Some(tail) => tail,
            None => self.tail.insert(Tail::create(&self.path, self.limit / 2)?),
        };
        tail.write(rest)
    }

    /// Brings head and tail together and returns the final length.
    pub(super) fn finish(&mut self) -> io::Result<u64> {
        let Some(tail) = self.tail.take() else { return Ok(self.length) };
        let left_out = tail.total.saturating_sub(tail.capacity);
        if left_out > 0 {
            self.append(gap(left_out, self.limit).as_bytes())?;
        }
        let mut position = left_out;
        while position < tail.total {
            let bytes = tail.read(position)?;
            position += bytes.len() as u64;
            self.append(&bytes)?;
        }
        Ok(self.length)
    }

    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all(bytes)?;
        self.length += bytes.len() as u64;
        Ok(())
    }
}

impl Tail {
    /// Makes a ring that has no name, so that nothing is left of it if the runner is killed.
    fn create(log: &Path, capacity: u64) -> io::Result<Self> {
        let path = log.with_extension("tail");
        let mut options = OpenOptions::new();
        let ring = options.read(true).write(true).create(true).truncate(true).open(&path)?;
        fs::remove_file(path)?;
        Ok(Self { ring, capacity, total: 0 })
    }

    fn write(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        if self.capacity == 0 {
            self.total += bytes.len() as u64;
            return Ok(());
        }
        while !bytes.is_empty() {
            let position = self.total % self.capacity;
            let room = usize::try_from(self.capacity - position).unwrap_or(usize::MAX);
            let (now, later) = bytes.split_at(bytes.len().min(room));
            self.ring.write_all_at(now, position)?;
            self.total += now.len() as u64;
            bytes = later;
        }
        Ok(())
    }

    /// Reads some bytes of those that were written, beginning with number `from`.
    fn read(&self, from: u64) -> io::Result<Vec<u8>> {
        let position = from % self.capacity;
        let count = (self.total - from).min(self.capacity - position).min(COPY_CHUNK);
        let mut bytes = vec![0; usize::try_from(count).unwrap_or(usize::MAX)];
        self.ring.read_exact_at(&mut bytes, position)?;
        Ok(bytes)
    }
}

/// What stands in a log where bytes were left out.
fn gap(left_out: u64, limit: u64) -> String {
    format!("\n[{left_out} bytes left out here: the limit of a log is {limit} bytes]\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Writes `input` in pieces of `piece` bytes and returns the finished log.
    fn log(input: &[u8], piece: usize, limit: u64) -> Vec<u8> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("0-1.log");
        let mut log = LogFile::create(&path, limit).unwrap();
        input.chunks(piece).for_each(|bytes| log.write(bytes).unwrap());
        let length = log.finish().unwrap();
        let written = fs::read(&path).unwrap();
        assert_eq!(written.len() as u64, length);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1, "nothing else is left");
        written
    }

    #[test]
    fn a_log_within_the_limit_is_kept_to_the_byte() {
        for length in [0, 1, 9, 10, 11, 19, 20] {
            let input: Vec<u8> = (0..length).collect();
            for piece in [1, 3, 7, 64] {
                assert_eq!(log(&input, piece, 20), input, "{length} bytes by {piece}");
            }
        }
    }

    #[test]
    fn of_a_longer_one_head_and_tail_are_kept_and_the_gap_is_declared() {
        for length in [22_u64, 39, 40, 41, 1000] {
            let input: Vec<u8> = (0..length).map(|n| (n % 251) as u8).collect();
            for (piece, limit) in [(1, 20), (7, 20), (2000, 20), (13, 21), (5, 1), (5, 0)] {
                let (head, tail) = ((limit - limit / 2) as usize, (limit / 2) as usize);
                let gap = gap(length - limit, limit);
                let expected = [&input[..head], gap.as_bytes(), &input[input.len() - tail..]];
                assert_eq!(log(&input, piece, limit), expected.concat(), "{length} by {piece}");
            }
        }
    }
}
