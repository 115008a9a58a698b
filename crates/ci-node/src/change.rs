//! What changed in a working copy, and which components that affects: the plan of a pull request
//! that has not been opened yet.

use std::collections::BTreeSet;
use std::path::PathBuf;

use anyhow::Result;
use ci_config::{Diagnostic, POLICY_FILE, is_component_file, parse_pipeline, parse_policy};
use ci_domain::affected::{Affected, Change};
use ci_domain::ids::{BranchName, CommitSha};
use ci_domain::pipeline::Pipeline;
use ci_domain::policy::Policy;
use ci_git::{WorkingCopy, WorkingCopyError};

use crate::exit::Exit;
use crate::output::note;
use crate::sources::{self, Present, git_failed, refusal};

/// A working copy, compared.
#[derive(Debug)]
pub(crate) struct WorkingChange {
    /// The folder that paths start from.
    pub(crate) root: PathBuf,
    /// The commit that is checked out.
    pub(crate) head: CommitSha,
    /// The branch that is checked out, if one is.
    pub(crate) branch: Option<BranchName>,
    /// What it was compared with; nothing where everything was asked for.
    pub(crate) base: Option<Base>,
    /// What differs, a renamed file under both its names.
    pub(crate) paths: BTreeSet<String>,
    /// The components as they are now.
    pub(crate) pipeline: Pipeline,
    /// Those that are affected.
    pub(crate) affected: Affected,
    /// What of the policy counts only later.
    pub(crate) policy: PolicyHere,
    /// Files that look like ours and are not.
    pub(crate) misnamed: Vec<Diagnostic>,
}

/// Where a change began.
#[derive(Debug)]
pub(crate) struct Base {
    /// The reference as it was given or found.
    pub(crate) reference: String,
    /// Where `HEAD` and that parted.
    pub(crate) commit: CommitSha,
}

/// The policy that a plan goes by is not the one that lies in the working copy.
#[derive(Debug, Default)]
pub(crate) struct PolicyHere {
    /// Where the policy is from that counts; nothing where none was needed.
    pub(crate) from: Option<String>,
    /// What the one that lies here says else, once it is there.
    pub(crate) differences: Vec<String>,
}

/// What to compare with.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Since<'a> {
    /// The default branch.
    DefaultBranch,
    /// A reference.
    Reference(&'a str),
    /// Nothing: everything counts as affected.
    Ever,
}

impl WorkingChange {
    /// Compares the working copy that `copy` lies in.
    ///
    /// # Errors
    /// There is nothing to compare with, or the pipeline is invalid.
    pub(crate) async fn read(copy: &WorkingCopy, since: Since<'_>) -> Result<Self> {
        let head = copy.head().await.map_err(refusal)?;
        let branch = copy.branch().await.map_err(git_failed)?;
        let Present { files, misnamed } = sources::present(copy).await?;
        misnamed.iter().for_each(|warning| note(&warning.to_string()));
        let pipeline = sources::pipeline(copy, files)
            .map_err(|found| invalid("the pipeline is invalid", &found))?;
        let mut change = Self {
            root: copy.root().to_owned(),
            head,
            branch,
            base: None,
            paths: BTreeSet::new(),
            affected: Affected::requested(pipeline.components.keys().cloned()),
            policy: PolicyHere::default(),
            pipeline,
            misnamed,
        };
        let reference = match since {
            Since::Ever => return Ok(change),
            Since::Reference(reference) => reference.to_owned(),
            Since::DefaultBranch => copy.default_base().await.map_err(refusal)?,
        };
        let commit = copy.merge_base(&reference).await.map_err(refusal)?;
        let changes = copy.changed_paths(&commit).await.map_err(git_failed)?;
        change.paths = changes.iter().map(|change| change.path.as_str().to_owned()).collect();
        let (from, policy) = policy(copy, &commit).await?;
        change.affected = affected(copy, &commit, &change, &policy).await?;
        change.policy = PolicyHere { differences: differences(copy, &policy)?, from: Some(from) };
        change.policy.tell();
        change.base = Some(Base { reference, commit });
        Ok(change)
    }
}

impl PolicyHere {
    fn tell(&self) {
        if let (Some(from), false) = (&self.from, self.differences.is_empty()) {
            note(&format!(
                "The policy is that of {from}. {POLICY_FILE} here differs, and counts once it is there:"
            ));
            self.differences.iter().for_each(|line| note(&format!("  {line}")));
        }
    }
}

impl Base {
    /// The reference as people say it: `origin/main`, `main`.
    pub(crate) fn short(&self) -> &str {
        short(&self.reference)
    }
}

/// The branch that a pull request against `reference` would be merged into.
pub(crate) fn branch_of(reference: &str) -> &str {
    let short = short(reference);
    short.strip_prefix("origin/").unwrap_or(short)
}

fn short(reference: &str) -> &str {
    let name = reference.strip_prefix("refs/remotes/");
    name.or(reference.strip_prefix("refs/heads/")).unwrap_or(reference)
}

/// The affected set over the graphs of both trees, as the node computes it.
async fn affected(
    copy: &WorkingCopy,
    base: &CommitSha,
    change: &WorkingChange,
    policy: &Policy,
) -> Result<Affected> {
    let (paths, pipeline) = (&change.paths, &change.pipeline);
    if !paths.iter().any(|path| is_component_file(path)) {
        return Ok(Affected::by(Change { base: pipeline, paths }, pipeline, policy));
    }
    Ok(match parse_pipeline(sources::committed(copy, base).await?) {
        Ok(base) => Affected::by(Change { base: &base, paths }, pipeline, policy),
        Err(_) => Affected::everything(pipeline, "the pipeline of the base is invalid"),
    })
}

/// The policy at the tip of the default branch, like the node's; of the base where there is none. And
/// what people call where it is from.
async fn policy(copy: &WorkingCopy, base: &CommitSha) -> Result<(String, Policy)> {
    let (from, tip) = match copy.default_base().await {
        Ok(reference) => {
            let tip = copy.commit(&reference).await.map_err(refusal)?;
            (format!("{} ({})", short(&reference), tip.short()), tip)
        }
        Err(WorkingCopyError::NoDefaultBase) => (base.short().to_owned(), base.clone()),
        Err(error) => return Err(refusal(error)),
    };
    let read = sources::committed_policy(copy, &tip).await?;
    let policy = read.unwrap_or_else(|found| {
        note(&format!("The policy of {from} is invalid; the defaults hold here."));
        found.iter().for_each(|diagnostic| note(&diagnostic.to_string()));
        Policy::default()
    });
    Ok((from, policy))
}

/// What the policy that lies in the working copy says else than `policy`.
fn differences(copy: &WorkingCopy, policy: &Policy) -> Result<Vec<String>> {
    let here = sources::present_policy(copy, parse_policy)?;
    Ok(match here.unwrap_or_else(|| Ok(Policy::default())) {
        Ok(here) => policy.differences(&here),
        Err(_) => vec!["it is invalid: `ci-node check` says why".to_owned()],
    })
}

fn invalid(what: &str, found: &[Diagnostic]) -> anyhow::Error {
    let lines: Vec<String> = found.iter().map(ToString::to_string).collect();
    Exit::Usage.because(format!("{what}\n{}", lines.join("\n")))
}
