//! The hub: what can be seen from outside.

use heights_supervisor::{ProcessState, Strategy, Supervisor};

use crate::support::{Msg, Probe, SECOND, Stop, Trace, settle, start};

#[tokio::test(start_paused = true)]
async fn n01_counters_and_the_current_message() {
    let trace = Trace::default();
    let a = Probe::new(&trace, "a");
    let root = start(Supervisor::builder("root").child(a.spec.clone())).await;
    a.reference.call(Msg::Ping).await.unwrap();
    a.reference.cast(Msg::Work(SECOND * 10)).unwrap();
    a.reference.cast(Msg::Work(SECOND)).unwrap();
    a.reference.cast(Msg::Work(SECOND)).unwrap();
    settle().await;
    tokio::time::advance(SECOND * 3).await;
    let figures = a.process().figures();
    assert_eq!((figures.queued, figures.peak, figures.handled), (Some(2), Some(3), 1));
    let working = figures.working.unwrap();
    assert_eq!((working.label, working.since), ("work", SECOND * 3));
    assert_eq!(root.process().unwrap().figures().queued, None);
}

#[tokio::test(start_paused = true)]
async fn n02_a_crash_is_remembered_with_what_it_was_doing() {
    let trace = Trace::default();
    let a = Probe::new(&trace, "a");
    let root = start(Supervisor::builder("root").child(a.spec.clone())).await;
    a.crash().await;
    let crashes = root.hub().unwrap().crashes();
    let [crash] = &crashes[..] else { panic!("{crashes:?}") };
    assert_eq!((&*crash.path, crash.last_label, crash.incarnation), ("root/a", Some("panic"), 1));
    assert!(crash.type_name.ends_with("Puppet"));
    let heights_supervisor::Exit::Panic(panic) = &crash.exit else { panic!("{crash:?}") };
    assert!(panic.backtrace.as_ref().unwrap().to_string().contains("Puppet"));
}

#[tokio::test(start_paused = true)]
async fn n03_states_and_shapes() {
    let trace = Trace::default();
    let slow = Probe::stopping(&trace, "slow", Stop::Takes(SECOND));
    let builder = Supervisor::builder("root").strategy(Strategy::RestForOne).intensity(7, SECOND);
    let root = start(builder.child(slow.spec.clone())).await;
    slow.process().stop();
    settle().await;
    let tree = root.tree().unwrap();
    let shape = tree.processes[0].shape.unwrap();
    assert_eq!((shape.strategy, shape.intensity.restarts), (Some(Strategy::RestForOne), 7));
    let states: Vec<ProcessState> = tree.processes.iter().map(|process| process.state).collect();
    assert_eq!(states, [ProcessState::Running, ProcessState::Stopping]);
    assert_eq!(tree.processes[1].parent, Some(tree.processes[0].pid));
}

#[tokio::test(start_paused = true)]
async fn n04_the_owner_ends_with_the_task_and_before_anyone_is_told() {
    let trace = Trace::default();
    let slow = Probe::stopping(&trace, "slow", Stop::Takes(SECOND));
    let root = start(Supervisor::builder("root").child(slow.spec.clone())).await;
    let (process, note) = (slow.process(), trace.clone());
    process.owner().on_end(move || note.note("freed"));
    let note = trace.clone();
    process.monitor(move |_down| note.note("told"));
    root.stop().await;
    assert_eq!(trace.take(), "start slow, stop slow, freed, told");
}
