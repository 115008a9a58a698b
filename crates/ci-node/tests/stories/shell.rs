//! A person's shell where the jobs run, on a terminal that the test plays the person at.

use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;

use rustix::fs::{Mode, OFlags, XattrFlags, open, setxattr};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

use crate::isolation::{has_bubblewrap, isolate};
use crate::node::PROGRAM;
use crate::repository::Change;
use crate::wait::{LIMIT, wait_for};
use crate::world::{NO_APPROVAL, World};

const FILES: [(&str, &str); 4] = [
    NO_APPROVAL,
    (
        "lib/ci.yaml",
        "env: {MINE: yes}\njobs:\n  test: ['echo $CI_COMMIT >> {outside}', 'test ! -e slow || sleep 600']\n",
    ),
    ("lib/word", "hello\n"),
    (".gitignore", "built\n"),
];
const GREEN: &str = "success pull request can be merged";

/// `pr shell`, and the terminal that it was given.
struct Person {
    child: Child,
    keys: File,
    screen: Arc<Mutex<String>>,
}

impl Person {
    fn open(world: &World, component: &str) -> Self {
        let (ours, theirs) = terminal();
        let file = || Stdio::from(theirs.try_clone().unwrap());
        // As on a terminal, also where the tests run in the background and a Ctrl-C is nothing to them.
        let mut command = Command::new("env");
        command.args(["--default-signal=INT,QUIT", env!("CARGO_BIN_EXE_ci-node")]);
        command.args(["pr", "shell", "1", component]).env("TERM", "dumb");
        command.arg("--config").arg(world.folder().join("ci-node.toml"));
        let child = command.stdin(file()).stdout(file()).stderr(file()).spawn().unwrap();
        let (screen, keys) = (Arc::<Mutex<String>>::default(), File::from(ours));
        let (shown, mut from) = (screen.clone(), keys.try_clone().unwrap());
        thread::spawn(move || {
            let mut chunk = [0; 4096];
            while let Ok(read @ 1..) = from.read(&mut chunk) {
                shown.lock().unwrap().push_str(&String::from_utf8_lossy(&chunk[..read]));
            }
        });
        Self { child, keys, screen }
    }

    fn types(&mut self, line: &str) {
        self.keys.write_all(format!("{line}\n").as_bytes()).unwrap();
    }

    /// How often the shell has shown where it is.
    fn prompts(&self) -> usize {
        self.screen.lock().unwrap().matches("src/lib").count()
    }

    async fn sees(&self, text: &str) {
        let looks = async || self.screen.lock().unwrap().contains(text).then_some(());
        let shown = || self.screen.lock().unwrap().clone();
        let found = tokio::time::timeout(LIMIT, wait_for(text, LIMIT * 2, looks)).await;
        assert!(found.is_ok(), "waited for {text:?}, and saw: {}", shown());
    }

    /// Presses Enter until the shell has asked more than `prompts` times.
    async fn is_asked_again(&mut self, prompts: usize) {
        let asks = async || {
            self.types("");
            (self.prompts() > prompts).then_some(())
        };
        let asked = wait_for("the shell to ask again", LIMIT * 2, asks);
        let asked = tokio::time::timeout(LIMIT, asked).await.is_ok();
        assert!(asked, "the shell does not ask again: {:?}", self.screen.lock().unwrap());
    }

    async fn leaves(mut self) -> Option<i32> {
        let (child, screen) = (&mut self.child, &self.screen);
        let ended = async || child.try_wait().unwrap();
        let end = tokio::time::timeout(LIMIT, wait_for("the shell to end", LIMIT * 2, ended)).await;
        let shown = || screen.lock().unwrap().clone();
        end.unwrap_or_else(|_| panic!("the shell does not end: {}", shown())).code()
    }
}

