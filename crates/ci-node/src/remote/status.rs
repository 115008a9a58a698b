//! `status`: how the running node is.

use std::process::ExitCode;

use anyhow::Result;
use ci_domain::forge::Timestamp;
use ci_github::TimestampParser;
use ci_web::wire::{Leftovers, NodeStatus, Queue, Quota, Reload, Repo};

use crate::args::{Format, StatusArgs};
use crate::output::Output;
use crate::output::table;
use crate::remote::{connect, refusal};

/// Asks and prints.
///
/// # Errors
/// There is no answer.
pub(crate) async fn run(args: &StatusArgs) -> Result<ExitCode> {
    let status = connect(&args.node).await?.status().await.map_err(refusal)?;
    let mut output = Output::new();
    match args.output {
        Format::Text => output.line(&describe(&status))?,
        Format::Json => output.json(&status)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn describe(status: &NodeStatus) -> String {
    let readiness = match status.readiness.reasons.as_slice() {
        [] => "ready".to_owned(),
        reasons => format!("not ready: {}", reasons.join("; ")),
    };
    let NodeStatus { name, version, public_url, isolation, .. } = status;
    let repos: Vec<_> = status.repos.iter().map(repo).collect();
    let queues: Vec<_> = status.queues.iter().map(queue).collect();
    let mut parts = vec![
        format!("{name} {version} at {public_url}, {readiness}"),
        table(["REPOSITORY", "OPEN", "GREEN", "WAIT", "RED", "ERROR", "LAST POLL"], &repos),
        table(["QUEUE", "LIMIT", "HELD", "WAITING"], &queues),
    ];
    // What may be long stands below the tables.
    parts.push(format!("isolation: {}", isolation.words()));
    let failed = |repo: &Repo| {
        let trouble = repo.trouble.as_ref()?;
        Some(format!("{}: the last poll did not work: {trouble}", repo.name))
    };
    parts.extend(status.repos.iter().filter_map(failed));
    let given_up = status.repos.iter().flat_map(|repo| &repo.quarantined);
    parts.extend(
        given_up
            .map(|each| format!("{}#{} is quarantined: {}", each.repo, each.number, each.reason)),
    );
    parts.extend(status.undelivered.iter().map(|write| {
        format!("{}: the forge has not taken {}: {}", write.repo, write.what, write.reason)
    }));
    parts.extend(status.quotas.iter().map(quota));
    let store = status.store;
    let words = if store.failed { ", failed" } else { "" };
    parts.push(format!("store: {} bytes, {} changes wait{words}", store.disk_bytes, store.queued));
    parts.push(leftovers(status.leftovers));
    parts.extend(status.reload.as_ref().map(reload));
    parts.join("\n\n")
}

fn quota(quota: &Quota) -> String {
    let Quota { kind, limit, remaining, reset_ms } = quota;
    let until = TimestampParser::format(Timestamp(reset_ms / 1000));
    format!("GitHub takes {remaining} of {limit} {kind} calls until {until}")
}

fn leftovers(Leftovers { strays, survivors, swept }: Leftovers) -> String {
    let words = match survivors {
        0 => String::new(),
        survivors => format!("; {survivors} could not be ended, their jobs name them"),
    };
    format!(
        "processes that jobs left: {strays} ended with their job, {swept} after their runner{words}"
    )
}

fn reload(reload: &Reload) -> String {
    let at = TimestampParser::format(Timestamp(reload.at_ms / 1000));
    let mut lines = vec![format!("the configuration was read again at {at}")];
    if !reload.taken.is_empty() {
        lines.push(format!("  taken: {}", reload.taken.join(", ")));
    }
    lines.extend(reload.refused.iter().map(|what| format!("  refused: {what}")));
    lines.join("\n")
}

fn repo(repo: &Repo) -> [String; 7] {
    let verdicts = repo.verdicts;
    let poll = match (&repo.trouble, repo.polls) {
        (Some(_), _) => "failed",
        (None, 0) => "none yet",
        (None, _) => "worked",
    };
    [
        repo.name.clone(),
        repo.open.len().to_string(),
        verdicts.success.to_string(),
        (verdicts.pending + verdicts.unknown).to_string(),
        verdicts.failure.to_string(),
        verdicts.error.to_string(),
        poll.to_owned(),
    ]
}

fn queue(queue: &Queue) -> [String; 4] {
    let limit = queue.concurrency.map_or_else(|| "-".to_owned(), |limit| limit.to_string());
    let held =
        if queue.on_hold { format!("{} (on hold)", queue.held) } else { queue.held.to_string() };
    [queue.name.clone(), limit, held, queue.waiting.to_string()]
}
