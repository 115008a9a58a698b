//! The meaning of trees, without processes: a fake runs the commands, and time is paused.
//!
//! A command of these trees is a text that the fake understands: what each try does, separated by
//! spaces. `3` exits with 3, `10:0` exits with 0 after ten seconds, `!` is a fault of the machine.

mod reference;

use std::cell::{Cell, RefCell};
use std::time::Duration;

use ci_domain::step::NodeId;
use tokio::time::Instant;

use super::*;

/// Runs commands by their text and keeps a log of what it did.
struct Fake {
    begin: Instant,
    /// What ended, and at which second.
    log: RefCell<Vec<(u64, String)>>,
    running: Cell<usize>,
    most_at_once: Cell<usize>,
}

impl Executor for Fake {
    type Fault = String;

    async fn execute(
        &self,
        command: &Command,
        id: CommandId,
        stop: StopSignal,
    ) -> Result<Exit, String> {
        self.running.set(self.running.get() + 1);
        self.most_at_once.set(self.most_at_once.get().max(self.running.get()));
        let tries: Vec<&str> = command.run.split(' ').collect();
        let word = tries[(id.number.get() as usize - 1).min(tries.len() - 1)];
        let (seconds, code) = word.split_once(':').unwrap_or(("0", word));
        let exit = tokio::select! {
            biased;
            reason = stop.fired() => Ok(reason.exit()),
            () = sleep(Duration::from_secs(seconds.parse().unwrap())) => {
                code.parse().map(Exit::Code).map_err(|_| format!("{id} broke"))
            }
        };
        self.running.set(self.running.get() - 1);
        let end = match &exit {
            Ok(Exit::Code(code)) => code.to_string(),
            Ok(Exit::OutOfMemory) => "memory".to_owned(),
            Ok(Exit::TimedOut) => "timeout".to_owned(),
            Ok(_) => "cancelled".to_owned(),
            Err(_) => "broke".to_owned(),
        };
        self.log.borrow_mut().push((self.begin.elapsed().as_secs(), format!("{id}={end}")));
        exit
    }
}

/// What came of a tree.
#[derive(Debug, PartialEq, Eq)]
struct Ran {
    /// What ended, in this order.
    log: String,
    /// What failed the job, or how the machine broke.
    result: Result<String, String>,
    seconds: u64,
    most_at_once: usize,
}

/// Runs a tree; `stop_after` fires the job's stop signal after so many seconds.
async fn run_until(steps: Vec<Step>, stop_after: Option<(u64, Stop)>) -> Ran {
    let mut root = Step::Sequence(Sequence { id: NodeId::root(), name: None, steps });
    number(&NodeId::root(), &mut root);
    let Step::Sequence(root) = root else { unreachable!("made above") };
    let begin = Instant::now();
    let executor = Fake {
        begin,
        log: RefCell::default(),
        running: Cell::default(),
        most_at_once: Cell::default(),
    };
    let (job, stop) = StopSource::new();
    let tree = Tree { executor: &executor, job: &job };
    let mut running = std::pin::pin!(tree.sequence(&root, &stop));
    let result = match stop_after {
        None => running.await,
        Some((seconds, reason)) => tokio::select! {
            result = &mut running => result,
            () = sleep(Duration::from_secs(seconds)) => {
                job.stop(reason);
                running.await
            }
        },
    };
    let names = |failed: Vec<FailedCommand>| {
        failed.iter().map(|failed| failed.command.to_string()).collect::<Vec<_>>().join(" ")
    };
    // Which of those that end at the same moment comes first means nothing.
    let mut log = executor.log.take();
    log.sort();
    Ran {
        log: log.into_iter().map(|(_, end)| end).collect::<Vec<_>>().join(" "),
        result: result.map(names),
        seconds: begin.elapsed().as_secs(),
        most_at_once: executor.most_at_once.get(),
    }
}

async fn check(steps: Vec<Step>, log: &str, failed: &str, seconds: u64) {
    let ran = run_until(steps, None).await;
    let expected = (log, Ok(failed.to_owned()), seconds);
    assert_eq!((ran.log.as_str(), ran.result, ran.seconds), expected);
}

fn number(place: &NodeId, step: &mut Step) {
    let children = match step {
        Step::Command(command) => {
            command.id = place.clone();
            return;
        }
        Step::Sequence(sequence) => {
            sequence.id = place.clone();
            &mut sequence.steps
        }
        Step::Parallel(parallel) => {
            parallel.id = place.clone();
            &mut parallel.steps
        }
    };
    for (position, child) in children.iter_mut().enumerate() {
        number(&place.child(position), child);
    }
}

fn run(text: &str) -> Step {
    Step::Command(Command::new(NodeId::root(), text))
}

fn with(text: &str, set: impl FnOnce(&mut Command)) -> Step {
    let mut command = Command::new(NodeId::root(), text);
    set(&mut command);
    Step::Command(command)
}

fn always(text: &str) -> Step {
    with(text, |command| command.always = true)
}

fn seq(steps: Vec<Step>) -> Step {
    Step::Sequence(Sequence { id: NodeId::root(), name: None, steps })
}

fn par(steps: Vec<Step>) -> Step {
    group(None, false, steps)
}

fn fail_fast(steps: Vec<Step>) -> Step {
    group(None, true, steps)
}

