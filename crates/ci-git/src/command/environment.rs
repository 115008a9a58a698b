//! What git sees: the node's own calls, and those in a developer's working copy.

use std::ffi::OsStr;
use std::path::Path;

use tokio::process::Command;

use crate::git::Git;

/// Set in every environment: nobody is asked anything, messages are in English.
const QUIET: [(&str, &str); 4] = [
    ("GIT_TERMINAL_PROMPT", "0"),
    ("LC_ALL", "C"),
    ("GIT_SSH_COMMAND", "ssh -oBatchMode=yes -oServerAliveInterval=15"),
    ("GIT_PAGER", "cat"),
];

/// What keeps the machine's and the user's configuration out.
const ISOLATED: [(&str, &str); 4] = [
    ("GIT_CONFIG_NOSYSTEM", "1"),
    ("GIT_CONFIG_GLOBAL", "/dev/null"),
    ("GIT_ATTR_NOSYSTEM", "1"),
    ("GIT_NO_REPLACE_OBJECTS", "1"),
];

/// Configuration for every call: nothing that a repository names is run.
const SAFE: [&str; 2] = ["core.hooksPath=/dev/null", "core.fsmonitor=false"];

/// Old commits with odd dates and names are common and harmless; other broken objects are refused.
pub(crate) const ODDITIES: [&str; 4] =
    ["zeroPaddedFilemode", "missingSpaceBeforeDate", "badTimezone", "badEmail"];

/// Configuration for isolated calls. Transports are opened one by one, by the commands that need one.
const ISOLATED_CONFIG: [&str; 12] = [
    "protocol.allow=never",
    "advice.fetchShowForcedUpdates=false",
    "core.attributesFile=/dev/null",
    "core.excludesFile=/dev/null",
    "gc.auto=0",
    "gc.autoDetach=false",
    "maintenance.auto=false",
    "fetch.writeCommitGraph=false",
    "submodule.recurse=false",
    "transfer.fsckObjects=true",
    "http.lowSpeedLimit=100",
    "http.lowSpeedTime=60",
];

/// Variables of an enclosing git command, such as a hook, that would point git at another repository.
const OF_AN_ENCLOSING_GIT: [&str; 7] = [
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_NAMESPACE",
    "GIT_PREFIX",
];

/// Git that sees nothing but what it is told.
pub(super) fn isolated(git: &Git) -> Command {
    let mut command = plain(git, git.program());
    command.envs(ISOLATED);
    for setting in SAFE.iter().chain(&ISOLATED_CONFIG) {
        command.args(["-c", setting]);
    }
    for kind in ODDITIES {
        command.args(["-c", &format!("fetch.fsck.{kind}=ignore")]);
    }
    command
}

/// Any program, with little to see.
pub(super) fn plain(git: &Git, program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    command.env_clear().envs(git.inherited().iter().map(|(name, value)| (name, value)));
    command.envs(QUIET).current_dir("/");
    command
}

/// Git in somebody's working copy, as that person, but without hooks and without taking locks.
pub(super) fn owners(git: &Git, folder: &Path) -> Command {
    let mut command = Command::new(git.program());
    command.envs(QUIET).env("GIT_OPTIONAL_LOCKS", "0").current_dir(folder);
    for name in OF_AN_ENCLOSING_GIT {
        command.env_remove(name);
    }
    for setting in SAFE {
        command.args(["-c", setting]);
    }
    command
}
