//! An application for the program to look into.

use std::fs;
use std::ops::Deref;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use heights::registry::Registry;
use heights::{ChildRef, ChildSpec, Hub, Strategy, Supervisor, SupervisorRef};
use heights_vitals::{Inspector, Tier};
use serde_json::Value;
use tempfile::TempDir;
use tokio::sync::oneshot;

use self::clinic::{Clerk, Msg};

#[path = "../../../../examples/unwell/clinic.rs"]
pub mod clinic;

pub const CEILING: Duration = Duration::from_secs(60);

/// Where the socket of an application lies that only these tests look for.
pub struct Place(TempDir);

/// An application in this process.
///
/// ```text
/// demo (rest_for_one)
/// ├─ store
/// └─ pulls (one_for_one)
///    └─ pull-7
/// ```
pub struct App {
    pub root: SupervisorRef,
    pub store: ChildRef<Msg>,
    pub pull: ChildRef<Msg>,
    pub inspector: Option<Inspector>,
    /// Who answers to which name.
    pub names: Registry<String, u64>,
    place: Place,
}

impl App {
    pub async fn start(tier: Tier) -> Self {
        let place = Place::new();
        let hub = Hub::new();
        let (store, store_ref) = ChildSpec::server::<Clerk>("store", || Duration::ZERO);
        let (pull, pull_ref) = ChildSpec::server::<Clerk>("pull-7", || Duration::ZERO);
        let (pulls, _) = Supervisor::builder("pulls").child(pull).child_spec();
        let root = Supervisor::builder("demo").strategy(Strategy::RestForOne).hub(hub.clone());
        let root = root.child(store).child(pulls).start().await.unwrap();
        let names = Registry::unique();
        let inspector = Inspector::builder("demo", &hub).version("1.2.3").tier(tier);
        let inspector = inspector.registry("names", &names);
        let inspector = inspector.directory(place.directory()).start().unwrap();
        Self { root, store: store_ref, pull: pull_ref, inspector: Some(inspector), names, place }
    }

    /// Makes the store handle a message until what is returned is dropped.
    pub fn hold_store(&self) -> oneshot::Sender<()> {
        let (release, released) = oneshot::channel();
        self.store.cast(Msg::Dawdle(released)).unwrap();
        release
    }
}

impl Deref for App {
    type Target = Place;

    fn deref(&self) -> &Place {
        &self.place
    }
}

impl Place {
    pub fn new() -> Self {
        let place = Self(TempDir::new().unwrap());
        fs::create_dir(place.directory()).unwrap();
        fs::set_permissions(place.directory(), fs::Permissions::from_mode(0o700)).unwrap();
        place
    }

    pub fn folder(&self) -> &Path {
        self.0.path()
    }

    /// Returns where the inspector puts its socket.
    pub fn directory(&self) -> PathBuf {
        self.folder().join("heights")
    }

    pub fn vitals(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_vitals"));
        command.args(args).env("XDG_RUNTIME_DIR", self.folder()).stdin(Stdio::null());
        command.env("LC_ALL", "C.UTF-8");
        // Other applications of this user are none of the tests' business.
        let elsewhere = ["ls", "-p", "--socket", "--from", "--host", "completions", "man"];
        if !args.iter().any(|arg| elsewhere.contains(arg)) {
            command.args(["-p", &std::process::id().to_string()]);
        }
        command
    }

    pub async fn run(&self, args: &[&str]) -> Ran {
        finish(self.vitals(args)).await
    }

    pub async fn json(&self, args: &[&str]) -> Value {
        let ran = self.run(&[args, &["-o", "json"]].concat()).await;
        assert_eq!(ran.code(), 0, "{}", ran.stderr());
        serde_json::from_str(&ran.stdout()).unwrap()
    }

    /// Returns the path of a file near the socket.
    pub fn path(&self, name: &str) -> String {
        self.folder().join(name).display().to_string()
    }
}

/// Runs a program to its end.
pub async fn finish(mut command: Command) -> Ran {
    let output = tokio::task::spawn_blocking(move || command.output().unwrap());
    Ran(tokio::time::timeout(CEILING, output).await.expect("vitals ends").unwrap())
}

pub struct Ran(pub Output);

impl Ran {
    pub fn code(&self) -> i32 {
        self.0.status.code().unwrap()
    }

    pub fn stdout(&self) -> String {
        String::from_utf8(self.0.stdout.clone()).unwrap()
    }

    pub fn stderr(&self) -> String {
        String::from_utf8(self.0.stderr.clone()).unwrap()
    }
}
