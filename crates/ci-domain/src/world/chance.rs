//! Whatever can happen to a pull request, drawn at random.

use proptest::collection::vec;
use proptest::prelude::*;

use crate::forge::{ForceTarget, PullState, ReviewState};
use crate::ids::JobId;
use crate::may_run::Disk;
use crate::pull::{Observation, PullEvent, Request};
use crate::world::{World, id, sha};

const HEADS: [char; 3] = ['1', '2', '3'];
const BASES: [char; 3] = ['a', 'b', 'c'];
const JOBS: [&str; 4] = ["air:compile", "air:test", "air:bench", "common:compile"];

/// Something that happens.
#[derive(Clone, Debug)]
pub(crate) enum Chance {
    Head(usize),
    Base(usize),
    Draft(bool),
    Open(bool),
    Review(ReviewState),
    Look,
    /// An answer that was under way for long, or a delivery that is repeated.
    LookBack(usize),
    Prepared {
        works: bool,
    },
    WorkspaceMade {
        works: bool,
    },
    RunnerEnds {
        choice: usize,
        is_lost: bool,
    },
    MessageToPull {
        fuse: Option<usize>,
    },
    MessageToBuild {
        fuse: Option<usize>,
    },
    /// Several messages and answers, so that builds come far now and then.
    Progress(usize),
    Retry(Option<usize>),
    Force(Option<usize>),
    Cancel(Option<usize>),
    Reseed,
    Disk(Disk),
    Crash,
    CrashBuild,
    CrashMachine,
    Quarantine,
    Lift,
    Abandoned,
    RetryPreparation,
}

/// A sequence of whatever can happen.
pub(crate) fn chances() -> impl Strategy<Value = Vec<Chance>> {
    vec(chance(), 0..60)
}

fn chance() -> impl Strategy<Value = Chance> {
    let job = || prop::option::of(0..JOBS.len());
    let fuse = || prop::option::weighted(0.15, 0..4_usize);
    let of_forge = prop_oneof![
        3 => (0..HEADS.len()).prop_map(Chance::Head),
        3 => (0..BASES.len()).prop_map(Chance::Base),
        1 => any::<bool>().prop_map(Chance::Draft),
        2 => prop::bool::weighted(0.7).prop_map(Chance::Open),
        2 => prop::sample::select(vec![
            ReviewState::Approved,
            ReviewState::ChangesRequested,
            ReviewState::Dismissed,
            ReviewState::Commented,
        ]).prop_map(Chance::Review),
        6 => Just(Chance::Look),
        1 => (1..4_usize).prop_map(Chance::LookBack),
    ];
    let of_node = prop_oneof![
        4 => prop::bool::weighted(0.8).prop_map(|works| Chance::Prepared { works }),
        4 => prop::bool::weighted(0.8).prop_map(|works| Chance::WorkspaceMade { works }),
        6 => (0..4_usize, prop::bool::weighted(0.2))
            .prop_map(|(choice, is_lost)| Chance::RunnerEnds { choice, is_lost }),
        8 => fuse().prop_map(|fuse| Chance::MessageToPull { fuse }),
        8 => fuse().prop_map(|fuse| Chance::MessageToBuild { fuse }),
        6 => (1..30_usize).prop_map(Chance::Progress),
    ];
    let of_people = prop_oneof![
        job().prop_map(Chance::Retry),
        job().prop_map(Chance::Force),
        job().prop_map(Chance::Cancel),
        Just(Chance::Reseed),
    ];
    let of_fate = prop_oneof![
        2 => Just(Chance::Crash),
        2 => Just(Chance::CrashBuild),
        1 => Just(Chance::CrashMachine),
        1 => Just(Chance::Quarantine),
        2 => Just(Chance::Lift),
        1 => Just(Chance::Abandoned),
        1 => Just(Chance::Disk(Disk::Low)),
        1 => Just(Chance::Disk(Disk::Ok)),
        1 => Just(Chance::RetryPreparation),
    ];
    prop_oneof![4 => of_forge, 6 => of_node, 1 => of_people, 1 => of_fate]
}

impl World {
    /// Lets it happen, where it can.
    pub(crate) fn meet(&mut self, chance: Chance, seen: &mut Vec<Observation>) {
        match chance {
            Chance::Head(head) => self.truth.facts.head.sha = sha(HEADS[head]),
            Chance::Base(base) => {
                self.truth.facts.base_sha = Some(sha(BASES[base]));
                self.truth.policy = sha(BASES[base]);
            }
            Chance::Draft(draft) => self.truth.facts.draft = draft,
            Chance::Open(true) => self.truth.facts.state = PullState::Open,
            Chance::Open(false) => self.truth.facts.state = PullState::Closed,
            Chance::Review(state) => self.truth.review("ada", state),
            Chance::Look => {
                seen.push(self.truth.clone());
                self.observe();
            }
            Chance::LookBack(steps) => {
                if let Some(old) = seen.len().checked_sub(steps).map(|index| seen[index].clone()) {
                    self.tell(PullEvent::Observed(old), None).unwrap();
                }
            }
            Chance::Progress(steps) => {
                for _ in 0..steps {
                    self.progress();
                }
            }
            Chance::Retry(job) => self.ask(Request::Retry(job.map(name))),
            Chance::Force(job) => {
                let target = job.map_or(ForceTarget::All, |job| ForceTarget::Job(name(job)));
                self.ask(Request::Force(target));
            }
            Chance::Cancel(job) => self.ask(Request::Cancel(job.map(name))),
            Chance::Reseed => self.ask(Request::Reseed),
            other => self.suffer(other),
        }
    }

    fn suffer(&mut self, chance: Chance) {
        match chance {
            Chance::Prepared { works } => drop(self.answer_preparation(works)),
            Chance::WorkspaceMade { works } => drop(self.answer_workspace(works)),
            Chance::RunnerEnds { choice, is_lost } => drop(self.end_runner(choice, is_lost)),
            Chance::MessageToPull { fuse } => drop(self.deliver_to_pull(fuse)),
            Chance::MessageToBuild { fuse } => drop(self.deliver_to_build(fuse)),
            Chance::Abandoned => drop(self.finish_abandoning()),
            Chance::Crash => self.crash(),
            Chance::CrashBuild => self.crash_build(),
            Chance::CrashMachine => {
                self.lose_runners();
                self.crash();
            }
            Chance::Quarantine => self.quarantine("it broke"),
            Chance::Lift => self.lift(),
            Chance::Disk(disk) => {
                let step = self.pull.note_disk(disk);
                self.carry_out(step, None);
            }
            _ => {
                let step = self.pull.retry_preparation();
                self.carry_out(step, None);
            }
        }
    }

    /// Lifts a quarantine, where there is one, and starts the actors again.
    pub(crate) fn lift(&mut self) {
        if self.pull.quarantine().is_some() {
            self.tell(PullEvent::Lifted, None).unwrap();
            self.crash();
        }
    }

    fn ask(&mut self, request: Request) {
        // A refusal changes nothing.
        let _refusal = self.request(request);
    }
}

fn name(index: usize) -> JobId {
    id(JOBS[index])
}
