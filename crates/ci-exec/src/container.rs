//! A container: the commands of one job among themselves, with the files of an image, made by podman or
//! docker.
//!
//! ```text
//! runner (outside)                  container: namespaces, and files, of its own
//! ────────────────                  ─────────────────────────────────────────────
//! image: fetched or built, with a log
//! Gate, a socket in the run directory ──────► /.ci-node/gate/socket
//! podman run ── has made ─────────────────► init, its first process: this executable once more
//! Keeper ◄── connects ──────────────────────┤ with the loader and libraries of this machine
//!    └── as with a sandbox ────────────────►├── shells of commands
//! ```
//!
//! All that matters is as in a [sandbox](crate::sandbox): init starts the shells and hands back pidfds,
//! whoever outside signals them does so by what `/proc` shows, and with init ends everything. Init ends
//! with its socket, so nothing outlives the runner. What the engine keeps of a container it is told to
//! remove; what it still has after a runner was killed is found by its label.

mod arguments;
mod engine;
mod gate;
mod image;
mod program;
mod remains;

pub(crate) use arguments::{Unspeakable, interactive, run};
pub(crate) use engine::{call, inspection, removal, variables};
pub(crate) use gate::{Gate, meet};
pub(crate) use image::image_step;
pub(crate) use program::Program;
pub(crate) use remains::remove_of;

pub use remains::{
    EngineError, built_images, has_image, remove_image, remove_left, remove_nameless_images,
    version,
};