fn terminal() -> (OwnedFd, OwnedFd) {
    let ours = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
    grantpt(&ours).unwrap();
    unlockpt(&ours).unwrap();
    let name = ptsname(&ours, Vec::new()).unwrap();
    let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
    (ours, open(name.as_c_str(), flags, Mode::empty()).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shell_has_the_workspace_alone_and_builds_wait_for_it() {
    let world = World::new(&FILES).await;
    let node = world.start().await;
    let pull = world.open("bye", &[Change::file("lib/word", "bye\n")]);
    world.deliver(&node).await;
    world.says(pull, GREEN).await;
    let mut person = Person::open(&world, "lib");
    person.sees("builds wait until this shell ends").await;
    // What is typed is seen, too, so what is looked for is not what was typed.
    person.types("echo $(basename $PWD)-$MINE-$CI_PULL-$CI_COMPONENT-$((20 + 3))");
    person.sees("lib-yes-1-lib-23").await;
    person.types("cat word; echo edited > word; tty; echo $((50 + 5))");
    person.sees("bye").await;
    person.sees("55").await;

    let other = Person::open(&world, "lib");
    other.sees("somebody is at the workspace").await;
    assert_eq!(other.leaves().await, Some(1));
    world.push_pull(pull, &[Change::file("lib/word", "good day\n")]);
    world.deliver(&node).await;
    let waits = || world.log().contains("waits for those who are at the workspace");
    world.until("the next build to wait", waits).await;
    assert_eq!(world.outside().len(), 1, "nothing runs beside the shell");
    // Ctrl-C ends what runs in the shell, and not the shell.
    person.types("sh -c 'echo up-$((60 + 6)); sleep 600'");
    // Before that, the shell itself would take the Ctrl-C.
    person.sees("up-66").await;
    let prompts = person.prompts();
    person.types("\u{3}");
    // What is typed before the shell asks again goes the way of what the Ctrl-C ended; so may its question,
    // if the shell is faster than the terminal that forgets what it was to show.
    person.is_asked_again(prompts).await;
    person.types("echo $(cat word)-$((7 + 7)); exit $((3 + 4))");
    person.sees("edited-14").await;
    assert_eq!(person.leaves().await, Some(7));
    world.says(pull, GREEN).await;
    assert_eq!(world.outside().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shell_is_refused_with_the_reason() {
    let world = World::new(&FILES).await;
    let node = world.start().await;
    let pull = world.open("slow", &[Change::file("lib/slow", "")]);
    world.deliver(&node).await;
    world.until("the job to run", || world.outside().len() == 1).await;
    let busy = Person::open(&world, "lib");
    busy.sees("build 1 is under way").await;
    assert_eq!(busy.leaves().await, Some(1));
    world.push_pull(pull, &[Change::gone("lib/slow")]);
    world.deliver(&node).await;
    world.says(pull, GREEN).await;
    // The new head is green at once, and the old build is under way until its job has ended.
    let is_lost = async || {
        let lost = Person::open(&world, "nowhere");
        lost.sees("\n").await;
        let said = lost.screen.lock().unwrap().clone();
        assert_eq!(lost.leaves().await, Some(1), "{said}");
        said.contains("find the component nowhere").then_some(())
    };
    wait_for("a refusal that names the component", LIMIT, is_lost).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shell_is_in_the_sandbox_of_the_jobs() {
    if !has_bubblewrap() {
        return;
    }
    let world = World::new(&FILES).await;
    isolate(&world, "namespaces");
    let node = world.start().await;
    let pull = world.open("bye", &[Change::file("lib/word", "bye\n")]);
    world.deliver(&node).await;
    world.says(pull, GREEN).await;
    let mut person = Person::open(&world, "lib");
    person.sees("builds wait until this shell ends").await;
    person.types(&format!("test -e {}/token || echo hid''den", world.folder().display()));
    person.sees("hidden").await;
    person.types("ps -e | wc -l; cat word; touch /etc/x || echo read-on''ly");
    person.sees("bye").await;
    person.sees("read-only").await;
    person.types("echo x > \"$CI_CACHE_DIR/kept\" && exit 0");
    assert_eq!(person.leaves().await, Some(0));
    let kept = world.data().join("workspaces/acme/shop/pull-1/cache/kept");
    assert!(kept.exists());
}

/// A control group of version 2 that is delegated as systemd does it; removed at its end.
struct Delegated(PathBuf);

impl Delegated {
    fn make() -> Option<Self> {
        let roots = ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"].map(Path::new);
        let root = roots.into_iter().find(|root| root.join("cgroup.controllers").exists())?;
        let group = Self(root.join(format!("heights-story-{}", std::process::id())));
        fs::create_dir(&group.0).ok()?;
        setxattr(&group.0, "trusted.delegate", b"1", XattrFlags::empty()).ok()?;
        Some(group)
    }
}

impl Drop for Delegated {
    fn drop(&mut self) {
        let folders = |path: &Path| fs::read_dir(path).into_iter().flatten().flatten();
        for inner in folders(&self.0).flat_map(|entry| folders(&entry.path())) {
            // Files are the kernel's, and what is in use is nobody's loss.
            let _file = fs::remove_dir(inner.path());
        }
        for entry in folders(&self.0) {
            let _file = fs::remove_dir(entry.path());
        }
        let _in_use = fs::remove_dir(&self.0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shell_has_a_control_group_like_a_job() {
    let Some(group) = Delegated::make() else {
        // Nothing that could be installed brings it, so it is no failure anywhere.
        eprintln!(
            "SKIPPED (needs control groups of version 2 that may be changed: run it as root)"
        );
        return;
    };
    let world = World::new(&FILES).await;
    let inside = format!(
        "#!/bin/sh\necho $$ > {}/cgroup.procs && exec {PROGRAM} \"$@\"\n",
        group.0.display()
    );
    let program = world.install("delegated", &inside);
    let node = world.start_copy(&program).await;
    let pull = world.open("bye", &[Change::file("lib/word", "bye\n")]);
    world.deliver(&node).await;
    world.says(pull, GREEN).await;
    let mut person = Person::open(&world, "lib");
    person.sees("builds wait until this shell ends").await;
    person.types("grep -o '/jobs/shell-[0-9]*' /proc/self/cgroup | sed 's/[0-9]/#/g'; exit 4");
    person.sees("/jobs/shell-#").await;
    assert_eq!(person.leaves().await, Some(4));
    node.terminate().await;
}
