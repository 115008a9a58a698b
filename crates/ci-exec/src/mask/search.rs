//! Finding every occurrence of many patterns in a text.
//!
//! A window as long as the shortest pattern moves over the text. By the last four bytes in it a table
//! says how far it can move until a pattern may begin where it does (the way of Wu and Manber): far for
//! most, since few texts have four bytes of a secret in them. Only where it cannot move, patterns are
//! compared.

use std::collections::HashMap;
use std::ops::Range;

use ci_domain::secret::Secret;

/// How many bytes are looked at at once.
const BLOCK: usize = 4;
const _: () = assert!(BLOCK <= Secret::LEAST_MASKED, "a pattern begins with a block");
/// How many places the tables have, as a power of two: many more than there are blocks in most secrets.
const BITS: u32 = 18;

/// The patterns of a mask.
pub(super) struct Patterns {
    /// In order, so that those with a given beginning stand together.
    sorted: Vec<Vec<u8>>,
    shortest: usize,
    longest: usize,
    /// How far the window can move, by the place of the block at its end.
    moves: Vec<u8>,
    /// Whether a pattern may begin with a block, by its place: one bit each.
    beginnings: Vec<u64>,
    /// Which patterns begin with a block.
    by_beginning: HashMap<u32, Range<usize>>,
}

impl Patterns {
    /// Takes patterns of at least [`BLOCK`] bytes, and at least one of them.
    pub(super) fn new(mut sorted: Vec<Vec<u8>>) -> Self {
        sorted.sort();
        sorted.dedup();
        let lengths = || sorted.iter().map(Vec::len);
        let (shortest, longest) =
            (lengths().min().unwrap_or(BLOCK), lengths().max().unwrap_or(BLOCK));
        let last = shortest - BLOCK;
        let mut moves = vec![distance(last + 1); 1 << BITS];
        let mut beginnings = vec![0; 1 << (BITS - u64::BITS.ilog2())];
        let mut by_beginning: HashMap<u32, Range<usize>> = HashMap::new();
        for (position, pattern) in sorted.iter().enumerate() {
            for (at, block) in pattern[..shortest].windows(BLOCK).enumerate() {
                let move_of_block = &mut moves[place(number(block))];
                *move_of_block = distance(last - at).min(*move_of_block);
            }
            let beginning = number(pattern);
            let place = place(beginning);
            beginnings[place >> 6] |= 1 << (place & 63);
            by_beginning.entry(beginning).or_insert(position..position).end = position + 1;
        }
        Self { sorted, shortest, longest, moves, beginnings, by_beginning }
    }

    /// The parts of `text` in which some pattern occurs, in order and apart from each other.
    pub(super) fn parts_of(&self, text: &[u8]) -> Vec<Range<usize>> {
        let mut parts: Vec<Range<usize>> = Vec::new();
        let mut start = 0;
        while let Some(window) = text.get(start..start + self.shortest) {
            let distance = self.moves[place(number(&window[self.shortest - BLOCK..]))];
            if distance > 0 {
                start += usize::from(distance);
                continue;
            }
            if let Some(length) = self.longest_at(&text[start..]) {
                match parts.last_mut() {
                    Some(last) if last.end >= start => last.end = last.end.max(start + length),
                    _ => parts.push(start..start + length),
                }
            }
            start += 1;
        }
        parts
    }

    /// The length of the longest end of `text` that is the beginning of a pattern, but not all of it.
    pub(super) fn open_length(&self, text: &[u8]) -> usize {
        let first = text.len() - text.len().min(self.longest - 1);
        let open = (first..text.len()).find(|start| self.is_open(&text[*start..]));
        open.map_or(0, |start| text.len() - start)
    }

    fn is_open(&self, end: &[u8]) -> bool {
        if end.len() < BLOCK {
            let next = self.sorted.partition_point(|pattern| pattern.as_slice() <= end);
            return self.sorted.get(next).is_some_and(|pattern| pattern.starts_with(end));
        }
        let place = place(number(end));
        let may_be = self.beginnings[place >> 6] >> (place & 63) & 1 == 1;
        let is_open = |pattern: &Vec<u8>| pattern.len() > end.len() && pattern.starts_with(end);
        may_be && self.beginning_like(end).iter().any(is_open)
    }

    /// The length of the longest pattern that `text` begins with.
    fn longest_at(&self, text: &[u8]) -> Option<usize> {
        // Of two of which one begins with the other, the longer one stands later.
        let candidates = self.beginning_like(text).iter().rev();
        candidates.into_iter().find(|pattern| text.starts_with(pattern)).map(Vec::len)
    }

    /// The patterns that have their first block in common with `text`.
    fn beginning_like(&self, text: &[u8]) -> &[Vec<u8>] {
        self.by_beginning.get(&number(text)).map_or(&[], |range| &self.sorted[range.clone()])
    }
}

/// The block that `bytes` begin with.
fn number(bytes: &[u8]) -> u32 {
    u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]])
}

/// The place of a block in the tables.
fn place(block: u32) -> usize {
    // Half of the golden ratio's bits spread what is alike.
    (block.wrapping_mul(0x9e37_79b9) >> (u32::BITS - BITS)) as usize
}

/// As the table has it: moving less far is slower, and never wrong.
fn distance(bytes: usize) -> u8 {
    u8::try_from(bytes).unwrap_or(u8::MAX)
}
