//! Stories of a whole node: the real program beside a real git repository and a GitHub in memory,
//! webhooks in, statuses and comments out.
#![expect(clippy::unwrap_used, reason = "a test may fail loudly")]

use std::time::Duration;

#[path = "../../../ci-web/tests/web/support/browser.rs"]
mod browser;
mod chance;
mod node;
mod processes;
#[path = "../../../ci-github/tests/support/recorded.rs"]
mod recordings;
mod repository;
mod runners;
#[path = "../../../ci-github/tests/support/stand_in.rs"]
mod stand_in;
mod told;
mod wait;
mod world;

mod absence;
mod actors;
mod app;
mod bad_input;
mod base;
mod branches;
mod chaos;
mod commands;
mod containers;
mod damage;
mod full_disk;
mod green;
mod heads;
mod inside;
mod isolation;
mod kills;
mod lives;
mod nightly;
mod owners;
mod poison;
mod proxy;
mod queue;
mod reboot;
mod recorded;
mod red;
mod redelivered;
mod reload;
mod reports;
mod rerequested;
mod scenarios;
mod secrets;
mod shared;
mod shell;
mod soak;
mod stop;
mod watching;
mod workspaces;

/// How long a browser may take for anything, with all cores busy.
const CEILING: Duration = Duration::from_secs(90);
