//! Looking into a process: its state, its messages by kind, and draining it.

use std::sync::{Arc, Mutex};

use heights_supervisor::{
    CallError, ChildRef, ChildSpec, Context, Exit, Fault, Flow, Handled, Inspect, LastMessage,
    Reply, Secret, Server, Shown, Sight, StateView, Supervisor, SupervisorRef, Tracer, View,
    threads,
};

use crate::support::{SECOND, settle, start, within};

const PASSWORD: &str = "open sesame";

/// Counts, and shows how far it has come.
#[derive(Debug)]
struct Counter {
    count: u64,
    password: Secret<&'static str>,
}

#[derive(Debug)]
enum Msg {
    Add(u64),
    Fail,
    Hang,
    Spin(std::sync::mpsc::Receiver<()>),
    Total(Secret<Reply<u64>>),
}

impl Inspect for Counter {
    fn inspect(&self, view: View<'_>) {
        assert_ne!(self.count, 13, "thirteen is not shown");
        view.record(|counter| {
            counter.field("count", &self.count).field("password", &self.password)
        });
    }
}

impl Server for Counter {
    type Args = ();
    type Msg = Msg;

    const LAST_MESSAGE: LastMessage<Msg> = LastMessage::debug();
    const STATE: StateView<Self> = StateView::inspect();

    async fn init((): (), _cx: &mut Context<Msg>) -> Result<Self, Fault> {
        Ok(Self { count: 0, password: Secret::new(PASSWORD) })
    }

    async fn handle(&mut self, msg: Msg, _cx: &mut Context<Msg>) -> Result<Flow, Fault> {
        match msg {
            Msg::Add(number) => self.count += number,
            Msg::Fail => return Err("as it was told".into()),
            Msg::Hang => std::future::pending().await,
            Msg::Spin(until) => drop(until.recv()),
            Msg::Total(reply) => reply.into_inner().send(self.count),
        }
        Ok(Flow::Continue)
    }

    fn label(msg: &Msg) -> &'static str {
        match msg {
            Msg::Add(_) => "add",
            Msg::Fail => "fail",
            Msg::Hang => "hang",
            Msg::Spin(_) => "spin",
            Msg::Total(_) => "total",
        }
    }
}

async fn counter() -> (SupervisorRef, ChildRef<Msg>) {
    let (spec, counter) = ChildSpec::server::<Counter>("counter", || ());
    (start(Supervisor::builder("root").child(spec)).await, counter)
}

async fn total(counter: &ChildRef<Msg>) -> Result<u64, CallError> {
    counter.call(|reply| Msg::Total(Secret::new(reply))).await
}

/// Returns the count that a view shows.
fn count(sight: &Sight) -> u64 {
    let Sight::Fresh(seen) = sight else { panic!("{sight:?} is not fresh") };
    let Shown::Record(fields) = &seen.view else { panic!("it is a record") };
    let [(_, Shown::Count(count)), (_, Shown::Text(secret))] = &fields[..] else {
        panic!("it has two fields")
    };
    assert_eq!(secret, "***");
    *count
}

#[tokio::test(start_paused = true)]
async fn n05a_a_view_of_the_state_is_made_in_front_of_all_that_wait() {
    let (_root, counter) = counter().await;
    let process = counter.running().await.process().clone();
    // It sleeps, and is woken for it.
    assert_eq!(count(&process.look(1_000, SECOND).await), 0);
    for _ in 0..100_000 {
        counter.cast(Msg::Add(1)).unwrap();
    }
    let seen = count(&process.look(1_000, SECOND).await);
    assert_eq!(seen, 0, "it was asked before it handled anything, and so it answered");
    assert_eq!(total(&counter).await.unwrap(), 100_000);
    // A suspended server answers, too.
    process.suspend();
    counter.cast(Msg::Add(1)).unwrap();
    settle().await;
    assert_eq!(count(&process.look(1_000, SECOND).await), 100_000);
}

#[tokio::test(start_paused = true)]
async fn n05b_a_server_that_does_not_answer_has_the_view_from_before() {
    let (_root, counter) = counter().await;
    let process = counter.running().await.process().clone();
    counter.cast(Msg::Hang).unwrap();
    settle().await;
    assert!(matches!(process.look(1_000, SECOND).await, Sight::NotYet));
    process.kill();
    process.gone().await;
    let process = counter.running().await.process().clone();
    assert_eq!(count(&process.look(1_000, SECOND).await), 0);
    counter.cast(Msg::Hang).unwrap();
    settle().await;
    let before = tokio::time::Instant::now();
    let Sight::Stale(seen) = process.look(1_000, SECOND).await else { panic!("it is stale") };
    assert!(seen.at <= before);
    assert!(!format!("{seen:?}").contains("count"), "{seen:?}");
}

#[tokio::test(start_paused = true)]
async fn n05c_what_shows_nothing_shows_nothing_and_a_panic_while_showing_harms_nobody() {
    let (root, counter) = counter().await;
    let sight = root.process().unwrap().look(1_000, SECOND).await;
    assert!(matches!(sight, Sight::Hidden));
    let process = counter.running().await.process().clone();
    counter.cast(Msg::Add(13)).unwrap();
    settle().await;
    assert!(matches!(process.look(1_000, SECOND).await, Sight::NotYet));
    counter.cast(Msg::Add(1)).unwrap();
    assert_eq!(total(&counter).await.unwrap(), 14);
    assert_eq!(count(&process.look(1_000, SECOND).await), 14);
}

