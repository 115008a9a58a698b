//! Keeping the mirror small and quick.

use std::sync::atomic::Ordering;

use super::Mirror;
use crate::command::CommandError;
use crate::hold::Hold;

/// Objects that nothing refers to stay this long, for commands that have just begun to use them.
const GRACE: &str = "gc.pruneExpire=3.days.ago";

/// Every reference in a file of its own is opened by every fetch; this many are still quick.
const LOOSE_REFERENCES: usize = 200;

impl Mirror {
    /// Packs loose objects and references and drops what nobody refers to, if enough has gathered
    /// to be worth it. Builds may run meanwhile: what is pinned stays readable.
    ///
    /// Every fetch that brings something leaves a pack, because it is checked on arrival; after some
    /// hundreds of them everything gets slower, so a busy mirror wants this every hour or so.
    ///
    /// # Errors
    /// Git failed.
    pub async fn maintain(&self) -> Result<(), CommandError> {
        let hold = self.hold().await?;
        self.pack_references(&hold).await?;
        let collect = self.command("gc").config("gc.auto=6700").config(GRACE);
        collect.args(["--auto", "--quiet"]).holding(&hold).run().await?;
        // What was packed anew is only gone from the disk once nobody has it open.
        self.repository.reader.clear().await;
        Ok(())
    }

    /// Takes note of new references, and packs them once there are many.
    pub(super) async fn has_written(
        &self,
        references: usize,
        hold: &Hold,
    ) -> Result<(), CommandError> {
        let before = self.loose_references.fetch_add(references, Ordering::Relaxed);
        match before + references > LOOSE_REFERENCES {
            true => self.pack_references(hold).await,
            false => Ok(()),
        }
    }

    /// Puts all references into one file. Whoever reads or writes one meanwhile finds it.
    pub(super) async fn pack_references(&self, hold: &Hold) -> Result<(), CommandError> {
        self.loose_references.store(0, Ordering::Relaxed);
        self.command("pack-refs").arg("--all").holding(hold).run().await.map(drop)
    }
}
