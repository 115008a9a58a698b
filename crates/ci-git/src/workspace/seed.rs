//! Starting a workspace as a private copy of another one, so that it begins warm.

use std::fs;
use std::io;
use std::path::PathBuf;

use super::copy::copy;
use super::index::Index;
use super::{Workspace, WorkspaceError, at, blocking, discard};
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
    /// `source` does not exist or cannot be copied; this workspace is as it was then.
    pub async fn seed_from(&self, source: &Self) -> Result<(), WorkspaceError> {
        // Taking hold of it would make it.
        fs::symlink_metadata(&source.dir).map_err(at(&source.dir))?;
        let unchanged = source.hold(Sharing::Shared).await?;
        let alone = match self.dir.exists() {
            true => Some(self.hold(Sharing::Exclusive).await?),
            false => None,
        };
        // What the index says is only as good as the last update was.
        let index = source.last_update()?.map(|last| {
            let digits = last.commit.as_str().len();
            (source.meta("index"), digits / 2)
        });
        let seed = Seed {
            subject: subject::to_line(&self.subject),
            from: source.dir.clone(),
            to: self.dir.clone(),
            staging: self.shared.seeds.join(unused_name()),
            trash: self.shared.trash.clone(),
            index,
        };
        let seeded = blocking(move || {
            let _holds = (unchanged, alone);
            seed.carry_out()
        });
        seeded.await.map_err(at(&self.dir))
    }
}

/// A copy in the making.
struct Seed {
    subject: String,
    from: PathBuf,
    to: PathBuf,
    /// Where it is made, before it is moved to its place in one step.
    staging: PathBuf,
    trash: PathBuf,
    /// The source's index, and how long the names of objects are in it.
    index: Option<(PathBuf, usize)>,
}

impl Seed {
    fn carry_out(&self) -> io::Result<()> {
        let trash = Trash::open(&self.trash)?;
        let made = self.make().and_then(|()| {
            discard(&trash, &self.to)?;
            fs::rename(&self.staging, &self.to)
        });
        if made.is_err() && self.staging.exists() {
            // It may have failed because the disk is full.
            discard(&trash, &self.staging).and_then(|()| trash.empty())?;
        }
        made
    }

    fn make(&self) -> io::Result<()> {
        let meta = self.staging.join("meta");
        fs::create_dir_all(&meta)?;
        fs::write(Workspace::subject_file(&self.staging), &self.subject)?;
        let index = match &self.index {
            Some((path, digest)) => Index::read(path, *digest)?,
            None => None,
        };
        let copied = copy(&self.from, &self.staging, &PARTS, index.as_ref())?;
        if copied.left_out > 0 {
            tracing::warn!(from = ?self.from, left_out = copied.left_out, "copied what we may read");
        }
        match index {
            Some(index) => index.write(&copied.moved, &meta.join("index")),
            None => Ok(()),
        }
    }
}
