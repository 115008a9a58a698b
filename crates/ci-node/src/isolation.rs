//! Which isolation this machine offers to jobs: what the configuration asks for, and what works when it
//! is tried.

mod containers;

use std::path::{Component, Path, PathBuf};

use ci_config::node::{IsolationChoice, NodeConfig, Runner};
use ci_domain::may_run::Isolation;
use ci_exec::{Container, EngineKind, Launcher, Limits, Namespaces, Network};
use rustix::fs::{Access, access};
use tracing::{info, warn};

use crate::compose::{Folders, RUNNER};
use crate::exit::failed_to;

use containers::containers;

/// Why nothing else was tried.
const CHOSEN: &str = "[runner] isolation says so";
/// The program that makes sandboxes.
const BUBBLEWRAP: &str = "bwrap";
/// Where a folder of its own under it can be hidden as a whole.
const SETTINGS: &str = "/etc";

/// What jobs are offered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Offer {
    pub(crate) level: Isolation,
    /// Why it is not more.
    pub(crate) trouble: String,
    /// How sandboxes are made, where they can be.
    pub(crate) namespaces: Option<Namespaces>,
    /// How containers are made, where they can be.
    pub(crate) container: Option<Container>,
}

/// Where jobs are to be isolated.
#[derive(Debug)]
pub(crate) struct Ground<'a> {
    /// Where programs are looked for.
    pub(crate) path: &'a str,
    /// What jobs may read besides the system.
    pub(crate) visible: &'a [PathBuf],
    /// What they must not see, wherever it lies.
    pub(crate) hidden: Vec<PathBuf>,
    /// What a job may use, where that can be bounded.
    pub(crate) limits: Limits,
    /// Whether any job names the image of a container.
    pub(crate) has_images: bool,
    /// Where it is tried out; the folder is made and removed.
    pub(crate) trial: PathBuf,
}

impl<'a> Ground<'a> {
    /// The ground of a node, whose secrets lie in the files `private`.
    pub(crate) fn of(config: &'a NodeConfig, path: &'a str, private: &[PathBuf]) -> Self {
        let folders = Folders::of(config);
        Self {
            path,
            visible: &config.runner.visible,
            hidden: hidden(private).chain([folders.all()]).collect(),
            limits: limits(&config.runner),
            has_images: true,
            trial: folders.trial(),
        }
    }
}

impl Offer {
    /// Nothing stands between jobs and the node.
    pub(crate) fn none() -> Self {
        let trouble = "this node runs jobs without isolation".to_owned();
        Self { level: Isolation::None, trouble, namespaces: None, container: None }
    }

    /// The stronger of what works. Jobs that name no image of a container have a sandbox where that is to
    /// be had.
    fn of(namespaces: Result<Namespaces, String>, container: Result<Container, String>) -> Self {
        match (namespaces, container) {
            (namespaces, Ok(container)) => Self {
                level: Isolation::Container,
                trouble: by_containers(&container, namespaces.as_ref().err()),
                namespaces: namespaces.ok(),
                container: Some(container),
            },
            (Ok(namespaces), Err(why)) => Self {
                level: Isolation::Namespaces,
                trouble: format!("no containers: {why}"),
                namespaces: Some(namespaces),
                container: None,
            },
            (Err(sandboxes), Err(containers)) => {
                Self::unavailable(format!("{sandboxes}; {containers}"))
            }
        }
    }

    fn unavailable(trouble: impl Into<String>) -> Self {
        let (level, trouble) = (Isolation::Unavailable, trouble.into());
        Self { level, trouble, namespaces: None, container: None }
    }

    /// Says once which it is, and why not more.
    pub(crate) fn log(&self) {
        let why = &self.trouble;
        match self.level {
            Isolation::Unavailable => warn!(why, "no isolation available: no job will start"),
            Isolation::None => warn!(why, "jobs can do whatever this user can do"),
            Isolation::Namespaces => info!(level = "namespaces", why, "jobs are isolated"),
            Isolation::Container => info!(level = "container", why, "jobs are isolated"),
        }
    }
}