#[tokio::test(start_paused = true)]
async fn n05d_a_task_is_looked_into_and_need_not_answer() {
    let computing = ChildSpec::task("computing", |cx| async move {
        cx.show(|view| view.record(|state| state.text("phase", "waiting")));
        std::future::pending().await
    });
    let hidden = ChildSpec::task("hidden", |_cx| std::future::pending());
    let root = start(Supervisor::builder("root").child(computing).child(hidden)).await;
    settle().await;
    let hub = root.hub().unwrap();
    let sight = hub.find("root/computing").unwrap().look(1_000, SECOND).await;
    let Sight::Fresh(seen) = sight else { panic!("{sight:?} is not fresh") };
    let phase = Shown::Text("waiting".to_owned());
    assert_eq!(seen.view, Shown::Record(vec![("phase".into(), phase)]));
    let sight = hub.find("root/hidden").unwrap().look(1_000, SECOND).await;
    assert!(matches!(sight, Sight::Hidden));
}

#[tokio::test(start_paused = true)]
async fn n06_messages_are_counted_by_kind() {
    let (_root, counter) = counter().await;
    let process = counter.running().await.process().clone();
    let counts = |process: &heights_supervisor::Process| {
        let messages = process.figures().messages;
        let told =
            messages.iter().map(|one| format!("{} {}-{}", one.label, one.handled, one.failed));
        told.collect::<Vec<_>>().join(", ")
    };
    assert_eq!(counts(&process), "");
    counter.cast(Msg::Add(1)).unwrap();
    counter.cast(Msg::Add(1)).unwrap();
    settle().await;
    assert_eq!(counts(&process), "add 2-0");
    total(&counter).await.unwrap();
    counter.cast(Msg::Add(1)).unwrap();
    total(&counter).await.unwrap();
    settle().await;
    assert_eq!(counts(&process), "add 3-0, total 2-0");
    counter.cast(Msg::Fail).unwrap();
    process.gone().await;
    assert_eq!(counts(&process), "add 3-0, total 2-0, fail 0-1");
    let figures = process.figures();
    assert_eq!((figures.handled, figures.failed), (5, 1));
}

/// Wants what is called `add` and writes it down.
#[derive(Default)]
struct Ear(Mutex<Vec<Handled>>);

impl Tracer for Ear {
    fn wants(&self, label: &'static str) -> bool {
        label == "add"
    }

    fn tell(&self, handled: Handled) {
        self.0.lock().unwrap().push(handled);
    }
}

#[tokio::test(start_paused = true)]
async fn n07_a_tracer_hears_of_the_messages_that_it_wants_until_it_is_taken_back() {
    let (_root, counter) = counter().await;
    let process = counter.running().await.process().clone();
    let ear = Arc::new(Ear::default());
    let id = process.trace(ear.clone());
    counter.cast(Msg::Add(3)).unwrap();
    total(&counter).await.unwrap();
    counter.cast(Msg::Add(4)).unwrap();
    settle().await;
    process.untrace(id);
    counter.cast(Msg::Add(5)).unwrap();
    assert_eq!(total(&counter).await.unwrap(), 12);
    let heard = ear.0.lock().unwrap();
    let texts: Vec<_> = heard.iter().map(|one| one.text.as_deref().unwrap()).collect();
    assert_eq!(texts, ["Add(3)", "Add(4)"]);
    assert!(heard.iter().all(|one| one.well && one.label == "add" && one.from.is_none()));
    assert_eq!(Arc::strong_count(&ear), 1);
}

#[tokio::test(start_paused = true)]
async fn n08_a_drained_server_handles_what_waits_and_ends() {
    let (root, counter) = counter().await;
    let life = counter.running().await;
    let process = life.process().clone();
    process.suspend();
    for _ in 0..1_000 {
        life.cast(Msg::Add(1)).unwrap();
    }
    assert!(process.drain() && process.is_draining());
    assert!(life.cast(Msg::Add(1)).is_err(), "nothing more is taken");
    process.resume();
    let exit = within("it to be drained", process.gone()).await;
    assert!(matches!(exit, Exit::Shutdown(_)), "{exit}");
    assert_eq!(process.figures().handled, 1_000);
    // Its supervisor reacts as to a stop.
    let next = counter.running().await;
    assert_ne!(next.pid(), process.pid());
    // One that has nothing to do ends at once; what is no server is not drained.
    next.process().drain();
    within("the idle one to be drained", next.process().gone()).await;
    assert!(!root.process().unwrap().drain());
}

#[test]
fn n09_a_thread_that_is_not_given_back_says_by_whom() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .thread_name("a worker")
        .enable_all()
        .build()
        .unwrap();
    let (release, until) = std::sync::mpsc::channel();
    let (root, counter) = runtime.block_on(counter());
    let process = runtime.block_on(counter.running()).process().clone();
    counter.cast(Msg::Spin(until)).unwrap();
    let running = || threads().into_iter().find(|thread| thread.running == Some(process.pid()));
    let ceiling = std::time::Instant::now() + SECOND * 60;
    let thread = loop {
        match running() {
            Some(thread) => break thread,
            None => assert!(std::time::Instant::now() < ceiling, "it never ran"),
        }
        std::thread::yield_now();
    };
    assert!(thread.name.starts_with("a worker ThreadId("), "{}", thread.name);
    assert_eq!(running(), Some(thread), "it is the same turn");
    release.send(()).unwrap();
    runtime.block_on(root.stop());
    assert_eq!(running(), None);
}
