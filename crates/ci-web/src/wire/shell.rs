//! How to start a shell where the jobs of a pull request run.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Where a shell is wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ShellRequest {
    /// The component in whose folder it begins.
    #[serde(default)]
    pub component: String,
}

/// How to start it, on the node's machine and as the node's user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shell {
    /// The file that is to be locked, alone, for as long as the shell lives; builds wait meanwhile.
    pub lock: String,
    /// The program and its arguments.
    pub program: Vec<String>,
    /// The whole environment.
    pub env: BTreeMap<String, String>,
}
