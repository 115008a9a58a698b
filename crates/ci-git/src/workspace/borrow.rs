//! The `.git` that jobs get: a throw-away repository that borrows the mirror's objects.
//!
//! It is written file by file, without running git, and deleted unread before the next update. It has
//! the merge checked out without a branch, and the tags; no other branch, no remote, no credential.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use ci_domain::ids::CommitSha;

use crate::mirror::SORTED;

/// Jobs have no business with what is not theirs; collecting garbage would only cost time.
const CONFIG: &str = "[core]\n\trepositoryformatversion = 0\n\tbare = false\n[gc]\n\tauto = 0\n";

/// Where the things are that are not the jobs' own.
pub(super) struct Borrowed {
    /// The mirror's folder of objects.
    pub(super) objects: PathBuf,
    /// The mirror's tags, unless it has never been fetched.
    pub(super) tags: PathBuf,
    /// The index that belongs to the files.
    pub(super) index: PathBuf,
}

/// Makes `src/.git`, which must not exist.
pub(super) fn lay(
    src: &Path,
    commit: &CommitSha,
    Borrowed { objects, tags, index }: &Borrowed,
) -> io::Result<()> {
    let git = src.join(".git");
    fs::create_dir(&git)?;
    fs::create_dir(git.join("refs"))?;
    fs::create_dir_all(git.join("objects/info"))?;
    let mut objects = OsString::from(objects);
    objects.push("\n");
    fs::write(git.join("objects/info/alternates"), objects.as_bytes())?;
    if tags.exists() {
        fs::copy(tags, git.join("packed-refs"))?;
    } else {
        fs::write(git.join("packed-refs"), SORTED)?;
    }
    fs::write(git.join("config"), CONFIG)?;
    fs::copy(index, git.join("index"))?;
    fs::write(git.join("HEAD"), format!("{commit}\n"))
}
