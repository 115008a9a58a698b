//! Typed names for processes, in registries that are values, never globals.
//!
//! A [`Registry`] maps keys to values on behalf of owners. An [`Owner`] stands for a process and
//! ends with its task, so a name is free exactly when nobody can answer to it any more: not
//! earlier, when the old process is still cleaning up, and not later.
//!
//! | registry | a second `register` of a key | `lookup` returns |
//! |---|---|---|
//! | [`unique`](Registry::unique) | [`AlreadyRegistered`] while the holder lives | the one value |
//! | [`duplicate`](Registry::duplicate) | adds an entry | the first; [`lookup_all`](Registry::lookup_all) all |

#![warn(missing_docs)]

mod entries;
mod owner;
mod registry;

pub use owner::{EndHookId, Owner, OwnerEnd};
pub use registry::{AlreadyRegistered, Change, Registry};
