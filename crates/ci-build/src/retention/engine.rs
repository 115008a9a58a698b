//! Having the engine of containers forget what nobody needs: images that were built here and not used for
//! long, and containers whose runners are gone.

use ci_exec::remove_left;
use heights::Fault;
use tracing::info;

use crate::images::Images;
use crate::retention::RetentionArgs;

/// Removes what nobody needs, where jobs run in containers.
pub(super) async fn tidy(args: &RetentionArgs) -> Result<(), Fault> {
    // All repositories share the engine.
    let repos = args.repos.all();
    let Some(elders) = repos.first().map(|repo| &repo.elders) else { return Ok(()) };
    let Some(container) = &elders.settings.container else { return Ok(()) };
    let removed = remove_left(&container.engine, elders.runs.folder()).await?;
    if removed > 0 {
        info!(removed, "removed containers that killed runners left");
    }
    let images = Images::noted_in(&elders.settings.images);
    for image in images.remove_unused(&container.engine, (args.now)()).await? {
        info!(image, "removed an image that nobody has used for long");
    }
    Ok(())
}
