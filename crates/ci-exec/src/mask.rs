//! Keeps secrets out of what is stored: every byte that belongs to one is left out, and `***` stands
//! for each run of such bytes.
//!
//! What counts as a secret's are all its occurrences in all its [forms], those that overlap included.
//! So the result depends on the whole text alone and not on the pieces in which it came, which is how
//! the tests know what is right.

mod forms;
mod search;

use std::io;
use std::ops::Range;
use std::sync::Arc;

use self::search::Patterns;
use crate::secrets::Secrets;

/// What stands for a run of bytes that belong to secrets.
const STARS: &[u8] = b"***";

/// All forms of all secrets of a run.
#[derive(Clone)]
pub(crate) struct Mask(Option<Arc<Patterns>>);

/// How much of a text one has.
#[derive(Clone, Copy)]
enum Part {
    Whole,
    Beginning,
}

/// Masks one stream. It tells every byte as soon as it is sure that it belongs to no secret.
pub(crate) struct Masker {
    mask: Mask,
    /// The end of what came: it could be the beginning of a secret.
    open: Vec<u8>,
    /// How many bytes of `open` were told already: they belong to a secret that is complete.
    told: usize,
    /// Whether the last byte that was told belongs to a secret.
    is_in_secret: bool,
}

impl Mask {
    /// Knows all forms of all `secrets`.
    pub(crate) fn new(secrets: &Secrets) -> Self {
        Self::of(secrets.values().flat_map(forms::of).collect())
    }

    /// Masks these patterns, each of which has at least [`LEAST_MASKED`](ci_domain::secret::Secret::LEAST_MASKED) bytes.
    fn of(patterns: Vec<Vec<u8>>) -> Self {
        Self((!patterns.is_empty()).then(|| Arc::new(Patterns::new(patterns))))
    }

    /// Begins a stream.
    pub(crate) fn masker(&self) -> Masker {
        Masker { mask: self.clone(), open: Vec::new(), told: 0, is_in_secret: false }
    }

    /// Masks a whole text.
    pub(crate) fn text(&self, text: &str) -> String {
        self.masked(text, Part::Whole)
    }

    /// Masks the beginning of a text of which there is more: what could begin a secret is left out.
    pub(crate) fn beginning_of(&self, text: &str) -> String {
        self.masked(text, Part::Beginning)
    }

    fn masked(&self, text: &str, part: Part) -> String {
        let (mut masker, mut masked) = (self.masker(), Vec::new());
        let mut take = |bytes: &[u8]| {
            masked.extend_from_slice(bytes);
            Ok(())
        };
        let done = masker.push(text.as_bytes(), &mut take).and_then(|()| match part {
            Part::Whole => masker.finish(&mut take),
            Part::Beginning => Ok(()),
        });
        done.expect("a vector takes everything");
        String::from_utf8_lossy(&masked).into_owned()
    }
}

impl Masker {
    /// Takes the next bytes and tells those that are decided.
    pub(crate) fn push(
        &mut self,
        bytes: &[u8],
        tell: &mut impl FnMut(&[u8]) -> io::Result<()>,
    ) -> io::Result<()> {
        let Some(patterns) = self.mask.0.clone() else { return tell(bytes) };
        if self.open.is_empty() {
            self.tell_decided(&patterns, bytes, tell)
        } else {
            let mut text = std::mem::take(&mut self.open);
            text.extend_from_slice(bytes);
            self.tell_decided(&patterns, &text, tell)
        }
    }

    /// Tells the rest, to which nothing comes any more.
    pub(crate) fn finish(
        &mut self,
        tell: &mut impl FnMut(&[u8]) -> io::Result<()>,
    ) -> io::Result<()> {
        let Some(patterns) = self.mask.0.clone() else { return Ok(()) };
        let text = std::mem::take(&mut self.open);
        let secret = patterns.parts_of(&text);
        self.tell(&text, text.len(), &secret, tell)
    }

    fn tell_decided(
        &mut self,
        patterns: &Patterns,
        text: &[u8],
        tell: &mut impl FnMut(&[u8]) -> io::Result<()>,
    ) -> io::Result<()> {
        let secret = patterns.parts_of(text);
        let open = text.len() - patterns.open_length(text);
        // What belongs to a secret does so whatever comes; it stays open only as the beginning of more.
        let decided = secret.iter().find(|part| part.contains(&open)).map_or(open, |part| part.end);
        let decided = decided.max(self.told);
        self.tell(text, decided, &secret, tell)?;
        self.open = text[open..].to_vec();
        self.told = decided.saturating_sub(open);
        Ok(())
    }

    /// Tells what was not told yet of the bytes before `end`.
    fn tell(
        &mut self,
        text: &[u8],
        end: usize,
        secret: &[Range<usize>],
        tell: &mut impl FnMut(&[u8]) -> io::Result<()>,
    ) -> io::Result<()> {
        let mut at = self.told;
        for part in secret.iter().filter(|part| part.end > self.told && part.start < end) {
            if at < part.start {
                tell(&text[at..part.start])?;
                self.is_in_secret = false;
            }
            if !self.is_in_secret {
                tell(STARS)?;
                self.is_in_secret = true;
            }
            at = part.end.min(end);
        }
        if at < end {
            tell(&text[at..end])?;
            self.is_in_secret = false;
        }
        self.told = 0;
        Ok(())
    }
}

#[cfg(test)]
mod tests;
