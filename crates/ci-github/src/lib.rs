//! The forge: where pull requests live and where the node's words are read.
//!
//! [`Forge`] is the port. [`GitHub`] speaks to GitHub over REST and GraphQL, [`LocalForge`] keeps
//! pull requests beside a bare git repository, and [`fake::FakeGitHub`] is a GitHub in memory.
//! One contract test holds all three to the same behavior. [`webhook`] reads what GitHub sends.
//!
//! One call is one attempt. Retrying, ordering and pacing belong to the caller.

pub mod fake;
mod forge;
mod github;
mod local;
mod log_only;
mod moment;
mod standing;
pub mod webhook;

pub use ci_domain::secret::Secret;
pub use forge::{Budget, Forge, ForgeError, ForgeFuture, Window};
pub use github::{
    Account, Answered, AppKey, CredentialSource, Credentials, Examination, GitHub, GitHubConfig,
    Grant, Hook, InvalidConfig, Permission, SignIn, SignInConfig, SignInError,
};
pub use local::{LocalForge, LocalForgeError, NewLocalPull};
pub use log_only::LogOnly;
pub use moment::{InvalidTimestamp, TimestampParser};
pub use standing::Standing;
