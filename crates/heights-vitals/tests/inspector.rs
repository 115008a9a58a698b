//! A real tree behind a real socket.

#![expect(clippy::unwrap_used, reason = "a test may fail loudly")]

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener;
use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use std::time::Duration;

use heights_supervisor::{
    Backoff, ChildRef, ChildSpec, Context, Fault, Flow, Hub, Reply, Server, Strategy, Supervisor,
    SupervisorRef,
};
use heights_vitals::wire::{ControlRequest, Event, EventKind, Kind, Restart, State};
use heights_vitals::{Client, ClientError, Inspector, PlaceError, StartError, Tier, processes};
use tempfile::TempDir;

const CEILING: Duration = Duration::from_secs(20);

struct Worker;

enum Msg {
    Ping(Reply<()>),
    /// Blocks the thread until the other end is dropped.
    Block(mpsc::Sender<()>, mpsc::Receiver<()>),
}

impl Server for Worker {
    type Args = ();
    type Msg = Msg;

    async fn init((): (), _cx: &mut Context<Msg>) -> Result<Self, Fault> {
        Ok(Self)
    }

    async fn handle(&mut self, msg: Msg, _cx: &mut Context<Msg>) -> Result<Flow, Fault> {
        match msg {
            Msg::Ping(reply) => reply.send(()),
            Msg::Block(entered, released) => {
                entered.send(())?;
                let _dropped = released.recv();
            }
        }
        Ok(Flow::Continue)
    }

    fn label(msg: &Msg) -> &'static str {
        match msg {
            Msg::Ping(_) => "Ping",
            Msg::Block(..) => "Block",
        }
    }
}

/// ```text
/// app (rest_for_one)
/// ├─ store
/// ├─ pulls (one_for_one)
/// │  ├─ pull-7
/// │  └─ pull-71
/// └─ idle, a task
/// ```
struct Tree {
    root: SupervisorRef,
    store: ChildRef<Msg>,
    inspector: Inspector,
    client: Client,
    _directory: TempDir,
}

fn private_directory() -> TempDir {
    let directory = TempDir::new().unwrap();
    fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o700)).unwrap();
    directory
}

async fn start(tier: Tier) -> Tree {
    let (store, store_ref) = ChildSpec::server::<Worker>("store", || ());
    let (seven, _) = ChildSpec::server::<Worker>("pull-7", || ());
    let (seventy_one, _) = ChildSpec::server::<Worker>("pull-71", || ());
    let (pulls, _) = Supervisor::builder("pulls").child(seven).child(seventy_one).child_spec();
    let idle = ChildSpec::task("idle", |cx| async move {
        cx.shutdown().await;
        Ok(())
    });
    let hub = Hub::new();
    let root = Supervisor::builder("app").hub(hub.clone()).strategy(Strategy::RestForOne);
    let root = root.child(store).child(pulls).child(idle).start().await.unwrap();
    let directory = private_directory();
    let inspector =
        Inspector::builder("app", &hub).version("1.2.3").tier(tier).directory(directory.path());
    let inspector = inspector.start().unwrap();
    let client = Client::new(inspector.socket()).patience(CEILING);
    Tree { root, store: store_ref, inspector, client, _directory: directory }
}

