//! `run`: the plan of a pull request that has not been opened, on a working copy, without a server.
//!
//! ```text
//! change ── what is affected        (the same as the node's)
//! choice ── which jobs of that      (--component, --job, --approved)
//! scene ─── what each runner is told
//! session ─ starts, follows, cancels ──► event ──► show: live view, lines, or JSON
//! ```

pub(crate) mod passed_on;

mod choice;
mod confinement;
mod schedule;

mod ports;
mod scene;

mod event;
mod interrupt;
mod job;
mod session;

mod dry;
mod jsonl;
mod lines;
mod live;
mod show;
mod summary;
mod tail;

use std::process::ExitCode;

use anyhow::Result;
use ci_domain::pipeline::Pipeline;

use crate::args::{RunArgs, RunFormat};
use crate::change::{Since, WorkingChange};
use crate::output::Output;
use crate::run::choice::{Choice, Wanted};
use crate::run::scene::Scene;
use crate::run::session::Session;
use crate::run::show::Show;
use crate::sources;

/// Runs what is affected, or what was asked for.
///
/// # Errors
/// There is no working copy, nothing to compare with, the pipeline is invalid, or a name is unknown.
pub(crate) async fn run(args: &RunArgs) -> Result<ExitCode> {
    let copy = sources::open(&args.change.path).await?;
    let mut change = WorkingChange::read(&copy, since(args)).await?;
    let choice = choose(args, &change.pipeline, std::mem::take(&mut change.affected))?;
    let mut show = show(args, &choice);
    show.planned(&choice)?;
    if choice.plan.is_empty() || args.dry_run {
        return Ok(ExitCode::SUCCESS);
    }
    let scene = Scene::set(&copy, &change, args).await?;
    if let Some(warning) = scene.warning(&choice.plan, &change.pipeline) {
        show.say(&warning)?;
    }
    let ended = Session::new(&scene, &choice.plan, args.concurrency).drive(&mut *show).await?;
    scene.clear()?;
    show.ended(&ended, &scene)?;
    Ok(ended.code())
}

fn since(args: &RunArgs) -> Since<'_> {
    match &args.change.base {
        _ if args.all => Since::Ever,
        Some(base) => Since::Reference(base),
        None => Since::DefaultBranch,
    }
}

fn choose(
    args: &RunArgs,
    pipeline: &Pipeline,
    affected: ci_domain::affected::Affected,
) -> Result<Choice> {
    let wanted = Wanted::read(&args.components, &args.jobs, args.approved, pipeline)?;
    Choice::make(pipeline, affected, &wanted)
}

fn show(args: &RunArgs, choice: &Choice) -> Box<dyn Show> {
    match args.output {
        RunFormat::Text if args.dry_run => Box::new(dry::Dry::new()),
        RunFormat::Jsonl => Box::new(jsonl::Jsonl::new(Output::new())),
        RunFormat::Text if live::is_possible() => Box::new(live::Live::new(&choice.plan)),
        RunFormat::Text => Box::new(lines::Lines::new(&choice.plan)),
    }
}
