//! Section M: one task for each input, and their results as a stream.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::{FutureExt, StreamExt};
use heights_supervisor::{
    AsyncStreamError, OnTimeout, StartChildError, StreamExit, StreamFailure, Supervisor,
    TaskContext, TaskError, TaskSupervisor, TaskSupervisorRef,
};
use tokio::time::{Instant, sleep};

use crate::support::{SECOND, settle, start, within};

async fn tasks() -> TaskSupervisorRef {
    TaskSupervisor::builder("tasks").start().await.unwrap()
}

/// Takes as many seconds as it is told.
async fn nap(_cx: TaskContext, seconds: u32) -> u32 {
    sleep(SECOND * seconds).await;
    seconds
}

async fn left(tasks: &TaskSupervisorRef) -> usize {
    settle().await;
    tasks.count_children().await.specs
}

#[tokio::test(start_paused = true)]
async fn m109_results_come_in_the_order_of_the_inputs_or_as_they_arrive() {
    let tasks = tasks().await;
    let stream = || tasks.async_stream("nap", [3, 1, 2], nap).max_concurrency(3);
    let ordered: Vec<_> = stream().stream().unwrap().map(Result::unwrap).collect().await;
    assert_eq!(ordered, [3, 1, 2]);
    let unordered = stream().unordered().stream().unwrap();
    let unordered: Vec<_> = unordered.map(Result::unwrap).collect().await;
    assert_eq!(unordered, [1, 2, 3]);
    assert_eq!(left(&tasks).await, 0);
}

#[tokio::test(start_paused = true)]
async fn m109b_there_are_never_more_tasks_at_once_than_allowed_and_at_least_one() {
    let refused = tasks().await.async_stream("nap", [1], nap).max_concurrency(0).stream();
    assert_eq!(refused.unwrap_err(), AsyncStreamError::ZeroConcurrency);

    for most in 1..5 {
        // One more at any moment, even one that is about to be gone, would be refused.
        let tasks = TaskSupervisor::builder("tasks").max_children(most).start().await.unwrap();
        let now = Arc::new(AtomicUsize::new(0));
        let peak = Arc::new(AtomicUsize::new(0));
        let (at_once, highest) = (Arc::clone(&now), Arc::clone(&peak));
        let run = move |cx, seconds| {
            let running = Counting(Arc::clone(&at_once));
            let now = running.0.fetch_add(1, Ordering::SeqCst) + 1;
            highest.fetch_max(now, Ordering::SeqCst);
            async move {
                let _running = running;
                nap(cx, seconds).await
            }
        };
        let inputs = (0..40).map(|number| number % 5);
        let stream = tasks.async_stream("nap", inputs, run).max_concurrency(most);
        let stream = stream.timeout(SECOND * 5 / 2).on_timeout(OnTimeout::KillTask).unordered();
        let outcomes: Vec<_> = stream.stream().unwrap().collect().await;
        assert_eq!(outcomes.len(), 40);
        assert_eq!(outcomes.iter().filter(|outcome| outcome.is_err()).count(), 16);
        assert_eq!(peak.load(Ordering::SeqCst), most);
    }
}

#[tokio::test(start_paused = true)]
async fn m109c_a_timeout_ends_the_stream_or_kills_one_task() {
    let tasks = tasks().await;
    let stream = || tasks.async_stream("nap", [1, 9, 2, 3], nap).max_concurrency(4);
    let timed_out = |exit: &StreamExit| matches!(exit.cause, StreamFailure::Task(TaskError::Timeout(limit)) if limit == SECOND * 5);
    // Five seconds is what each has, and the end of the stream is what comes of more.
    let began = Instant::now();
    let outcomes: Vec<_> = stream().stream().unwrap().collect().await;
    assert!(matches!(&outcomes[..], [Ok(1), Err(exit)] if timed_out(exit)), "{outcomes:?}");
    assert_eq!(began.elapsed(), SECOND * 5);
    assert_eq!(left(&tasks).await, 0);

    let stream = stream().on_timeout(OnTimeout::KillTask).stream().unwrap();
    let outcomes: Vec<_> = stream.collect().await;
    assert!(
        matches!(&outcomes[..], [Ok(1), Err(exit), Ok(2), Ok(3)] if timed_out(exit)),
        "{outcomes:?}"
    );
    assert_eq!(left(&tasks).await, 0);

    let patient = tasks.async_stream("nap", [1000], nap).timeout(None).stream().unwrap();
    assert_eq!(patient.map(Result::unwrap).collect::<Vec<_>>().await, [1000]);
}

