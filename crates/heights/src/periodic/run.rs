//! The process of a job: it performs what its schedule decides.

use std::convert::Infallible;
use std::future::{Future, poll_fn};
use std::hash::{BuildHasher, RandomState};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use heights_core::{Dice, Moment, RunId, Schedule, Step};
use heights_supervisor::{Fault, TaskContext};
use tokio::time::{Instant, timeout};

use super::Periodic;
use super::board::{Answer, Board, Life, RunEnd, TickError};
use super::clock::Clock;
use super::memory::Memory;
use super::rhythm::Rhythm;

/// One life of the process.
pub(super) struct Runner<F> {
    job: Arc<Periodic<F>>,
    cx: TaskContext,
    clock: Clock,
    schedule: Schedule,
    runs: Vec<Run>,
    board: Arc<Board>,
}

struct Run {
    id: RunId,
    since: Instant,
    work: Pin<Box<dyn Future<Output = RunEnd> + Send>>,
    asked: Option<Answer>,
}

impl<F, Fut> Runner<F>
where
    F: Fn() -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<(), Fault>> + Send + 'static,
{
    pub(super) fn new(
        job: Arc<Periodic<F>>,
        board: &Arc<Board>,
        cx: TaskContext,
    ) -> Result<Self, Fault> {
        let last = job.memory.as_ref().map(Memory::last).transpose()?.flatten();
        let wall = Arc::clone(&job.wall);
        let (clock, last) = match job.rhythm {
            Rhythm::Cron(..) => (Clock::wall(wall), last),
            Rhythm::Every(_) | Rhythm::AfterEach(_) | Rhythm::OnDemand => {
                (Clock::elapsed(wall, last), last.map(|_| Moment::ZERO))
            }
        };
        // Every life rolls differently, or many of a kind would stay in step.
        let dice = Dice::new(RandomState::new().hash_one(cx.name()));
        let schedule = match last {
            None => Schedule::new(job.plan(), clock.now(), dice),
            Some(last) => Schedule::resume(job.plan(), last, clock.now(), dice),
        };
        board.state().life = Life::Running;
        Ok(Self { job, cx, clock, schedule, runs: Vec::new(), board: Arc::clone(board) })
    }

    /// Runs the job until a stop is asked for.
    pub(super) async fn run(mut self) -> Result<(), Fault> {
        let cx = self.cx.clone();
        tokio::select! {
            () = cx.shutdown() => {}
            fault = self.keep_time() => return fault.map(|never| match never {}),
        }
        while self.job.finishes && !self.runs.is_empty() {
            let (run, end) = next_end(&mut self.runs).await;
            self.note(run, end);
        }
        Ok(())
    }

    async fn keep_time(&mut self) -> Result<Infallible, Fault> {
        let guard = Arc::clone(&self.job.guard);
        loop {
            self.publish();
            let latest = self.schedule.latest();
            let (steps, asked) = tokio::select! {
                (run, end) = next_end(&mut self.runs) => {
                    let id = run.id;
                    self.note(run, end);
                    (self.schedule.ended(id, self.clock.now(), || guard()), None)
                }
                () = self.clock.sleep_until(self.schedule.next_event()) => {
                    (self.schedule.wake(self.clock.now(), || guard()), None)
                }
                asked = self.board.request() => (self.schedule.ask(), Some(asked)),
            };
            if self.schedule.latest() != latest {
                self.remember()?;
            }
            self.perform(steps, asked);
        }
    }

    fn remember(&self) -> Result<(), Fault> {
        match (&self.job.memory, self.schedule.latest()) {
            (Some(memory), Some(latest)) => memory.note(self.clock.on_the_wall(latest)),
            _ => Ok(()),
        }
    }

    fn perform(&mut self, steps: Vec<Step>, mut asked: Option<Answer>) {
        for step in steps {
            match step {
                Step::Start(id) => self.start(id, asked.take()),
                Step::Stop(id) => self.stop(id),
                Step::Overlapped => {
                    self.board.state().counts.overlapped += 1;
                    if let Some(asked) = asked.take() {
                        answer(asked, Err(TickError::Overlapped));
                    }
                }
                Step::Missed(times) => {
                    self.board.state().counts.missed += times;
                    tracing::info!(
                        job = self.cx.name(),
                        times,
                        "times of a periodic job were missed"
                    );
                }
            }
        }
    }

    fn start(&mut self, id: RunId, asked: Option<Answer>) {
        self.board.state().counts.started += 1;
        let work = Box::pin(work((self.job.job)(), self.job.timeout));
        self.runs.push(Run { id, since: Instant::now(), work, asked });
    }

    fn stop(&mut self, id: RunId) {
        if let Some(index) = self.runs.iter().position(|run| run.id == id) {
            let mut run = self.runs.swap_remove(index);
            // What it holds is free before the next one starts.
            run.work = Box::pin(std::future::pending());
            self.note(run, RunEnd::Replaced);
        }
    }

    fn note(&self, run: Run, end: RunEnd) {
        if end.is_failure() {
            tracing::warn!(job = self.cx.name(), %end, "the periodic job failed");
        }
        {
            let mut state = self.board.state();
            state.counts.failed += u64::from(end.is_failure());
            state.counts.last = Some(end.clone());
        }
        if let Some(asked) = run.asked {
            answer(asked, Ok(end));
        }
    }

    fn publish(&self) {
        let next_in = self.schedule.next_event().map(|at| at.saturating_sub(self.clock.now()));
        let mut state = self.board.state();
        state.next_at = next_in.and_then(|next_in| Instant::now().checked_add(next_in));
        state.running = self.runs.iter().map(|run| run.since).collect();
    }
}

impl<F> Drop for Runner<F> {
    fn drop(&mut self) {
        let mut state = self.board.state();
        state.life = Life::Ended;
        state.next_at = None;
        state.running.clear();
        // Who asked for a run that never started is told so by the end of the channel.
        state.requests.clear();
    }
}

async fn work(job: impl Future<Output = Result<(), Fault>>, longest: Option<Duration>) -> RunEnd {
    let result = match longest {
        None => job.await,
        Some(longest) => match timeout(longest, job).await {
            Ok(result) => result,
            Err(_) => return RunEnd::TimedOut(longest),
        },
    };
    result.map_or_else(|error| RunEnd::Failed(error.into()), |()| RunEnd::Done)
}

/// Polls all runs and takes out one that has ended.
async fn next_end(runs: &mut Vec<Run>) -> (Run, RunEnd) {
    let poll = |runs: &mut Vec<Run>, cx: &mut Context<'_>| {
        for index in 0..runs.len() {
            if let Poll::Ready(end) = runs[index].work.as_mut().poll(cx) {
                return Poll::Ready((runs.swap_remove(index), end));
            }
        }
        Poll::Pending
    };
    poll_fn(|cx| poll(runs, cx)).await
}

fn answer(asked: Answer, end: Result<RunEnd, TickError>) {
    if asked.send(end).is_err() {
        tracing::debug!("whoever asked for the run has left");
    }
}
