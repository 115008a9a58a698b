//! Git for a continuous-integration node: a mirror of a repository, merges made in it, what they
//! change and contain, and the workspaces where their jobs run.
//!
//! Git is the command line and nothing else; see [`CommandError`] for how it can fail. Everything that a
//! job can write is taken for hostile.
//!
//! # What it costs
//!
//! A git process takes one to three milliseconds, so they are counted.
//!
//! | call | processes, one after another | at the same time |
//! |---|---|---|
//! | [`Mirror::open`] | 1 | |
//! | [`Mirror::fetch_some`] | 1 | |
//! | [`Mirror::fetch`] | 3 | 1, asking for the default branch |
//! | [`Mirror::refs`], [`Mirror::changed_paths`], [`Mirror::tree`] | 1 | |
//! | [`Mirror::read_files`], however many | 1 | |
//! | [`Mirror::merge`], clean | 3 | 2, reading dates and listing files |
//! | [`Mirror::merge`], conflict | 1 | 1, reading dates |
//! | [`Workspace::update`] | 1; 1 more if there are untracked files, 1 more after a copy | |
//!
//! Reads of the same merge do not depend on each other: a caller may run them at the same time. What a
//! merge changes costs nothing where the base is listed already: [`Tree::changes_from`].

mod blobs;
mod changes;
mod command;
mod contents;
mod folder;
mod git;
mod hold;
mod mirror;
mod process;
mod refs;
mod remote;
mod repository;
mod subject;
mod trash;
mod tree;
mod working_copy;
mod workspace;
mod workspaces;

pub use changes::{Change, ChangeKind};
pub use ci_domain::subject::Subject;
pub use command::CommandError;
pub use contents::Content;
pub use git::{Git, GitMissing, MINIMUM, Version};
pub use hold::LockError;
pub use mirror::{
    FetchError, Merge, MergeCommit, MergeError, MergeRequest, Mirror, MirrorConfig, OpenError,
    Opened, Wanted,
};
pub use refs::Refs;
pub use remote::{BadUrl, Credential};
pub use tree::{EntryKind, ObjectId, RepoPath, Tree, TreeEntry};
pub use working_copy::{WorkingCopy, WorkingCopyError};
pub use workspace::{LastUpdate, Updated, Workspace, WorkspaceError};
pub use workspaces::Workspaces;
