//! One preparation in a mirror that has all it takes: from head and base to a conflict, an invalid pipeline, or an outline of jobs.

use std::collections::BTreeSet;

use ci_config::{POLICY_FILE, is_component_file};
use ci_domain::affected::{Affected, Change};
use ci_domain::ids::CommitSha;
use ci_domain::outline::{Basis, Preparation, Prepared};
use ci_domain::pipeline::Pipeline;
use ci_domain::policy::Policy;
use ci_domain::subject::Subject;
use ci_domain::wording;
use ci_git::{CommandError, Merge, MergeError, MergeRequest, Mirror, Tree};
use heights::Regulator;
use heights::regulator::Permit;

use crate::mirror::cache::{JobsCache, PipelineCache};
use crate::mirror::door::Door;
use crate::mirror::files::Files;
use crate::mirror::hints::hints;
use crate::mirror::outline::outline;
use crate::mirror::owners::owned;
use crate::mirror::policy::{PolicyKeeper, Ruling};
use crate::mirror::wish::{Ask, Granted, Wish};

/// Why nothing came of a preparation; it is tried again.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum PrepareFault {
    /// The mirror does not have a commit.
    #[error("find {}: the repository does not have it any more", .0.short())]
    Lacks(CommitSha),
    /// Git failed: the mirror may be broken.
    #[error("{0}")]
    Git(String),
    /// Something passing.
    #[error("{0}")]
    Later(String),
}

/// Prepares heads of one repository.
#[derive(Clone)]
pub(super) struct Preparer {
    pub(super) git: Mirror,
    pub(super) door: Door,
    permits: Permits,
    policy: PolicyKeeper,
    pipelines: PipelineCache,
    jobs: JobsCache,
}

/// The places that the node has for work on its mirrors.
#[derive(Clone)]
pub(super) struct Permits {
    pub(super) fetches: Regulator,
    pub(super) merges: Regulator,
}

impl Preparer {
    pub(super) fn new(
        git: Mirror,
        door: Door,
        permits: Permits,
        policy: PolicyKeeper,
        pipelines: PipelineCache,
    ) -> Self {
        Self { git, door, permits, policy, pipelines, jobs: JobsCache::default() }
    }

    /// The same with a mirror that was opened anew.
    pub(super) fn with(&self, git: Mirror) -> Self {
        Self { git, ..self.clone() }
    }

    /// Does what is wished for, if the mirror has what it takes.
    pub(super) async fn carry_out(&self, wish: &Wish) -> Result<Granted, PrepareFault> {
        if let Some(lacking) = self.git.lacking(self.needs(wish)).await?.first() {
            return Err(PrepareFault::Lacks((*lacking).clone()));
        }
        let _permit = permit(&self.permits.merges).await?;
        match &wish.ask {
            Ask::Prepare(basis, answer) => {
                let prepared = self.prepare(&wish.subject, basis).await?;
                Ok(Granted::Prepared(answer.clone(), Box::new(prepared)))
            }
            Ask::Policy(tip, answer) => {
                let policy = match self.policy.at(&self.git, tip).await? {
                    Ruling::Valid(policy) | Ruling::Earlier(policy, _) => policy,
                    Ruling::Never(_) => Policy::default(),
                };
                Ok(Granted::Policy(answer.clone(), tip.clone(), Box::new(policy)))
            }
        }
    }

