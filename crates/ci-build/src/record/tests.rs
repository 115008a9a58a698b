//! What is written is what is read; what another program wrote is refused by name.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use ci_domain::branch::{BranchEvent, Night, Tip};
use ci_domain::build::{AttemptEnd, BuildEvent, BuildSpec, JobRequest, Order};
use ci_domain::code_owners::CodeOwners;
use ci_domain::forge::{
    CommentId, ForceTarget, Head, Kinship, PullFacts, PullState, Review, ReviewId, ReviewState,
    Timestamp,
};
use ci_domain::ids::{BuildNumber, CommitSha, JobId, PullNumber};
use ci_domain::nightly::Nightly;
use ci_domain::outcome::{JobResult, Outcome};
use ci_domain::outline::{Basis, Outline, OutlineJob, Preparation, Prepared};
use ci_domain::pipeline::When;
use ci_domain::policy::{
    BaseMoved, Demand, Expose, Forks, Network, Policy, Sandbox, StaleApprovals, Unowned,
};
use ci_domain::pull::{Observation, PullEvent, Request};

use super::*;

fn sha(digit: char) -> CommitSha {
    CommitSha::new(digit.to_string().repeat(40)).unwrap()
}

fn job(text: &str) -> JobId {
    text.parse().unwrap()
}

fn review(state: ReviewState) -> Review {
    Review {
        id: ReviewId(3),
        author: "linus".parse().unwrap(),
        state,
        commit: Some(sha('a')),
        submitted_at: Timestamp(7),
        writer: true,
    }
}

fn facts() -> PullFacts {
    let states = [
        ReviewState::Approved,
        ReviewState::ChangesRequested,
        ReviewState::Dismissed,
        ReviewState::Commented,
        ReviewState::Unknown,
    ];
    PullFacts {
        number: PullNumber(7),
        title: "\"quoted\" 🚀\nand two lines".to_owned(),
        author: "ada".parse().unwrap(),
        head: Head {
            sha: sha('a'),
            branch: "--upload-pack=x".parse().unwrap(),
            repo: Some("acme/shop".parse().unwrap()),
        },
        kinship: Kinship::Other,
        base: "main".parse().unwrap(),
        base_sha: Some(sha('b')),
        draft: true,
        state: PullState::Merged,
        reviews: states.map(review).into(),
        created_at: Timestamp(1),
        updated_at: Timestamp(2),
    }
}

fn spec() -> BuildSpec {
    let request = JobRequest { needs: [job("air:compile")].into(), digest: "d".to_owned() };
    BuildSpec {
        number: BuildNumber(2),
        head: sha('a'),
        merge: sha('c'),
        prefix: "abc123-p7-b2".to_owned(),
        reseed: true,
        jobs: [(job("air:test"), request)].into(),
    }
}

fn orders() -> [Order; 3] {
    [Order::Run(spec().jobs), Order::Cancel(None), Order::Cancel(Some(job("libs/x:test")))]
}

fn results() -> [JobResult; 4] {
    let reason = "the disk is full".to_owned();
    [JobResult::Passed, JobResult::Failed, JobResult::Crashed { reason }, JobResult::Cancelled]
}

fn prepared(result: Preparation, policy: Policy) -> PullEvent {
    let basis = Basis { head: sha('a'), base: sha('b'), policy: sha('d') };
    let policy_error = Some("ci-policy.yaml:1: wrong".to_owned());
    PullEvent::Prepared(Box::new(Prepared { basis, policy, policy_error, result }))
}

fn strict_policy() -> Policy {
    let mut policy = Policy::default();
    policy.mergeable.stale_approvals = StaleApprovals::Dismiss;
    policy.mergeable.optional = vec!["*:bench".to_owned()];
    policy.mergeable.required = vec![job("air:test")];
    policy.mergeable.block_on_changes_requested = false;
    policy.mergeable.code_owners = true;
    policy.base_moved = BaseMoved::Rerun;
    policy.unowned = Unowned::None;
    policy.forks = Forks::Never;
    let exposed = [("A".to_owned(), Expose::Branches), ("B".to_owned(), Expose::Internal)];
    policy.secrets = exposed.into();
    policy.sandbox = Sandbox {
        isolation: Some(Demand::Namespaces),
        network: Network::None,
        forks_network: Network::Shared,
    };
    policy.branches = vec!["release/*".to_owned()];
    policy.ignore = vec!["docs/**".to_owned()];
    policy.nightly =
        Nightly { between: "22:30-04:00".parse().unwrap(), timezone: "Europe/Berlin".to_owned() };
    policy.mention_on_nightly_failure = Some("@acme/dev".parse().unwrap());
    policy
}

