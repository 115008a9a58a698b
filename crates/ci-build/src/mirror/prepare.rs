//! One preparation: from head and base to a conflict, an invalid pipeline, or an outline of jobs.

use std::collections::BTreeSet;

use ci_config::is_component_file;
use ci_domain::affected::{Affected, Change};
use ci_domain::ids::CommitSha;
use ci_domain::outline::{Basis, Preparation, Prepared};
use ci_domain::pipeline::{On, Pipeline};
use ci_domain::policy::Policy;
use ci_domain::subject::Subject;
use ci_git::{CommandError, Merge, MergeError, MergeRequest, Mirror, Tree, Wanted};
use heights::Regulator;

use crate::mirror::cache::PipelineCache;
use crate::mirror::files::Files;
use crate::mirror::outline::outline;
use crate::mirror::policy::{PolicyKeeper, Ruling};

/// Why nothing came of a preparation; it is tried again.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum PrepareFault {
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
    git: Mirror,
    fetch: Regulator,
    policy: PolicyKeeper,
    pipelines: PipelineCache,
}

impl Preparer {
    pub(super) fn new(
        git: Mirror,
        fetch: Regulator,
        policy: PolicyKeeper,
        pipelines: PipelineCache,
    ) -> Self {
        Self { git, fetch, policy, pipelines }
    }

    /// The same with a mirror that was opened anew.
    pub(super) fn with(&self, git: Mirror) -> Self {
        Self { git, ..self.clone() }
    }

    /// Merges, where that is to be done, and plans.
    pub(super) async fn prepare(
        &self,
        subject: &Subject,
        basis: &Basis,
    ) -> Result<Prepared, PrepareFault> {
        let code = match subject {
            Subject::Pull(_) => self.merge(subject, basis).await?,
            Subject::Branch(_) => self.tip(subject, basis).await?,
        };
        let ruling = self.ruling(subject, &basis.policy).await?;
        let (policy, policy_findings) = match ruling {
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

    /// The policy at the tip of the default branch, which is fetched where it is not there yet.
    pub(super) async fn ruling(
        &self,
        subject: &Subject,
        tip: &CommitSha,
    ) -> Result<Ruling, PrepareFault> {
        match self.policy.at(&self.git, tip).await {
            Err(PrepareFault::Git(_)) => {
                self.fetch(Fetch::All, subject).await?;
                self.policy.at(&self.git, tip).await
            }
            ruling => ruling,
        }
    }

    /// Merges; what the mirror does not have is fetched first, the quick way and then the whole.
    async fn merge(&self, subject: &Subject, basis: &Basis) -> Result<Code, PrepareFault> {
        let request = MergeRequest { base: &basis.base, head: &basis.head, pin: subject };
        for fetch in [Some(Fetch::Subject), Some(Fetch::All), None] {
            match self.git.merge(request).await {
                Ok(Merge::Clean(merge)) => return Ok(Code::Clean(merge.files)),
                Ok(Merge::Conflict { paths }) => {
                    return Ok(Code::Conflict(paths.iter().map(ToString::to_string).collect()));
                }
                Err(error) => match (fetch, error) {
                    // Whatever git says: a fetch for somebody else may bring a commit between two looks
                    // of one merge, the first of which did not find it.
                    (Some(fetch), _) => self.fetch(fetch, subject).await?,
                    (None, MergeError::MissingCommit { commit }) => return Err(is_gone(&commit)),
                    (None, MergeError::Git(error)) => return Err(error.into()),
                },
            }
        }
        Err(PrepareFault::Later("merge: a commit is missing".to_owned()))
    }

    /// Finds the tip of a branch and keeps it, since the branch may be forced elsewhere meanwhile.
    async fn tip(&self, subject: &Subject, basis: &Basis) -> Result<Code, PrepareFault> {
        for fetch in [Some(Fetch::Subject), Some(Fetch::All), None] {
            if self.git.pin(subject, &basis.head).await.is_ok() {
                break;
            }
            match fetch {
                Some(fetch) => self.fetch(fetch, subject).await?,
                None => return Err(is_gone(&basis.head)),
            }
        }
        for pinned in self.git.pinned(subject).await? {
            if pinned != basis.head && pinned != basis.base {
                self.git.unpin(subject, &pinned).await?;
            }
        }
        Ok(Code::Clean(self.git.tree(&basis.head).await?))
    }

    async fn fetch(&self, fetch: Fetch, subject: &Subject) -> Result<(), PrepareFault> {
        let permit = self.fetch.acquire().await;
        let _permit = permit.map_err(|refused| PrepareFault::Later(refused.to_string()))?;
        match fetch {
            // A deleted head is found out by the merge, which then says so.
            Fetch::Subject => drop(self.git.fetch_some(&[wanted(subject)]).await?),
            Fetch::All => self.git.fetch().await?,
        }
        Ok(())
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
        let affected = match changes {
            Ok(paths) => self.affected(basis, &paths, &pipeline, policy).await?,
            Err(why) => Affected::everything(&pipeline, why),
        };
        let on = match subject {
            Subject::Pull(_) => On::Pull,
            Subject::Branch(_) => On::Branch,
        };
        let outline = match outline(&pipeline, affected, policy, files.tree(), on) {
            Ok(outline) => outline,
            Err(finding) => return Ok(invalid(vec![finding])),
        };
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

/// What is to be planned.
enum Code {
    /// These files of a commit.
    Clean(Tree),
    /// Head and base do not merge, because of these paths.
    Conflict(Vec<String>),
}

fn is_gone(commit: &CommitSha) -> PrepareFault {
    let commit = commit.short();
    PrepareFault::Later(format!("find {commit}: the repository does not have it any more"))
}

#[derive(Clone, Copy)]
enum Fetch {
    Subject,
    All,
}

fn wanted(subject: &Subject) -> Wanted {
    match subject {
        Subject::Pull(number) => Wanted::Pull(*number),
        Subject::Branch(name) => Wanted::Branch(name.clone()),
    }
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