#[tokio::test(start_paused = true)]
async fn m109d_an_input_that_came_to_nothing_is_told_with_the_reason() {
    let tasks = tasks().await;
    let run = |cx, seconds: u32| async move {
        assert!(seconds != 7, "not seven");
        nap(cx, seconds).await
    };
    let stream = tasks.async_stream("nap", [1, 7, 9, 2], run).on_timeout(OnTimeout::KillTask);
    let outcomes: Vec<_> = stream.zip_input_on_exit().stream().unwrap().collect().await;
    let said: Vec<_> = outcomes
        .into_iter()
        .map(|outcome| outcome.map_err(|exit| (exit.input, exit.to_string())))
        .collect();
    let [Ok(1), Err((7, panic)), Err((9, timeout)), Ok(2)] = &said[..] else {
        panic!("{said:?}");
    };
    assert!(panic.contains("not seven"), "{panic}");
    assert_eq!(timeout, "the task had no result within 5s");
}

#[tokio::test(start_paused = true)]
async fn m109e_whoever_drops_the_stream_cancels_the_rest() {
    let tasks = tasks().await;
    // There is no end to the inputs.
    let mut stream = tasks.async_stream("nap", 1.., nap).max_concurrency(3).stream().unwrap();
    assert_eq!(stream.next().await.unwrap().unwrap(), 1);
    assert_eq!(stream.next().await.unwrap().unwrap(), 2);
    assert_ne!(left(&tasks).await, 0);
    drop(stream);
    assert_eq!(left(&tasks).await, 0);

    let few = tasks.async_stream("nap", 1.., nap).stream().unwrap().take(3);
    assert_eq!(few.map(Result::unwrap).collect::<Vec<_>>().await, [1, 2, 3]);
    assert_eq!(left(&tasks).await, 0);
}

/// Counts the tasks that run.
struct Counting(Arc<AtomicUsize>);

impl Drop for Counting {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Whatever the stream is at: about to start a task, waiting for one, or seeing one off.
#[tokio::test(start_paused = true)]
async fn m109f_a_stream_that_is_dropped_at_any_moment_leaks_nothing() {
    for moment in 0..100 {
        let tasks = tasks().await;
        let held = Arc::new(());
        let holding = Arc::clone(&held);
        let run = move |cx, seconds| {
            let holding = Arc::clone(&holding);
            async move {
                let _holding = holding;
                nap(cx, seconds).await
            }
        };
        let inputs = [0, 0, 1, 0, 1000];
        let stream = tasks.async_stream("nap", inputs, run).max_concurrency(2);
        let mut stream = stream.timeout(None).stream().unwrap();
        for _ in 0..moment {
            let _none_yet = stream.next().now_or_never();
            tokio::task::yield_now().await;
        }
        drop(stream);
        assert_eq!(left(&tasks).await, 0, "after {moment} polls");
        // Nothing of the closure is left: it and all its tasks have been dropped.
        assert_eq!(Arc::strong_count(&held), 1, "after {moment} polls");
        tasks.stop().await;
    }
}

#[tokio::test(start_paused = true)]
async fn m109g_another_task_may_consume_the_stream() {
    let tasks = tasks().await;
    let mut stream = tasks.async_stream("nap", [2, 1, 3], nap).max_concurrency(2).stream().unwrap();
    assert_eq!(stream.next().await.unwrap().unwrap(), 2);
    let consumer = tasks.async_nolink("consumer", |_cx| async {
        stream.map(Result::unwrap).collect::<Vec<_>>().await
    });
    let rest = consumer.await.unwrap().join().await.unwrap();
    assert_eq!(rest, [1, 3]);

    // With its consumer everything goes.
    let stream = tasks.async_stream("nap", 100.., nap).timeout(None).stream().unwrap();
    let consumer = tasks.async_nolink("consumer", |_cx| stream.count()).await.unwrap();
    sleep(SECOND).await;
    assert!(tasks.count_children().await.active > 1);
    consumer.process().kill();
    assert_eq!(left(&tasks).await, 0);
}

#[tokio::test(start_paused = true)]
async fn m109h_a_supervisor_that_takes_no_task_ends_the_stream() {
    let full = TaskSupervisor::builder("tasks").max_children(1).start().await.unwrap();
    let stream = full.async_stream("nap", [1, 2, 3], nap).max_concurrency(2).stream().unwrap();
    let outcomes: Vec<_> = stream.collect().await;
    let refused = |exit: &StreamExit| {
        matches!(exit.cause, StreamFailure::NotStarted(StartChildError::MaxChildren))
    };
    assert!(matches!(&outcomes[..], [Ok(1), Err(exit)] if refused(exit)), "{outcomes:?}");

    let (spec, tasks) = TaskSupervisor::builder("tasks").child_spec();
    let root = start(Supervisor::builder("root").child(spec)).await;
    let mut stream = tasks.async_stream("nap", 1.., nap).max_concurrency(1).stream().unwrap();
    assert_eq!(stream.next().await.unwrap().unwrap(), 1);
    root.stop().await;
    let outcomes: Vec<_> = within("the stream to end", stream.collect()).await;
    assert!(matches!(&outcomes[..], [Err(_)]), "{outcomes:?}");
}
