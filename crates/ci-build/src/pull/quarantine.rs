//! A pull request whose actors were given up: nobody runs for it, so what is recorded and said of it is
//! done from outside.
//!
//! Its stream may be what made them crash. Here it is read as far as it can be: a record that makes no
//! sense is passed over, and gone for good once the quarantine is lifted.

use ci_domain::ids::{BuildNumber, PullNumber};
use ci_domain::pull::{Observation, Pull, PullEvent};
use heights::Fault;
use tracing::warn;

use crate::elders::Elders;
use crate::ledger::{build_streams, pull_stream};
use crate::pull::config;
use crate::record::{memory_snapshot, pull_event, pull_record, recalled};

/// What can be read of a pull request.
pub(crate) struct Remains {
    /// The machine, as far as it is known.
    pub(crate) pull: Pull,
    /// How many records make no sense.
    unreadable: usize,
}

/// Reads what there is.
///
/// # Errors
/// The store does not answer.
pub(crate) async fn remains(elders: &Elders, number: PullNumber) -> Result<Remains, Fault> {
    let replay = elders.ledger.read(&pull_stream(&elders.repo, number)).await?;
    let (mut pull, mut unreadable) = (Pull::new(config(elders, number)), 0);
    if let Some(snapshot) = &replay.snapshot {
        match recalled(&snapshot.body) {
            Ok(memory) => pull = Pull::remembering(config(elders, number), memory),
            Err(_) => unreadable += 1,
        }
    }
    for (_, record) in &replay.records {
        match pull_event(record) {
            Ok(event) => pull.replay(event),
            Err(_) => unreadable += 1,
        }
    }
    if unreadable > 0 {
        let told = replay.snapshot.and_then(|snapshot| snapshot.body.get("builds")?.as_u64());
        let left = last_build(elders, number, &pull.config().prefix).await?;
        pull.count_builds(BuildNumber(left.max(told.unwrap_or(0))));
    }
    Ok(Remains { pull, unreadable })
}

/// The number of the last build that has left a record or a run directory: what cannot be read may have told
/// of it, and a build that was given its number again would take its record for its own.
async fn last_build(elders: &Elders, number: PullNumber, prefix: &str) -> Result<u64, Fault> {
    let streams = format!("{}{number}/", build_streams(&elders.repo));
    let of_streams = elders.ledger.streams(streams.clone()).await?;
    let of_streams = of_streams.iter().filter_map(|stream| stream.as_str().strip_prefix(&streams));
    let runs = elders.runs.clone();
    let attempts = tokio::task::spawn_blocking(move || runs.attempts()).await??;
    let prefix = format!("{prefix}-b");
    let of_attempts = attempts
        .iter()
        .filter_map(|attempt| attempt.as_str().strip_prefix(&prefix)?.split('-').next());
    Ok(of_streams.chain(of_attempts).filter_map(|number| number.parse().ok()).max().unwrap_or(0))
}

/// Records that a pull request's actors are given up, and has it said.
///
/// # Errors
/// The stream cannot be read or written.
pub(crate) async fn give_up(
    elders: &Elders,
    number: PullNumber,
    reason: &str,
) -> Result<(), Fault> {
    let event = PullEvent::Quarantined { reason: reason.to_owned() };
    elders.ledger.append(&pull_stream(&elders.repo, number), vec![pull_record(&event)]).await?;
    publish(elders, &remains(elders, number).await?.pull);
    Ok(())
}

/// Takes in what the forge says of one whose stream does not even tell its head, so that it can be said
/// there that it is in quarantine, and that a new head is known as one.
///
/// # Errors
/// The stream cannot be read or written.
pub(crate) async fn note_head(
    elders: &Elders,
    number: PullNumber,
    (seen, reason): (&Observation, &str),
) -> Result<(), Fault> {
    // A head that was not known lifts a quarantine, so this is one anew.
    let events =
        [PullEvent::Observed(seen.clone()), PullEvent::Quarantined { reason: reason.to_owned() }];
    let records = events.iter().map(pull_record).collect();
    elders.ledger.append(&pull_stream(&elders.repo, number), records).await?;
    publish(elders, &remains(elders, number).await?.pull);
    Ok(())
}

/// Records that a quarantine is over; the actors may be started again.
///
/// # Errors
/// The stream cannot be read or written.
pub(crate) async fn lift(elders: &Elders, number: PullNumber) -> Result<(), Fault> {
    let stream = pull_stream(&elders.repo, number);
    let Remains { mut pull, unreadable } = remains(elders, number).await?;
    let end = elders.ledger.append(&stream, vec![pull_record(&PullEvent::Lifted)]).await?;
    if unreadable > 0 {
        warn!(repo = %elders.repo, pull = %number, unreadable, "records that make no sense are dropped");
        pull.replay(PullEvent::Lifted);
        elders.ledger.snapshot(&stream, end, memory_snapshot(&pull.memory())).await?;
    }
    Ok(())
}

fn publish(elders: &Elders, pull: &Pull) {
    if let Some(report) = pull.report(&elders.voice) {
        elders.reporter.publish(&elders.repo, report);
    }
}
