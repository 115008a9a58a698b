//! Jobs in containers of docker, with a daemon of the test's own.

use std::fs::{self, File};
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use ci_exec::{
    Build, Container, Engine, EngineKind, Image, ImageSource, Isolation, Limits, Outcome,
    built_images, cancel, remove_image, sweep,
};
use rustix::process::getuid;
use tempfile::TempDir;

use crate::engine::{IMAGE, archive, ask, container, container_of, containers};
use crate::support::{
    Place, Run, absent, command, command_with, kill, processes_in, until, until_lost, within,
    written,
};

const DAEMON: &str = "/usr/sbin/dockerd";
const CLIENT: &str = "/usr/bin/docker";
/// The daemon ends with the test, however that ends: then nobody holds the shell's input any more.
const WITH_US: &str = "\"$@\" & daemon=$!; read -r end; kill $daemon; wait $daemon";
/// How long a daemon may take to come up on a busy machine.
const CEILING: Duration = Duration::from_secs(60);

/// A daemon with everything that it keeps, on a socket of its own and without a network.
pub struct Docker {
    keeper: Child,
    root: TempDir,
}

impl Docker {
    /// Starts one where this machine can run it.
    pub fn start() -> Option<Self> {
        let is_there = [DAEMON, CLIENT].iter().all(|program| Path::new(program).exists());
        if !is_there || !getuid().is_root() {
            // Too large a thing to ask for in every gate.
            absent("docker's daemon, and root: apt-get install docker.io");
            return None;
        }
        let root = tempfile::tempdir().unwrap();
        let at = |name: &str| root.path().join(name).display().to_string();
        fs::write(at("config.json"), "{}").unwrap();
        let log = File::create(at("log")).unwrap();
        let keeper = Command::new("/bin/sh")
            .args(["-c", WITH_US, "sh", DAEMON, "--iptables=false", "--ip-masq=false"])
            .args(["--bridge=none", "--storage-driver=vfs", "--config-file", &at("config.json")])
            .args(["--data-root", &at("data"), "--exec-root", &at("exec")])
            .args(["--pidfile", &at("pid"), "--host", &format!("unix://{}", at("socket"))])
            .stdin(Stdio::piped())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .process_group(0)
            .spawn()
            .unwrap();
        let docker = Self { keeper, root };
        let engine = docker.engine();
        let begin = Instant::now();
        while !ask(&engine, &["ps", "--quiet"]).status.success() {
            if begin.elapsed() > CEILING {
                let log = fs::read_to_string(docker.root.path().join("log")).unwrap();
                let end: Vec<&str> = log.lines().rev().take(3).collect();
                absent(&format!("a machine on which docker's daemon starts; it says {end:?}"));
                return None;
            }
            std::thread::yield_now();
        }
        let imported = ask(&engine, &["import", &archive(docker.root.path()), IMAGE]);
        assert!(imported.status.success(), "{imported:?}");
        Some(docker)
    }

    pub fn engine(&self) -> Engine {
        let root = self.root.path();
        let env = [
            ("PATH", "/usr/sbin:/usr/bin:/sbin:/bin".to_owned()),
            ("HOME", root.join("home").display().to_string()),
            ("DOCKER_HOST", format!("unix://{}", root.join("socket").display())),
        ];
        let env = env.map(|(name, value)| (name.to_owned(), value)).into();
        Engine { kind: EngineKind::Docker, program: CLIENT.into(), env }
    }

    /// The same place with a container around it.
    fn around(&self, mut place: Place) -> Place {
        let limits = Limits { memory: 256 << 20, pids: 100, milli_cpus: Some(1500) };
        let container = Container { limits: Some(limits), ..container(self.engine(), &place) };
        place.spec.env = [].into();
        place.spec.isolation = Isolation::Container(Box::new(container));
        place
    }
}

impl Drop for Docker {
    fn drop(&mut self) {
        drop(self.keeper.stdin.take());
        let _ended = self.keeper.wait();
    }
}

fn assert_nothing_is_left(place: &mut Place) {
    place.assert_nothing_is_left();
    assert_eq!(containers(&container_of(place).engine), "", "containers left behind");
}

