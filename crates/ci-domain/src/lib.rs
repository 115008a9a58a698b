//! The decisions of a continuous-integration node, with no clock, no IO and no async.
//!
//! Everything here is a function from values to values: which components a change affects, which jobs
//! follow, what a pull request waits for, and the words in which people are told.

pub mod affected;
pub mod annotation;
pub mod branch;
pub mod build;
pub mod claims;
pub mod code_owners;
pub mod dependencies;
pub mod forge;
pub mod gate;
pub mod graph;
pub mod ids;
pub mod input_scope;
pub mod job_pattern;
pub mod may_run;
pub mod merge_queue;
pub mod nightly;
pub mod origin;
pub mod outcome;
pub mod outline;
pub mod paths;
pub mod pipeline;
pub mod plan;
pub mod policy;
pub mod pull;
pub mod report;
pub mod secret;
pub mod step;
pub mod subject;
pub mod test_report;
pub mod wording;

mod definition_text;
#[cfg(test)]
mod sample;
#[cfg(test)]
mod world;
