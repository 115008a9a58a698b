//! A plan for people.

use std::fmt::Write as _;

use ci_domain::affected::{NoEffect, Reason, Why};
use ci_domain::claims::Claim;
use ci_domain::ids::{ComponentName, JobId};
use ci_domain::pipeline::When;
use ci_domain::plan::{Met, Plan, PlannedJob};

use crate::change::WorkingChange;

/// Reasons told for one component; the JSON has more.
const MAX_REASONS: usize = 5;

/// Tells what is affected, why, and what runs.
pub(super) fn describe(change: &WorkingChange, plan: &Plan) -> String {
    let mut text = heading(change);
    if plan.affected.is_empty() {
        text.push_str("Nothing is affected.\n");
    }
    for (component, why) in plan.affected.components() {
        let _infallible = writeln!(text, "\n{component}");
        reasons(&mut text, why);
        jobs(&mut text, plan, component);
    }
    without_effect(&mut text, plan);
    text
}

/// What a changed path did not do.
pub(super) fn no_effect(why: &NoEffect) -> String {
    match why {
        NoEffect::Ignored => "ignored by the policy".to_owned(),
        NoEffect::Unowned => "claimed by no component".to_owned(),
        NoEffect::Gone(component) => format!("only {component} claimed it, which is gone"),
    }
}

/// Why a component is affected.
fn reason(reason: &Reason) -> String {
    match reason {
        Reason::Changed { path, claim: Claim::Definition } => {
            format!("{path} changed, which defines it")
        }
        Reason::Changed { path, claim: Claim::Image } => format!("{path} builds its image"),
        Reason::Changed { path, claim: Claim::Folder } => format!("{path} changed, in its folder"),
        Reason::Changed { path, claim: Claim::Input(pattern) } => {
            format!("{path} changed, an input by {pattern:?}")
        }
        Reason::DependsOn(component) => format!("it depends on {component}, which is affected"),
        Reason::Unowned { path } => {
            format!("{path} changed, which no component claims, so all are affected")
        }
        Reason::Unknown { why } => format!("what is affected is not known: {why}"),
        Reason::Requested => "it was asked for".to_owned(),
    }
}

fn heading(change: &WorkingChange) -> String {
    let paths = match change.paths.len() {
        0 => "no path has changed".to_owned(),
        1 => "1 path has changed".to_owned(),
        count => format!("{count} paths have changed"),
    };
    match &change.base {
        Some(base) => format!("Since {} ({}), {paths}.\n", base.short(), base.commit.short()),
        None => String::new(),
    }
}

fn reasons(text: &mut String, why: &Why) {
    for each in why.first.iter().take(MAX_REASONS) {
        let _infallible = writeln!(text, "  because {}", reason(each));
    }
    if why.more || why.first.len() > MAX_REASONS {
        text.push_str("  because of more\n");
    }
}

fn jobs(text: &mut String, plan: &Plan, component: &ComponentName) {
    let jobs: Vec<&PlannedJob> = plan.jobs().filter(|job| job.id.component == *component).collect();
    let width = jobs.iter().map(|job| job.id.job.as_str().len()).max().unwrap_or(0);
    for job in jobs {
        let line = format!("    {:width$}  {}", job.id.job.as_str(), conditions(job));
        let _infallible = writeln!(text, "{}", line.trim_end());
    }
}

fn conditions(job: &PlannedJob) -> String {
    let mut parts = Vec::new();
    if !job.needs.is_empty() {
        let needs: Vec<String> = job.needs.iter().map(|need| relative(job, need)).collect();
        parts.push(format!("needs {}", needs.join(", ")));
    }
    if job.definition.when == When::Approved {
        parts.push("when approved".to_owned());
    }
    parts.extend(job.met.iter().map(|(need, met)| match met {
        Met::NotAffected => format!("not {need}, which is not affected"),
        Met::NotOnThisBuild => format!("not {need}, which does not run on pull requests"),
    }));
    parts.join("; ")
}

/// A need as the file may say it: a bare name where it is of the same component.
fn relative(job: &PlannedJob, need: &JobId) -> String {
    if need.component == job.id.component { need.job.to_string() } else { need.to_string() }
}

fn without_effect(text: &mut String, plan: &Plan) {
    let kept = plan.affected.without_effect();
    if kept.first.is_empty() {
        return;
    }
    text.push_str("\nWithout effect\n");
    for (path, why) in &kept.first {
        let _infallible = writeln!(text, "  {path}: {}", no_effect(why));
    }
    if kept.more {
        text.push_str("  and more\n");
    }
}
