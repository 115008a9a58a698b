//! Whatever happens, no command of a fork's head runs that nobody approved, and none sees a secret.
//!
//! The judge below knows nothing of the machine: it reads what was on record when a runner was spawned,
//! event by event, and works out for itself what people had allowed.

use std::collections::BTreeSet;

use proptest::collection::vec;
use proptest::prelude::*;

use crate::forge::{ForceTarget, Kinship, PullState, ReviewState};
use crate::ids::{BranchName, CommitSha, RepoName};
use crate::outcome::JobResult;
use crate::policy::{Expose, Forks};
use crate::pull::{PullEvent, Request};
use crate::world::{World, sha};

const HEADS: [char; 3] = ['1', '2', '3'];
const PEOPLE: [&str; 3] = ["ada", "linus", "mallory"];
const JOBS: &str = "air:compile air:test<air:compile air:ship!<air:compile";

/// Something that people, the forge or the node do.
#[derive(Clone, Debug)]
enum Act {
    Push(usize),
    Review { who: usize, of: usize, state: ReviewState },
    Dismiss(usize),
    Run(usize),
    Rerun,
    ForceAll,
    Cancel,
    Open(bool),
    Retarget(bool),
    Label,
    Forks(Forks),
    Look,
    Progress(usize),
    Crash,
    CrashMachine,
    CrashBuild,
    Quarantine,
    Lift,
}

fn act() -> impl Strategy<Value = Act> {
    let states = vec![ReviewState::Approved, ReviewState::ChangesRequested, ReviewState::Commented];
    let forks = vec![Forks::Never, Forks::AfterApproval, Forks::AfterApproval, Forks::Always];
    let of_people = prop_oneof![
        3 => (0..HEADS.len()).prop_map(Act::Push),
        3 => (0..PEOPLE.len(), 0..HEADS.len(), prop::sample::select(states))
            .prop_map(|(who, of, state)| Act::Review { who, of, state }),
        1 => (0..4_usize).prop_map(Act::Dismiss),
        2 => (0..HEADS.len()).prop_map(Act::Run),
        1 => Just(Act::Rerun),
        1 => Just(Act::ForceAll),
        1 => Just(Act::Cancel),
        1 => any::<bool>().prop_map(Act::Open),
        1 => any::<bool>().prop_map(Act::Retarget),
        1 => Just(Act::Label),
        1 => prop::sample::select(forks).prop_map(Act::Forks),
    ];
    let of_node = prop_oneof![
        6 => Just(Act::Look),
        8 => (1..20_usize).prop_map(Act::Progress),
        1 => Just(Act::Crash),
        1 => Just(Act::CrashMachine),
        1 => Just(Act::CrashBuild),
        1 => Just(Act::Quarantine),
        1 => Just(Act::Lift),
    ];
    prop_oneof![1 => of_people, 1 => of_node]
}

fn fork() -> World {
    let mut world = World::new(JOBS);
    world.truth.facts.head.repo = Some(RepoName::new("acme/shop").unwrap());
    world.truth.facts.kinship = Kinship::Other;
    world.truth.facts.head.sha = sha(HEADS[0]);
    let secrets = [("A".to_owned(), Expose::Branches), ("B".to_owned(), Expose::Internal)];
    world.policy.secrets = secrets.into();
    world.result = Box::new(|_, job| match job.to_string().as_str() {
        "air:test" => JobResult::Failed,
        _ => JobResult::Passed,
    });
    world
}

impl World {
    fn act(&mut self, act: &Act) {
        match act {
            Act::Push(head) => self.truth.facts.head.sha = sha(HEADS[*head]),
            Act::Review { who, of, state } => {
                self.truth.review(PEOPLE[*who], *state);
                let review = self.truth.facts.reviews.last_mut().unwrap();
                review.commit = Some(sha(HEADS[*of]));
                review.writer = PEOPLE[*who] != "mallory";
            }
            Act::Dismiss(index) => {
                if let Some(review) = self.truth.facts.reviews.get_mut(*index) {
                    review.state = ReviewState::Dismissed;
                }
            }
            Act::Run(head) => drop(self.request(Request::ApproveRun(sha(HEADS[*head])))),
            Act::Rerun => drop(self.request(Request::Retry(None))),
            Act::ForceAll => drop(self.request(Request::Force(ForceTarget::All))),
            Act::Cancel => drop(self.request(Request::Cancel(None))),
            Act::Open(true) => self.truth.facts.state = PullState::Open,
            Act::Open(false) => self.truth.facts.state = PullState::Closed,
            Act::Retarget(to_main) => {
                let (name, tip) = if *to_main { ("main", 'b') } else { ("release", 'c') };
                self.truth.facts.base = BranchName::new(name).unwrap();
                self.truth.facts.base_sha = Some(sha(tip));
            }
            Act::Label => self.truth.facts.updated_at.0 += 1,
            Act::Forks(forks) => {
                self.policy.forks = *forks;
                let other = if self.truth.policy == sha('d') { 'e' } else { 'd' };
                self.truth.policy = sha(other);
            }
            Act::Look => self.observe(),
            Act::Progress(steps) => {
                for _ in 0..*steps {
                    self.progress();
                }
            }
            Act::Crash => self.crash(),
            Act::CrashMachine => {
                self.lose_runners();
                self.crash();
            }
            Act::CrashBuild => self.crash_build(),
            Act::Quarantine => self.quarantine("it broke"),
            Act::Lift => self.lift(),
        }
    }
}

