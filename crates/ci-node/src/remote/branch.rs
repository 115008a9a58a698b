//! `branch`: the branches that a running node builds on push.

use std::process::ExitCode;

use anyhow::Result;
use ci_web::wire::{BranchDetail, BranchSummary};

use crate::args::{BranchArgs, BranchCommand, Format};
use crate::output::{Output, table};
use crate::remote::pr::{logs, print_jobs, text};
use crate::remote::{connect, refusal, repo};

/// Does what was asked.
///
/// # Errors
/// There is no answer, or it is a refusal.
pub(crate) async fn run(args: &BranchArgs) -> Result<ExitCode> {
    let client = connect(&args.node).await?;
    let repo = repo(&client, args.repo.as_ref()).await?;
    let mut output = Output::new();
    match &args.command {
        BranchCommand::List => {
            let branches = client.branches(&repo).await.map_err(refusal)?;
            match args.output {
                Format::Json => output.json(&branches)?,
                Format::Text => output.line(&list(&branches))?,
            }
        }
        BranchCommand::Show { name } => {
            let branch = client.branch(&repo, name).await.map_err(refusal)?;
            match args.output {
                Format::Json => output.json(&branch)?,
                Format::Text => output.line(&show(&branch))?,
            }
        }
        BranchCommand::Force { name, job } => {
            let jobs = client.force_branch(&repo, name, job.one()).await.map_err(refusal)?;
            print_jobs("Again", &jobs, args.output)?;
        }
        BranchCommand::Logs { name, log } => {
            let branch = client.branch(&repo, name).await.map_err(refusal)?;
            logs::print(&client, &format!("{name} of {repo}"), &branch.jobs, log).await?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn list(branches: &[BranchSummary]) -> String {
    let row = |branch: &BranchSummary| {
        let tip = text::short(branch.tip.as_deref()).to_owned();
        [branch.name.clone(), branch.state.words().to_owned(), tip, branch.description.clone()]
    };
    let rows: Vec<_> = branches.iter().map(row).collect();
    table(["BRANCH", "STATE", "TIP", "DESCRIPTION"], &rows)
}

fn show(detail: &BranchDetail) -> String {
    let branch = &detail.branch;
    let short = text::short;
    let (tip, built) = (short(branch.tip.as_deref()), short(detail.built.as_deref()));
    let build = detail.build.map(|build| format!(", build {build} is under way"));
    let mut parts = vec![
        format!("{} of {}", branch.name, branch.repo),
        format!("{}: {}", branch.state.words(), branch.description),
        format!("tip {tip}, built last {built}{}", build.unwrap_or_default()),
    ];
    parts.extend(text::rest(&detail.jobs, &detail.findings, detail.policy_error.as_ref()));
    parts.join("\n")
}
