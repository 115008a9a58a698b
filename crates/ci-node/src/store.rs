//! The store of a node: opened before anything starts, and the end of the process where it fails.
//!
//! A node that cannot write down what it decides must not decide anything more. Ending at once loses
//! nothing: what was acknowledged is on disk, and runners go on and are found by the next start.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, Result};
use ci_store::{Fault, Ledger, Options, SledLedger};
use tracing::{error, warn};

use crate::compose::stamp;

/// The exit code of a node whose store has failed: `EX_IOERR` of sysexits.h. The service manager starts
/// it anew, again and again until the disk is mended.
const STORE_FAILED: i32 = 74;

/// Opens the store in `folder`, or makes one there.
///
/// # Errors
/// Another process holds it, or the system refuses.
pub(crate) fn open(folder: &Path) -> Result<Arc<dyn Ledger>> {
    std::fs::create_dir_all(folder)
        .with_context(|| format!("failed to make {}", folder.display()))?;
    let shown = folder.display().to_string();
    let options = Options::new(stamp()).on_fatal(move |fault| end(&shown, fault));
    let opened = SledLedger::open(folder, options)
        .with_context(|| format!("failed to open the store in {}", folder.display()))?;
    if let Some(recovery) = opened.recovery {
        warn!(%recovery, "the store was damaged");
    }
    Ok(Arc::new(opened.ledger))
}

/// Ends the process: stopping in order would need the store.
fn end(folder: &str, fault: &Fault) {
    error!(
        store = folder,
        %fault,
        "the node ends, because its store cannot be written or read; jobs go on, and the next start \
         finds them. See to the disk"
    );
    std::process::exit(STORE_FAILED);
}
