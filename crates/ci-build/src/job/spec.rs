//! What a runner is told: the commands of the merge, and the whole environment they see.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use ci_domain::ids::BranchName;
use ci_domain::may_run::{Disk, Isolation as Level, MayRun};
use ci_domain::pipeline::{Component, Job};
use ci_domain::policy;
use ci_domain::subject::Subject;
use ci_exec::{Container, Isolation, Namespaces, Network, OpenError, RunDir, RunSpec, Secrets};

use crate::job::JobArgs;
use crate::job::image::image_of;
use crate::queues::SHELL_PORTS;
use crate::workspaces::Place;

/// The variable that holds the first of a job's ports.
pub(super) const PORT_BASE: &str = "CI_PORT_BASE";

/// Why a runner cannot be told anything.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Obstacle(pub(super) String);

/// Whether the run in `dir` is of this very attempt: of its job, on its merge. A later program's run is not
/// ours to judge.
pub(super) fn is_of(dir: &RunDir, args: &JobArgs) -> Result<bool, OpenError> {
    let spec = match dir.spec() {
        Ok(spec) => spec,
        Err(error @ OpenError::Version { .. }) => return Err(error),
        // A run that does not even say what it is of is nobody's.
        Err(_) => return Ok(false),
    };
    let is = |name: &str, value: &str| spec.env.get(name).is_some_and(|said| said == value);
    Ok(is("CI_COMMIT", args.merge.as_str())
        && is("CI_COMPONENT", args.job.component.as_str())
        && is("CI_JOB", args.job.job.as_str()))
}

/// Makes the spec of an attempt's runner.
pub(super) async fn run_spec(args: &JobArgs, port_base: u16) -> Result<RunSpec, Obstacle> {
    check_may_run(args)?;
    let elders = &args.elders;
    let pipeline = elders.mirror.pipeline(&args.merge).await.map_err(Obstacle)?;
    let component = pipeline.components.get(&args.job.component);
    let definition = component.and_then(|component| component.jobs.get(&args.job.job));
    let (Some(component), Some(definition)) = (component, definition) else {
        return Err(Obstacle(format!("find {} in the merge {}", args.job, args.merge.short())));
    };
    let Scene { place, working_dir, isolation, env } = scene(args, component, port_base).await?;
    Ok(RunSpec {
        attempt: args.attempt.clone(),
        workspace: place.source,
        working_dir,
        isolation,
        bounds: elders.settings.bounds.clone(),
        env,
        steps: definition.steps.clone(),
        timeout: timeout(args, definition),
        grace: elders.settings.grace,
        log_limit: elders.settings.log_limit,
        orphan_limit: elders.settings.orphan_limit,
        keep_limits: elders.settings.keep_limits,
    })
}

/// What the commands of a component find around them.
pub(crate) struct Scene {
    pub(crate) place: Place,
    pub(crate) working_dir: PathBuf,
    pub(crate) isolation: Isolation,
    /// Without secrets, and without what a command adds.
    pub(crate) env: BTreeMap<String, String>,
}

/// The scene of a person's shell, which stands in the place of a job.
pub(crate) async fn shell_scene(args: &JobArgs) -> Result<Scene, Obstacle> {
    check_may_run(args)?;
    let pipeline = args.elders.mirror.pipeline(&args.merge).await.map_err(Obstacle)?;
    let Some(component) = pipeline.components.get(&args.job.component) else {
        let (component, merge) = (&args.job.component, args.merge.short());
        return Err(Obstacle(format!("find the component {component} in the merge {merge}")));
    };
    scene(args, component, SHELL_PORTS).await
}

async fn scene(args: &JobArgs, component: &Component, port_base: u16) -> Result<Scene, Obstacle> {
    let place = args.elders.workspaces.place_of(&args.origin.subject);
    for folder in [&place.home, &place.cache, &place.temporary] {
        // A job may have removed what later ones need.
        tokio::fs::create_dir_all(folder)
            .await
            .map_err(|error| Obstacle(format!("make {}: {error}", folder.display())))?;
    }
    let isolation = isolation(args, component, &place).await?;
    let working_dir = place.source.join(args.job.component.folder());
    let mut env = surroundings(args, &place.home, port_base);
    env.extend([
        ("CI_CACHE_DIR".to_owned(), text(&place.cache)),
        ("TMPDIR".to_owned(), text(&place.temporary)),
    ]);
    if matches!(isolation, Isolation::Container(_)) {
        // An image has programs of its own, and says where.
        env.remove("PATH");
    }
    // Secrets < component < command; the secrets and the command's own are the runner's to add.
    env.extend(component.env.clone());
    Ok(Scene { place, working_dir, isolation, env })
}