#[tokio::test]
async fn every_end_of_a_command_is_told_exactly() {
    let Some(docker) = Docker::start() else { return };
    let mut place = docker.around(Place::new(vec![
        command("echo up > up; printf 'a\\0b\\377c\\r\\n'; printf d >&2"),
        command_with("exit 137", |command| command.allow_failure = true),
        command_with("kill -TERM $$", |command| command.allow_failure = true),
        command("kill -KILL 1; grep -c : /proc/net/dev; ls /usr 2>&1 || :"),
        command_with("sleep 600", |command| command.timeout = Some(Duration::from_millis(100))),
    ]));
    let run = place.run().await;
    let exits = "0-1=0 1-1=137 2-1=signal 15 3-1=0 4-1=timeout";
    assert_eq!(run.exits_in_order(), exits, "{:?}", run.outcome);
    assert_eq!(run.log("0-1"), b"a\0b\xffc\r\nd");
    assert!(run.log_text("3-1").starts_with("1\nls: /usr"), "{}", run.log_text("3-1"));
    let own = getuid().as_raw();
    assert_eq!(fs::metadata(place.file("up")).unwrap().uid(), own, "files are the node's");
    assert_nothing_is_left(&mut place);
}

#[tokio::test]
async fn what_is_asked_to_end_may_and_what_does_not_is_killed() {
    let Some(docker) = Docker::start() else { return };
    let polite = "trap 'echo bye; exit 0' TERM; echo up > up; while :; do sleep 0.01; done";
    let stubborn = "trap '' TERM; setsid sh -c 'trap \"\" TERM; sleep 600; :' & \
        echo up > up; while :; do sleep 600; done";
    for (script, last) in [(polite, "bye\n"), (stubborn, "")] {
        let mut place = docker.around(Place::with_command(script));
        if script == polite {
            // It may take its time, on a busy machine too.
            place.spec.grace = Duration::from_secs(50);
        }
        let dir = place.start().await;
        written(&place.file("up")).await;
        within("the cancel", cancel(&dir)).await.unwrap();
        assert_nothing_is_left(&mut place);
        let run = Run::follow(&dir).await;
        assert_eq!(run.outcome, Outcome::Cancelled);
        assert!(run.log_text("0-1").ends_with(last), "{run:?}");
    }
}

/// Its processes are the daemon's and not the runner's.
#[tokio::test]
async fn with_its_runner_everything_in_it_dies_and_the_sweep_takes_the_rest() {
    let Some(docker) = Docker::start() else { return };
    let stubborn = "readlink /proc/self/ns/pid > namespace; trap '' TERM; \
        setsid sh -c 'trap \"\" TERM; echo up > up; sleep 600; :' & sleep 600; :";
    let mut place = docker.around(Place::with_command(stubborn));
    let dir = place.start().await;
    written(&place.file("up")).await;
    let namespace = written(&place.file("namespace")).await;
    until("init, two shells, two sleeps", || processes_in(&namespace).len() == 5).await;
    kill(dir.identity().unwrap().unwrap().pid);
    until_lost(&dir).await;
    within("the sweep", sweep(&dir)).await.unwrap();
    until("the namespace to be empty", || processes_in(&namespace).is_empty()).await;
    assert_nothing_is_left(&mut place);
}

#[tokio::test]
async fn memory_beyond_the_bound_ends_the_command_by_name() {
    let Some(docker) = Docker::start() else { return };
    let greedy = "head -c 400000000 /dev/zero | tail -c 390000000 > /dev/null";
    let mut place = docker.around(Place::with_command(greedy));
    let run = place.run().await;
    assert_eq!(run.exits_in_order(), "0-1=memory", "{}", run.log_text("0-1"));
    assert_nothing_is_left(&mut place);
}

#[tokio::test]
async fn an_image_is_built_without_a_network_and_removed_when_nothing_runs_in_it() {
    let Some(docker) = Docker::start() else { return };
    let mut place = docker.around(Place::with_command("cat /file; echo up > up; sleep 600"));
    let context = place.root().join("context");
    fs::create_dir(&context).unwrap();
    let text = format!("FROM {IMAGE}\nRUN grep -c : /proc/net/dev > /devices\nCOPY file /file\n");
    fs::write(context.join("Dockerfile"), text).unwrap();
    fs::write(context.join("file"), "from the context\n").unwrap();
    let build =
        Build { file: context.join("Dockerfile"), context, caches: place.root().to_owned() };
    let name = "localhost/built:1".to_owned();
    container_of(&mut place).image = Image { name, source: ImageSource::Built(build) };
    let dir = place.start().await;
    written(&place.file("up")).await;
    let engine = docker.engine();
    assert_eq!(built_images(&engine).await.unwrap(), ["localhost/built:1"]);
    remove_image(&engine, "localhost/built:1").await.unwrap_err();
    within("the cancel", cancel(&dir)).await.unwrap();
    assert_eq!(Run::follow(&dir).await.log_text("0-1"), "from the context\n");
    remove_image(&engine, "localhost/built:1").await.unwrap();
    assert_eq!(built_images(&engine).await.unwrap(), [""; 0]);
    assert_nothing_is_left(&mut place);
}