/// Asks until the actor is in a later life.
async fn reborn(client: &Client, reference: &str) -> heights_vitals::wire::Actor {
    let asking = async {
        loop {
            if let Ok(found) = client.actor(reference).await
                && found.actor.restarts > Some(0)
            {
                return found.actor;
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(CEILING, asking).await.expect("waited in vain for a restart")
}

fn refusal<T: std::fmt::Debug>(
    answer: Result<T, ClientError>,
) -> (u16, Box<heights_vitals::wire::ErrorBody>) {
    match answer.unwrap_err() {
        ClientError::Refused { status, body } => (status, body),
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn shows_the_tree_in_order_with_what_is_known_of_each() {
    let tree = start(Tier::Read).await;
    tree.store.call(Msg::Ping).await.unwrap();
    let shown = tree.client.tree().await.unwrap();
    let paths: Vec<_> =
        shown.actors.iter().map(|actor| (actor.depth, actor.path.as_str())).collect();
    let expected = [
        (0, "app"),
        (1, "app/store"),
        (1, "app/pulls"),
        (2, "app/pulls/pull-7"),
        (2, "app/pulls/pull-71"),
        (1, "app/idle"),
    ];
    assert_eq!(paths, expected);
    let [root, store, .., task] = shown.actors.as_slice() else { panic!("six actors") };
    assert_eq!(root.supervision.as_ref().unwrap().strategy.as_deref(), Some("rest_for_one"));
    assert_eq!((root.mailbox, root.kind), (None, Some(Kind::Supervisor)));
    assert_eq!((store.mailbox, store.handled, store.restarts), (Some(0), Some(1), Some(0)));
    assert_eq!((store.state, store.restart), (State::Idle, Some(Restart::Permanent)));
    assert_eq!((task.mailbox, task.kind), (None, Some(Kind::Task)));
    let hello = tree.client.hello().await.unwrap();
    assert_eq!(
        (hello.name.as_str(), hello.version.as_str(), hello.tier),
        ("app", "1.2.3", Tier::Read)
    );
    tree.root.stop().await;
}

#[tokio::test]
async fn a_killed_actor_comes_back_and_its_old_pid_names_the_heir() {
    let tree = start(Tier::Control).await;
    let old = tree.client.actor("pull-7").await.unwrap().actor;
    let pid = old.pid.clone().unwrap();
    let request = ControlRequest { reason: Some("a test".to_owned()), ..ControlRequest::default() };
    let killed = tree.client.kill(&pid, &request).await.unwrap();
    assert_eq!(
        (killed.pid.as_str(), killed.ends.as_slice()),
        (pid.as_str(), &["app/pulls/pull-7".to_owned()][..])
    );
    let new = reborn(&tree.client, "pull-7").await;
    assert_ne!(new.pid, old.pid);
    assert_eq!((new.incarnation, new.restarts), (Some(2), Some(1)));
    let (status, body) = refusal(tree.client.kill(&pid, &request).await);
    assert_eq!(
        (status, body.code.as_str(), body.heir.unwrap().now),
        (410, "gone", new.pid.clone())
    );
    let crashes = tree.client.actor("pull-7").await.unwrap().crashes;
    assert_eq!((crashes[0].pid.as_str(), crashes[0].exit.as_str()), (pid.as_str(), "killed"));
    tree.root.stop().await;
}

#[tokio::test]
async fn looking_ahead_tells_what_would_end_and_changes_nothing() {
    let tree = start(Tier::Read).await;
    let before = tree.client.tree().await.unwrap();
    let request = ControlRequest { dry_run: true, reason: None };
    let foreseen = tree.client.kill("app/store", &request).await.unwrap();
    assert_eq!(foreseen.ends, ["app/store"]);
    assert_eq!(foreseen.siblings, ["app/pulls", "app/idle"]);
    assert_eq!((foreseen.messages_lost, foreseen.restarts_left), (Some(0), Some(3)));
    let root = tree.client.stop("@root", &request).await.unwrap();
    assert_eq!(root.ends.len(), 6);
    assert!(root.cautions[0].contains("root"), "{:?}", root.cautions);
    let pids = |tree: &heights_vitals::wire::Tree| {
        tree.actors.iter().map(|actor| actor.pid.clone()).collect::<Vec<_>>()
    };
    assert_eq!(pids(&tree.client.tree().await.unwrap()), pids(&before));
    tree.root.stop().await;
}

#[tokio::test]
async fn below_the_control_tier_nothing_is_ended() {
    let tree = start(Tier::Trace).await;
    for answer in [
        tree.client.kill("store", &ControlRequest::default()).await,
        tree.client.stop("store", &ControlRequest::default()).await,
    ] {
        let (status, body) = refusal(answer);
        assert_eq!((status, body.code.as_str()), (403, "forbidden"));
    }
    assert_eq!(tree.client.actor("store").await.unwrap().actor.incarnation, Some(1));
    tree.root.stop().await;
}

/// Collects what is logged by the whole test program.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn the_log_says_who_ended_what_and_why_and_who_was_refused() {
    let log = Log::default();
    let writer = log.clone();
    tracing_subscriber::fmt().with_ansi(false).with_writer(move || writer.clone()).init();
    let because = |reason: &str| ControlRequest {
        reason: Some(reason.to_owned()),
        ..ControlRequest::default()
    };
    let (open, closed) = (start(Tier::Control).await, start(Tier::Read).await);
    let killed = open.client.kill("pull-71", &because("it is a test")).await.unwrap();
    refusal(closed.client.stop("store", &because("it is forbidden")).await);
    let uid = rustix::process::getuid().as_raw();
    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    let line = |text: &str| {
        log.lines().find(|line| line.contains(text)).unwrap_or_else(|| panic!("{text} in {log}"))
    };
    let done = line("it is a test");
    for part in ["heights_vitals::audit", "action=\"kill\"", "path=app/pulls/pull-71", "done=true"]
    {
        assert!(done.contains(part), "{part} in {done}");
    }
    assert!(
        done.contains(&format!("pid={}", killed.pid)) && done.contains(&format!("uid=Some({uid})")),
        "{done}"
    );
    assert!(line("it is forbidden").contains("refused"));
    open.root.stop().await;
    closed.root.stop().await;
}

#[tokio::test]
async fn says_what_is_wrong_with_a_reference() {
    let tree = start(Tier::Read).await;
    let (status, body) = refusal(tree.client.actor("nobody").await);
    assert_eq!((status, body.message.as_str()), (404, "no actor is called nobody"));
    let (status, body) = refusal(tree.client.actor("pull").await);
    assert_eq!((status, body.matches.len()), (409, 3));
    tree.root.stop().await;
}

#[tokio::test]
async fn a_child_that_waits_for_its_restart_is_shown_without_numbers() {
    let hub = Hub::new();
    let broken = ChildSpec::task("broken", |_cx| async { Err("on purpose".into()) });
    let backoff = Backoff::exponential(Duration::from_secs(600), Duration::from_secs(600));
    let root = Supervisor::builder("app")
        .hub(hub.clone())
        .child(broken.backoff(backoff))
        .start()
        .await
        .unwrap();
    let directory = private_directory();
    let inspector = Inspector::builder("app", &hub).directory(directory.path()).start().unwrap();
    let client = Client::new(inspector.socket());
    let waits = async {
        loop {
            let actors = client.tree().await.unwrap().actors;
            if let Some(actor) = actors.into_iter().find(|actor| actor.state == State::Restarting) {
                return actor;
            }
        }
    };
    let waiting =
        tokio::time::timeout(CEILING, waits).await.expect("waited in vain for the back-off");
    assert_eq!((waiting.path.as_str(), waiting.depth), ("app/broken", 1));
    assert_eq!((waiting.pid, waiting.mailbox, waiting.handled), (None, None, None));
    assert!(waiting.restart_in_ms > Some(60_000));
    let (status, _) =
        refusal(client.kill("broken", &ControlRequest { dry_run: true, reason: None }).await);
    assert_eq!(status, 404);
    root.stop().await;
}

#[tokio::test]
async fn events_are_told_without_gap_from_where_a_watcher_was() {
    let tree = start(Tier::Control).await;
    let mut watch = tree.client.watch(None).await.unwrap();
    tree.client.kill("pull-7", &ControlRequest::default()).await.unwrap();
    reborn(&tree.client, "pull-7").await;
    let mut seen = Vec::new();
    while seen.last().is_none_or(|event: &Event| event.kind != EventKind::Started) {
        let event = tokio::time::timeout(CEILING, watch.next()).await.expect("an event").unwrap();
        seen.push(event.expect("the process lives"));
    }
    drop(watch);
    assert_eq!(seen[0].kind, EventKind::Failed, "{seen:?}");
    assert!(seen.iter().all(|event| event.path == "app/pulls/pull-7"), "{seen:?}");
    let mut again = tree.client.watch(Some(seen[0].id - 1)).await.unwrap();
    for expected in seen {
        assert_eq!(again.next().await.unwrap(), Some(expected));
    }
    drop(tree.inspector);
    let end = tokio::time::timeout(CEILING, again.next()).await.expect("an end");
    assert_eq!(end.unwrap(), None, "the end of the process is the end of the stream");
    tree.root.stop().await;
}

/// The only worker of the application's runtime is blocked; the inspector has a thread of its own.
#[test]
fn answers_while_the_runtime_of_the_application_is_blocked() {
    let (entered, blocking) = mpsc::channel();
    let (release, released) = mpsc::channel::<()>();
    let (told, socket) = mpsc::channel();
    let application = thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let tree = start(Tier::Read).await;
            told.send(tree.inspector.socket()).unwrap();
            tree.store.cast(Msg::Block(entered, released)).unwrap();
            tree.store.call_within(CEILING, Msg::Ping).await.unwrap();
            tree.root.stop().await;
        });
    });
    blocking.recv_timeout(CEILING).expect("the handler blocks");
    let client = Client::new(socket.recv().unwrap()).patience(CEILING);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let store = runtime.block_on(client.actor("store")).unwrap().actor;
    assert_eq!((store.state, store.working.unwrap().label.as_str()), (State::Busy, "Block"));
    let silence = async {
        while client.picture().await.unwrap().runtime.unwrap().silent_ms < 500 {
            tokio::task::yield_now().await;
        }
    };
    runtime
        .block_on(async { tokio::time::timeout(CEILING, silence).await })
        .expect("no sign of life");
    drop(release);
    application.join().unwrap();
}

