//! The tags, ready to be handed to jobs.
//!
//! Every update of a workspace needs them and only a fetch of everything changes them, so that fetch
//! writes them down, in the form in which a repository reads them.

use std::io;
use std::path::PathBuf;

use super::Mirror;
use crate::command::CommandError;

/// The first line of the file, which says that the references are in order.
pub(crate) const SORTED: &str = "# pack-refs with: sorted \n";

/// The file's name within the mirror; not one that git uses.
const FILE: &str = "ci-node-tags";

impl Mirror {
    /// The tags as a file `packed-refs`; there is none before the first fetch.
    pub(crate) fn tags(&self) -> PathBuf {
        self.dir().join(FILE)
    }

    /// Writes the tags down, in one step.
    pub(super) async fn list_tags(&self) -> Result<(), CommandError> {
        let list = self.command("for-each-ref").arg("--format=%(objectname) %(refname)");
        let listing = list.args(["--", "refs/tags/"]).run().await?;
        let content = [SORTED.as_bytes(), &listing.stdout].concat();
        let (file, new) = (self.tags(), self.dir().join(format!("{FILE}.new")));
        let written: io::Result<()> = async {
            tokio::fs::write(&new, content).await?;
            tokio::fs::rename(&new, &file).await
        }
        .await;
        let command = || format!("git for-each-ref > {}", file.display());
        written.map_err(|source| CommandError::Broken { command: command(), source })
    }
}
