//! A container, as a runner is told to make it and as that is stored.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::Network;
use super::isolation::WireNetwork;

/// A container for all commands of a job: their files are an image's, not the machine's.
///
/// All paths are absolute, and the same inside as outside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Container {
    /// What makes it.
    pub engine: Engine,
    /// What its files are.
    pub image: Image,
    /// What of the machine commands may read.
    pub readable: Vec<PathBuf>,
    /// What of the machine commands may write.
    pub writable: Vec<PathBuf>,
    /// What they reach of the network.
    pub network: Network,
    /// How many processes they may be at once, where the kernel counts them: those of root it does not.
    pub pids: u32,
    /// What the engine is to bound; nothing where it cannot, or where the job as a whole is bounded.
    pub limits: Option<Limits>,
}

/// A program that makes containers, and the whole environment that it is called with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Engine {
    /// Which it is.
    pub kind: EngineKind,
    /// The program.
    pub program: PathBuf,
    /// Where it keeps its files and finds its own programs.
    pub env: BTreeMap<String, String>,
}

/// The programs that are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EngineKind {
    /// podman, whose containers are processes of whoever calls it.
    Podman,
    /// docker, whose containers are processes of its daemon.
    Docker,
}

/// An image: a name that the engine knows or can come by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    /// Its name.
    pub name: String,
    /// How to come by it.
    pub source: ImageSource,
}

/// How to come by an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ImageSource {
    /// Its registry has it; it is fetched where it is missing.
    Registry,
    /// It is built where it is missing: the name stands for all that it is made of.
    Built(Build),
    /// It is built each time, from what the engine remembers of the last time.
    Rebuilt(Build),
}

/// How an image is built.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Build {
    /// The Dockerfile.
    pub file: PathBuf,
    /// The folder that it copies from.
    pub context: PathBuf,
    /// Where the caches are that its steps mount, if the engine lets us choose.
    pub caches: PathBuf,
}

/// What a job may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of memory; what goes beyond is killed.
    pub memory: u64,
    /// How many processes and threads there may be at once.
    pub pids: u32,
    /// How much time of the processors there is, in thousandths of one; all there is where it is not said.
    pub milli_cpus: Option<u32>,
}

/// A [`Container`] as it is stored.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct WireContainer {
    engine: WireEngineKind,
    program: PathBuf,
    engine_env: BTreeMap<String, String>,
    image: String,
    source: WireSource,
    readable: Vec<PathBuf>,
    writable: Vec<PathBuf>,
    network: WireNetwork,
    pids: u32,
    limits: Option<WireLimits>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum WireEngineKind {
    Podman,
    Docker,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum WireSource {
    Registry,
    Built(WireBuild),
    Rebuilt(WireBuild),
}

#[derive(Debug, Serialize, Deserialize)]
struct WireBuild {
    file: PathBuf,
    context: PathBuf,
    caches: PathBuf,
}

#[derive(Debug, Serialize, Deserialize)]
struct WireLimits {
    memory: u64,
    pids: u32,
    #[serde(default)]
    milli_cpus: Option<u32>,
}

impl From<&Container> for WireContainer {
    fn from(container: &Container) -> Self {
        let Container { engine, image, readable, writable, network, pids, limits } =
            container.clone();
        Self {
            engine: match engine.kind {
                EngineKind::Podman => WireEngineKind::Podman,
                EngineKind::Docker => WireEngineKind::Docker,
            },
            program: engine.program,
            engine_env: engine.env,
            image: image.name,
            source: match image.source {
                ImageSource::Registry => WireSource::Registry,
                ImageSource::Built(build) => WireSource::Built(build.into()),
                ImageSource::Rebuilt(build) => WireSource::Rebuilt(build.into()),
            },
            readable,
            writable,
            network: network.into(),
            pids,
            limits: limits.map(WireLimits::from),
        }
    }
}

impl From<WireContainer> for Container {
    fn from(wire: WireContainer) -> Self {
        let kind = match wire.engine {
            WireEngineKind::Podman => EngineKind::Podman,
            WireEngineKind::Docker => EngineKind::Docker,
        };
        let source = match wire.source {
            WireSource::Registry => ImageSource::Registry,
            WireSource::Built(build) => ImageSource::Built(build.into()),
            WireSource::Rebuilt(build) => ImageSource::Rebuilt(build.into()),
        };
        Self {
            engine: Engine { kind, program: wire.program, env: wire.engine_env },
            image: Image { name: wire.image, source },
            readable: wire.readable,
            writable: wire.writable,
            network: wire.network.into(),
            pids: wire.pids,
            limits: wire.limits.map(Limits::from),
        }
    }
}

impl From<Limits> for WireLimits {
    fn from(Limits { memory, pids, milli_cpus }: Limits) -> Self {
        Self { memory, pids, milli_cpus }
    }
}

impl From<WireLimits> for Limits {
    fn from(WireLimits { memory, pids, milli_cpus }: WireLimits) -> Self {
        Self { memory, pids, milli_cpus }
    }
}

impl From<Build> for WireBuild {
    fn from(Build { file, context, caches }: Build) -> Self {
        Self { file, context, caches }
    }
}

impl From<WireBuild> for Build {
    fn from(WireBuild { file, context, caches }: WireBuild) -> Self {
        Self { file, context, caches }
    }
}