/// Whether what is on record lets commands of `head` run.
fn is_allowed(record: &[PullEvent], head: &CommitSha) -> bool {
    let (mut named, mut reviewed) = (BTreeSet::new(), BTreeSet::new());
    let mut forks = None;
    for event in record {
        match event {
            PullEvent::Requested { request: Request::ApproveRun(commit), .. } => {
                named.insert(commit.to_string());
            }
            PullEvent::Observed(seen) => {
                let standing =
                    seen.facts.reviews.iter().filter(|review| {
                        review.writer && format!("{:?}", review.state) == "Approved"
                    });
                reviewed = standing.filter_map(|review| review.commit.clone()).collect();
            }
            PullEvent::Prepared(prepared) => forks = Some(prepared.policy.forks),
            _ => {}
        }
    }
    match forks {
        None | Some(Forks::Never) => false,
        Some(Forks::AfterApproval) => named.contains(head.as_str()) || reviewed.contains(head),
        Some(Forks::Always) => true,
    }
}

fn no_stranger_runs(acts: &[Act]) -> Result<(), TestCaseError> {
    let mut world = fork();
    for act in acts {
        world.act(act);
    }
    world.lift();
    world.settle();
    for spawned in &world.spawned {
        let record = world.recorded(spawned.known);
        prop_assert!(is_allowed(record, &spawned.head), "{} ran", spawned.head);
        prop_assert!(spawned.secrets.is_empty(), "{:?} were shown", spawned.secrets);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn no_command_of_a_fork_runs_without_leave_or_sees_a_secret(acts in vec(act(), 0..60)) {
        no_stranger_runs(&acts)?;
    }
}

#[test]
fn leave_that_is_taken_back_stops_what_runs_and_given_again_goes_on() {
    let mut world = fork();
    world.truth.review("ada", ReviewState::Approved);
    world.observe();
    while world.running() != "air:compile" {
        assert!(world.progress(), "nothing runs");
    }
    world.truth.facts.reviews[0].state = ReviewState::Dismissed;
    world.settle();
    assert_eq!(world.umbrella(), "pending: awaiting approval to run 111111111111");
    assert_eq!((world.running().as_str(), world.jobs_that("cancelled").as_str()), ("", ""));
    world.truth.review("ada", ReviewState::Approved);
    world.settle();
    assert_eq!(world.umbrella(), "failure: air:test failed");
}

#[test]
fn leave_for_a_head_is_none_for_the_build_of_another() {
    let mut world = fork();
    world.policy.forks = Forks::Always;
    world.observe();
    while world.pull.build().is_none() {
        assert!(world.progress(), "nothing is built");
    }
    // Before its first command has begun, forks must be approved, a new head is, and the node restarts.
    world.policy.forks = Forks::AfterApproval;
    world.truth.policy = sha('d');
    world.truth.facts.head.sha = sha('2');
    world.truth.review("ada", ReviewState::Approved);
    world.observe();
    world.crash();
    world.settle();
    let ran: BTreeSet<CommitSha> =
        world.spawned.iter().map(|spawned| spawned.head.clone()).collect();
    assert_eq!(ran, [sha('2')].into());
}

#[test]
fn a_command_waits_for_leave_even_where_everything_is_forced() {
    let mut world = fork();
    world.settle();
    world.request(Request::Force(ForceTarget::All)).unwrap();
    world.settle();
    assert!(world.spawned.is_empty());
    assert_eq!(world.umbrella(), "pending: awaiting approval to run 111111111111");
}