/// The secrets that the commands see, which go to the runner by another way than the rest.
pub(super) fn secrets(args: &JobArgs) -> Result<Secrets, Obstacle> {
    let granted = &args.elders.secrets;
    let secret = |name: &String| match granted.get(name) {
        Some(secret) => Ok((name.clone(), secret.clone())),
        // The policy was valid when it was read, by a node that was told more.
        None => Err(Obstacle(format!("hand over the secret {name}: the node does not grant it"))),
    };
    args.origin.secrets.iter().map(secret).collect()
}

/// The predicate, asked once more where the commands are about to be spawned.
fn check_may_run(args: &JobArgs) -> Result<(), Obstacle> {
    match args.origin.may_run(args.elders.settings.isolation, Disk::Ok) {
        MayRun::Yes => Ok(()),
        MayRun::No(reason) => Err(Obstacle(format!("run commands of this head: {reason:?}"))),
    }
}

/// What keeps the commands from the node. They write in their part of the workspace, and read the
/// objects of the mirror, which their `.git` borrows.
///
/// A node that makes containers makes one where the component names an image. Where it names none, a
/// sandbox will do, unless a container is demanded.
async fn isolation(
    args: &JobArgs,
    component: &Component,
    place: &Place,
) -> Result<Isolation, Obstacle> {
    let (settings, sandbox) = (&args.elders.settings, args.origin.sandbox);
    let is_demanded = sandbox.isolation == Some(policy::Demand::Container);
    let (namespaces, container) = (&settings.namespaces, &settings.container);
    let readable = vec![args.elders.mirror.objects().to_owned()];
    let writable = [&place.source, &place.home, &place.cache, &place.temporary];
    let writable = writable.map(Clone::clone).to_vec();
    let network = match sandbox.network_for(args.origin.head) {
        policy::Network::Shared => Network::Shared,
        policy::Network::None => Network::Own,
    };
    match (sandbox.on(settings.isolation), &component.image, container, namespaces) {
        (Level::None, ..) => Ok(Isolation::None),
        (Level::Container, Some(image), Some(container), _) => {
            let container = Container { readable, writable, network, ..container.clone() };
            let image = image_of(args, image, &container, &place.images).await?;
            Ok(Isolation::Container(Box::new(Container { image, ..container })))
        }
        (level @ (Level::Namespaces | Level::Container), _, _, Some(namespaces))
            if level == Level::Namespaces || !is_demanded =>
        {
            let hidden = args.elders.hidden.borrow().clone();
            let namespaces = namespaces.clone();
            Ok(Isolation::Namespaces(Namespaces {
                readable,
                writable,
                hidden,
                network,
                ..namespaces
            }))
        }
        (Level::Container, None, ..) => {
            let name = &component.name;
            Err(Obstacle(format!("isolate its commands: {name} names no `image` for a container")))
        }
        (Level::Namespaces | Level::Container | Level::Unavailable, ..) => {
            let why = sandbox.trouble_on(settings.isolation, &settings.isolation_trouble);
            Err(Obstacle(format!("isolate its commands: {why}")))
        }
    }
}

fn timeout(args: &JobArgs, definition: &Job) -> std::time::Duration {
    let settings = &args.elders.settings;
    definition.timeout.unwrap_or(settings.job_timeout).min(settings.max_job_timeout)
}

/// Everything but the component's own variables: nothing of the node's environment is passed on.
fn surroundings(args: &JobArgs, home: &Path, port_base: u16) -> BTreeMap<String, String> {
    let name = |branch: &Option<BranchName>| branch.as_ref().map(ToString::to_string);
    let pull = match args.origin.subject {
        Subject::Pull(number) => Some(number.to_string()),
        Subject::Branch(_) => None,
    };
    let pairs = [
        ("CI", "true".to_owned()),
        ("CI_COMMIT", args.merge.to_string()),
        ("CI_HEAD", args.head.to_string()),
        ("CI_BASE", name(&args.origin.base).unwrap_or_default()),
        ("CI_BRANCH", name(&args.origin.branch).unwrap_or_default()),
        ("CI_PULL", pull.unwrap_or_default()),
        ("CI_COMPONENT", args.job.component.to_string()),
        ("CI_JOB", args.job.job.to_string()),
        ("CI_ATTEMPT", args.attempt.to_string()),
        (PORT_BASE, port_base.to_string()),
        ("PATH", args.elders.settings.path.clone()),
        ("LANG", "C.UTF-8".to_owned()),
        ("HOME", text(home)),
    ];
    pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}
