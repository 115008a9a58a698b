//! The crate against real git, in temporary folders.
#![expect(clippy::unwrap_used, reason = "a test may fail loudly")]

mod command;
mod contents;
mod credential;
mod fixture;
mod hostile;
mod merge;
mod mirror;
mod objects;
mod performance;
mod presence;
mod reflinks;
mod seed;
mod seed_files;
mod working_copy;
mod workspace;
