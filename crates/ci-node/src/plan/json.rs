//! A plan for programs.

use std::collections::BTreeMap;

use ci_config::Diagnostic;
use ci_domain::affected::{NoEffect, Reason};
use ci_domain::claims::Claim;
use ci_domain::ids::ComponentName;
use ci_domain::pipeline::When;
use ci_domain::plan::{Met, Plan, PlannedJob};
use serde::Serialize;

use crate::change::WorkingChange;
use crate::plan::elsewhere;

/// The whole plan.
#[derive(Debug, Serialize)]
pub(super) struct WirePlan<'a> {
    schema: &'static str,
    head: String,
    base: Option<WireBase<'a>>,
    changed_paths: Vec<&'a str>,
    components: Vec<WireComponent<'a>>,
    /// In an order in which they could run one after another.
    jobs: Vec<WireJob>,
    /// Jobs of these components that no pull request runs.
    elsewhere: Vec<WireElsewhere>,
    /// Where the policy is from that counts, and what the one that lies here says else.
    policy: WirePolicy<'a>,
    without_effect: Vec<WireNoEffect<'a>>,
    more_without_effect: bool,
    warnings: Vec<WireWarning<'a>>,
}

#[derive(Debug, Serialize)]
struct WireWarning<'a> {
    file: &'a str,
    message: &'a str,
    hint: Option<&'a str>,
}

#[derive(Debug, Serialize)]
struct WireBase<'a> {
    reference: &'a str,
    commit: String,
}

#[derive(Debug, Serialize)]
struct WireComponent<'a> {
    name: &'a str,
    reasons: Vec<WireReason<'a>>,
    more_reasons: bool,
}

#[derive(Debug, Default, Serialize)]
struct WireReason<'a> {
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pattern: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    component: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<&'a str>,
}

#[derive(Debug, Serialize)]
struct WireJob {
    id: String,
    component: String,
    job: String,
    needs: Vec<String>,
    /// Needs that hold it up no longer, and why.
    met: BTreeMap<String, &'static str>,
    when: &'static str,
    timeout_seconds: Option<u64>,
}

#[derive(Debug, Serialize)]
struct WireElsewhere {
    id: String,
    needs: Vec<String>,
    on: Vec<&'static str>,
}

#[derive(Debug, Serialize)]
struct WirePolicy<'a> {
    from: Option<&'a str>,
    differences_here: &'a [String],
}

#[derive(Debug, Serialize)]
struct WireNoEffect<'a> {
    path: &'a str,
    why: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    component: Option<&'a str>,
}

/// The plan with all that is known of the change.
pub(super) fn wire<'a>(change: &'a WorkingChange, plan: &'a Plan) -> WirePlan<'a> {
    let without_effect = plan.affected.without_effect();
    WirePlan {
        schema: "ci-node.plan/1",
        head: change.head.to_string(),
        base: change
            .base
            .as_ref()
            .map(|base| WireBase { reference: &base.reference, commit: base.commit.to_string() }),
        changed_paths: change.paths.iter().map(String::as_str).collect(),
        components: plan
            .affected
            .components()
            .map(|(name, why)| WireComponent {
                name: name.as_str(),
                reasons: why.first.iter().map(reason).collect(),
                more_reasons: why.more,
            })
            .collect(),
        jobs: plan.jobs().map(job).collect(),
        elsewhere: plan
            .affected
            .components()
            .flat_map(|(name, _)| elsewhere::of(&change.pipeline, name))
            .map(|job| WireElsewhere {
                id: job.id.to_string(),
                needs: job.needs.iter().map(ToString::to_string).collect(),
                on: job.on.iter().map(|on| elsewhere::word(*on)).collect(),
            })
            .collect(),
        policy: WirePolicy {
            from: change.policy.from.as_deref(),
            differences_here: &change.policy.differences,
        },
        without_effect: without_effect.first.iter().map(no_effect).collect(),
        more_without_effect: without_effect.more,
        warnings: change.misnamed.iter().map(warning).collect(),
    }
}

fn warning(diagnostic: &Diagnostic) -> WireWarning<'_> {
    WireWarning {
        file: &diagnostic.file,
        message: &diagnostic.message,
        hint: diagnostic.hint.as_deref(),
    }
}

fn reason(reason: &Reason) -> WireReason<'_> {
    let none = WireReason::default();
    match reason {
        Reason::Changed { path, claim } => {
            let (kind, pattern) = match claim {
                Claim::Definition => ("definition", None),
                Claim::Image => ("image", None),
                Claim::Folder => ("folder", None),
                Claim::Input(pattern) => ("input", Some(pattern.as_str())),
            };
            WireReason { kind, path: Some(path), pattern, ..none }
        }
        Reason::DependsOn(component) => {
            WireReason { kind: "depends_on", component: Some(component.as_str()), ..none }
        }
        Reason::Unowned { path } => WireReason { kind: "unowned", path: Some(path), ..none },
        Reason::Unknown { why } => WireReason { kind: "unknown", why: Some(why), ..none },
        Reason::Requested => WireReason { kind: "requested", ..none },
    }
}

fn job(job: &PlannedJob) -> WireJob {
    let met = |met: &Met| match met {
        Met::NotAffected => "not_affected",
        Met::NotOnThisBuild => "not_on_this_build",
    };
    WireJob {
        id: job.id.to_string(),
        component: job.id.component.to_string(),
        job: job.id.job.to_string(),
        needs: job.needs.iter().map(ToString::to_string).collect(),
        met: job.met.iter().map(|(need, why)| (need.to_string(), met(why))).collect(),
        when: match job.definition.when {
            When::Always => "always",
            When::Approved => "approved",
        },
        timeout_seconds: job.definition.timeout.map(|timeout| timeout.as_secs()),
    }
}

fn no_effect((path, why): &(String, NoEffect)) -> WireNoEffect<'_> {
    let (why, component) = match why {
        NoEffect::Ignored => ("ignored", None),
        NoEffect::Unowned => ("unowned", None),
        NoEffect::Gone(component) => ("gone", Some(ComponentName::as_str(component))),
    };
    WireNoEffect { path, why, component }
}