fn outline() -> Outline {
    let planned = |when| OutlineJob {
        needs: BTreeSet::from([job("air:compile")]),
        when,
        optional: when == When::Approved,
        digest: "e".to_owned(),
    };
    Outline {
        affected: ["air".parse().unwrap()].into(),
        depends: [("air".parse().unwrap(), ["common".parse().unwrap()].into())].into(),
        jobs: Arc::new(BTreeMap::from([
            (job("air:test"), planned(When::Always)),
            (job("air:compliance"), planned(When::Approved)),
        ])),
        nightly: BTreeMap::from([(job("air:soak"), planned(When::Always))]),
        missing: [job("common:test")].into(),
        hints: vec!["lib: a submodule".to_owned()],
        owned: CodeOwners::parse("* @ada @acme/libs dev@example.com").owned(["lib/a", "lib/b"]),
    }
}

fn pull_events() -> Vec<PullEvent> {
    let outcome = |result| Outcome {
        result,
        attempt: Some("abc123-p7-b2-1".parse().unwrap()),
        build: BuildNumber(2),
        digest: "d".to_owned(),
        duration: Duration::from_millis(1234),
    };
    let requests = [
        Request::Retry(None),
        Request::Retry(Some(job("air:test"))),
        Request::Force(ForceTarget::All),
        Request::Force(ForceTarget::Job(job("air:test"))),
        Request::Cancel(None),
        Request::ApproveRun(sha('a')),
        Request::Reseed,
    ];
    let by = || "linus".parse().unwrap();
    let mut events = vec![
        PullEvent::Observed(Observation { facts: facts(), policy: sha('d'), preexisting: true }),
        prepared(Preparation::Conflict { paths: vec!["VERSION".to_owned()] }, Policy::default()),
        prepared(
            Preparation::Invalid { first: "x".to_owned(), findings: vec!["x".to_owned()] },
            Policy::default(),
        ),
        prepared(Preparation::Planned { merge: sha('c'), outline: outline() }, strict_policy()),
        PullEvent::BuildDecided(spec()),
        PullEvent::SupersedeDecided,
        PullEvent::BuildFinished { build: BuildNumber(2), orders: 3 },
        PullEvent::Quarantined { reason: "crashed".to_owned() },
        PullEvent::Lifted,
    ];
    events.extend(orders().map(PullEvent::OrderDecided));
    events.extend(results().map(|result| PullEvent::JobFinished {
        head: sha('a'),
        job: job("air:test"),
        outcome: outcome(result),
    }));
    events.extend(requests.map(|request| {
        let comment = Some(CommentId(9));
        PullEvent::Requested { request, by: by(), comment }
    }));
    events
}

fn build_events() -> Vec<BuildEvent> {
    let attempt = || "abc123-p7-b2-1".parse().unwrap();
    let mut events = vec![
        BuildEvent::Began(spec()),
        BuildEvent::WorkspaceReady,
        BuildEvent::WorkspaceFailed { reason: "full".to_owned() },
        BuildEvent::AttemptDecided { job: job("air:test"), attempt: attempt() },
        BuildEvent::AttemptEnded { attempt: attempt(), end: AttemptEnd::Lost },
        BuildEvent::AttemptEnded { attempt: attempt(), end: AttemptEnd::Interrupted },
        BuildEvent::Superseded,
    ];
    events.extend((1..).zip(orders()).map(|(index, order)| BuildEvent::Ordered { index, order }));
    events.extend(results().map(|result| {
        let duration = Duration::from_secs(2);
        BuildEvent::AttemptEnded {
            attempt: attempt(),
            end: AttemptEnd::Finished { result, duration },
        }
    }));
    events
}

#[test]
fn what_is_written_is_what_is_read() {
    for event in pull_events() {
        assert_eq!(pull_event(&pull_record(&event)).unwrap(), event);
    }
    for event in build_events() {
        assert_eq!(build_event(&build_record(&event)).unwrap(), event);
    }
    assert_eq!(recorded_policy(&policy_record(&strict_policy())).unwrap(), strict_policy());
}

