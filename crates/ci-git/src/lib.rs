//! Git for a continuous-integration node: a mirror of a repository, merges made in it, what they
//! change and contain, and the workspaces where their jobs run.
//!
//! Git is the command line and nothing else; see [`CommandError`] for how it can fail. Everything that a
//! job can write is taken for hostile.
//!
//! # What it costs
//!
//! A git process takes one to three milliseconds on a quiet machine, so they are counted. Three stay
//! for each mirror once they were needed, and answer what would take a process each time: one reads
//! objects, one writes commits, one writes references.
//!
//! | call | processes, one after another | at the same time |
//! |---|---|---|
//! | [`Mirror::open`] | 1 | |
//! | [`Mirror::fetch_some`], however many | 1, and what it starts | |
//! | [`Mirror::fetch`] | 4, and what they start | 1, asking for the default branch |
//! | [`Mirror::refs`] | 1 | |
//! | [`Mirror::tree`], of a commit that was not listed lately | 1 | |
//! | [`Mirror::read_files`], [`Mirror::lacking`], [`Mirror::pin`] | 0 | |
//! | [`Mirror::merge`], into a base that was listed lately | 1 | |
//! | [`Workspace::update`] | 1; 1 more if there are untracked files | |
//! | [`Workspace::seed_from`] | 0 | |
//!
//! What a merge changes costs nothing where the base is listed already: [`Tree::changes_from`]. A fetch
//! starts three processes here; and at the remote, where that is this machine, three more.

mod changes;
mod command;
mod contents;
mod difference;
mod folder;
mod git;
mod hold;
mod mirror;
mod objects;
mod process;
mod refs;
mod remote;
mod repository;
mod sitting;
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
    Merge, MergeCommit, MergeError, MergeRequest, Mirror, MirrorConfig, OpenError, Opened, Wanted,
};
pub use refs::Refs;
pub use remote::{BadUrl, Credential};
pub use tree::{EntryKind, ObjectId, RepoPath, Tree, TreeEntry};
pub use working_copy::{WorkingCopy, WorkingCopyError};
pub use workspace::{LastUpdate, Presence, Updated, Workspace, WorkspaceError};
pub use workspaces::Workspaces;
