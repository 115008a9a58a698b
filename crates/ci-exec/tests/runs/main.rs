//! Runs of real runners with real processes. Every wait has a ceiling.
#![expect(clippy::unwrap_used, reason = "a test may fail loudly")]

mod support;

mod adoption;
mod bounds;
mod cancelling;
mod commands;
mod container;
mod container_escapes;
mod control;
mod crashes;
mod docker;
mod engine;
mod escapes;
mod keeping;
mod limits;
mod logs;
mod reboot;
mod registry;
mod sandbox;
mod secrets;
mod starting;
mod steps;
mod versions;
