//! A log that many people watch: it is read and drawn once, and what was drawn goes to all of them.
//!
//! ```text
//! viewer ─┐                 ┌──────────────────────────┐
//! viewer ─┼─ next(place) ──►│ the last chunks, drawn   │◄── reads what is new, four times a second at most,
//! viewer ─┘                 └──────────────────────────┘    whoever of them asks first
//! ```
//!
//! Who comes from further back reads by themselves until they are where the others are.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use ci_exec::{LogReader, UnixMillis};
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::CommandLog;
use super::index::{LOOK_BACK, Lines, Mark, before};
use super::text::whole_lines;

/// How soon what was printed is seen.
pub(crate) const LOOK: Duration = Duration::from_millis(250);
/// What is kept of chunks, in bytes, for those who are a little behind.
const KEPT: usize = 4 * 1024 * 1024;
/// Bytes of one chunk, where lines are not longer. Drawn it is up to fifteen times as long, and that is in
/// memory once for each who follows and does not read.
pub(crate) const PART: usize = 4 * 1024;
/// Bytes that are read before what there is of them is drawn.
const ENOUGH: usize = 32 * 1024;
/// A line that grows longer is shown in parts.
const LONGEST: usize = 256 * 1024;

/// One log with all who follow it.
pub(crate) struct Follow(Mutex<State>);

struct State {
    log: CommandLog,
    /// Where the chunks end.
    end: Mark,
    chunks: VecDeque<Arc<Chunk>>,
    kept: usize,
    /// What was printed of the next line.
    rest: Arc<str>,
    /// What was printed last before `end`.
    before: Vec<u8>,
    draw: Draw,
    looked: Option<Instant>,
    is_over: bool,
}

/// Whole lines of a log, drawn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Chunk {
    /// Where they begin.
    pub(crate) from: Mark,
    /// Where the next ones begin.
    pub(crate) to: Mark,
    pub(crate) drawn: Arc<str>,
}

/// Makes of lines what is sent to all who follow.
pub(crate) type Draw = fn(&Lines) -> String;

/// What there is for somebody who has read up to some place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum News {
    /// These lines.
    Lines(Arc<Chunk>),
    /// No whole line yet, and this of the next one.
    Rest(Arc<str>),
    /// It is complete.
    End,
    /// What lies between here and there is for the reader to read.
    Behind(Mark),
}

impl Follow {
    /// Follows `log`, which is read from `end` on.
    pub(crate) fn new(mut log: CommandLog, end: Mark, draw: Draw) -> Self {
        log.rewind(end.offset);
        Self(Mutex::new(State {
            log,
            end,
            chunks: VecDeque::new(),
            kept: 0,
            rest: Arc::from(""),
            before: Vec::new(),
            draw,
            looked: None,
            is_over: false,
        }))
    }

    /// What there is after `place`.
    pub(crate) async fn next(&self, place: Mark) -> io::Result<News> {
        let mut state = self.0.lock().await;
        let is_due = state.looked.is_none_or(|looked| looked.elapsed() >= LOOK);
        if place.offset >= state.end.offset && is_due && !state.is_over {
            state.look().await?;
        }
        Ok(state.news(place))
    }
}

impl State {
    async fn look(&mut self) -> io::Result<()> {
        self.log.rewind(self.end.offset);
        let mut bytes: Vec<u8> = Vec::new();
        let is_last = loop {
            let piece = self.log.read().await?;
            let is_all = piece.bytes.is_empty() || piece.is_last;
            bytes.extend(piece.bytes);
            if is_all {
                self.looked = Some(Instant::now());
            }
            let is_enough = bytes.len() >= ENOUGH && whole_lines(&bytes, LONGEST) > 0;
            if is_all || is_enough {
                break piece.is_last;
            }
        };
        let whole = if is_last { bytes.len() } else { whole_lines(&bytes, LONGEST) };
        let rest = bytes.split_off(whole);
        // Where bytes were left out, only the log knows how far it was read.
        let offset = self.log.offset() - rest.len() as u64;
        let times = match (bytes.as_slice(), rest.as_slice()) {
            ([], []) => Vec::new(),
            _ => self.log.times().await?,
        };
        // Where bytes were left out in the middle, nobody but the log knows where which line begins.
        let is_gapless = offset - self.end.offset == bytes.len() as u64;
        while !bytes.is_empty() {
            let others = bytes.split_off(if is_gapless { part(&bytes) } else { bytes.len() });
            let is_end = others.is_empty();
            let length = bytes.len() as u64;
            let offset = if is_end { offset } else { self.end.offset + length };
            let to = Mark { line: self.end.line + count_lines(&bytes), offset };
            let lines = self.lines(bytes, &times);
            self.keep(Chunk { from: self.end, to, drawn: (self.draw)(&lines).into() });
            self.before.extend(lines.bytes);
            let excess = self.before.len().saturating_sub(LOOK_BACK);
            self.before.drain(..excess);
            bytes = others;
        }
        self.rest = match rest.as_slice() {
            [] => Arc::from(""),
            _ => (self.draw)(&self.lines(rest, &times)).into(),
        };
        self.is_over = is_last;
        Ok(())
    }