#[tokio::test]
async fn leaves_nothing_behind_and_is_found_only_while_it_lives() {
    let tree = start(Tier::Read).await;
    let directory = tree.inspector.socket().parent().unwrap().to_owned();
    let found = processes([directory.clone()]);
    assert_eq!(
        (found[0].announcement.name.as_str(), found[0].socket.clone()),
        ("app", tree.inspector.socket())
    );
    drop(tree.inspector);
    assert_eq!(processes([directory.clone()]), []);
    assert_eq!(fs::read_dir(directory).unwrap().count(), 0);
    tree.root.stop().await;
}

#[test]
fn what_dead_processes_left_is_cleared_away() {
    let directory = private_directory();
    // No process has the largest id: the kernel's limit is far below it.
    let (socket, note) =
        (directory.path().join("2147483647.sock"), directory.path().join("2147483647.json"));
    drop(UnixListener::bind(&socket).unwrap());
    fs::write(&note, r#"{"name":"dead","version":"","os_pid":2147483647,"started_ms":0}"#).unwrap();
    let inspector =
        Inspector::builder("app", &Hub::new()).directory(directory.path()).start().unwrap();
    assert!(!socket.exists() && !note.exists());
    drop(inspector);
}

#[test]
fn a_directory_that_others_may_enter_is_not_used() {
    let directory = private_directory();
    let open = directory.path().join("open");
    fs::create_dir(&open).unwrap();
    fs::set_permissions(&open, fs::Permissions::from_mode(0o750)).unwrap();
    let link = directory.path().join("link");
    std::os::unix::fs::symlink(directory.path(), &link).unwrap();
    for path in [open, link] {
        let refused = Inspector::builder("app", &Hub::new()).directory(&path).start().unwrap_err();
        assert!(matches!(refused, StartError::Place(PlaceError::Untrusted { .. })), "{refused}");
    }
}

/// Not a test by itself: what the test below runs with the switch off.
#[test]
fn plays_turned_off() {
    if std::env::var_os("HEIGHTS_VITALS").is_some() {
        let directory = private_directory();
        let refused = Inspector::builder("app", &Hub::new()).directory(directory.path()).start();
        assert!(matches!(refused.unwrap_err(), StartError::TurnedOff));
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0);
    }
}

#[test]
fn the_environment_turns_it_off() {
    let mut test = std::process::Command::new(std::env::current_exe().unwrap());
    let output =
        test.args(["plays_turned_off", "--exact"]).env("HEIGHTS_VITALS", "off").output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}
