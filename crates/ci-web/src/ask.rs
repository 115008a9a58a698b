//! What is asked of the node, as wire types: the API shows it as it is, pages draw from it.

mod branch;
mod kept;
mod nightly;
mod past;
mod pull;
mod queues;
mod tests;

use std::sync::Arc;

use ci_build::{BranchView, LeftoverTotals, Undelivered, WatcherView};
use ci_domain::ids::{AttemptId, BranchName, PullNumber, RepoName};
use ci_domain::may_run::Isolation;
use ci_exec::Exit;
use ci_github::Window;
use futures_util::{StreamExt, stream};
use heights::regulator::QueueView;

pub(crate) use branch::detail as branch_detail;
pub(crate) use kept::{artifacts, in_path};
pub(crate) use past::{Usual, past, usual};
pub(crate) use queues::{Claim, Line, WaitingJob, lines};
pub(crate) use tests::tests;

use crate::health;
use crate::moment::{duration_ms, millis};
use crate::problem::{Problem, chain};
use crate::seen::Unseen;
use crate::site::Site;
use crate::wire::{
    BranchSummary, Command, CommandEnd, CommandRef, IsolationLevel, JobRun, Leftovers, Nightly,
    NodeIsolation, NodeStatus, PullDetail, PullSummary, Quarantined, Queue, Quota, Reload, Repo,
    StoreStats, VerdictCounts, VerdictState,
};

/// Pull requests that are asked at once.
const AT_ONCE: usize = 32;

/// The node as a whole.
pub(crate) async fn status(site: &Site) -> NodeStatus {
    let repos = repos(site, site.node().repos()).await;
    status_with(site, repos).await
}

/// The node as a whole, but for how its pull requests stand, of which each would have to be asked.
pub(crate) async fn status_but_verdicts(site: &Site) -> NodeStatus {
    let mut repos = Vec::new();
    for name in site.node().repos() {
        repos.push(watched(site, &name).await.1);
    }
    status_with(site, repos).await
}

async fn status_with(site: &Site, repos: Vec<Repo>) -> NodeStatus {
    let voice = site.node().voice();
    NodeStatus {
        name: voice.node.clone(),
        version: site.version().to_owned(),
        public_url: voice.public_url.clone(),
        started_ms: millis(site.started()),
        readiness: health::readiness(site).await,
        isolation: isolation(site),
        repos,
        queues: queues(site),
        // A reporter that is being restarted has told nothing yet.
        undelivered: undelivered(site).await.unwrap_or_default(),
        quotas: quotas(site),
        store: store_stats(site),
        leftovers: leftovers(site),
        reload: site.node().last_reload().map(|reload| Reload {
            at_ms: millis(reload.at),
            taken: reload.taken,
            refused: reload.refused,
        }),
    }
}

/// What is left of the forge's limits, of each that it has told of.
pub(crate) fn quotas(site: &Site) -> Vec<Quota> {
    let budget = site.node().budget();
    let quota = |(kind, window): (&str, Option<Window>)| {
        let Window { limit, remaining, reset_at } = window?;
        let reset_ms = reset_at.0.saturating_mul(1000);
        Some(Quota { kind: kind.to_owned(), limit, remaining, reset_ms })
    };
    [("rest", budget.rest), ("graphql", budget.graphql)].into_iter().filter_map(quota).collect()
}

fn isolation(site: &Site) -> NodeIsolation {
    let (level, why) = site.node().isolation();
    let level = match level {
        Isolation::None => IsolationLevel::None,
        Isolation::Namespaces => IsolationLevel::Namespaces,
        Isolation::Container => IsolationLevel::Container,
        Isolation::Unavailable => IsolationLevel::Unavailable,
    };
    NodeIsolation { level, why: why.to_owned() }
}

/// These repositories.
pub(crate) async fn repos(site: &Site, names: Vec<RepoName>) -> Vec<Repo> {
    let mut repos = Vec::with_capacity(names.len());
    for name in names {
        repos.push(repo(site, &name).await);
    }
    repos
}

