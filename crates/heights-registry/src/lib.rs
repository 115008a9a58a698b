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
//!
//! # What a crash does to a registry
//!
//! Nothing. A registry is not a process but a value that its handles share, so there is none whose
//! crash would take the names of others with it, and nobody has to register again or be restarted.
//! What can fail is code of others that it calls, and a change is whole all the same:
//!
//! | panics | then |
//! |---|---|
//! | a closure given to `update_value`, `unregister_match`, `select`, `count_match` | nothing has changed |
//! | a listener | the change has happened, the other listeners were told, and the panic goes on |
//! | a callback of a dispatch | it is reported, the others are called |
//! | work under a lock of a key | the lock is given back |

#![warn(missing_docs)]

mod entries;
mod owner;
mod registry;

pub use owner::{EndHookId, Owner, OwnerEnd};
pub use registry::{
    AlreadyRegistered, Change, DispatchPanic, Dispatched, Registry, RegistryBuilder,
};