    /// Lines that begin where the chunks end.
    fn lines(&self, bytes: Vec<u8>, times: &[(u64, UnixMillis)]) -> Lines {
        let (from, before) = (self.end, self.before.clone());
        Lines { from, before, bytes, times: times.to_vec() }
    }

    fn keep(&mut self, chunk: Chunk) {
        self.end = chunk.to;
        self.kept += chunk.drawn.len();
        self.chunks.push_back(Arc::new(chunk));
        while self.kept > KEPT
            && self.chunks.len() > 1
            && let Some(oldest) = self.chunks.pop_front()
        {
            self.kept -= oldest.drawn.len();
        }
    }

    fn news(&self, place: Mark) -> News {
        if let Some(chunk) = self.chunks.iter().find(|chunk| chunk.from == place) {
            return News::Lines(chunk.clone());
        }
        if place.offset < self.end.offset {
            let known =
                self.chunks.iter().map(|chunk| chunk.from).find(|from| from.offset > place.offset);
            return News::Behind(known.unwrap_or(self.end));
        }
        if self.is_over { News::End } else { News::Rest(self.rest.clone()) }
    }
}

/// The length of the lines at the head of `bytes` that make a chunk: one at least, and all where they are few.
fn part(bytes: &[u8]) -> usize {
    if bytes.len() <= PART {
        return bytes.len();
    }
    match whole_lines(&bytes[..PART], LONGEST) {
        0 => memchr::memchr(b'\n', bytes).map_or(bytes.len(), |end| end + 1),
        whole => whole,
    }
}

/// Whole lines from a place on, no more of them than make a chunk, and where they end; `to` is where others
/// go on.
pub(crate) fn piece(reader: &LogReader, from: Mark, to: Mark) -> io::Result<(Lines, Mark)> {
    let left = usize::try_from(to.offset.saturating_sub(from.offset)).unwrap_or(usize::MAX);
    let mut most = PART.min(left);
    let piece = loop {
        let piece = reader.read_at(from.offset, most)?;
        if most == left.min(LONGEST) || whole_lines(&piece.bytes, LONGEST) > 0 {
            break piece;
        }
        // A line that is longer than what is usual.
        most = (most * 8).min(LONGEST).min(left);
    };
    let mut bytes = piece.bytes;
    let whole = match whole_lines(&bytes, LONGEST) {
        // There is no line feed before the place where others go on: the line was cut there for them, too.
        0 => bytes.len(),
        whole => whole,
    };
    let offset = piece.next - (bytes.len() - whole) as u64;
    bytes.truncate(whole);
    let to = Mark { line: from.line + count_lines(&bytes), offset };
    let (before, times) = (before(reader, from.offset)?, reader.times()?);
    Ok((Lines { from, before, bytes, times }, to))
}

/// Lines of a text; an unfinished last one counts.
pub(crate) fn count_lines(bytes: &[u8]) -> u64 {
    let breaks = memchr::memchr_iter(b'\n', bytes).count() as u64;
    breaks + u64::from(bytes.last().is_some_and(|last| *last != b'\n'))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What is drawn at once of `bytes`, one after the other.
    fn parts(mut bytes: &[u8]) -> Vec<&[u8]> {
        let mut parts = Vec::new();
        while !bytes.is_empty() {
            let (one, others) = bytes.split_at(part(bytes));
            parts.push(one);
            bytes = others;
        }
        parts
    }

    #[test]
    fn a_chunk_has_whole_lines_and_one_that_is_too_long_alone() {
        let (short, long) = ("x".repeat(99) + "\n", "y".repeat(3 * PART) + "\n");
        let text = short.repeat(100) + &long + &short;
        let parts = parts(text.as_bytes());
        let lengths: Vec<usize> = parts.iter().map(|part| part.len()).collect();
        assert_eq!(lengths, [4000, 4000, 2000, long.len(), 100]);
    }

    proptest! {
        #[test]
        fn chunks_make_up_what_they_are_made_of(lengths in prop::collection::vec(0usize..6000, 0..20)) {
            let line = |length: &usize| "z".repeat(*length) + "\n";
            let text: String = lengths.iter().map(line).collect();
            let parts = parts(text.as_bytes());
            prop_assert!(parts.iter().all(|part| part.ends_with(b"\n")));
            prop_assert_eq!(parts.concat(), text.as_bytes());
        }
    }
}
