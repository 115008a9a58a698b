//! What an engine is told: which files a container has, and what else it is cut off from.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use rustix::process::{Resource, getgid, getrlimit, getuid};

use super::engine::label;
use super::gate;
use super::program::Program;
use crate::spec::{Container, EngineKind, Limits, Network};

/// What is cut off, whatever the node and the policy say.
///
/// | | |
/// |---|---|
/// | `--pull` | the image was fetched by a step that has a log, or it is not there |
/// | `--log-driver` | the logs are the runner's |
/// | `--no-healthcheck` | nothing runs but commands |
/// | `--cap-drop` | not even root's rights, where the node runs as root |
/// | `no-new-privileges` | no way to rights by programs of the image |
/// | `label=disable` | where SELinux is, the workspace would be closed otherwise |
const CUT_OFF: &[&str] = &[
    "--pull=never",
    "--log-driver=none",
    "--no-healthcheck",
    "--cap-drop=all",
    "--security-opt=no-new-privileges",
    "--security-opt=label=disable",
    "--workdir=/",
    "--shm-size=1g",
    "--tmpfs=/tmp:rw,exec,nosuid,nodev,mode=1777",
];
/// The same, for what only podman knows: volumes that an image declares, proxies of the node's
/// environment, and the guess that the first process is systemd.
const ONLY_PODMAN: &[&str] = &["--image-volume=ignore", "--http-proxy=false", "--systemd=false"];

/// A path that an engine cannot be told.
#[derive(Debug, thiserror::Error)]
#[error("show {} in it: a path with a comma, a quote or a line break", .0.display())]
pub(crate) struct Unspeakable(PathBuf);

/// Whose a container is, and by which limits of its own; both are those of whoever makes it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Owner {
    user: u32,
    group: u32,
    /// How many files may be open, the soft and the hard limit: engines would ask for more than a user
    /// can have.
    files: Option<(u64, u64)>,
}

/// The arguments that make the container of a run, whose first process is `program`.
pub(crate) fn run(
    container: &Container,
    program: &Program,
    run_dir: &Path,
    (marker, init): (&str, &[OsString]),
) -> Result<Vec<OsString>, Unspeakable> {
    let mut arguments = Arguments::of(container, &Owner::of_this_process())?;
    arguments.words(&["--label", &label(run_dir), "--env", marker]);
    arguments.bind(&gate::folder(run_dir), Path::new(gate::INSIDE), Mode::Read)?;
    for (outside, inside) in &program.files {
        arguments.bind(outside, inside, Mode::Read)?;
    }
    let (first, rest) = program.words.split_first().expect("a program has a name");
    arguments.entrypoint(first, &container.image.name);
    arguments.0.extend(rest.iter().cloned());
    arguments.0.extend(init.iter().cloned());
    Ok(arguments.0)
}

/// The arguments that make a container for a person at a terminal, up to those of its `program`.
pub(crate) fn interactive(
    container: &Container,
    env: &BTreeMap<String, String>,
    program: &str,
) -> Result<Vec<OsString>, Unspeakable> {
    let mut arguments = Arguments::of(container, &Owner::of_this_process())?;
    arguments.words(&["--interactive", "--tty"]);
    for (name, value) in env {
        arguments.words(&["--env", &format!("{name}={value}")]);
    }
    arguments.entrypoint(OsStr::new(program), &container.image.name);
    Ok(arguments.0)
}

impl Owner {
    fn of_this_process() -> Self {
        let files = getrlimit(Resource::Nofile);
        let files = files.current.zip(files.maximum);
        Self { user: getuid().as_raw(), group: getgid().as_raw(), files }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    Read,
    Write,
}

struct Arguments(Vec<OsString>);

impl Arguments {
    /// What every container of a job is made with.
    fn of(container: &Container, owner: &Owner) -> Result<Self, Unspeakable> {
        let mut arguments = Self(vec!["run".into(), "--rm".into()]);
        arguments.words(CUT_OFF);
        if container.engine.kind == EngineKind::Podman {
            arguments.words(ONLY_PODMAN);
        }
        if container.network == Network::Own {
            arguments.words(&["--network=none"]);
        }
        arguments.owner(container.engine.kind, owner);
        arguments.limits(container);
        for path in &container.readable {
            arguments.bind(path, path, Mode::Read)?;
        }
        for path in &container.writable {
            arguments.bind(path, path, Mode::Write)?;
        }
        Ok(arguments)
    }

    /// Files that commands make are to be the node's. Podman of an ordinary user makes a user namespace
    /// in which that user is the same.
    fn owner(&mut self, kind: EngineKind, owner: &Owner) {
        if kind == EngineKind::Podman && owner.user != 0 {
            self.words(&["--userns=keep-id"]);
        }
        self.words(&[&format!("--user={}:{}", owner.user, owner.group)]);
        if let Some((soft, hard)) = owner.files {
            self.words(&[&format!("--ulimit=nofile={soft}:{hard}")]);
        }
    }

    /// What podman does not bound stays in the control group of the runner, where it has a say. There the
    /// kernel counts processes by user; with docker all jobs are the same one.
    fn limits(&mut self, container: &Container) {
        if container.engine.kind == EngineKind::Podman {
            self.words(&[&format!("--ulimit=nproc={0}:{0}", container.pids)]);
        }
        match (container.limits, container.engine.kind) {
            (Some(Limits { memory, pids, milli_cpus }), _) => {
                self.words(&[
                    &format!("--memory={memory}"),
                    // Memory that was swapped out is memory too.
                    &format!("--memory-swap={memory}"),
                    &format!("--pids-limit={pids}"),
                ]);
                if let Some(cpus) = milli_cpus {
                    self.words(&[&format!("--cpus={}.{:03}", cpus / 1000, cpus % 1000)]);
                }
            }
            (None, EngineKind::Podman) => self.words(&["--cgroups=disabled"]),
            (None, EngineKind::Docker) => {}
        }
    }

