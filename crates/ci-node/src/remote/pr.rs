//! `pr`: the pull requests of a running node.

mod kept;
pub(super) mod logs;
mod shell;
mod terminal;
pub(super) mod text;

use std::process::ExitCode;

use anyhow::Result;
use ci_domain::ids::{PullNumber, RepoName};
use ci_web::client::AdminClient;
use ci_web::wire::{Jobs, PullSummary};

use crate::args::{Format, PrArgs, PrCommand, PullArg};
use crate::output::{Output, note};
use crate::remote::{connect, refusal, repo};

/// Does what was asked.
///
/// # Errors
/// There is no answer, or it is a refusal.
pub(crate) async fn run(args: &PrArgs) -> Result<ExitCode> {
    let client = connect(&args.node).await?;
    if let PrCommand::List = args.command {
        list(&client, args).await?;
        return Ok(ExitCode::SUCCESS);
    }
    let repo = repo(&client, args.repo.as_ref()).await?;
    let (client, repo, format) = (&client, &repo, args.output);
    match &args.command {
        PrCommand::List => {}
        PrCommand::Show(pull) => show(client, repo, pull.number, format).await?,
        PrCommand::Why(pull) => {
            let named = args.repo.as_ref().map(|repo| format!(" --repo {repo}"));
            let pull = client.pull(repo, pull.number).await.map_err(refusal)?;
            let mut output = Output::new();
            match format {
                Format::Json => output.json(&pull.unmet)?,
                Format::Text => output.line(&text::why(&pull, &named.unwrap_or_default()))?,
            }
        }
        PrCommand::Retry { pull, job } => {
            let jobs = client.retry(repo, pull.number, job.as_ref()).await.map_err(refusal)?;
            print_jobs("Again", &jobs, format)?;
        }
        PrCommand::Force { pull, job, clean } => {
            let jobs = client.force(repo, pull.number, job.one(), *clean).await.map_err(refusal)?;
            print_jobs("Again", &jobs, format)?;
        }
        PrCommand::Cancel { pull, job } => {
            let jobs = client.cancel(repo, pull.number, job.as_ref()).await.map_err(refusal)?;
            print_jobs("Ending", &jobs, format)?;
        }
        PrCommand::Logs { pull: PullArg { number }, log } => {
            let pull = client.pull(repo, *number).await.map_err(refusal)?;
            logs::print(client, &format!("{repo}#{number}"), &pull.jobs, log).await?;
        }
        PrCommand::Tests(pull) => kept::tests(client, repo, pull.number, format).await?,
        PrCommand::Artifacts { pull, download } => {
            kept::artifacts(client, repo, pull.number, download.as_deref(), format).await?;
        }
        PrCommand::Shell { pull, component } => {
            return shell::open(client, repo, pull.number, component).await;
        }
    }
    Ok(ExitCode::SUCCESS)
}

async fn list(client: &AdminClient, args: &PrArgs) -> Result<()> {
    let repos = match &args.repo {
        Some(repo) => vec![repo.clone()],
        None => {
            let repos = client.repos().await.map_err(refusal)?;
            repos.iter().map(|repo| repo.name.parse()).collect::<Result<_, _>>()?
        }
    };
    let mut pulls: Vec<PullSummary> = Vec::new();
    for repo in &repos {
        pulls.extend(client.pulls(repo).await.map_err(refusal)?);
    }
    let mut output = Output::new();
    match args.output {
        Format::Json => output.json(&pulls),
        Format::Text => output.line(&text::list(&pulls)),
    }
}

async fn show(
    client: &AdminClient,
    repo: &RepoName,
    number: PullNumber,
    format: Format,
) -> Result<()> {
    let pull = client.pull(repo, number).await.map_err(refusal)?;
    let mut output = Output::new();
    match format {
        Format::Json => output.json(&pull),
        Format::Text => output.line(&text::show(&pull)),
    }
}

/// The jobs that a request concerns, one a line.
pub(super) fn print_jobs(heading: &str, jobs: &Jobs, format: Format) -> Result<()> {
    let mut output = Output::new();
    if format == Format::Json {
        return output.json(jobs);
    }
    match jobs.jobs.as_slice() {
        [] => note("No job is concerned."),
        _ => note(&format!("{heading}:")),
    }
    jobs.jobs.iter().try_for_each(|job| output.line(job))
}
