//! Section H, continued: children that cannot be killed. Time is real here, as their threads are.

use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use heights_supervisor::{
    AdminError, ChildRef, ChildSpec, ChildStatus, Context, DynamicSupervisor, Fault, Flow, Hub,
    Process, Recipient, Report, Server, Shutdown, StartFailure, Strategy, Supervisor, Zombie,
    ZombiePolicy,
};
use tokio::runtime::Runtime;
use tokio::sync::Notify;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::timeout;

use crate::support::{Msg, Probe, SECOND, Trace};

/// Longer than anything here takes, on however busy a machine.
const CEILING: Duration = Duration::from_secs(60);

/// What all lives of a stubborn child share.
#[derive(Clone, Default)]
struct Shared {
    stuck: Arc<Notify>,
    released: Arc<AtomicBool>,
    lives: Arc<AtomicUsize>,
}

impl Shared {
    fn lives(&self) -> usize {
        self.lives.load(Ordering::SeqCst)
    }
}

/// Never yields once told so, until it is released.
struct Stubborn(Shared);

impl Server for Stubborn {
    type Args = Shared;
    type Msg = ();

    async fn init(shared: Shared, _cx: &mut Context<()>) -> Result<Self, Fault> {
        shared.lives.fetch_add(1, Ordering::SeqCst);
        Ok(Self(shared))
    }

    async fn handle(&mut self, (): (), _cx: &mut Context<()>) -> Result<Flow, Fault> {
        self.0.stuck.notify_one();
        while !self.0.released.load(Ordering::SeqCst) {
            std::thread::yield_now();
        }
        Ok(Flow::Continue)
    }

    fn label((): &()) -> &'static str {
        "compute"
    }
}

/// A runtime whose threads can be occupied, a stubborn child, and what its tree reports.
struct Scene {
    runtime: Runtime,
    shared: Shared,
    spec: ChildSpec,
    child: ChildRef<()>,
    hub: Hub,
    reports: UnboundedReceiver<Report>,
}

impl Scene {
    fn new(policy: ZombiePolicy) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(4)
            .thread_name("a-worker")
            .enable_all()
            .build()
            .unwrap();
        let (shared, hub) = (Shared::default(), Hub::new());
        let args = shared.clone();
        let (spec, child) = ChildSpec::server::<Stubborn>("stuck", move || args.clone());
        let spec = spec.shutdown(Shutdown::Brutal).kill_grace(Duration::from_millis(20));
        let (recipient, reports) = Recipient::<Report>::stream();
        hub.subscribe(recipient);
        Self { runtime, shared, spec: spec.on_zombie(policy), child, hub, reports }
    }

    /// Runs a story, with a ceiling, on a thread that no child can occupy: what waits on the same
    /// thread as code that does not yield, tokio may never wake.
    fn play<F: Future<Output = ()>>(self, story: impl FnOnce(Stage) -> F) {
        let Self { runtime, shared, spec, child, hub, reports } = self;
        let release = shared.clone();
        let stage = Stage { shared, spec, child, hub, reports };
        let outcome = runtime.block_on(async { timeout(CEILING, story(stage)).await });
        release.released.store(true, Ordering::SeqCst);
        runtime.shutdown_background();
        outcome.expect("the story ends");
    }
}

struct Stage {
    shared: Shared,
    spec: ChildSpec,
    child: ChildRef<()>,
    hub: Hub,
    reports: UnboundedReceiver<Report>,
}

impl Stage {
    /// Lets the child occupy its thread.
    async fn get_stuck(&self) -> Process {
        let life = self.child.current().unwrap();
        life.cast(()).unwrap();
        self.shared.stuck.notified().await;
        life.process().clone()
    }

    /// Lets the child yield again and waits for its next life.
    async fn revive(&self, stuck: &Process) {
        self.shared.released.store(true, Ordering::SeqCst);
        stuck.gone().await;
        self.child.running().await;
        assert_eq!(self.shared.lives(), 2);
    }

    /// Waits for the next zombie.
    async fn zombie(&mut self) -> Zombie {
        loop {
            if let Report::Zombie(zombie) = self.reports.recv().await.unwrap() {
                return zombie;
            }
        }
    }
}

#[test]
fn h73_a_child_that_never_yields_is_reported_and_holds_nobody_up() {
    Scene::new(ZombiePolicy::Wait).play(|mut stage| async move {
        let builder = Supervisor::builder("root").hub(stage.hub.clone());
        let root = builder.child(stage.spec.clone()).start().await.unwrap();
        let pid = stage.get_stuck().await.pid();
        root.stop().await;
        let zombie = stage.zombie().await;
        assert_eq!((&*zombie.path, zombie.pid), ("root/stuck", pid));
        assert_eq!(zombie.working.map(|working| working.label), Some("compute"));
        let thread = zombie.thread.clone().unwrap();
        assert!(thread.starts_with("a-worker ThreadId("), "{thread}");
        let text = zombie.to_string();
        assert!(text.starts_with("root/stuck was killed but does not end (handling \"compute\""));
        assert!(text.ends_with(&format!(" on thread {thread})")), "{text}");
    });
}

