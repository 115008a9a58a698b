//! Logs as they grow: bytes by offset, to their present end or followed to their last.

mod command;
mod follow;
mod index;
mod job;
mod pulse;
mod shelf;
mod text;

pub(crate) use command::CommandLog;
pub(crate) use follow::{Chunk, Follow, LOOK, News, piece};
pub(crate) use index::{BLOCK, Lines, Mark};
pub(crate) use job::{JobLog, failures_last};
pub(crate) use shelf::Shelf;
pub(crate) use text::whole_characters;

/// Whether to stop at the present end of a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Until {
    /// What there is now.
    Now,
    /// What comes, too, until it is complete.
    Complete,
}