#[test]
fn a_snapshot_holds_all_that_is_remembered() {
    use ci_domain::pull::{Pull, PullConfig};
    let config = PullConfig {
        repo: "acme/shop".parse().unwrap(),
        number: PullNumber(7),
        prefix: "abc123-p7".to_owned(),
        isolation: ci_domain::may_run::Isolation::None,
        isolation_trouble: String::new(),
    };
    let mut pull = Pull::new(config.clone());
    let events = pull_events();
    let is_end = |event: &&PullEvent| !matches!(event, PullEvent::BuildFinished { .. });
    for event in events.iter().filter(is_end) {
        pull.replay(event.clone());
        let body = memory_snapshot(&pull.memory());
        assert_eq!(Pull::remembering(config.clone(), recalled(&body).unwrap()), pull);
    }
}

#[test]
fn what_another_program_wrote_is_refused_by_name() {
    let record = record("teleported", &());
    let refused = pull_event(&record).unwrap_err().to_string();
    assert_eq!(refused, "record \"teleported\" of version 1 is not known to this program");
    let later = ci_store::Record { version: 2, ..pull_record(&pull_events()[0]) };
    assert!(matches!(pull_event(&later), Err(RecordError::Unknown { version: 2, .. })));
    let torn = ci_store::Record { body: serde_json::json!({}), ..build_record(&build_events()[0]) };
    assert!(matches!(build_event(&torn), Err(RecordError::Body { .. })));
}

fn branch_events() -> Vec<BranchEvent> {
    let tip = |digit| Tip { commit: sha(digit), policy: sha('d'), preexisting: true, queued: None };
    let planned = match prepared(
        Preparation::Planned { merge: sha('c'), outline: outline() },
        strict_policy(),
    ) {
        PullEvent::Prepared(prepared) => prepared,
        other => panic!("{other:?}"),
    };
    let outcome = Outcome {
        result: JobResult::Failed,
        attempt: Some("abc123-t1-b2-1".parse().unwrap()),
        build: BuildNumber(2),
        digest: "d".to_owned(),
        duration: Duration::from_millis(1234),
    };
    let (jobs, by) = ([job("air:test")].into(), "linus".parse().unwrap());
    let soak = || job("air:soak");
    let of_night = BuildSpec {
        jobs: BTreeMap::from([(soak(), spec().jobs[&job("air:test")].clone())]),
        ..spec()
    };
    let mention = Some("@acme/dev".parse().unwrap());
    let night = Night { day: "2026-11-23".parse().unwrap(), by: None, mention };
    let asked = || BranchEvent::NightForced {
        jobs: [soak(), job("air:fuzz")].into(),
        by: "ada".parse().unwrap(),
    };
    vec![
        BranchEvent::Observed(tip('a')),
        BranchEvent::Prepared(planned),
        BranchEvent::BuildDecided(spec()),
        BranchEvent::JobFinished { head: sha('a'), job: job("air:test"), outcome: outcome.clone() },
        BranchEvent::BuildFinished(BuildNumber(2)),
        asked(),
        BranchEvent::NightDecided(of_night, night),
        BranchEvent::JobFinished { head: sha('a'), job: soak(), outcome },
        BranchEvent::Reseed { by: "ada".parse().unwrap() },
        BranchEvent::Forced { jobs, by },
        BranchEvent::SupersedeDecided,
        BranchEvent::GivenUp,
        BranchEvent::BuildFinished(BuildNumber(2)),
        BranchEvent::Gone,
    ]
}

#[test]
fn what_is_written_of_branches_is_what_is_read() {
    use ci_domain::branch::{Branch, BranchConfig};
    let config = BranchConfig {
        repo: "acme/shop".parse().unwrap(),
        name: "main".parse().unwrap(),
        prefix: "abc123-t1".to_owned(),
        isolation: ci_domain::may_run::Isolation::None,
        isolation_trouble: String::new(),
    };
    let mut branch = Branch::new(config);
    for event in branch_events() {
        assert_eq!(branch_event(&branch_record(&event)).unwrap(), event);
        branch.replay(event);
        assert_eq!(&recalled_branch(&branch_snapshot(branch.memory())).unwrap(), branch.memory());
    }
}
