//! Branches as wire types.

use ci_build::BranchView;
use ci_domain::ids::{BranchName, RepoName};
use ci_domain::subject::escaped;

use super::pull::{depends, job, state};
use crate::seen::Unseen;
use crate::wire::{BranchDetail, BranchSummary, VerdictState};

pub(super) fn summary(repo: &RepoName, view: &BranchView) -> BranchSummary {
    BranchSummary {
        tip: view.tip.as_ref().map(ToString::to_string),
        state: state(view.state),
        description: view.description.clone(),
        building: view.build.is_some(),
        ..blank(repo, &view.name)
    }
}

/// A branch whose actor does not answer.
pub(super) fn silent(repo: &RepoName, name: &BranchName, error: &Unseen) -> BranchSummary {
    let description = format!("failed to {}", crate::problem::chain(error));
    BranchSummary { description, ..blank(repo, name) }
}

fn blank(repo: &RepoName, name: &BranchName) -> BranchSummary {
    BranchSummary {
        repo: repo.to_string(),
        name: name.to_string(),
        page: format!("/{repo}/branch/{}", escaped(name)),
        tip: None,
        state: VerdictState::Unknown,
        description: String::new(),
        building: false,
    }
}

pub(crate) fn detail(repo: &RepoName, view: &BranchView) -> BranchDetail {
    BranchDetail {
        branch: summary(repo, view),
        build: view.build.map(|build| build.0),
        last_build: view.last_build.0,
        built: view.built.as_ref().map(ToString::to_string),
        affected: view.affected.iter().map(ToString::to_string).collect(),
        depends: depends(&view.depends),
        jobs: view.jobs.iter().map(job).collect(),
        nightly: super::nightly::of_branch(view),
        findings: view.findings.clone(),
        policy_error: view.policy_error.clone(),
    }
}
