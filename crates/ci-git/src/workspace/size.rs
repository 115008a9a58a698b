//! How much of the disk a workspace takes, remembered for as long as nobody has been there since.

use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::time::SystemTime;

use super::{Workspace, WorkspaceError, at};
use crate::command::{Command, CommandError};

impl Workspace {
    /// How many bytes the workspace takes on the disk, at the latest since somebody was last there;
    /// blocks that are shared count for each. Measuring takes a look at every file, so it is done only
    /// once nobody is there any more; until then the last figure counts.
    ///
    /// # Errors
    /// It cannot be measured.
    pub async fn size(&self) -> Result<u64, WorkspaceError> {
        let used = self.last_used();
        let remembered = self.remembered_size();
        match remembered {
            Some((bytes, then)) if used.is_none_or(|used| used == then) => return Ok(bytes),
            _ => {}
        }
        let is_busy = self.try_have_alone()?.is_none();
        if let (true, Some((bytes, _))) = (is_busy, remembered) {
            return Ok(bytes);
        }
        let bytes = self.measure().await?;
        if !is_busy && self.last_used() == used {
            let path = self.meta("size");
            remember(&path, bytes, used).map_err(at(&path))?;
        }
        Ok(bytes)
    }

    /// What was measured, and when somebody had last been there then.
    fn remembered_size(&self) -> Option<(u64, SystemTime)> {
        let path = self.meta("size");
        let bytes = fs::read_to_string(&path).ok()?.parse().ok()?;
        Some((bytes, fs::metadata(&path).ok()?.modified().ok()?))
    }

    async fn measure(&self) -> Result<u64, WorkspaceError> {
        let measure = Command::program(&self.shared.git, self.shared.limit, "du").args([
            "-s",
            "--block-size=1",
            "--",
        ]);
        // 1 means that parts were unreadable or vanished meanwhile.
        let output = measure.arg(&self.dir).accepting(&[0, 1]).run().await?;
        let text = output.text();
        let bytes = text.split_whitespace().next().and_then(|bytes| bytes.parse().ok());
        Ok(bytes.ok_or_else(|| CommandError::unexpected("du", output.stderr.as_bytes()))?)
    }
}

fn remember(path: &Path, bytes: u64, used: Option<SystemTime>) -> io::Result<()> {
    fs::write(path, bytes.to_string())?;
    match used {
        Some(used) => File::options().append(true).open(path)?.set_modified(used),
        None => Ok(()),
    }
}
