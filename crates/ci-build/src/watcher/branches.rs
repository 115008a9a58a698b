//! The actors of branches: started for every branch that the policy names, ended when it is gone or is
//! named no more.
//!
//! Which branches those are the policy at the tip of the default branch says, which the mirror reads.
//! What is heard of branches while it does is looked at when it has. Heads of the merge queue are built in
//! any case.

use std::collections::BTreeSet;

use ci_domain::branch::Tip;
use ci_domain::ids::{BranchName, CommitSha};
use ci_domain::merge_queue::QueueHead;
use ci_domain::paths::PathPatterns;
use ci_domain::policy::Policy;
use heights::{Context, Fault};
use tracing::{info, warn};

use crate::branch::{BranchHandle, give_up};
use crate::branch_tree;
use crate::mirror::PolicyRead;
use crate::nightly::NightRules;
use crate::watcher::known::KnownEvent;
use crate::watcher::{Msg, Watcher};

/// Which branches are built.
#[derive(Clone, Debug)]
pub(super) struct Rule {
    /// The tip of the default branch whose policy says so.
    tip: CommitSha,
    /// `None` while the policy is being read.
    policy: Option<Box<Policy>>,
}

impl Rule {
    /// What it says of nightly jobs.
    pub(super) fn of_nights(&self) -> Option<NightRules> {
        let policy = self.policy.as_ref()?;
        let mention = policy.mention_on_nightly_failure.clone();
        Some(NightRules { nightly: policy.nightly.clone(), mention })
    }
}

impl Watcher {
    /// Starts, tells and ends the actors of branches by what is known. `is_complete` says whether every
    /// branch of the repository is known, so that one that is not known is gone.
    pub(super) async fn look_at_branches(
        &mut self,
        is_complete: bool,
        cx: &mut Context<Msg>,
    ) -> Result<(), Fault> {
        let (default, tip) = (self.known.default_branch().cloned(), self.known.policy_tip());
        let (Some(default), Some(tip)) = (default, tip) else { return Ok(()) };
        let rule = self.rule.as_ref().filter(|rule| rule.tip == tip);
        let Some(rule) = rule.cloned() else {
            self.rule = Some(Rule { tip: tip.clone(), policy: None });
            let answer = cx.myself().recipient(Msg::Policy);
            self.args.elders.mirror.policy(default, tip, answer);
            return Ok(());
        };
        let Some(policy) = rule.policy else { return Ok(()) };
        let built = built(&policy, &default, self.known.branches());
        let preexisting = !self.known.has_seen_branches();
        for name in &built {
            let Some(commit) = self.known.tip(name) else { continue };
            let preexisting = preexisting && !self.known.is_built(name);
            let queued = QueueHead::of(name).map(|head| self.queued(head));
            let tip = Tip { commit, policy: tip.clone(), preexisting, queued };
            if let Some(branch) = self.ensure_branch(name, Some(&tip.commit), cx).await? {
                branch.observe(Some(tip));
            }
        }
        if preexisting {
            self.known.record(&self.args.elders, KnownEvent::BranchesSeen).await?;
        }
        let others = self.known.built().filter(|name| !built.contains(*name)).cloned();
        for name in others.collect::<Vec<_>>() {
            let is_there = self.known.tip(&name).is_some();
            if (is_complete || is_there)
                && let Some(branch) = self.ensure_branch(&name, None, cx).await?
            {
                branch.observe(None);
            }
        }
        Ok(())
    }

    /// Takes note of what the policy says, where that is still of interest.
    pub(super) async fn take_policy(
        &mut self,
        (tip, result): PolicyRead,
        cx: &mut Context<Msg>,
    ) -> Result<(), Fault> {
        let Some(rule) = self.rule.as_mut().filter(|rule| rule.tip == tip) else { return Ok(()) };
        match result {
            Ok(policy) => {
                rule.policy = Some(policy);
                self.look_at_branches(false, cx).await
            }
            // The next poll asks again.
            Err(error) => {
                warn!(repo = %self.args.elders.repo, %error, "failed to read which branches are built");
                self.rule = None;
                Ok(())
            }
        }
    }

