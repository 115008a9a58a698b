//! `plan`: which components a change affects, which jobs run, and why.

mod dot;
mod elsewhere;
mod json;
mod text;

use std::process::ExitCode;

use anyhow::Result;
use ci_domain::graph::Flaw;
use ci_domain::ids::JobId;
use ci_domain::pipeline::On;
use ci_domain::plan::Plan;

use crate::args::{PlanArgs, PlanFormat};
use crate::change::{Since, WorkingChange};
use crate::output::Output;
use crate::sources;

/// Prints the plan of a pull request with the working copy's changes.
///
/// # Errors
/// There is no working copy, nothing to compare with, or the pipeline is invalid.
pub(crate) async fn run(args: &PlanArgs) -> Result<ExitCode> {
    let copy = sources::open(&args.change.path).await?;
    let base = args.change.base.as_deref();
    let since = base.map_or(Since::DefaultBranch, Since::Reference);
    let change = WorkingChange::read(&copy, since).await?;
    let plan = Plan::new(&change.pipeline, change.affected.clone(), On::Pull).map_err(no_order)?;
    let mut output = Output::new();
    match args.output {
        PlanFormat::Text => output.line(text::describe(&change, &plan).trim_end())?,
        PlanFormat::Json => output.json(&json::wire(&change, &plan))?,
        PlanFormat::Dot => output.write(&dot::draw(&plan))?,
    }
    Ok(ExitCode::SUCCESS)
}

/// A pipeline that was read has an order of its jobs, so this is a defect of ours.
pub(crate) fn no_order(flaws: Vec<Flaw<JobId>>) -> anyhow::Error {
    anyhow::anyhow!("the jobs have no order: {flaws:?}")
}
