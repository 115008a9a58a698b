//! Names of streams, and positions in them.

use std::fmt;

/// The longest name of a stream in bytes: it is part of every key, and keys should stay small.
const MAX_STREAM_BYTES: usize = 512;

/// Names one stream, such as `pull/acme/shop/7` or `intake`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StreamId(String);

/// A text that cannot name a stream.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("name a stream {text:?}: expected 1 to 512 bytes without control characters or '%'")]
pub struct InvalidStream {
    /// The text as it came.
    pub text: String,
}

/// Numbers the records of one stream, from 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Seq(pub u64);

impl StreamId {
    /// Checks `text` and wraps it.
    ///
    /// # Errors
    /// Empty and overlong texts, control characters (a NUL ends the name in a key) and `%` are refused.
    pub fn new(text: impl Into<String>) -> Result<Self, InvalidStream> {
        let text = text.into();
        let fits = (1..=MAX_STREAM_BYTES).contains(&text.len());
        if fits && !text.chars().any(|char| char.is_control() || char == '%') {
            Ok(Self(text))
        } else {
            Err(InvalidStream { text })
        }
    }

    /// The name itself.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Seq {
    /// The position before the first record: where a stream stands that holds nothing.
    pub const START: Self = Self(0);

    /// The position `count` records later.
    #[must_use]
    pub fn after(self, count: usize) -> Self {
        Self(self.0 + count as u64)
    }
}

impl fmt::Display for StreamId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::str::FromStr for StreamId {
    type Err = InvalidStream;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::new(text)
    }
}

impl fmt::Display for Seq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_the_names_that_the_node_uses() {
        for name in ["intake", "pull/acme/shop/7", "branch/acme/shop/føø bar", &"x".repeat(512)] {
            assert_eq!(StreamId::new(name).map(|stream| stream.to_string()), Ok(name.to_owned()));
        }
    }

    #[test]
    fn refuses_what_would_break_a_key_or_a_line() {
        for name in ["", "a\0b", "a\nb", "a%2Fb", &"x".repeat(513)] {
            assert_eq!(StreamId::new(name), Err(InvalidStream { text: name.to_owned() }));
        }
    }
}