async fn repo(site: &Site, name: &RepoName) -> Repo {
    let (view, mut repo) = watched(site, name).await;
    let verdicts = &mut repo.verdicts;
    for pull in summaries(site, name, &view.open).await {
        *match pull.state {
            VerdictState::Success => &mut verdicts.success,
            VerdictState::Pending => &mut verdicts.pending,
            VerdictState::Failure => &mut verdicts.failure,
            VerdictState::Error => &mut verdicts.error,
            VerdictState::Unknown => &mut verdicts.unknown,
        } += 1;
    }
    repo
}

/// What the watcher of a repository says of it; no verdict is counted.
async fn watched(site: &Site, name: &RepoName) -> (Arc<WatcherView>, Repo) {
    let (view, trouble) = match site.watcher(name).await {
        Ok(view) => (view, None),
        Err(error) => (Arc::default(), Some(format!("failed to {}", chain(&error)))),
    };
    let repo = Repo {
        name: name.to_string(),
        open: view.open.iter().map(|number| number.0).collect(),
        verdicts: VerdictCounts::default(),
        quarantined: given_up(name, &view),
        polls: view.polls,
        trouble: view.trouble.clone().or(trouble),
    };
    (view, repo)
}

/// The numbers of the open pull requests of a repository, in order.
pub(crate) async fn open(site: &Site, repo: &RepoName) -> Result<Vec<PullNumber>, Problem> {
    Ok(site.watcher(repo).await?.open.clone())
}

/// Pull requests of a repository. One that does not answer is listed as such.
pub(crate) async fn summaries(
    site: &Site,
    repo: &RepoName,
    open: &[PullNumber],
) -> Vec<PullSummary> {
    let one = |number: PullNumber| async move {
        match site.pull(repo, number).await {
            Ok(view) => pull::summary(repo, &view),
            Err(error) => pull::silent(repo, number, &error),
        }
    };
    stream::iter(open.iter().copied()).map(one).buffered(AT_ONCE).collect().await
}

/// One pull request.
pub(crate) async fn pull(
    site: &Site,
    repo: &RepoName,
    number: PullNumber,
) -> Result<PullDetail, Problem> {
    Ok(pull::detail(repo, &*site.pull(repo, number).await?))
}

/// The branches of a repository that are built on push, by name. One that does not answer is listed as such.
pub(crate) async fn branches(site: &Site, repo: &RepoName) -> Result<Vec<BranchSummary>, Problem> {
    let names = site.watcher(repo).await?.branches.clone();
    Ok(branch_summaries(site, repo, names).await)
}

/// Branches of a repository. One that does not answer is listed as such.
pub(crate) async fn branch_summaries(
    site: &Site,
    repo: &RepoName,
    names: Vec<BranchName>,
) -> Vec<BranchSummary> {
    let one = |name: BranchName| async move {
        match site.branch(repo, &name).await {
            Ok(view) => view.as_ref().as_ref().map(|view| branch::summary(repo, view)),
            Err(error) => Some(branch::silent(repo, &name, &error)),
        }
    };
    let all = stream::iter(names).map(one).buffered(AT_ONCE);
    all.filter_map(std::future::ready).collect().await
}

/// The nightly jobs of a repository. A branch that does not answer has none to show.
pub(crate) async fn nightly(site: &Site, repo: &RepoName) -> Result<Nightly, Problem> {
    let view = site.watcher(repo).await?;
    let one = |name: BranchName| async move {
        let view = site.branch(repo, &name).await.ok()?;
        view.as_ref().clone()
    };
    let branches = stream::iter(view.branches.clone()).map(one).buffered(AT_ONCE);
    let branches: Vec<BranchView> = branches.filter_map(std::future::ready).collect().await;
    Ok(nightly::all(view.night_rules.as_ref(), &branches))
}

/// One branch.
pub(crate) async fn branch(
    site: &Site,
    repo: &RepoName,
    name: &BranchName,
) -> Result<BranchView, Problem> {
    let view = site.branch(repo, name).await?;
    let nothing = || Problem::not_found(format!("{name} is not a branch that is built on push"));
    view.as_ref().clone().ok_or_else(nothing)
}

