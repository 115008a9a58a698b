//! One preparation: from head and base to a conflict, an invalid pipeline, or an outline of jobs.

use std::collections::{BTreeMap, BTreeSet};

use ci_config::{FileContent, is_component_file, parse_pipeline};
use ci_domain::affected::{Affected, Change};
use ci_domain::ids::{CommitSha, JobId};
use ci_domain::input_scope::InputScopes;
use ci_domain::outline::{Basis, Outline, OutlineJob, Preparation, Prepared};
use ci_domain::pipeline::{On, Pipeline};
use ci_domain::plan::{Plan, plan_job};
use ci_domain::policy::Policy;
use ci_domain::subject::Subject;
use ci_git::{
    Blob, CommandError, EntryKind, FetchError, Merge, MergeCommit, MergeError, MergeRequest,
    Mirror, ObjectId, Tree, Wanted,
};
use heights::Regulator;
use sha2::{Digest, Sha256};

use crate::mirror::cache::PipelineCache;
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

/// The files of one commit that matter to its pipeline.
pub(super) struct Files {
    tree: Tree,
    contents: Vec<(String, FileContent)>,
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

    /// Merges and plans.
    pub(super) async fn prepare(
        &self,
        subject: &Subject,
        basis: &Basis,
    ) -> Result<Prepared, PrepareFault> {
        let merge = self.merge(subject, basis).await?;
        let ruling = self.ruling(subject, &basis.policy).await?;
        let (policy, policy_findings) = match ruling {
            Ruling::Valid(policy) => (policy, None),
            Ruling::Earlier(policy, findings) => (policy, Some(findings.join("\n"))),
            Ruling::Never(findings) => {
                let result = invalid(findings);
                return Ok(prepared(basis, Policy::default(), None, result));
            }
        };
        let result = match merge {
            Merge::Conflict { paths } => {
                Preparation::Conflict { paths: paths.iter().map(ToString::to_string).collect() }
            }
            Merge::Clean(merge) => self.plan(basis, merge, &policy).await?,
        };
        Ok(prepared(basis, policy, policy_findings, result))
    }

    /// The policy at the tip of the default branch, which is fetched where it is not there yet.
    async fn ruling(&self, subject: &Subject, tip: &CommitSha) -> Result<Ruling, PrepareFault> {
        match self.policy.at(&self.git, tip).await {
            Err(PrepareFault::Git(_)) => {
                self.fetch(Fetch::All, subject).await?;
                self.policy.at(&self.git, tip).await
            }
            ruling => ruling,
        }
    }

    /// Merges; what the mirror does not have is fetched first, the quick way and then the whole.
    async fn merge(&self, subject: &Subject, basis: &Basis) -> Result<Merge, PrepareFault> {
        let request = MergeRequest { base: &basis.base, head: &basis.head, pin: subject };
        for fetch in [Some(Fetch::Subject), Some(Fetch::All), None] {
            match self.git.merge(request).await {
                Ok(merge) => return Ok(merge),
                Err(MergeError::MissingCommit { commit }) => match fetch {
                    Some(fetch) => self.fetch(fetch, subject).await?,
                    None => {
                        return Err(PrepareFault::Later(format!(
                            "merge {}: the repository does not have it any more",
                            commit.short()
                        )));
                    }
                },
                Err(MergeError::Git(error)) => return Err(error.into()),
            }
        }
        Err(PrepareFault::Later("merge: a commit is missing".to_owned()))
    }

    async fn fetch(&self, fetch: Fetch, subject: &Subject) -> Result<(), PrepareFault> {
        let permit = self.fetch.acquire().await;
        let _permit = permit.map_err(|refused| PrepareFault::Later(refused.to_string()))?;
        let fetched = match fetch {
            Fetch::Subject => self.git.fetch_some(&[wanted(subject)]).await,
            Fetch::All => self.git.fetch().await,
        };
        match fetched {
            // A deleted head is found out by the merge, which then says so.
            Ok(()) | Err(FetchError::NoSuchRef { .. }) => Ok(()),
            Err(FetchError::Git(error)) => Err(error.into()),
        }
    }

