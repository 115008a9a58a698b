//! Short ways to write down what tests need much of.

use std::sync::Arc;
use std::time::Duration;

use crate::build::Order;
use crate::forge::{Head, Kinship, PullFacts, PullState, Review, ReviewId, ReviewState, Timestamp};
use crate::ids::{
    AttemptId, BranchName, BuildNumber, CommitSha, JobId, Login, PullNumber, RepoName,
};
use crate::may_run::Isolation;
use crate::outcome::{JobResult, Outcome};
use crate::outline::{Basis, Outline, OutlineJob, Preparation};
use crate::pipeline::When;
use crate::pull::{Observation, PullConfig, PullEffect, Question};
use crate::world::Plan;

/// The commit whose digits are all `digit`.
pub(crate) fn sha(digit: char) -> CommitSha {
    CommitSha::new(digit.to_string().repeat(40)).unwrap()
}

/// The merge of a basis, by which the basis is known again.
fn merge_of(basis: &Basis) -> CommitSha {
    let half = |sha: &CommitSha| sha.as_str()[..20].to_owned();
    CommitSha::new(half(&basis.head) + &half(&basis.base)).unwrap()
}

pub(crate) fn id(text: &str) -> JobId {
    text.parse().unwrap()
}

pub(crate) fn config() -> PullConfig {
    PullConfig {
        repo: RepoName::new("acme/shop").unwrap(),
        number: PullNumber(7),
        prefix: "shop-p7".to_owned(),
        isolation: Isolation::Namespaces,
        isolation_trouble: "bubblewrap is missing".to_owned(),
    }
}

/// An open pull request from a branch of the repository, with head `a` and base `b`.
fn facts() -> PullFacts {
    PullFacts {
        number: PullNumber(7),
        title: "Add a cart".to_owned(),
        author: Login::new("bob").unwrap(),
        head: Head {
            sha: sha('a'),
            branch: BranchName::new("cart").unwrap(),
            repo: Some(config().repo),
        },
        kinship: Kinship::ByName,
        base: BranchName::new("main").unwrap(),
        base_sha: Some(sha('b')),
        draft: false,
        state: PullState::Open,
        reviews: Vec::new(),
        created_at: Timestamp(1),
        updated_at: Timestamp(1),
    }
}

pub(crate) fn observation() -> Observation {
    Observation { facts: facts(), policy: sha('b'), preexisting: false }
}

impl Observation {
    /// `who` reviews the present head; an earlier review of theirs remains in the list.
    pub(crate) fn review(&mut self, who: &str, state: ReviewState) {
        let id = self.facts.reviews.len() as u64 + 1;
        self.facts.reviews.push(Review {
            id: ReviewId(id),
            author: Login::new(who).unwrap(),
            state,
            commit: Some(self.facts.head.sha.clone()),
            submitted_at: Timestamp(id),
            writer: true,
        });
    }
}

/// Reads `job`, `job<need,need`, with `!` for approved, `?` for optional, `-` for not affected and `*`
/// for nightly behind the name, and `+job` for one that the policy misses.
pub(crate) fn outline(text: &str) -> Outline {
    let mut outline = Outline::default();
    for word in text.split_whitespace() {
        if let Some(missing) = word.strip_prefix('+') {
            outline.missing.insert(id(missing));
            continue;
        }
        let (name, needs) = word.split_once('<').unwrap_or((word, ""));
        let job = id(name.trim_end_matches(['!', '?', '-', '*']));
        if !name.contains(['-', '*']) {
            outline.affected.insert(job.component.clone());
        }
        let planned = OutlineJob {
            needs: needs.split(',').filter(|need| !need.is_empty()).map(id).collect(),
            when: if name.contains('!') { When::Approved } else { When::Always },
            optional: name.contains('?'),
            digest: "1".to_owned(),
        };
        let by_day = Arc::make_mut(&mut outline.jobs);
        let jobs = if name.contains('*') { &mut outline.nightly } else { by_day };
        jobs.insert(job, planned);
    }
    outline
}

/// What preparing `basis` comes to where its merge has these jobs.
pub(crate) fn planned(basis: &Basis, jobs: &str) -> Preparation {
    Preparation::Planned { merge: merge_of(basis), outline: outline(jobs) }
}

/// The same jobs for every basis.
pub(crate) fn plan_of(jobs: &str) -> Plan {
    let jobs = jobs.to_owned();
    Box::new(move |basis| planned(basis, &jobs))
}

/// A job of the first build that has ended.
pub(crate) fn ended(job: &str, result: &str) -> (JobId, Outcome) {
    let result = match result {
        "passed" => JobResult::Passed,
        "failed" => JobResult::Failed,
        "cancelled" => JobResult::Cancelled,
        _ => JobResult::Crashed { reason: result.to_owned() },
    };
    let attempt = AttemptId::new(format!("try-{}", job.replace([':', '/'], "-"))).unwrap();
    let (digest, duration) = ("1".to_owned(), Duration::from_secs(1));
    (id(job), Outcome { result, attempt: Some(attempt), build: BuildNumber(1), digest, duration })
}

pub(crate) fn in_short(effect: &PullEffect) -> String {
    let names =
        |jobs: Vec<&JobId>| jobs.into_iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
    match effect {
        PullEffect::Prepare(basis) => {
            format!("prepare {} on {}", &basis.head.as_str()[..1], &basis.base.as_str()[..1])
        }
        PullEffect::Ask(questions) => {
            let asked = |question: &Question| format!("{} in {}", question.login, question.owner);
            format!("ask {}", questions.iter().map(asked).collect::<Vec<_>>().join(", "))
        }
        PullEffect::StartBuild(spec) => {
            format!("build {}: {}", spec.number, names(spec.jobs.keys().collect()))
        }
        PullEffect::Order { index, order: Order::Run(jobs) } => {
            format!("order {index}: run {}", names(jobs.keys().collect()))
        }
        PullEffect::Order { index, order: Order::Cancel(job) } => {
            format!("order {index}: cancel {}", names(job.iter().collect()))
        }
        PullEffect::Supersede => "supersede".to_owned(),
        PullEffect::AbandonBuild(build) => format!("abandon {build}"),
        PullEffect::EndBuild(build) => format!("end {build}"),
        PullEffect::Close => "close".to_owned(),
    }
}
