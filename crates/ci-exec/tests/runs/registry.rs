//! Images from a registry, on this machine's loopback.

use std::fs::{self, File};
use std::net::{TcpListener, TcpStream};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use ci_exec::{Engine, Isolation, Outcome};

use crate::docker::Docker;
use crate::engine::{IMAGE, ask, container, container_of, in_container};
use crate::support::{Place, Run, absent, launcher};

const PROGRAM: &str = "/usr/bin/docker-registry";
/// It ends with the test, however that ends: then nobody holds the shell's input any more.
const WITH_US: &str = "\"$@\" & registry=$!; read -r end; kill $registry; wait $registry";
const CEILING: Duration = Duration::from_secs(60);

/// A registry that everybody on this machine may use.
struct Registry {
    keeper: Child,
    address: String,
}

impl Registry {
    fn start(folder: &Path) -> Option<Self> {
        if !Path::new(PROGRAM).exists() {
            // Its package may start one for everybody, so it is not asked for in every gate.
            absent("a registry: apt-get install docker-registry");
            return None;
        }
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let address = format!("127.0.0.1:{port}");
        let text = format!(
            "version: 0.1\nstorage:\n  filesystem:\n    rootdirectory: {}\nhttp:\n  addr: {address}\n",
            folder.join("registry").display()
        );
        let config = folder.join("registry.yml");
        fs::write(&config, text).unwrap();
        let log = File::create(folder.join("registry.log")).unwrap();
        let keeper = Command::new("/bin/sh")
            .args(["-c", WITH_US, "sh", PROGRAM, "serve"])
            .arg(&config)
            .stdin(Stdio::piped())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .process_group(0)
            .spawn()
            .unwrap();
        let registry = Self { keeper, address };
        let begin = Instant::now();
        while TcpStream::connect(&registry.address).is_err() {
            assert!(begin.elapsed() < CEILING, "waited for the registry");
            std::thread::yield_now();
        }
        Some(registry)
    }

    /// Moves the image of the tests from the engine to the registry, and says what it is called there.
    fn take(&self, engine: &Engine) -> String {
        let name = format!("{}/busybox:test", self.address);
        for words in [["tag", IMAGE, name.as_str()].as_slice(), &["push", &name], &["rmi", &name]] {
            let done = ask(engine, words);
            assert!(done.status.success(), "{words:?}: {done:?}");
        }
        name
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        drop(self.keeper.stdin.take());
        let _ended = self.keeper.wait();
    }
}

/// Fetches the image by a step with a log, and once.
async fn check(mut place: Place, registry: &Registry) {
    let engine = container_of(&mut place).engine.clone();
    container_of(&mut place).image.name = registry.take(&engine);
    let run = place.run().await;
    assert_eq!(run.outcome, Outcome::Passed, "{}", run.log_text("1-1"));
    assert_eq!(run.exits_in_order(), "0-1=0 1-1=0");
    assert_eq!(run.log_text("0-1"), "hello\n");
    let again = place.create_at("again");
    launcher().start(&again).await.unwrap();
    assert_eq!(Run::follow(&again).await.exits_in_order(), "0-1=0");
    place.assert_nothing_is_left();
}

#[tokio::test]
async fn podman_fetches_an_image_once() {
    let Some(mut place) = in_container(Place::with_command("echo hello")) else { return };
    let Some(registry) = Registry::start(place.root()) else { return };
    let settings = place.root().join("registries.conf");
    let text = format!("[[registry]]\nlocation = \"{}\"\ninsecure = true\n", registry.address);
    fs::write(&settings, text).unwrap();
    let env = &mut container_of(&mut place).engine.env;
    env.insert("CONTAINERS_REGISTRIES_CONF".to_owned(), settings.display().to_string());
    check(place, &registry).await;
}

#[tokio::test]
async fn docker_fetches_an_image_once() {
    let Some(docker) = Docker::start() else { return };
    let mut place = Place::with_command("echo hello");
    place.spec.env = [].into();
    let container = container(docker.engine(), &place);
    place.spec.isolation = Isolation::Container(Box::new(container));
    let Some(registry) = Registry::start(place.root()) else { return };
    check(place, &registry).await;
}