fn group(limit: Option<u32>, fail_fast: bool, steps: Vec<Step>) -> Step {
    let limit = limit.and_then(NonZeroU32::new);
    Step::Parallel(Parallel { id: NodeId::root(), name: None, limit, fail_fast, steps })
}

#[tokio::test(start_paused = true)]
async fn a_sequence_stops_at_its_first_failure() {
    check(vec![], "", "", 0).await;
    check(vec![run("1:0"), run("2:0")], "0-1=0 1-1=0", "", 3).await;
    check(vec![run("1:0"), run("2:5"), run("4:0")], "0-1=0 1-1=5", "1-1", 3).await;
    check(vec![seq(vec![run("1"), run("0")]), run("0")], "0.0-1=1", "0.0-1", 0).await;
}

#[tokio::test(start_paused = true)]
async fn always_steps_run_after_a_failure_of_their_own_sequence() {
    check(vec![run("1"), always("0"), run("0"), always("2")], "0-1=1 1-1=0 3-1=2", "0-1 3-1", 0)
        .await;
    check(vec![run("1"), seq(vec![always("0")])], "0-1=1", "0-1", 0).await;
    check(vec![par(vec![seq(vec![run("1"), always("0")])])], "0.0.0-1=1 0.0.1-1=0", "0.0.0-1", 0)
        .await;
}

#[tokio::test(start_paused = true)]
async fn a_parallel_group_runs_every_branch_and_reports_in_the_order_of_the_tree() {
    let branches = vec![run("3:1"), run("1:0"), seq(vec![run("1:0"), run("1:2")])];
    let log = "0.1-1=0 0.2.0-1=0 0.2.1-1=2 0.0-1=1";
    check(vec![par(branches), run("0")], log, "0.0-1 0.2.1-1", 3).await;
}

#[tokio::test(start_paused = true)]
async fn a_limit_starts_the_next_branch_when_one_ends() {
    let branches = || vec![run("3:0"), run("1:0"), run("1:0"), run("1:0")];
    let ran = run_until(vec![group(Some(2), false, branches())], None).await;
    assert_eq!((ran.seconds, ran.most_at_once), (3, 2));
    let ran = run_until(vec![group(Some(1), false, branches())], None).await;
    assert_eq!((ran.seconds, ran.most_at_once), (6, 1));
    let ran = run_until(vec![group(None, false, branches())], None).await;
    assert_eq!((ran.seconds, ran.most_at_once), (3, 4));
}

#[tokio::test(start_paused = true)]
async fn fail_fast_cancels_what_runs_and_skips_what_waits() {
    check(
        vec![fail_fast(vec![run("9:0"), run("1:1"), seq(vec![run("9:0"), always("0")])])],
        "0.0-1=cancelled 0.1-1=1 0.2.0-1=cancelled",
        "0.1-1",
        1,
    )
    .await;
    check(vec![group(Some(1), true, vec![run("1"), run("0")])], "0.0-1=1", "0.0-1", 0).await;
    let outside = par(vec![fail_fast(vec![run("1:1"), run("9:0")]), run("5:0")]);
    check(vec![outside], "0.0.0-1=1 0.0.1-1=cancelled 0.1-1=0", "0.0.0-1", 5).await;
    let allowed = with("1", |command| command.allow_failure = true);
    check(vec![fail_fast(vec![allowed, run("2:0")])], "0.0-1=1 0.1-1=0", "", 2).await;
}

#[tokio::test(start_paused = true)]
async fn a_command_is_tried_until_it_succeeds() {
    let retry = |text, retry| vec![with(text, |command| command.retry = retry)];
    check(retry("1 2 0", 2), "0-1=1 0-2=2 0-3=0", "", 0).await;
    check(retry("1 2 0", 1), "0-1=1 0-2=2", "0-2", 0).await;
    check(retry("0 1", 5), "0-1=0", "", 0).await;
}

#[tokio::test(start_paused = true)]
async fn a_timeout_counts_for_each_try() {
    let slow = |text, retry| {
        with(text, |command| {
            command.timeout = Some(Duration::from_secs(2));
            command.retry = retry;
        })
    };
    check(vec![slow("9:0 1:0", 1)], "0-1=timeout 0-2=0", "", 3).await;
    check(vec![slow("9:0", 1), run("0")], "0-1=timeout 0-2=timeout", "0-2", 4).await;
}

#[tokio::test(start_paused = true)]
async fn a_stopped_job_begins_nothing_more() {
    let steps = || {
        let retried = with("9:0", |command| command.retry = 3);
        vec![par(vec![retried, run("1:0")]), always("0"), run("0")]
    };
    let ran = run_until(steps(), Some((3, Stop::Cancelled))).await;
    assert_eq!((ran.log.as_str(), ran.seconds), ("0.1-1=0 0.0-1=cancelled", 3));
    assert_eq!(ran.result, Ok(String::new()));
    let ran = run_until(steps(), Some((3, Stop::JobTimeout))).await;
    assert_eq!(ran.log, "0.1-1=0 0.0-1=timeout");
    assert_eq!(ran.result, Ok("0.0-1".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn a_fault_stops_everything_and_is_the_result() {
    let retried = with("1:!", |command| {
        command.retry = 3;
        command.allow_failure = true;
    });
    let ran = run_until(vec![par(vec![run("9:0"), retried]), always("0")], None).await;
    assert_eq!(ran.log, "0.0-1=cancelled 0.1-1=broke");
    assert_eq!(ran.result, Err("0.1-1 broke".to_owned()));
}
