//! Starting a workspace as a private copy of another one, so that it begins warm.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::{Workspace, WorkspaceError, at, blocking, discard};
use crate::command::Command;
use crate::hold::Sharing;
use crate::subject;
use crate::trash::{Trash, unused_name};

/// What is copied: all that jobs make and use.
const PARTS: [&str; 3] = ["src", "home", "cache"];

impl Workspace {
    /// Replaces this workspace by a copy of `source`: its files with their times, its home and its
    /// cache. Blocks are shared where the file system can. Nothing is written to `source`, and no job
    /// may run in either meanwhile. The copy needs an [`update`](Self::update) before jobs run.
    ///
    /// # Errors
    /// `source` does not exist or cannot be copied in full; this workspace is as it was then.
    pub async fn seed_from(&self, source: &Self) -> Result<(), WorkspaceError> {
        // Taking hold of it would make it.
        fs::symlink_metadata(&source.dir).map_err(at(&source.dir))?;
        let _unchanged = source.hold(Sharing::Shared).await?;
        // A copy that a killed node has left running goes on writing, but not here.
        let staging = self.shared.seeds.join(unused_name());
        let prepared = {
            let (staging, line) = (staging.clone(), subject::to_line(&self.subject));
            let index = source.meta("index");
            blocking(move || prepare(&staging, &line, &index))
        };
        prepared.await.map_err(at(&staging))?;
        let parts = source.copied_parts()?;
        if !parts.is_empty() {
            let copy = Command::program(&self.shared.git, self.shared.limit, "cp");
            let copy = copy.args(["--archive", "--reflink=auto", "--"]).args(parts);
            copy.arg(&staging).run().await?;
        }
        let alone = match self.dir.exists() {
            true => Some(self.hold(Sharing::Exclusive).await?),
            false => None,
        };
        let (dir, trash) = (self.dir.clone(), self.shared.trash.clone());
        let replaced = blocking(move || {
            let _alone = alone;
            replace(&dir, &staging, &trash)
        });
        replaced.await.map_err(at(&self.dir))
    }

    /// The parts to copy, which must be folders: a job may have put a link in the place of one.
    fn copied_parts(&self) -> Result<Vec<PathBuf>, WorkspaceError> {
        let mut parts = Vec::new();
        for path in PARTS.map(|part| self.dir.join(part)) {
            match fs::symlink_metadata(&path) {
                Ok(found) if found.is_dir() => parts.push(path),
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(at(&path)(error)),
            }
        }
        Ok(parts)
    }
}

/// Makes a new folder with what the node itself keeps in a workspace.
fn prepare(staging: &Path, subject: &str, index: &Path) -> io::Result<()> {
    fs::create_dir_all(staging.join("meta"))?;
    fs::write(Workspace::subject_file(staging), subject)?;
    if index.exists() {
        fs::copy(index, staging.join("meta/index"))?;
        fs::write(staging.join("meta/copied"), "")?;
    }
    Ok(())
}

fn replace(dir: &Path, staging: &Path, trash: &Path) -> io::Result<()> {
    let trash = Trash::open(trash)?;
    discard(&trash, dir)?;
    fs::rename(staging, dir)
}