#[test]
fn h73b_there_is_no_next_life_beside_a_zombie_and_there_is_one_after_it() {
    Scene::new(ZombiePolicy::Wait).play(|mut stage| async move {
        let trace = Trace::default();
        let a = Probe::new(&trace, "a");
        let builder = Supervisor::builder("root").strategy(Strategy::OneForAll);
        let builder =
            builder.hub(stage.hub.clone()).child(a.spec.clone()).child(stage.spec.clone());
        let root = builder.start().await.unwrap();
        let stuck = stage.get_stuck().await;
        // `stuck` is to be restarted together with `a`, and cannot be.
        a.reference.cast(Msg::Panic("boom")).unwrap();
        stage.zombie().await;
        // The supervisor goes on answering, and says so.
        while root.which_children().await[1].status != ChildStatus::Restarting {
            tokio::task::yield_now().await;
        }
        assert_eq!((stage.shared.lives(), root.count_children().await.active), (1, 0));
        stage.revive(&stuck).await;
        a.reference.running().await;
        root.stop().await;
    });
}

#[test]
fn h73c_a_zombie_that_was_terminated_cannot_be_started_again() {
    Scene::new(ZombiePolicy::Wait).play(|stage| async move {
        let builder = Supervisor::builder("root").hub(stage.hub.clone());
        let root = builder.child(stage.spec.clone()).start().await.unwrap();
        stage.get_stuck().await;
        root.terminate_child("stuck").await.unwrap();
        let error = root.restart_child("stuck").await.unwrap_err();
        assert!(matches!(error, AdminError::Failed(StartFailure::Zombie)), "{error}");
        assert_eq!(stage.shared.lives(), 1);
    });
}

#[test]
fn h73d_a_supervisor_that_left_a_zombie_is_not_restarted_beside_it() {
    for dynamic in [false, true] {
        Scene::new(ZombiePolicy::Wait).play(move |mut stage| async move {
            let (inner, inner_ref) =
                Supervisor::builder("inner").child(stage.spec.clone()).child_spec();
            let hub = stage.hub.clone();
            if dynamic {
                let root = DynamicSupervisor::builder("root").hub(hub).start().await.unwrap();
                root.start_child(inner).await.unwrap();
            } else {
                Supervisor::builder("root").hub(hub).child(inner).start().await.unwrap();
            }
            let stuck = stage.get_stuck().await;
            let process = inner_ref.process().unwrap();
            process.kill();
            stage.zombie().await;
            process.gone().await;
            // It is to be restarted, and that waits.
            while stage.hub.snapshot().waiting.is_empty() {
                tokio::task::yield_now().await;
            }
            assert_eq!(stage.shared.lives(), 1);
            stage.revive(&stuck).await;
        });
    }
}

#[test]
fn h73e_an_abandoned_zombie_has_the_next_life_beside_it() {
    Scene::new(ZombiePolicy::Abandon).play(|mut stage| async move {
        let builder = Supervisor::builder("root").hub(stage.hub.clone());
        let root = builder.child(stage.spec.clone()).start().await.unwrap();
        let first = stage.get_stuck().await;
        root.terminate_child("stuck").await.unwrap();
        stage.zombie().await;
        root.restart_child("stuck").await.unwrap();
        assert_eq!(stage.shared.lives(), 2);
        assert!(first.is_alive());
        // The end of the abandoned life is not taken for that of the next one.
        let second = stage.child.current().unwrap();
        stage.shared.released.store(true, Ordering::SeqCst);
        first.gone().await;
        assert_eq!(root.count_children().await.active, 1);
        assert_eq!(stage.child.current().unwrap().pid(), second.pid());
        root.stop().await;
    });
}

/// Tells the test below that it is the program to be aborted.
const VICTIM: &str = "HEIGHTS_CONFORMANCE_VICTIM";

#[test]
fn h73f_a_zombie_may_be_the_end_of_the_program() {
    if std::env::var_os(VICTIM).is_some() {
        return Scene::new(ZombiePolicy::AbortProcess).play(|stage| async move {
            let builder = Supervisor::builder("root").intensity(1, SECOND);
            let root = builder.child(stage.spec.clone()).start().await.unwrap();
            stage.get_stuck().await;
            root.stop().await;
        });
    }
    let name = "h_zombies::h73f_a_zombie_may_be_the_end_of_the_program";
    let mut victim = Command::new(std::env::current_exe().unwrap());
    victim.args(["--exact", name]).env(VICTIM, "yes").stdout(Stdio::null()).stderr(Stdio::null());
    let status = victim.status().unwrap();
    // Aborted, not ended by the test that it is.
    assert_eq!(status.signal(), Some(6), "{status}");
}