    /// Starts a branch's actors unless they are there; none for one that was given up and has not moved
    /// since.
    pub(super) async fn ensure_branch(
        &mut self,
        name: &BranchName,
        tip: Option<&CommitSha>,
        cx: &mut Context<Msg>,
    ) -> Result<Option<BranchHandle>, Fault> {
        if let Some(handle) = self.args.branch_registry.lookup(name) {
            return Ok(Some(handle));
        }
        if tip.is_some() && self.given_up.get(name) == tip {
            return Ok(None);
        }
        self.given_up.remove(name);
        if !self.known.is_built(name) {
            self.known.record(&self.args.elders, KnownEvent::BranchBuilt(name.clone())).await?;
        }
        let watcher = cx.myself().recipient(Msg::BranchFact);
        let reports = cx.myself().recipient(|report| Msg::Report(Box::new(report)));
        let (spec, handle) = branch_tree::describe(&self.args.elders, name, (watcher, reports));
        self.args.branches.start_child(spec).await?;
        if let Some(process) = self.args.branches.process() {
            // Kept until the branch ends: the handle stays valid when its actors are restarted.
            self.args
                .branch_registry
                .register(name.clone(), handle.clone(), process.owner())
                .map_err(|_| format!("start branch {name}: it was started twice"))?;
        }
        Ok(Some(handle))
    }

    /// A branch that is gone has freed everything: its actors end. One that is back is started again.
    pub(super) async fn end_branch(
        &mut self,
        name: BranchName,
        cx: &mut Context<Msg>,
    ) -> Result<(), Fault> {
        info!(repo = %self.args.elders.repo, branch = %name, "is not built any more");
        self.known.record(&self.args.elders, KnownEvent::BranchEnded(name.clone())).await?;
        self.forget_branch(&name);
        let child_name = branch_tree::name(&name);
        for child in self.args.branches.which_children().await {
            if child.id.as_str() == child_name
                && let Some(process) = child.process()
            {
                // One that is gone already needs no ending.
                let _gone = self.args.branches.terminate_child(&process.pid()).await;
            }
        }
        self.look_at_branches(false, cx).await
    }

    /// A branch whose actors crashed too often stays down until it moves, or the node starts anew.
    pub(super) async fn give_branch_up(&mut self, child_name: &str) -> Result<(), Fault> {
        let is_it = |name: &&BranchName| branch_tree::name(name) == child_name;
        let Some(name) = self.known.built().find(is_it).cloned() else { return Ok(()) };
        let last = self.crashes.remove(child_name);
        warn!(repo = %self.args.elders.repo, branch = %name, last, "its actors crashed too often; given up");
        self.forget_branch(&name);
        if let Some(tip) = self.known.tip(&name) {
            self.given_up.insert(name.clone(), tip);
        }
        give_up(&self.args.elders, &name).await
    }

    fn forget_branch(&mut self, name: &BranchName) {
        self.crashes.remove(&branch_tree::name(name));
        if let Some(process) = self.args.branches.process() {
            self.args.branch_registry.unregister(name, process.owner());
        }
    }
}

/// The branches among `names` that are built.
fn built<'a>(
    policy: &Policy,
    default: &BranchName,
    names: impl Iterator<Item = &'a BranchName>,
) -> BTreeSet<BranchName> {
    let patterns = PathPatterns::new("", &policy.branches).ok();
    let is_built = |name: &&BranchName| match &patterns {
        _ if QueueHead::of(name).is_some() => true,
        Some(patterns) if !policy.branches.is_empty() => patterns.claims(name.as_str()),
        _ => *name == default,
    };
    names.filter(is_built).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_policy_says_which_branches_are_built() {
        let check = |patterns: &[&str], expected: &[&str]| {
            let branches = patterns.iter().map(ToString::to_string).collect();
            let policy = Policy { branches, ..Policy::default() };
            let names: Vec<BranchName> = ["main", "release/1.2", "release/1/x", "topic"]
                .map(|name| name.parse().unwrap())
                .into();
            let found = built(&policy, &names[0], names.iter());
            let found: Vec<&str> = found.iter().map(BranchName::as_str).collect();
            assert_eq!(found, expected, "{patterns:?}");
        };
        check(&[], &["main"]);
        check(&["main", "release/*"], &["main", "release/1.2"]);
        check(&["release/**", "!release/1/x"], &["release/1.2"]);
    }
}