    async fn plan(
        &self,
        basis: &Basis,
        merge: MergeCommit,
        policy: &Policy,
    ) -> Result<Preparation, PrepareFault> {
        let (changes, files) = tokio::join!(
            self.git.changed_paths(&basis.base, &merge.commit),
            Files::read(&self.git, merge.files),
        );
        let merge = merge.commit;
        let paths: BTreeSet<String> =
            changes?.iter().map(|change| change.path.as_str().to_owned()).collect();
        let files = files?;
        let pipeline = match files.pipeline() {
            Ok(pipeline) => pipeline,
            Err(findings) => return Ok(invalid(findings)),
        };
        let affected = self.affected(basis, &paths, &pipeline, policy).await?;
        let outline = match outline(&pipeline, affected, policy, &files.tree) {
            Ok(outline) => outline,
            Err(finding) => return Ok(invalid(vec![finding])),
        };
        self.pipelines.put(&merge, pipeline);
        Ok(Preparation::Planned { merge, outline })
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

impl Files {
    /// Reads the component files of `commit`.
    pub(super) async fn of(git: &Mirror, commit: &CommitSha) -> Result<Self, CommandError> {
        Self::read(git, git.tree(commit).await?).await
    }

    async fn read(git: &Mirror, tree: Tree) -> Result<Self, CommandError> {
        let entries = tree.entries().iter().filter(|entry| is_component_file(entry.path.as_str()));
        let mut contents = Vec::new();
        let mut to_read: Vec<(String, ObjectId)> = Vec::new();
        for entry in entries {
            let path = entry.path.as_str().to_owned();
            match entry.kind {
                EntryKind::Regular | EntryKind::Executable => {
                    to_read.push((path, entry.object.clone()));
                }
                EntryKind::Symlink => contents.push((path, FileContent::Symlink)),
                EntryKind::Submodule => contents.push((path, FileContent::Submodule)),
            }
        }
        let objects: Vec<ObjectId> = to_read.iter().map(|(_, object)| object.clone()).collect();
        let blobs = git.read_blobs(&objects, ci_config::yaml::MAX_FILE as u64).await?;
        contents.extend(to_read.into_iter().zip(blobs).map(|((path, _), blob)| {
            let content = match blob {
                Blob::Content(bytes) => FileContent::Bytes(bytes),
                Blob::TooLarge { size } => FileContent::TooLarge(size),
                Blob::Missing => FileContent::Bytes(Vec::new()),
            };
            (path, content)
        }));
        Ok(Self { tree, contents })
    }

    /// The pipeline, or everything that is wrong with it.
    pub(super) fn pipeline(&self) -> Result<Pipeline, Vec<String>> {
        parse_pipeline(self.contents.clone())
            .map_err(|findings| findings.iter().map(ToString::to_string).collect())
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

/// The outline of a plan: every job that can run on pull requests, those of unaffected components too.
fn outline(
    pipeline: &Pipeline,
    affected: Affected,
    policy: &Policy,
    tree: &Tree,
) -> Result<Outline, String> {
    let plan = Plan::new(pipeline, affected, On::Pull)
        .map_err(|flaws| format!("the needs of jobs have no order: {flaws:?}"))?;
    let required = plan.required(&policy.mergeable);
    let scopes = InputScopes::new(pipeline, &policy.ignore).map_err(|error| error.to_string())?;
    let listing: Vec<(String, String)> = tree
        .entries()
        .iter()
        .map(|entry| (entry.path.as_str().to_owned(), entry.object.as_str().to_owned()))
        .collect();
    let mut jobs: BTreeMap<JobId, OutlineJob> = BTreeMap::new();
    for (component, job) in pipeline.jobs() {
        let id = component.job_id(job);
        let planned = match plan.job(&id) {
            Some(planned) => Some(planned.clone()),
            None => plan_job(pipeline, &plan.affected, &id, On::Pull),
        };
        let Some(planned) = planned.filter(|_| job.on.contains(&On::Pull)) else { continue };
        let optional = plan.job(&id).is_some() && !required.jobs.contains_key(&id);
        let digest = scopes.digest_input(&id, &listing).map(|text| hex(&Sha256::digest(text)));
        let digest = digest.unwrap_or_default();
        let (needs, when) = (planned.needs, planned.definition.when);
        jobs.insert(id, OutlineJob { needs, when, optional, digest });
    }
    let affected = plan.affected.components().map(|(name, _)| name.clone()).collect();
    Ok(Outline { affected, jobs, missing: required.missing })
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

impl From<CommandError> for PrepareFault {
    fn from(error: CommandError) -> Self {
        Self::Git(error.to_string())
    }
}
