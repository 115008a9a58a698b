//! `pr logs` and `branch logs`: what the commands of a job wrote.

use std::io::{self, IsTerminal};

use anyhow::{Context as _, Result};
use ci_domain::ids::{AttemptId, JobId};
use ci_web::client::{AdminClient, Follow};
use ci_web::wire::Job;

use crate::args::LogArgs;
use crate::exit::Exit;
use crate::output::{Output, Tame};
use crate::remote::refusal;

/// Prints the log of the latest attempt at one of the jobs of `place`: byte for byte, but for what could take over a
/// terminal where there is one.
pub(in crate::remote) async fn print(
    client: &AdminClient,
    place: &str,
    jobs: &[Job],
    log: &LogArgs,
) -> Result<()> {
    let attempt = attempt(place, jobs, &log.job)?;
    let follow = if log.follow { Follow::Yes } else { Follow::No };
    let mut log = client.job_log(&attempt, follow).await.map_err(refusal)?;
    let mut output = Output::new();
    let mut tame = io::stdout().is_terminal().then(Tame::default);
    while let Some(chunk) = log.chunk().await.map_err(refusal)? {
        match &mut tame {
            Some(tame) => output.write_bytes(&tame.pass(&chunk))?,
            None => output.write_bytes(&chunk)?,
        }
    }
    Ok(())
}

fn attempt(place: &str, jobs: &[Job], id: &JobId) -> Result<AttemptId> {
    let found = jobs.iter().find(|job| job.job == id.to_string());
    let Some(job) = found else {
        let known: Vec<&str> = jobs.iter().map(|job| job.job.as_str()).collect();
        let known = known.join(", ");
        let message = format!("{place} has no job {id}; it has: {known}");
        return Err(Exit::NotFound.because(message));
    };
    let Some(attempt) = &job.attempt else {
        let message = format!("{id} has not run: it is {}", job.state.words());
        return Err(Exit::NotFound.because(message));
    };
    attempt.parse().context("failed to understand the answer")
}
