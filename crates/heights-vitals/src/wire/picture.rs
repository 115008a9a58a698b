//! Everything at once: what a file keeps for later.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Crash, Hello, Runtime, Tree};

/// The answer to `GET /v1/picture`: everything that can be seen of a process at one moment.
///
/// It answers the same questions as the process itself, so what was kept of a process can be
/// looked into like the process: see [`Picture::detail`] and its siblings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Picture {
    /// The process.
    pub hello: Hello,
    /// Its actors.
    pub tree: Tree,
    /// Its remembered crashes, the latest first.
    pub crashes: Vec<Crash>,
    /// The runtime they run on; absent where the inspector was started outside one.
    #[serde(default)]
    pub runtime: Option<Runtime>,
}