    fn words(&mut self, words: &[&str]) {
        self.0.extend(words.iter().map(OsString::from));
    }

    fn bind(&mut self, outside: &Path, inside: &Path, mode: Mode) -> Result<(), Unspeakable> {
        for path in [outside, inside] {
            let bytes = path.as_os_str().as_encoded_bytes();
            if bytes.iter().any(|byte| b",\"\n\r".contains(byte)) {
                return Err(Unspeakable(path.to_owned()));
            }
        }
        let mut words = OsString::from("type=bind,source=");
        words.push(outside);
        words.push(",destination=");
        words.push(inside);
        if mode == Mode::Read {
            words.push(",readonly");
        }
        self.0.extend(["--mount".into(), words]);
        Ok(())
    }

    fn entrypoint(&mut self, program: &OsStr, image: &str) {
        self.0.extend(["--entrypoint".into(), program.into(), image.into()]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::{Engine, Image, ImageSource};

    const PIDS: u32 = 100;

    fn container(kind: EngineKind) -> Container {
        Container {
            engine: Engine { kind, program: "/usr/bin/engine".into(), env: BTreeMap::new() },
            image: Image { name: "debian:12".to_owned(), source: ImageSource::Registry },
            readable: vec!["/d/mirror/objects".into()],
            writable: vec!["/d/w/src".into()],
            network: Network::Shared,
            pids: PIDS,
            limits: None,
        }
    }

    fn owner(user: u32) -> Owner {
        Owner { user, group: 7, files: Some((1024, 20000)) }
    }

    /// What is said besides what is always said.
    fn check(container: &Container, user: u32, expected: &[&str]) {
        let said = Arguments::of(container, &owner(user)).unwrap_or_else(|_| panic!("no comma"));
        let always: &[&str] = match container.engine.kind {
            EngineKind::Podman => ONLY_PODMAN,
            EngineKind::Docker => &[],
        };
        let mounts = [
            "--mount",
            "type=bind,source=/d/mirror/objects,destination=/d/mirror/objects,readonly",
            "--mount",
            "type=bind,source=/d/w/src,destination=/d/w/src",
        ];
        assert_eq!(said.0, [&["run", "--rm"], CUT_OFF, always, expected, &mounts].concat());
    }

    #[test]
    fn podman_keeps_the_user_and_leaves_limits_to_the_runner() {
        let limits = ["--ulimit=nofile=1024:20000", "--ulimit=nproc=100:100", "--cgroups=disabled"];
        let ours = container(EngineKind::Podman);
        let check = |container: &Container, user, first: &[&str]| {
            check(container, user, &[first, &limits].concat());
        };
        check(&ours, 1000, &["--userns=keep-id", "--user=1000:7"]);
        check(&ours, 0, &["--user=0:7"]);
        let cut_off = Container { network: Network::Own, ..ours };
        check(&cut_off, 0, &["--network=none", "--user=0:7"]);
    }

    #[test]
    fn docker_is_told_the_user_and_the_limits() {
        let limits = Limits { memory: 1 << 30, pids: 9, milli_cpus: None };
        let docker = |limits| Container { limits: Some(limits), ..container(EngineKind::Docker) };
        let bounds = ["--memory=1073741824", "--memory-swap=1073741824", "--pids-limit=9"];
        let owner = ["--user=1000:7", "--ulimit=nofile=1024:20000"];
        check(&docker(limits), 1000, &[owner.as_slice(), &bounds].concat());
        let slower = docker(Limits { milli_cpus: Some(2050), ..limits });
        check(&slower, 1000, &[owner.as_slice(), &bounds, &["--cpus=2.050"]].concat());
    }

    #[test]
    fn the_first_process_is_ours_whatever_the_image_says() {
        let program = Program {
            files: vec![("/usr/bin/ci-node".into(), "/.ci-node/init".into())],
            words: ["/.ci-node/lib/ld.so", "--library-path", "/.ci-node/lib", "/.ci-node/init"]
                .map(OsString::from)
                .into(),
        };
        let ours = container(EngineKind::Podman);
        let said =
            run(&ours, &program, Path::new("/d/run"), ("CI_ATTEMPT=a", &["@x".into()])).unwrap();
        let tail = [
            "--label",
            "ci-node.run=/d/run",
            "--env",
            "CI_ATTEMPT=a",
            "--mount",
            "type=bind,source=/d/run/gate,destination=/.ci-node/gate,readonly",
            "--mount",
            "type=bind,source=/usr/bin/ci-node,destination=/.ci-node/init,readonly",
            "--entrypoint",
            "/.ci-node/lib/ld.so",
            "debian:12",
            "--library-path",
            "/.ci-node/lib",
            "/.ci-node/init",
            "@x",
        ];
        assert_eq!(said[said.len() - tail.len()..], tail);
    }

    #[test]
    fn a_person_gets_a_terminal_and_the_environment() {
        let env = [("CI".to_owned(), "a b".to_owned())].into();
        let said = interactive(&container(EngineKind::Docker), &env, "/bin/sh").unwrap();
        let tail =
            ["--interactive", "--tty", "--env", "CI=a b", "--entrypoint", "/bin/sh", "debian:12"];
        assert_eq!(said[said.len() - tail.len()..], tail);
    }

    #[test]
    fn a_path_is_never_taken_for_an_option_of_a_mount() {
        for path in ["/w,destination=/etc", "/w\"", "/w\n"] {
            let odd = Container { writable: vec![path.into()], ..container(EngineKind::Podman) };
            assert!(Arguments::of(&odd, &owner(0)).is_err(), "{path}");
        }
    }
}
