//! `nightly`: the jobs that a running node runs at night.

use std::process::ExitCode;

use anyhow::Result;
use ci_web::wire::{Nightly, NightlyJob};

use crate::args::{Format, NightlyArgs, NightlyCommand};
use crate::output::{Output, table};
use crate::remote::pr::{logs, print_jobs, text};
use crate::remote::{connect, refusal, repo};

/// Does what was asked.
///
/// # Errors
/// There is no answer, or it is a refusal.
pub(crate) async fn run(args: &NightlyArgs) -> Result<ExitCode> {
    let client = connect(&args.node).await?;
    let repo = repo(&client, args.repo.as_ref()).await?;
    match &args.command {
        NightlyCommand::List => {
            let nightly = client.nightly(&repo).await.map_err(refusal)?;
            let mut output = Output::new();
            match args.output {
                Format::Json => output.json(&nightly)?,
                Format::Text => output.line(&list(&nightly))?,
            }
        }
        NightlyCommand::Force { branch, job } => {
            let jobs = client.force_nightly(&repo, branch, job.one()).await.map_err(refusal)?;
            print_jobs("As soon as nothing else of the branch runs", &jobs, args.output)?;
        }
        NightlyCommand::Logs { branch, log } => {
            let detail = client.branch(&repo, branch).await.map_err(refusal)?;
            let jobs: Vec<_> = detail.nightly.into_iter().map(|nightly| nightly.job).collect();
            logs::print(&client, &format!("{branch} of {repo}"), &jobs, log).await?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn list(nightly: &Nightly) -> String {
    let rows: Vec<_> = nightly.jobs.iter().map(row).collect();
    let window = match (&nightly.between, &nightly.timezone) {
        (Some(between), Some(timezone)) => format!("between {between}, {timezone}"),
        _ => "the policy has not been read yet".to_owned(),
    };
    let table = table(["BRANCH", "JOB", "STATE", "LAST RUN", "COMMIT", ""], &rows);
    format!("{window}\n\n{table}")
}

fn row(nightly: &NightlyJob) -> [String; 6] {
    let last = nightly.runs.first();
    let asked = nightly.asked_by.as_ref().map(|by| format!(", asked for by {by}"));
    [
        nightly.branch.clone(),
        nightly.job.job.clone(),
        nightly.job.state.words().to_owned(),
        last.map_or("-".to_owned(), |run| run.day.clone()),
        text::short(last.map(|run| run.commit.as_str())).to_owned(),
        format!("{}{}", nightly.standing, asked.unwrap_or_default()),
    ]
}
