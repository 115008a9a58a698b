//! `vitals watch`: what happens, as it happens.

use heights_vitals::wire::{Event, EventKind};
use heights_vitals::{ClientError, Watch};
use tokio::time::{Instant, timeout_at};

use crate::command::{Vitals, WatchArgs};
use crate::failure::Failure;
use crate::output::Output;
use crate::text;

pub async fn run(vitals: &Vitals, args: &WatchArgs, output: Output) -> Result<(), Failure> {
    let client = vitals.client().await?;
    let below = match &args.reference {
        Some(reference) => Some(client.actor(reference).await?.actor.path),
        None => None,
    };
    let deadline = args.span.map(|span| Instant::now() + span);
    let mut watch = client.watch(None).await?;
    let mut left = args.limit.unwrap_or(usize::MAX);
    while left > 0 {
        let Some(event) = next(&mut watch, deadline).await? else { break };
        if !is_meant(&event, below.as_deref()) {
            continue;
        }
        if !output.event("vitals.event/1", &event, tell)? {
            break;
        }
        left -= 1;
    }
    Ok(())
}

/// Waits for an event; `None` at the deadline, or when the process has ended.
async fn next(watch: &mut Watch, deadline: Option<Instant>) -> Result<Option<Event>, ClientError> {
    match deadline {
        None => watch.next().await,
        Some(deadline) => timeout_at(deadline, watch.next()).await.unwrap_or(Ok(None)),
    }
}

fn is_meant(event: &Event, below: Option<&str>) -> bool {
    let Some(below) = below else { return true };
    let inside = event.path.strip_prefix(below);
    event.kind == EventKind::Missed
        || inside.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

fn tell(event: &Event) -> String {
    format!("{}  {:<8} {}\n", text::time_of_day(event.at_ms), event.kind.as_str(), event.text)
}
