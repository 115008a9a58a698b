//! What is kept of the files that a command has left: which ones, and which not and why.

mod report;
mod wire;

use std::fmt;

pub(crate) use report::{TESTS_VERSION, WireTests};
pub(crate) use wire::{KEPT_VERSION, WireKept};

/// How much may be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeepLimits {
    /// The largest file that is kept, in bytes.
    pub file_bytes: u64,
    /// The most of one job, in bytes; the same content counts once.
    pub job_bytes: u64,
    /// The most files of one job.
    pub files: u32,
}

/// What is kept of one execution of a command.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Kept {
    /// The files, by their paths.
    pub artifacts: Vec<Artifact>,
    /// What was asked for and is not there, with the reason.
    pub notes: Vec<Note>,
}

/// A file that is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Artifact {
    /// Its path from the root of the repository.
    pub path: String,
    /// What it holds.
    pub digest: Digest,
    /// How much it holds.
    pub bytes: u64,
}

/// Something that was asked for and could not be had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// A path or a pattern.
    pub what: String,
    /// What is the matter with it, as a fragment that fits behind it.
    pub why: String,
}

/// The SHA-256 of a file's content, in hexadecimal.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest(String);

impl KeepLimits {
    /// What holds where nobody says otherwise: 256 MiB for a file, 1 GiB and 1000 files for a job.
    pub const USUAL: Self = Self { file_bytes: 256 << 20, job_bytes: 1 << 30, files: 1000 };
}

impl Digest {
    /// A digest by its text; `None` where that is none.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        (text.len() == 64 && text.bytes().all(is_digit)).then(|| Self(text.to_owned()))
    }

    /// Its text, 64 digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub(crate) fn of(bytes: &[u8; 32]) -> Self {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
        Self(digits.map(|digit| char::from(DIGITS[usize::from(digit)])).collect())
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Note {
    pub(crate) fn new(what: impl Into<String>, why: impl Into<String>) -> Self {
        Self { what: what.into(), why: why.into() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_is_64_digits() {
        let text = "0f".repeat(32);
        assert_eq!(Digest::of(&[0x0f; 32]).as_str(), text);
        assert_eq!(Digest::parse(&text), Some(Digest(text.clone())));
        for bad in [&text[1..], &text.to_uppercase(), &"../x".repeat(16), ""] {
            assert_eq!(Digest::parse(bad), None, "{bad}");
        }
    }
}
