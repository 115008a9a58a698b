//! The decisions of a continuous-integration node, with no clock, no IO and no async.
//!
//! Everything here is a function from values to values: which components a change affects, which jobs
//! follow, what a pull request waits for, and the words in which people are told.

pub mod ids;
pub mod pipeline;
pub mod policy;
pub mod step;
