//! What component files say of each other: dependencies and needs must name what there is, in no circle.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;

use ci_domain::graph::{Flaw, Graph};
use ci_domain::ids::{ComponentName, JobId, JobName};
use ci_domain::pipeline::On;

use crate::component::Draft;
use crate::diagnostic::At;
use crate::suggestion::did_you_mean;

/// More components than these are not listed in a hint.
const MAX_NAMED: usize = 12;

/// A reference that is wrong.
#[derive(Debug)]
pub(crate) struct Finding {
    /// The component whose file has it.
    pub(crate) component: ComponentName,
    pub(crate) at: At,
    pub(crate) message: String,
    pub(crate) hint: String,
}

/// Checks the references of `drafts`; of `unread` components only the name is known.
pub(crate) fn check(drafts: &[&Draft], unread: &BTreeSet<ComponentName>) -> Vec<Finding> {
    let mut findings = check_dependencies(drafts, unread);
    findings.extend(check_needs(drafts, unread));
    findings.extend(check_nights(drafts));
    findings
}

/// Nothing that runs by day can wait for the night.
fn check_nights(drafts: &[&Draft]) -> Vec<Finding> {
    let is_nightly = |id: &JobId| {
        let draft = drafts.iter().find(|draft| draft.component.name == id.component);
        let job = draft.and_then(|draft| draft.component.jobs.get(&id.job));
        job.is_some_and(|job| job.on.contains(&On::Nightly))
    };
    let findings = drafts.iter().flat_map(|draft| {
        let component = &draft.component.name;
        let of_day = move |name: &JobName| {
            !is_nightly(&JobId { component: component.clone(), job: name.clone() })
        };
        let waits =
            draft.needs.iter().filter(move |((name, need), _)| of_day(name) && is_nightly(need));
        waits.map(move |((_, need), at)| Finding {
            component: component.clone(),
            at: *at,
            message: format!("`{need}` runs at night, so nothing that runs by day can need it"),
            hint: "remove it from `needs`, or move this job to `nightly`".to_owned(),
        })
    });
    findings.collect()
}

fn check_dependencies(drafts: &[&Draft], unread: &BTreeSet<ComponentName>) -> Vec<Finding> {
    let known = drafts.iter().map(|draft| &draft.component);
    let mut graph: BTreeMap<_, _> =
        known.map(|component| (component.name.clone(), component.depends_on.clone())).collect();
    graph.extend(unread.iter().map(|name| (name.clone(), BTreeSet::new())));
    let names: Vec<String> = graph.keys().map(ToString::to_string).collect();
    let flaws = Graph::new(graph).err().unwrap_or_default();
    let finding = |flaw: Flaw<ComponentName>| {
        let (from, to, message, hint) = match flaw {
            Flaw::Dangling { from, to } => {
                let message = format!("there is no component `{to}` to depend on");
                let hint = did_you_mean(to.as_str(), &names);
                let hint = hint.unwrap_or_else(|| no_component(&names));
                (from, to.clone(), message, hint)
            }
            Flaw::Cycle(cycle) => {
                let message = format!("components depend on each other: {}", circle(&cycle));
                let (from, to) = first_edge(&cycle)?;
                let hint = "remove one of these from `depends_on`, or join the components";
                (from, to, message, hint.to_owned())
            }
        };
        let draft = drafts.iter().find(|draft| draft.component.name == from)?;
        let at = *draft.dependencies.get(&to)?;
        Some(Finding { component: from, at, message, hint })
    };
    flaws.into_iter().filter_map(finding).collect()
}

fn check_needs(drafts: &[&Draft], unread: &BTreeSet<ComponentName>) -> Vec<Finding> {
    let mut graph: BTreeMap<JobId, BTreeSet<JobId>> = BTreeMap::new();
    for draft in drafts {
        for name in draft.jobs.keys() {
            let id = JobId { component: draft.component.name.clone(), job: name.clone() };
            let job = draft.component.jobs.get(name);
            // Of a job that could not be read to its end, what it says that it needs is known.
            let said = || draft.needs.keys().filter(|(job, _)| job == name);
            let said = || said().map(|(_, need)| need.clone()).collect();
            let mut needs = job.map_or_else(said, |job| draft.component.needs(job));
            needs.retain(|need| !unread.contains(&need.component));
            graph.insert(id, needs);
        }
    }
    let jobs: Vec<JobId> = graph.keys().cloned().collect();
    let flaws = Graph::new(graph).err().unwrap_or_default();
    let finding = |flaw: Flaw<JobId>| {
        let (from, to, message, hint) = match flaw {
            Flaw::Dangling { from, to } => {
                let hint = suggest_job(&from, &to, &jobs);
                (from, to.clone(), format!("there is no job `{to}` to need"), hint)
            }
            Flaw::Cycle(cycle) => {
                let (from, to) = first_edge(&cycle)?;
                let message = format!("jobs need each other: {}", circle(&cycle));
                (from, to, message, "remove one of these from `needs`".to_owned())
            }
        };
        let draft = drafts.iter().find(|draft| draft.component.name == from.component)?;
        // A job that says nothing of its needs has no place for them but its own.
        let named = draft.needs.get(&(from.job.clone(), to));
        let at = *named.or_else(|| draft.jobs.get(&from.job))?;
        Some(Finding { component: from.component, at, message, hint })
    };
    flaws.into_iter().filter_map(finding).collect()
}

/// The job that was probably meant: one of the same component where the component is the same.
fn suggest_job(from: &JobId, to: &JobId, jobs: &[JobId]) -> String {
    let siblings = jobs.iter().filter(|id| id.component == to.component);
    let names: Vec<String> = siblings.map(|id| id.job.to_string()).collect();
    if from.component == to.component || !names.is_empty() {
        let near = did_you_mean(to.job.as_str(), &names);
        let all = || format!("the jobs of `{}` are {}", to.component, names.join(", "));
        return near.unwrap_or_else(all);
    }
    let components: BTreeSet<String> = jobs.iter().map(|id| id.component.to_string()).collect();
    let components: Vec<String> = components.into_iter().collect();
    let near = did_you_mean(to.component.as_str(), &components);
    near.unwrap_or_else(|| no_component(&components))
}

/// What to do about the name of a component that there is not.
fn no_component(known: &[String]) -> String {
    if known.len() > MAX_NAMED {
        return "a component is named by the path of its folder from the root".to_owned();
    }
    format!("the components are {}", known.join(", "))
}

fn first_edge<N: Clone>(cycle: &[N]) -> Option<(N, N)> {
    let from = cycle.first()?;
    Some((from.clone(), cycle.get(1).unwrap_or(from).clone()))
}

fn circle<N: Display>(cycle: &[N]) -> String {
    let names: Vec<String> = cycle.iter().chain(cycle.first()).map(ToString::to_string).collect();
    names.join(" → ")
}
