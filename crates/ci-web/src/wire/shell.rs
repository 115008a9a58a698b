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
    /// What it may use as a whole, like a job, where the machine can bound it.
    pub bounds: Option<ShellBounds>,
}

/// What a shell may use as a whole; what is not said is not bounded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShellBounds {
    /// The control group in which one for the shell is to be made, a directory.
    pub parent: String,
    /// Bytes of memory.
    pub memory: Option<u64>,
    /// Processes and threads at once.
    pub pids: Option<u32>,
    /// Thousandths of a processor.
    pub milli_cpus: Option<u32>,
}