/// What the configuration lets a job use.
pub(crate) fn limits(runner: &Runner) -> Limits {
    Limits { memory: runner.memory, pids: runner.pids, milli_cpus: runner.milli_cpus }
}

/// What sandboxes must not show so that the files `private` stay secret.
pub(crate) fn hidden(private: &[PathBuf]) -> impl Iterator<Item = PathBuf> {
    private.iter().map(|file| to_hide(file))
}

/// Finds out what this machine offers, by trying it.
pub(crate) async fn offer(choice: IsolationChoice, ground: Ground<'_>) -> Offer {
    match choice {
        IsolationChoice::None => Offer::none(),
        IsolationChoice::Namespaces => match namespaces(&ground).await {
            Ok(namespaces) => Offer::of(Ok(namespaces), Err(CHOSEN.to_owned())),
            Err(why) => Offer::unavailable(why),
        },
        IsolationChoice::Container => match containers(&ground).await {
            Ok(container) => Offer::of(Err(CHOSEN.to_owned()), Ok(container)),
            Err(why) => Offer::unavailable(why),
        },
        IsolationChoice::Auto => {
            let namespaces = namespaces(&ground).await;
            let container = match ground.has_images {
                true => containers(&ground).await,
                false => Err("no component names an image".to_owned()),
            };
            Offer::of(namespaces, container)
        }
    }
}

/// Sandboxes, which were seen to work.
async fn namespaces(ground: &Ground<'_>) -> Result<Namespaces, String> {
    let bubblewrap = program(ground.path, BUBBLEWRAP)
        .ok_or("bubblewrap is not installed (apt install bubblewrap)")?;
    let namespaces = Namespaces {
        bubblewrap,
        visible: ground.visible.to_vec(),
        hidden: ground.hidden.clone(),
        readable: Vec::new(),
        writable: Vec::new(),
        network: Network::Shared,
        pids: ground.limits.pids,
    };
    let launcher = Launcher::current_exe([RUNNER]);
    match ci_exec::try_out(&launcher, &ground.trial, &namespaces).await {
        Ok(()) => Ok(namespaces),
        Err(error) => Err(explained(&failed_to(&error))),
    }
}

/// How containers are made, and what becomes of jobs that name no image.
fn by_containers(container: &Container, no_sandboxes: Option<&String>) -> String {
    let engine = match container.engine.kind {
        EngineKind::Podman => "podman",
        EngineKind::Docker => "docker",
    };
    let bounds = container.limits.map_or(", which bounds none of what jobs use", |_| "");
    let others = match no_sandboxes {
        None => "jobs without an image run in namespaces".to_owned(),
        Some(why) => format!("jobs without an image do not run: {why}"),
    };
    format!("with {engine}{bounds}; {others}")
}

/// The first program of this name on `path`.
fn program(path: &str, name: &str) -> Option<PathBuf> {
    let folders = std::env::split_paths(path).filter(|folder| folder.is_absolute());
    let mut programs = folders.map(|folder| folder.join(name));
    programs.find(|file| file.is_file() && access(file, Access::EXEC_OK).is_ok())
}

/// A folder that has the secret and little else, so that a new file in the place of an old one is hidden
/// from sandboxes that are there already; else the file.
fn to_hide(file: &Path) -> PathBuf {
    let folder = file.parent().unwrap_or(Path::new("/"));
    let below_settings = folder.strip_prefix(SETTINGS).is_ok_and(|rest| {
        rest.components().next().is_some_and(|first| matches!(first, Component::Normal(_)))
    });
    if below_settings { folder.to_owned() } else { file.to_owned() }
}

