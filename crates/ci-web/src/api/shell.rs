//! How to start a shell where the jobs of a pull request run: whoever asks starts it, if it may.

use axum::Json;
use axum::extract::State;
use ci_build::NoShell;
use ci_domain::ids::{ComponentName, InvalidId};
use ci_exec::Bounds;

use super::place::{Given, PullPath};
use crate::access::{Administer, Allowed};
use crate::problem::Problem;
use crate::site::Site;
use crate::wire::{Shell, ShellBounds, ShellRequest};

pub(super) async fn describe(
    State(site): State<Site>,
    _: Allowed<Administer>,
    PullPath(repo, number): PullPath,
    Given(asked): Given<ShellRequest>,
) -> Result<Json<Shell>, Problem> {
    let component = ComponentName::new(asked.component)
        .map_err(|error: InvalidId| Problem::bad_request(error.to_string()))?;
    let shell = match site.node().shell(&repo, number, &component).await? {
        Ok(shell) => shell,
        Err(why @ NoShell::NoWorkspace) => return Err(Problem::not_found(why.to_string())),
        Err(why) => return Err(Problem::conflict(why.to_string())),
    };
    let program = shell.program.into_iter().map(|word| word.into_string());
    let program = program.collect::<Result<_, _>>();
    let odd = |word| Problem::conflict(format!("failed to name {word:?}: it is no UTF-8"));
    let lock = shell.lock.to_string_lossy().into_owned();
    let bounds = shell.bounds.map(wire_bounds);
    Ok(Json(Shell { lock, program: program.map_err(odd)?, env: shell.env, bounds }))
}

fn wire_bounds(bounds: Bounds) -> ShellBounds {
    let Bounds { parent, memory, pids, milli_cpus } = bounds;
    ShellBounds { parent: parent.to_string_lossy().into_owned(), memory, pids, milli_cpus }
}
