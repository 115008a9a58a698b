//! Section M: tasks, calls, monitors and timers.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use heights_supervisor::{
    CallError, ChildSpec, Context, Down, Exit, Fault, Flow, Mailbox, NoProc, Overflow, Reply,
    Restart, Server, Shutdown, StartChildError, Supervisor, TaskError, TaskSupervisor,
    TaskSupervisorRef, TimerId,
};
use ractor::{Actor, ActorProcessingErr, ActorRef};
use tokio::time::{Instant, advance};

use crate::support::{Msg, Probe, SECOND, Trace, settle, start, within};

async fn tasks() -> TaskSupervisorRef {
    TaskSupervisor::builder("tasks").max_children(2).start().await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn m106_a_task_gives_its_result_its_end_or_a_timeout() {
    let tasks = tasks().await;
    let task = tasks.async_nolink("sum", |_cx| async { 40 + 2 }).await.unwrap();
    assert_eq!(task.join().await.unwrap(), 42);

    let task = tasks.async_nolink("bad", |_cx| async { panic!("no sum") }).await.unwrap();
    let error: Result<(), TaskError> = task.join().await;
    assert!(error.unwrap_err().to_string().contains("panic: no sum"));

    let slow = |_cx| async { tokio::time::sleep(SECOND * 10).await };
    let task = tasks.async_nolink("slow", slow).await.unwrap();
    let process = task.process().clone();
    let error = task.join_within(SECOND).await.unwrap_err();
    assert!(matches!(error, TaskError::Timeout(SECOND)));
    assert!(matches!(process.gone().await, Exit::Killed));
    settle().await;
    assert_eq!(tasks.count_children().await.specs, 0);
}

#[tokio::test(start_paused = true)]
async fn m107_a_task_can_be_asked_twice_and_shut_down() {
    let tasks = tasks().await;
    let slow = |_cx| async {
        tokio::time::sleep(SECOND * 10).await;
        "done"
    };
    let mut task = tasks.async_nolink("slow", slow).await.unwrap();
    assert!(task.yield_within(SECOND).await.is_none());
    assert_eq!(task.yield_within(SECOND * 10).await.unwrap().unwrap(), "done");

    let task = tasks.async_nolink("slow", slow).await.unwrap();
    let error = task.shutdown(Shutdown::Brutal).await.unwrap_err();
    assert!(matches!(error, TaskError::Down(Exit::Killed)));

    let task = tasks.async_nolink("quick", |_cx| async { 1 }).await.unwrap();
    settle().await;
    assert_eq!(task.shutdown(Shutdown::Brutal).await.unwrap(), 1);
}

#[tokio::test(start_paused = true)]
async fn m107_a_task_is_shut_down_in_time_even_if_nobody_waits_for_it_any_more() {
    let tasks = tasks().await;
    let deaf = |_cx| std::future::pending::<()>();
    let task = tasks.async_nolink("deaf", deaf).await.unwrap();
    let process = task.process().clone();
    let begin = Instant::now();
    let shutdown = task.shutdown(Shutdown::Timeout(SECOND * 2));
    assert!(tokio::time::timeout(SECOND, shutdown).await.is_err());
    assert!(matches!(within("the kill", process.gone()).await, Exit::Killed));
    assert_eq!(begin.elapsed(), SECOND * 2);
}

#[tokio::test(start_paused = true)]
async fn m108_a_linked_task_dies_with_its_owner() {
    let trace = Trace::default();
    let (spec, tasks) = TaskSupervisor::builder("tasks").max_children(2).child_spec();
    let owner = Probe::new(&trace, "owner");
    let root = start(Supervisor::builder("root").child(spec).child(owner.spec.clone())).await;
    let forever = |_cx| std::future::pending::<()>();
    let linked = tasks.async_(&owner.process(), "linked", forever).await.unwrap();
    let free = tasks.async_nolink("free", forever).await.unwrap();
    let error = tasks.async_nolink("third", forever).await.unwrap_err();
    assert!(matches!(error, StartChildError::MaxChildren));
    let tree = root.tree().unwrap();
    let paths: Vec<&str> = tree.processes.iter().map(|process| &*process.path).collect();
    assert!(paths.contains(&"root/tasks/linked") && paths.contains(&"root/tasks/free"));

    owner.crash().await;
    let error = within("the linked task to die", linked.join()).await.unwrap_err();
    assert!(matches!(error, TaskError::Down(Exit::Killed)));
    assert!(free.process().is_alive());
}

#[tokio::test(start_paused = true)]
async fn m108_a_task_that_is_asked_to_stop_may_say_goodbye() {
    let trace = Trace::default();
    let tasks = tasks().await;
    let note = trace.clone();
    let started = tasks
        .async_nolink("polite", move |cx| async move {
            cx.shutdown().await;
            note.note("goodbye");
        })
        .await
        .unwrap();
    settle().await;
    tasks.terminate_child(&started.pid()).await.unwrap();
    assert_eq!(trace.take(), "goodbye");
}

#[tokio::test(start_paused = true)]
async fn m110_a_call_is_answered_or_says_why_not() {
    let trace = Trace::default();
    let a = Probe::new(&trace, "a").with(|spec| spec.restart(Restart::Temporary));
    let root = start(Supervisor::builder("root").child(a.spec.clone())).await;
    let current = a.reference.current().unwrap();
    assert_eq!(current.call(Msg::Ping).await.unwrap(), 1);

    // The default deadline.
    a.reference.cast(Msg::Work(SECOND * 60)).unwrap();
    let begin = Instant::now();
    let error = current.call(Msg::Ping).await.unwrap_err();
    assert!(matches!(error, CallError::Timeout(five) if five == SECOND * 5));
    assert_eq!(begin.elapsed(), SECOND * 5);

    // It dies while the call is queued.
    let (answer, ()) = tokio::join!(current.call_within(SECOND * 600, Msg::Ping), async {
        current.cast(Msg::Panic("boom")).unwrap();
        settle().await;
        current.process().kill();
    });
    assert!(matches!(answer.unwrap_err(), CallError::Down(Exit::Killed)));

    // It is dead.
    assert!(matches!(current.call(Msg::Ping).await.unwrap_err(), CallError::NoProc));
    assert_eq!(current.cast(Msg::Panic("again")), Err(NoProc));
    assert_eq!(a.reference.cast(Msg::Panic("again")), Err(NoProc));
    root.stop().await;
}

#[tokio::test(start_paused = true)]
async fn m110_a_call_whose_handler_crashes_is_down_and_one_that_is_forgotten_times_out() {
    let trace = Trace::default();
    let a = Probe::new(&trace, "a");
    let _root = start(Supervisor::builder("root").child(a.spec.clone())).await;
    let forgotten = a.reference.call_within(SECOND, Msg::Forget).await.unwrap_err();
    assert!(matches!(forgotten, CallError::Timeout(SECOND)));
    let current = a.reference.current().unwrap();
    current.cast(Msg::Panic("boom")).unwrap();
    let queued = current.call(Msg::Ping).await.unwrap_err();
    assert!(queued.to_string().contains("panic: boom"), "{queued}");
}

#[tokio::test(start_paused = true)]
async fn m110_a_monitor_delivers_exactly_one_down_also_for_the_dead() {
    let trace = Trace::default();
    let a = Probe::new(&trace, "a");
    let _root = start(Supervisor::builder("root").child(a.spec.clone())).await;
    let downs = Arc::new(Mutex::new(Vec::new()));
    let watch = |life: &heights_supervisor::Process| {
        let downs = Arc::clone(&downs);
        life.monitor(move |down: Down| downs.lock().unwrap().push(down.exit.to_string()))
    };
    let life = a.process();
    watch(&life);
    let taken_back = watch(&life);
    life.demonitor(taken_back);
    a.end(Msg::Stop(Exit::shutdown("bye"))).await;
    watch(&life);
    settle().await;
    assert_eq!(*downs.lock().unwrap(), ["shutdown: bye", "no such process"]);
}

/// A server that sets timers and watches others, and writes down what reaches it.
struct Clock {
    trace: Trace,
    timer: Option<TimerId>,
}

enum Tick {
    Set(&'static str, Duration),
    Cancel,
    Ring(&'static str),
    Watch(heights_supervisor::Process),
    Gone(Down),
    Crash,
}

impl Server for Clock {
    type Args = Trace;
    type Msg = Tick;

    async fn init(trace: Trace, cx: &mut Context<Tick>) -> Result<Self, Fault> {
        cx.myself().cast(Tick::Ring("first"))?;
        Ok(Self { trace, timer: None })
    }

    async fn handle(&mut self, tick: Tick, cx: &mut Context<Tick>) -> Result<Flow, Fault> {
        match tick {
            Tick::Set(name, after) => self.timer = Some(cx.send_after(after, Tick::Ring(name))),
            Tick::Cancel => self.timer.take().into_iter().for_each(|timer| cx.cancel(timer)),
            Tick::Ring(name) => self.trace.note(name),
            Tick::Watch(process) => {
                cx.monitor(&process, Tick::Gone);
            }
            Tick::Gone(down) => self.trace.note(format!("down: {}", down.exit)),
            Tick::Crash => return Err("broken".into()),
        }
        Ok(Flow::Continue)
    }
}

#[tokio::test(start_paused = true)]
async fn m00_timers_ring_once_can_be_cancelled_and_die_with_their_life() {
    let trace = Trace::default();
    let note = trace.clone();
    let (spec, clock) = ChildSpec::server::<Clock>("clock", move || note.clone());
    let _root = start(Supervisor::builder("root").child(spec)).await;
    clock.cast(Tick::Set("rings", SECOND)).unwrap();
    settle().await;
    advance(SECOND).await;
    settle().await;
    assert_eq!(trace.take(), "first, rings");

    // Cancelled after it fired, while its message waits behind the cancellation.
    clock.cast(Tick::Set("never", SECOND)).unwrap();
    settle().await;
    clock.cast(Tick::Cancel).unwrap();
    advance(SECOND * 2).await;
    settle().await;
    assert_eq!(trace.take(), "");

    clock.cast(Tick::Set("too late", SECOND)).unwrap();
    clock.cast(Tick::Crash).unwrap();
    settle().await;
    advance(SECOND * 2).await;
    settle().await;
    assert_eq!(trace.take(), "first");
}

#[tokio::test(start_paused = true)]
async fn m110_a_server_is_told_about_the_end_of_another() {
    let trace = Trace::default();
    let note = trace.clone();
    let (spec, clock) = ChildSpec::server::<Clock>("clock", move || note.clone());
    let a = Probe::new(&Trace::default(), "a");
    let _root = start(Supervisor::builder("root").child(spec).child(a.spec.clone())).await;
    clock.cast(Tick::Watch(a.process())).unwrap();
    settle().await;
    a.process().kill();
    settle().await;
    assert_eq!(trace.take(), "first, down: killed");
}

/// An ordinary ractor actor that knows nothing of us.
struct Plain(Trace);

impl Actor for Plain {
    type Msg = Result<u32, &'static str>;
    type State = u32;
    type Arguments = u32;

    async fn pre_start(
        &self,
        _myself: ActorRef<Self::Msg>,
        start: u32,
    ) -> Result<u32, ActorProcessingErr> {
        self.0.note("start");
        Ok(start)
    }

    async fn handle(
        &self,
        myself: ActorRef<Self::Msg>,
        message: Self::Msg,
        state: &mut u32,
    ) -> Result<(), ActorProcessingErr> {
        *state += message?;
        self.0.note(format!("state {state}"));
        if *state > 100 {
            myself.stop(None);
        }
        Ok(())
    }

    async fn post_stop(
        &self,
        _myself: ActorRef<Self::Msg>,
        _state: &mut u32,
    ) -> Result<(), ActorProcessingErr> {
        self.0.note("stop");
        Ok(())
    }
}

#[tokio::test(start_paused = true)]
async fn m00_a_plain_ractor_actor_is_supervised_unchanged() {
    let trace = Trace::default();
    let note = trace.clone();
    let (spec, slot) = ChildSpec::actor("plain", move || (Plain(note.clone()), 40));
    let spec = spec.restart(Restart::Transient);
    let root = start(Supervisor::builder("root").child(spec)).await;
    slot.current().unwrap().send_message(Ok(2)).unwrap();
    settle().await;
    let life = slot.process().unwrap();
    slot.current().unwrap().send_message(Err("broken")).unwrap();
    assert_eq!(life.gone().await.to_string(), "error: broken");
    slot.running().await.send_message(Ok(61)).unwrap();
    settle().await;
    assert_eq!(trace.take(), "start, state 42, start, state 101, stop");
    assert_eq!(root.count_children().await.active, 0);
}

#[tokio::test(start_paused = true)]
async fn m00_a_recipient_counts_what_nobody_was_there_for() {
    let trace = Trace::default();
    let a = Probe::new(&trace, "a").with(|spec| spec.restart(Restart::Temporary));
    let _root = start(Supervisor::builder("root").child(a.spec.clone())).await;
    let recipient = a.reference.recipient(Msg::Fault);
    recipient.tell("enough");
    settle().await;
    recipient.tell("nobody hears this");
    assert_eq!(recipient.undelivered(), 1);
    assert_eq!(trace.take(), "start a, crash a");
}

/// A server that refuses calls when two messages wait.
struct Small;

impl Server for Small {
    type Args = ();
    type Msg = Reply<()>;

    const MAILBOX: Mailbox = Mailbox::bounded(2, Overflow::Reject);

    async fn init((): (), _cx: &mut Context<Reply<()>>) -> Result<Self, Fault> {
        Ok(Self)
    }

    async fn handle(
        &mut self,
        reply: Reply<()>,
        _cx: &mut Context<Reply<()>>,
    ) -> Result<Flow, Fault> {
        tokio::time::sleep(SECOND).await;
        reply.send(());
        Ok(Flow::Continue)
    }
}

#[tokio::test(start_paused = true)]
async fn m113_calls_to_a_full_server_are_refused() {
    let (spec, small) = ChildSpec::server::<Small>("small", || ());
    let _root = start(Supervisor::builder("root").child(spec)).await;
    let call = || small.call_within(SECOND * 60, |reply| reply);
    let (a, b, c, d) = tokio::join!(call(), call(), call(), call());
    let refused = [a, b, c, d].into_iter().filter(Result::is_err).count();
    assert_eq!(refused, 2);
}
