//! What runs after what, beside what and how often: the meaning of the command tree.
//!
//! It knows of processes only that something runs a command and stops it when told to, so the rules
//! are tested without any.

use std::future::Future;
use std::num::NonZeroU32;

use ci_domain::step::{Command, Parallel, Sequence, Step};
use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;
use futures_util::stream::{self, StreamExt};
use tokio::time::sleep;

use super::stop::{Stop, StopSignal, StopSource};
use crate::fact::{CommandId, Exit, FailedCommand};

/// Runs single commands.
pub(super) trait Executor {
    /// Why the machine, and not the command, failed.
    type Fault;

    /// Runs `command` to its end, or until `stop` fires and it has been stopped.
    fn execute(
        &self,
        command: &Command,
        id: CommandId,
        stop: StopSignal,
    ) -> impl Future<Output = Result<Exit, Self::Fault>>;
}

/// Works through a command tree.
pub(super) struct Tree<'a, E> {
    pub(super) executor: &'a E,
    /// Fired when the machine fails, so that everything else is stopped too.
    pub(super) job: &'a StopSource,
}

/// The executions that failed a step, in the order of the tree; none where the step passed.
type Failures<F> = Result<Vec<FailedCommand>, F>;

impl<E: Executor> Tree<'_, E> {
    /// Runs steps one after another; after a failure only those that always run.
    pub(super) async fn sequence(
        &self,
        sequence: &Sequence,
        stop: &StopSignal,
    ) -> Failures<E::Fault> {
        let mut failures = Vec::new();
        for step in &sequence.steps {
            if failures.is_empty() || always_runs(step) {
                failures.extend(self.step(step, stop).await?);
            }
        }
        Ok(failures)
    }

    fn step<'s>(
        &'s self,
        step: &'s Step,
        stop: &'s StopSignal,
    ) -> LocalBoxFuture<'s, Failures<E::Fault>> {
        async move {
            if stop.reason().is_some() {
                return Ok(Vec::new());
            }
            match step {
                Step::Command(command) => self.command(command, stop).await,
                Step::Sequence(sequence) => self.sequence(sequence, stop).await,
                Step::Parallel(parallel) => self.parallel(parallel, stop).await,
            }
        }
        .boxed_local()
    }

    /// Runs steps at once and waits for all of them, whatever happens to one.
    async fn parallel(&self, parallel: &Parallel, stop: &StopSignal) -> Failures<E::Fault> {
        let (group, stop) = stop.child();
        let limit = parallel.limit.map_or(usize::MAX, |limit| limit.get() as usize);
        let branches = parallel.steps.iter().enumerate();
        let mut running = stream::iter(branches)
            .map(|(position, step)| self.step(step, &stop).map(move |result| (position, result)))
            .buffer_unordered(limit);
        let mut ended = Vec::new();
        while let Some((position, result)) = running.next().await {
            if parallel.fail_fast && result.as_ref().is_ok_and(|failures| !failures.is_empty()) {
                group.stop(Stop::FailFast);
            }
            ended.push((position, result));
        }
        ended.sort_by_key(|(position, _)| *position);
        let failures: Result<Vec<_>, _> = ended.into_iter().map(|(_, result)| result).collect();
        Ok(failures?.concat())
    }

    /// Tries a command until it succeeds or has no more tries.
    async fn command(&self, command: &Command, stop: &StopSignal) -> Failures<E::Fault> {
        let mut failure = None;
        for number in 0..=command.retry {
            if stop.reason().is_some() {
                break;
            }
            let id = CommandId::new(command.id.clone(), NonZeroU32::MIN.saturating_add(number));
            let exit = self.attempt(command, id.clone(), stop).await;
            match exit.inspect_err(|_| self.job.stop(Stop::Fault))? {
                Exit::Code(0) | Exit::Cancelled => return Ok(Vec::new()),
                exit => {
                    let title = command.title().to_owned();
                    failure = Some(FailedCommand { command: id, title, exit });
                }
            }
        }
        Ok(failure.into_iter().filter(|_| !command.allow_failure).collect())
    }

    /// Runs a command once, no longer than it may take.
    async fn attempt(
        &self,
        command: &Command,
        id: CommandId,
        stop: &StopSignal,
    ) -> Result<Exit, E::Fault> {
        let (timer, stop) = stop.child();
        let mut execution = std::pin::pin!(self.executor.execute(command, id, stop));
        if let Some(limit) = command.timeout {
            tokio::select! {
                biased;
                exit = &mut execution => return exit,
                () = sleep(limit) => timer.stop(Stop::CommandTimeout),
            }
        }
        execution.await
    }
}

fn always_runs(step: &Step) -> bool {
    matches!(step, Step::Command(command) if command.always)
}

#[cfg(test)]
mod tests;
