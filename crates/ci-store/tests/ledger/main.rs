//! Tests of the ledgers from outside.
#![expect(clippy::unwrap_used, reason = "a test may fail loudly")]

mod support;

mod check;
mod concurrency;
mod contract;
mod disk_full;
mod exports;
mod kill;
mod recovery;
mod replay;
