//! The three file formats of ci-node: `ci.yaml`, `ci-policy.yaml` and `ci-node.toml`.
//!
//! Each file is read into the types of [`ci_domain`] or into [`node::NodeConfig`], or into all that is
//! wrong with it: where, what was expected, and what to do about it. Nothing that is read is executed,
//! expanded or followed.

pub mod component;
pub mod diagnostic;
pub mod node;
pub mod pipeline;
pub mod policy;
pub mod quantity;
pub mod queue;
pub mod schema;
pub mod source;
pub mod yaml;

mod address;
mod document;
mod environment;
mod field;
mod group;
mod keeps;
mod keys;
mod patterns;
mod read_http;
mod read_node;
mod read_repo;
mod read_secret;
mod references;
mod steps;
mod suggestion;
mod toml_document;

pub use ci_domain::secret::Secret;
pub use component::parse_component;
pub use diagnostic::Diagnostic;
pub use node::parse_node;
pub use pipeline::{FileContent, is_component_file, misnamed, parse_pipeline, parse_pipeline_in};
pub use policy::{POLICY_FILE, check_policy, parse_policy, parse_policy_granted};
