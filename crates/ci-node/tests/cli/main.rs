//! The command line, driven as people drive it: the built program on real repositories.
#![expect(clippy::unwrap_used, reason = "a test may fail loudly")]

mod check;
mod doctor;
mod guide;
mod interrupting;
mod isolating;
mod plan;
mod remote;
mod run;
mod run_output;
#[path = "../../../ci-github/tests/support/stand_in.rs"]
mod stand_in;
mod support;
mod without_repository;
