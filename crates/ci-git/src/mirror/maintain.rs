//! Keeping the mirror small and quick.

use super::Mirror;
use crate::command::CommandError;

/// Objects that nothing refers to stay this long, for commands that have just begun to use them.
const GRACE: &str = "gc.pruneExpire=3.days.ago";

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
        let collect = self.command("gc").config("gc.auto=6700").config(GRACE);
        collect.args(["--auto", "--quiet"]).holding(&hold).run().await?;
        // What was packed anew is only gone from the disk once nobody has it open.
        self.repository.rest().await;
        Ok(())
    }
}
