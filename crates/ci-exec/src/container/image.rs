//! The step that comes by an image, as a command with a log of its own.

use std::path::Path;

use ci_domain::step::{Command, NodeId};

use super::engine::{call, inspection, quoted};
use crate::spec::{Build, Container, EngineKind, ImageSource, Network};

/// What people call the step.
const TITLE: &str = "image";
/// How often a registry is asked again.
const FETCH_RETRIES: u32 = 1;
/// Marks the images that were built here.
pub(super) const BUILT: &str = "ci-node.image";

/// The command that comes by the image of `container`; its id is of no step of the job.
pub(crate) fn image_step(container: &Container, id: NodeId) -> Command {
    let image = &container.image;
    let (run, retry) = match &image.source {
        ImageSource::Registry => (call(&container.engine, &["pull", &image.name]), FETCH_RETRIES),
        ImageSource::Built(build) => (build_once(container, build), 0),
        ImageSource::Rebuilt(build) => (build_now(container, build), 0),
    };
    Command { name: Some(TITLE.to_owned()), retry, ..Command::new(id, run) }
}

/// Builds what is missing. Whoever comes second waits, and finds it there.
fn build_once(container: &Container, build: &Build) -> String {
    let look = inspection(&container.engine, &container.image.name);
    let inner = format!("{look} > /dev/null || {{ {}; }}", build_now(container, build));
    format!("exec flock --close {} /bin/sh -c {}", path(&build.context), quoted(&inner))
}

/// Builds, with nothing from the network where commands have none: what is built then is nothing that
/// others would build on.
fn build_now(container: &Container, build: &Build) -> String {
    let (label, file) = (format!("{BUILT}={}", container.image.name), build.file.to_string_lossy());
    let mut words = vec!["build", "--tag", &container.image.name, "--label", &label];
    words.extend(["--file", &file]);
    if container.network == Network::Own {
        words.push("--network=none");
        words.push(match container.engine.kind {
            EngineKind::Podman => "--layers=false",
            EngineKind::Docker => "--no-cache",
        });
    }
    let context = build.context.to_string_lossy();
    words.push(&context);
    let build_it = call(&container.engine, &words);
    format!("export TMPDIR={}; exec {build_it}", path(&build.caches))
}

fn path(path: &Path) -> String {
    quoted(&path.to_string_lossy())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::spec::{Engine, Image};

    fn container(kind: EngineKind, network: Network, source: ImageSource) -> Container {
        Container {
            engine: Engine { kind, program: "/bin/engine".into(), env: BTreeMap::new() },
            image: Image { name: "local/x:1".to_owned(), source },
            readable: Vec::new(),
            writable: Vec::new(),
            network,
            pids: 1,
            limits: None,
        }
    }

    fn build() -> Build {
        Build { file: "/c/a b/Dockerfile".into(), context: "/c/a b".into(), caches: "/k".into() }
    }

    fn text(kind: EngineKind, network: Network, source: ImageSource) -> String {
        image_step(&container(kind, network, source), NodeId::root().child(3)).run
    }

    #[test]
    fn what_a_registry_has_is_fetched_and_asked_for_again() {
        let container = container(EngineKind::Docker, Network::Own, ImageSource::Registry);
        let step = image_step(&container, NodeId::root().child(3));
        assert_eq!((step.title(), step.run.as_str()), ("image", "/bin/engine pull local/x:1"));
        assert_eq!((step.id.as_str(), step.retry), ("3", 1));
    }

    #[test]
    fn what_is_built_each_time_is_built() {
        let source = ImageSource::Rebuilt(build());
        assert_eq!(
            text(EngineKind::Docker, Network::Shared, source),
            "export TMPDIR=/k; exec /bin/engine build --tag local/x:1 --label \
             ci-node.image=local/x:1 --file '/c/a b/Dockerfile' '/c/a b'"
        );
    }

    #[test]
    fn without_a_network_nothing_is_shared_with_other_builds() {
        let check = |kind, option| {
            let said = text(kind, Network::Own, ImageSource::Rebuilt(build()));
            assert!(said.contains(&format!(" --network=none {option} ")), "{said}");
        };
        check(EngineKind::Podman, "--layers=false");
        check(EngineKind::Docker, "--no-cache");
    }

    #[test]
    fn what_is_built_once_is_looked_for_first_by_one_at_a_time() {
        let said = text(EngineKind::Podman, Network::Shared, ImageSource::Built(build()));
        let start = "exec flock --close '/c/a b' /bin/sh -c '/bin/engine image inspect ";
        assert!(said.starts_with(start), "{said}");
        assert!(said.contains("local/x:1 2> /dev/null > /dev/null || { export TMPDIR="), "{said}");
    }
}
