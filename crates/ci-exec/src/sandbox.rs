//! A sandbox: the commands of one job among themselves, in namespaces that bubblewrap makes.
//!
//! ```text
//! runner (outside)              sandbox: pid, mount, IPC, UTS and user namespaces of its own
//! ────────────────              ─────────────────────────────────────────────────────────────
//! Keeper ── starts ──► bwrap ── makes ──► init, its first process: this executable once more
//!    │                                      │
//!    ├── Order, pipe ──── socket pair ─────►├── shell of a command, in a group of its own
//!    ◄── News, pidfd ──────────────────────┤     └── what it starts
//!    └── signals, by what /proc shows ────────►  └── what it starts
//! ```
//!
//! One sandbox serves all commands of a job, since what one leaves running the next may need. It ends
//! with its init, and with it everything that was ever started in it: the kernel sees to that. Init
//! ends when it is killed, when its socket has no other end, and when bwrap dies; bwrap dies with the
//! runner. So nothing outlives the runner, however that ends.
//!
//! Signals never go to bwrap or to init, who would take everything along at once, but to the
//! processes of commands, which the runner sees in its own `/proc`.

mod arguments;
mod channel;
mod init;
mod keeper;
mod system;
mod trial;

pub(crate) use arguments::arguments;
pub(crate) use init::{CALLED_CONTAINED, called_with, init_main};
pub(crate) use keeper::{ENTER_LIMIT, EnterError, Inmate, Keeper, own_arguments};

pub(crate) use system::System;

pub use trial::{TrialError, try_out, try_out_container};