/// The pull requests of a repository that were given up.
pub(crate) async fn quarantined(site: &Site, repo: &RepoName) -> Result<Vec<Quarantined>, Problem> {
    Ok(given_up(repo, &*site.watcher(repo).await?))
}

fn given_up(repo: &RepoName, view: &WatcherView) -> Vec<Quarantined> {
    let one = |(number, reason): &(PullNumber, String)| Quarantined {
        repo: repo.to_string(),
        number: number.0,
        reason: reason.clone(),
    };
    view.quarantined.iter().map(one).collect()
}

/// One attempt at a job, with all its commands.
pub(crate) async fn job_run(site: &Site, attempt: &AttemptId) -> Result<JobRun, Problem> {
    let (runs, asked) = (site.node().runs().clone(), attempt.clone());
    let read = move || -> Result<Option<JobRun>, heights::Fault> {
        let Some(view) = runs.view(&asked)? else { return Ok(None) };
        let mut commands = Vec::with_capacity(view.commands.len());
        for command in view.commands {
            let log = runs.log(&asked, &command.command);
            commands.push(Command {
                id: CommandRef { attempt: asked.clone(), command: command.command }.to_string(),
                title: command.title,
                started_ms: command.started_at.0,
                end: command.end.map(|(exit, _)| end(exit)),
                duration_ms: command.end.map(|(_, duration)| duration_ms(duration)),
                log_bytes: log.map_or(Ok(0), |log| log.length())?,
            });
        }
        let started_ms = view.started_at.map(|at| at.0);
        Ok(Some(JobRun { attempt: asked.to_string(), started_ms, ended: view.has_ended, commands }))
    };
    let read = tokio::task::spawn_blocking(read).await;
    let run = read.map_err(heights::Fault::from).and_then(|run| run);
    let run = run.map_err(|error| Problem::unavailable("read the run", &error))?;
    run.ok_or_else(|| Problem::not_found(format!("there is no attempt {attempt}")))
}

/// Every queue.
pub(crate) fn queues(site: &Site) -> Vec<Queue> {
    let queue = |(name, view): (String, QueueView)| Queue {
        name,
        concurrency: view.limits.concurrency,
        held: view.held,
        waiting: view.waiting as u64,
        oldest_wait_ms: view.oldest_wait.map(duration_ms),
        granted: view.granted,
        on_hold: view.on_hold,
    };
    site.node().queues().views().into_iter().map(queue).collect()
}

/// What the forge has not taken.
pub(crate) async fn undelivered(site: &Site) -> Result<Vec<crate::wire::Undelivered>, Unseen> {
    let writes = site.undelivered().await?;
    let wire = |write: &Undelivered| crate::wire::Undelivered {
        repo: write.repo.to_string(),
        what: write.what.clone(),
        reason: write.reason.clone(),
    };
    Ok(writes.iter().map(wire).collect())
}

fn leftovers(site: &Site) -> Leftovers {
    let LeftoverTotals { strays, survivors, swept } = site.node().runs().leftovers();
    Leftovers { strays, survivors, swept }
}

/// What the store did.
pub(crate) fn store_stats(site: &Site) -> StoreStats {
    let stats = site.node().ledger().store().stats();
    StoreStats {
        changes: stats.changes,
        refused: stats.refused,
        commits: stats.commits,
        queued: stats.queued,
        disk_bytes: stats.disk_bytes,
        failed: stats.failed,
    }
}

fn end(exit: Exit) -> CommandEnd {
    match exit {
        Exit::Code(code) => CommandEnd::Code(code),
        Exit::Signal(signal) => CommandEnd::Signal(signal),
        Exit::OutOfMemory => CommandEnd::OutOfMemory,
        Exit::TimedOut => CommandEnd::TimedOut,
        Exit::Cancelled => CommandEnd::Cancelled,
    }
}