    /// The commits that the mirror must have. The commit that a branch is compared with is not one of
    /// them: a mirror that was made anew since does not have it.
    pub(super) fn needs<'a>(&self, wish: &'a Wish) -> Vec<&'a CommitSha> {
        let mut needs = vec![wish.head()];
        let policy = match &wish.ask {
            Ask::Prepare(basis, _) => {
                needs.extend(matches!(wish.subject, Subject::Pull(_)).then_some(&basis.base));
                &basis.policy
            }
            Ask::Policy(tip, _) => tip,
        };
        needs.extend((!self.policy.knows(policy)).then_some(policy));
        needs
    }

    /// Waits for a place to fetch.
    pub(super) async fn permit_to_fetch(&self) -> Result<Permit, PrepareFault> {
        permit(&self.permits.fetches).await
    }

    /// Merges, where that is to be done, and plans.
    async fn prepare(&self, subject: &Subject, basis: &Basis) -> Result<Prepared, PrepareFault> {
        let code = match subject {
            Subject::Pull(_) => self.merge(subject, basis).await?,
            Subject::Branch(_) => self.tip(subject, basis).await?,
        };
        let (policy, policy_findings) = match self.policy.at(&self.git, &basis.policy).await? {
            Ruling::Valid(policy) => (policy, None),
            Ruling::Earlier(policy, findings) => (policy, Some(findings.join("\n"))),
            Ruling::Never(findings) => {
                let result = invalid(findings);
                return Ok(prepared(basis, Policy::default(), None, result));
            }
        };
        let result = match code {
            Code::Conflict(paths) => Preparation::Conflict { paths },
            Code::Clean(tree) => self.plan(subject, basis, tree, &policy).await?,
        };
        Ok(prepared(basis, policy, policy_findings, result))
    }

    async fn merge(&self, subject: &Subject, basis: &Basis) -> Result<Code, PrepareFault> {
        let request = MergeRequest { base: &basis.base, head: &basis.head, pin: subject };
        match self.git.merge(request).await {
            Ok(Merge::Clean(merge)) => Ok(Code::Clean(merge.files)),
            Ok(Merge::Conflict { paths }) => {
                Ok(Code::Conflict(paths.iter().map(ToString::to_string).collect()))
            }
            Err(MergeError::MissingCommit { commit }) => Err(PrepareFault::Lacks(commit)),
            Err(MergeError::Git(error)) => Err(error.into()),
        }
    }

    /// Keeps the tip of a branch, since the branch may be forced elsewhere meanwhile.
    async fn tip(&self, subject: &Subject, basis: &Basis) -> Result<Code, PrepareFault> {
        self.git.pin(subject, &basis.head).await?;
        for pinned in self.git.pinned(subject).await? {
            if pinned != basis.head && pinned != basis.base {
                self.git.unpin(subject, &pinned).await?;
            }
        }
        Ok(Code::Clean(self.git.tree(&basis.head).await?))
    }

    async fn plan(
        &self,
        subject: &Subject,
        basis: &Basis,
        tree: Tree,
        policy: &Policy,
    ) -> Result<Preparation, PrepareFault> {
        let commit = tree.commit().clone();
        let changes = self.changes(subject, basis, &tree).await?;
        let files = Files::read(&self.git, tree).await?;
        let pipeline = match files.pipeline() {
            Ok(pipeline) => pipeline,
            Err(findings) => return Ok(invalid(findings)),
        };
        let affected = match &changes {
            Ok(paths) => self.affected(basis, paths, &pipeline, policy).await?,
            Err(why) => Affected::everything(&pipeline, why),
        };
        let on = subject.runs();
        let mut outline = match outline(&pipeline, affected, policy, files.tree(), on) {
            Ok(outline) => outline,
            Err(finding) => return Ok(invalid(vec![finding])),
        };
        outline.jobs = self.jobs.share(outline.jobs);
        outline.hints =
            hints(&self.git, files.tree(), &outline.affected, changes.as_ref().ok()).await?;
        if let (Subject::Pull(_), Ok(paths)) = (subject, &changes) {
            if policy.mergeable.code_owners {
                let (owned, told) = owned(&self.git, &basis.base, paths).await?;
                outline.owned = owned;
                outline.hints.extend(told);
            }
            if paths.contains(POLICY_FILE) {
                let proposed = self.policy.of(&self.git, files.tree()).await?;
                let differences = proposed.map(|proposed| policy.differences(&proposed));
                outline.hints.push(wording::proposed_policy(&differences));
            }
        }
        self.pipelines.put(&commit, pipeline);
        Ok(Preparation::Planned { merge: commit, outline })
    }

    /// The paths that differ from the base, or why that cannot be said.
    async fn changes(
        &self,
        subject: &Subject,
        basis: &Basis,
        tree: &Tree,
    ) -> Result<Result<BTreeSet<String>, &'static str>, PrepareFault> {
        if let Subject::Branch(_) = subject {
            if basis.base == *tree.commit() {
                return Ok(Err("there is nothing to compare it with"));
            }
            // It was kept when it was built; a mirror that was made anew since does not have it.
            if self.git.pin(subject, &basis.base).await.is_err() {
                return Ok(Err("the commit that was built last is gone"));
            }
        }
        let changes = tree.changes_from(&self.git.tree(&basis.base).await?);
        Ok(Ok(changes.iter().map(|change| change.path.as_str().to_owned()).collect()))
    }

    /// The affected set over the graphs of base and merge; where no component file changed, one graph
    /// is both.
    async fn affected(
        &self,
        basis: &Basis,
        paths: &BTreeSet<String>,
        pipeline: &Pipeline,
        policy: &Policy,
    ) -> Result<Affected, PrepareFault> {
        if !paths.iter().any(|path| is_component_file(path)) {
            return Ok(Affected::by(Change { base: pipeline, paths }, pipeline, policy));
        }
        Ok(match Files::of(&self.git, &basis.base).await?.pipeline() {
            Ok(base) => Affected::by(Change { base: &base, paths }, pipeline, policy),
            Err(_) => Affected::everything(pipeline, "the pipeline of the base is invalid"),
        })
    }
}

async fn permit(queue: &Regulator) -> Result<Permit, PrepareFault> {
    queue.acquire().await.map_err(|refused| PrepareFault::Later(refused.to_string()))
}

/// What is to be planned.
enum Code {
    /// These files of a commit.
    Clean(Tree),
    /// Head and base do not merge, because of these paths.
    Conflict(Vec<String>),
}

fn prepared(
    basis: &Basis,
    policy: Policy,
    policy_error: Option<String>,
    result: Preparation,
) -> Prepared {
    Prepared { basis: basis.clone(), policy, policy_error, result }
}

fn invalid(findings: Vec<String>) -> Preparation {
    let first = findings.first().and_then(|finding| finding.lines().next()).unwrap_or_default();
    Preparation::Invalid { first: without_column(first), findings }
}

/// `file:line:column: what` as the umbrella says it, `file:line: what`.
fn without_column(finding: &str) -> String {
    let mut parts = finding.splitn(4, ':');
    match (parts.next(), parts.next(), parts.next(), parts.next()) {
        (Some(file), Some(line), Some(column), Some(what)) if column.parse::<usize>().is_ok() => {
            format!("{file}:{line}:{what}")
        }
        _ => finding.to_owned(),
    }
}

impl From<CommandError> for PrepareFault {
    fn from(error: CommandError) -> Self {
        Self::Git(error.to_string())
    }
}
