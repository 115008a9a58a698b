//! `vitals wait`: waits until a condition holds.

use std::time::Duration;

use heights_vitals::wire::Judgement;
use tokio::time::{Instant, sleep, timeout_at};

use crate::command::{Vitals, WaitArgs};
use crate::failure::Failure;
use crate::output::Output;
use crate::source::Source;

/// How long to wait unless said otherwise.
const PATIENCE: Duration = Duration::from_secs(30);

/// How often to look: often enough for a person, seldom enough for the process.
const PAUSE: Duration = Duration::from_millis(50);

pub async fn run(vitals: &Vitals, args: &WaitArgs, output: Output) -> Result<(), Failure> {
    output.check()?;
    let patience = vitals.timeout.unwrap_or(PATIENCE);
    let deadline = Instant::now() + patience;
    let source = vitals.source().await?;
    let mut latest = None;
    let waiting = until(&source, args, &mut latest);
    match timeout_at(deadline, waiting).await {
        Ok(judged) => output.print("vitals.wait/1", &judged?, |_| String::new()),
        Err(_elapsed) => {
            let against = latest.map(|judgement: Judgement| judgement.against).unwrap_or_default();
            Err(Failure::NotYet { patience, against })
        }
    }
}

async fn until(
    source: &Source,
    args: &WaitArgs,
    latest: &mut Option<Judgement>,
) -> Result<Judgement, Failure> {
    loop {
        let judgement = source.judge(&args.condition).await?;
        if judgement.holds {
            return Ok(judgement);
        }
        *latest = Some(judgement);
        sleep(PAUSE).await;
    }
}