/// What bubblewrap says, and what would help.
fn explained(said: &str) -> String {
    let hint = if said.contains("Unknown option") {
        "bubblewrap 0.8 or newer is needed"
    } else if ["uid map", "new namespace", "Operation not permitted", "No permissions"]
        .iter()
        .any(|words| said.contains(words))
    {
        "user namespaces are off here: see sysctl user.max_user_namespaces, \
         kernel.unprivileged_userns_clone, kernel.apparmor_restrict_unprivileged_userns"
    } else {
        return said.to_owned();
    };
    format!("{hint} ({said})")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use ci_exec::{Engine, Image, ImageSource};

    use super::*;

    #[test]
    fn a_program_is_the_first_on_the_path_that_can_be_started() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        for (place, mode) in [("a", 0o644), ("b", 0o755), ("c", 0o755)] {
            fs::create_dir(at(place)).unwrap();
            fs::write(at(place).join("tool"), "x").unwrap();
            let mode = fs::Permissions::from_mode(mode);
            fs::set_permissions(at(place).join("tool"), mode).unwrap();
        }
        let path = std::env::join_paths([Path::new("."), &at("a"), &at("b"), &at("c")]).unwrap();
        let path = path.to_str().unwrap();
        assert_eq!(program(path, "tool"), Some(at("b").join("tool")));
        assert_eq!(program(path, "other"), None);
        assert_eq!(program("", "tool"), None);
    }

    #[test]
    fn a_secret_is_hidden_with_its_folder_where_that_is_its_own() {
        let check =
            |file: &str, hidden: &str| assert_eq!(to_hide(Path::new(file)), Path::new(hidden));
        check("/etc/ci-node/token", "/etc/ci-node");
        check("/etc/ci/node/token", "/etc/ci/node");
        check("/etc/token", "/etc/token");
        check("/usr/local/token", "/usr/local/token");
        check("/token", "/token");
    }

    fn sandboxes() -> Namespaces {
        Namespaces {
            bubblewrap: "/usr/bin/bwrap".into(),
            visible: Vec::new(),
            hidden: Vec::new(),
            readable: Vec::new(),
            writable: Vec::new(),
            network: Network::Shared,
            pids: 1,
        }
    }

    fn containers_of(kind: EngineKind) -> Container {
        Container {
            engine: Engine { kind, program: "/usr/bin/engine".into(), env: BTreeMap::new() },
            image: Image { name: String::new(), source: ImageSource::Registry },
            readable: Vec::new(),
            writable: Vec::new(),
            network: Network::Shared,
            pids: 1,
            limits: None,
        }
    }

    #[test]
    fn the_strongest_that_works_is_offered_with_why_it_is_not_more() {
        let no = |why: &str| why.to_owned();
        let check = |namespaces, container, level, trouble: &str| {
            let offer = Offer::of(namespaces, container);
            assert_eq!((offer.level, offer.trouble.as_str()), (level, trouble));
        };
        let podman = || Ok(containers_of(EngineKind::Podman));
        check(
            Ok(sandboxes()),
            podman(),
            Isolation::Container,
            "with podman, which bounds none of what jobs use; jobs without an image run in namespaces",
        );
        check(
            Err(no("no bwrap")),
            podman(),
            Isolation::Container,
            "with podman, which bounds none of what jobs use; jobs without an image do not run: no bwrap",
        );
        let why = "no containers: no podman";
        check(Ok(sandboxes()), Err(no("no podman")), Isolation::Namespaces, why);
        let neither = Offer::of(Err(no("no bwrap")), Err(no("no podman")));
        assert_eq!(neither, Offer::unavailable("no bwrap; no podman"));
    }

    #[test]
    fn what_would_help_is_said() {
        let check = |said: &str, start: &str| assert!(explained(said).starts_with(start), "{said}");
        check("make a sandbox: bwrap: Unknown option --disable-userns", "bubblewrap 0.8 or newer");
        check("bwrap: setting up uid map: Permission denied", "user namespaces are off here");
        check("bwrap: Creating new namespace failed: Operation not permitted", "user namespaces");
        check("bwrap: Can't find source path /x", "bwrap: Can't find");
    }
}
