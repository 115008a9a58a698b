//! A plan for people.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use ci_domain::affected::{NoEffect, Reason, Why};
use ci_domain::claims::Claim;
use ci_domain::ids::{ComponentName, JobId};
use ci_domain::pipeline::When;
use ci_domain::plan::{Met, Plan, PlannedJob};

use crate::change::WorkingChange;
use crate::output::NO_COMPONENT;
use crate::plan::elsewhere::{self, Elsewhere};

/// Reasons told for one component; the JSON has more.
const MAX_REASONS: usize = 5;

/// Tells what is affected, why, and what runs.
pub(super) fn describe(change: &WorkingChange, plan: &Plan) -> String {
    let mut text = heading(change);
    if change.pipeline.components.is_empty() {
        let _infallible = writeln!(text, "{NO_COMPONENT}");
    } else if plan.affected.is_empty() {
        text.push_str("Nothing is affected.\n");
    }
    for (component, why) in plan.affected.components() {
        let _infallible = writeln!(text, "\n{component}");
        reasons(&mut text, why);
        jobs(&mut text, (change, plan), component);
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

/// What runs, and below it what runs elsewhere.
fn jobs(text: &mut String, (change, plan): (&WorkingChange, &Plan), component: &ComponentName) {
    let planned = plan.jobs().filter(|job| job.id.component == *component);
    let mut lines: Vec<(&JobId, String)> = planned.map(|job| (&job.id, conditions(job))).collect();
    let elsewhere = elsewhere::of(&change.pipeline, component);
    lines.extend(elsewhere.iter().map(|job| (&job.id, where_else(job))));
    let width = lines.iter().map(|(id, _)| id.job.as_str().len()).max().unwrap_or(0);
    for (id, words) in lines {
        let line = format!("    {:width$}  {words}", id.job.as_str());
        let _infallible = writeln!(text, "{}", line.trim_end());
    }
}

fn where_else(job: &Elsewhere) -> String {
    let on: Vec<&str> = job.on.iter().map(|on| elsewhere::words(*on)).collect();
    let needs = needs(&job.id, &job.needs).map(|needs| format!("; {needs}"));
    format!("{}, not here{}", on.join(", "), needs.unwrap_or_default())
}

fn needs(job: &JobId, needs: &BTreeSet<JobId>) -> Option<String> {
    let names: Vec<String> = needs.iter().map(|need| relative(job, need)).collect();
    (!names.is_empty()).then(|| format!("needs {}", names.join(", ")))
}

fn conditions(job: &PlannedJob) -> String {
    let mut parts: Vec<String> = needs(&job.id, &job.needs).into_iter().collect();
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
fn relative(job: &JobId, need: &JobId) -> String {
    if need.component == job.component { need.job.to_string() } else { need.to_string() }
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
