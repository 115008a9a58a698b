//! Containers: which engine this machine has, and whether it works when it is tried.

use std::collections::BTreeMap;
use std::path::PathBuf;

use ci_exec::{
    Container, Engine, EngineKind, Image, ImageSource, Launcher, Limits, Network,
    try_out_container, version,
};

use super::{Ground, program};
use crate::compose::RUNNER;
use crate::exit::failed_to;

/// The engines by what they are called, the better one first: podman's containers are processes of the
/// node's user, docker's those of a daemon that is root.
const ENGINES: [(&str, EngineKind); 2] =
    [("podman", EngineKind::Podman), ("docker", EngineKind::Docker)];
/// What engines read of the environment: where their files, their programs and their daemons are.
const ENVIRONMENT: [&str; 15] = [
    "BUILDAH_ISOLATION",
    "CONTAINERS_CONF",
    "CONTAINERS_REGISTRIES_CONF",
    "CONTAINERS_STORAGE_CONF",
    "DBUS_SESSION_BUS_ADDRESS",
    "DOCKER_CONFIG",
    "DOCKER_CONTEXT",
    "DOCKER_HOST",
    "HOME",
    "PATH",
    "REGISTRY_AUTH_FILE",
    "XDG_CONFIG_HOME",
    "XDG_DATA_HOME",
    "XDG_RUNTIME_DIR",
    "USER",
];
/// What helps where there is no engine.
const NONE_INSTALLED: &str = "neither podman nor docker is installed (apt install podman)";

/// Containers that were seen to work, or why there are none.
pub(super) async fn containers(ground: &Ground<'_>) -> Result<Container, String> {
    let mut troubles = Vec::new();
    for (name, kind) in ENGINES {
        let Some(program) = program(ground.path, name) else { continue };
        let engine = Engine { kind, program, env: environment(ground.path) };
        match of_engine(engine, ground).await {
            Ok(container) => return Ok(container),
            Err(why) => troubles.push(format!("{name}: {why}")),
        }
    }
    if troubles.is_empty() { Err(NONE_INSTALLED.to_owned()) } else { Err(troubles.join("; ")) }
}

/// The engine is tried with the limits of the configuration, and where it cannot bound jobs without.
async fn of_engine(engine: Engine, ground: &Ground<'_>) -> Result<Container, String> {
    version(&engine).await.map_err(|error| failed_to(&error))?;
    let bounded = container(engine, ground.limits);
    let Err(why) = attempt(&bounded, ground).await else { return Ok(bounded) };
    if bounded.engine.kind == EngineKind::Docker {
        return Err(why);
    }
    let free = Container { limits: None, ..bounded };
    attempt(&free, ground).await.map(|()| free)
}

async fn attempt(container: &Container, ground: &Ground<'_>) -> Result<(), String> {
    let launcher = Launcher::current_exe([RUNNER]);
    let tried = try_out_container(&launcher, &ground.trial, container).await;
    tried.map_err(|error| failed_to(&error).replace('\n', " "))
}

fn container(engine: Engine, limits: Limits) -> Container {
    Container {
        engine,
        image: Image { name: String::new(), source: ImageSource::Registry },
        readable: Vec::<PathBuf>::new(),
        writable: Vec::new(),
        network: Network::Shared,
        pids: limits.pids,
        limits: Some(limits),
    }
}

fn environment(path: &str) -> BTreeMap<String, String> {
    let named = ENVIRONMENT.iter().filter_map(|name| {
        let value = std::env::var(name).ok()?;
        Some(((*name).to_owned(), value))
    });
    named.chain([("PATH".to_owned(), path.to_owned())]).collect()
}
