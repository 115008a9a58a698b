//! The `.git` that jobs get: a throw-away repository that borrows the mirror's objects.
//!
//! It is written file by file, without running git, and deleted unread before the next update. It has
//! the merge checked out without a branch, the tags, and the branches as those of `origin`; no remote
//! and no credential.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use ci_domain::ids::CommitSha;

use crate::command::CommandError;
use crate::mirror::Mirror;

/// Jobs have no business with what is not theirs; collecting garbage would only cost time.
const CONFIG: &str = "[core]\n\trepositoryformatversion = 0\n\tbare = false\n[gc]\n\tauto = 0\n";

/// The header that says that references are in order.
const SORTED: &str = "# pack-refs with: sorted \n";

/// The branches and tags of `mirror`, as a file `packed-refs`.
pub(super) async fn references(mirror: &Mirror) -> Result<String, CommandError> {
    let list = mirror.command("for-each-ref").arg("--format=%(objectname) %(refname)");
    let listing = list.args(["--", "refs/heads/", "refs/tags/"]).run().await?.text();
    let references =
        listing.lines().map(|line| line.replacen(" refs/heads/", " refs/remotes/origin/", 1));
    Ok(references.fold(SORTED.to_owned(), |packed, line| packed + &line + "\n"))
}

/// Makes `src/.git`, which must not exist.
pub(super) fn lay(
    src: &Path,
    commit: &CommitSha,
    references: &str,
    (mirror, index): (&Path, &Path),
) -> io::Result<()> {
    let git = src.join(".git");
    fs::create_dir(&git)?;
    fs::create_dir(git.join("refs"))?;
    fs::create_dir_all(git.join("objects/info"))?;
    let mut objects = OsString::from(mirror.join("objects"));
    objects.push("\n");
    fs::write(git.join("objects/info/alternates"), objects.as_bytes())?;
    fs::write(git.join("packed-refs"), references)?;
    fs::write(git.join("config"), CONFIG)?;
    fs::copy(index, git.join("index"))?;
    fs::write(git.join("HEAD"), format!("{commit}\n"))
}
