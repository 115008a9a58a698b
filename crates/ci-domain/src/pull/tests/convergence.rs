//! Whatever happens, in any order, with crashes in between: nothing runs twice at once, and in the end
//! all is as if only the end had been seen.

use std::sync::Arc;

use proptest::prelude::*;

use crate::ids::{CommitSha, JobId};
use crate::outcome::JobResult;
use crate::outline::{Basis, Preparation};
use crate::policy::BaseMoved;
use crate::pull::Request;
use crate::world::{Chance, World, chances, id, planned, sha};

/// Job graphs where `air` and `cloak` are affected or not, and one that the policy finds incomplete.
const PLANS: [&str; 3] = [
    "air:compile air:test<air:compile air:bench?<air:compile air:late<air:bench air:compliance!<air:test \
     common:compile- cloak:compile cloak:test<cloak:compile",
    "air:compile air:test<air:compile air:bench?<air:compile air:late<air:bench air:compliance!<air:test \
     common:compile- +air:gone",
    "common:compile- cloak:compile cloak:test<cloak:compile",
];

/// Another order of the same jobs, for policies that do not let outcomes outlive their inputs.
const TURNED: &str =
    "air:test air:compile<air:test air:bench?<air:compile air:compliance!<air:bench";

/// Where the base says how the jobs depend on each other and how they end.
fn plan_by_base(basis: &Basis) -> Preparation {
    match (digit(&basis.head, 0), digit(&basis.base, 0)) {
        ('3', 'a') => Preparation::Conflict { paths: vec!["cart.ex".to_owned()] },
        ('2', 'c') => Preparation::Invalid {
            first: "air/ci.yaml:3: no such job".to_owned(),
            findings: vec!["air/ci.yaml:3:1: no such job".to_owned()],
        },
        (_, 'b') => digested(planned(basis, TURNED), basis),
        _ => digested(plan_by_head(basis), basis),
    }
}

fn plan_by_head(basis: &Basis) -> Preparation {
    let head = digit(&basis.head, 0).to_digit(10).unwrap() as usize;
    planned(basis, PLANS[head - 1])
}

fn digested(mut preparation: Preparation, basis: &Basis) -> Preparation {
    if let Preparation::Planned { outline, .. } = &mut preparation {
        for job in Arc::make_mut(&mut outline.jobs).values_mut() {
            job.digest = format!("{}{}", digit(&basis.head, 0), digit(&basis.base, 0));
        }
    }
    preparation
}

fn result_by_head(merge: &CommitSha, job: &JobId) -> JobResult {
    let fails = match digit(merge, 0) {
        '1' => id("air:bench"),
        '2' => id("air:test"),
        _ => id("cloak:compile"),
    };
    if *job == fails { JobResult::Failed } else { JobResult::Passed }
}

fn result_by_base(merge: &CommitSha, job: &JobId) -> JobResult {
    match digit(merge, 20) {
        'c' => JobResult::Passed,
        'b' if *job == id("air:test") => JobResult::Failed,
        _ => result_by_head(merge, job),
    }
}

fn digit(sha: &CommitSha, position: usize) -> char {
    sha.as_str().chars().nth(position).unwrap()
}

fn world(base_moved: BaseMoved) -> World {
    let mut world = World::new("");
    world.truth.facts.head.sha = sha('1');
    world.truth.facts.base_sha = Some(sha('a'));
    world.policy.base_moved = base_moved;
    match base_moved {
        BaseMoved::Keep => {
            world.plan = Box::new(plan_by_head);
            world.result = Box::new(result_by_head);
        }
        BaseMoved::Rerun => {
            world.plan = Box::new(plan_by_base);
            world.result = Box::new(result_by_base);
        }
    }
    world
}

/// Lets things come to rest, with what people would do about cancelled and crashed jobs.
fn bring_to_rest(world: &mut World) {
    world.lift();
    world.settle();
    if world.request(Request::Retry(None)).is_ok() {
        world.settle();
    }
}

fn ends_as_if_only_the_end_had_been_seen(
    base_moved: BaseMoved,
    chances: Vec<Chance>,
) -> Result<(), TestCaseError> {
    let mut busy = world(base_moved);
    let mut seen = Vec::new();
    for chance in chances {
        busy.meet(chance, &mut seen);
    }
    bring_to_rest(&mut busy);
    prop_assert_eq!(busy.running(), "");
    prop_assert!(busy.pull.build().is_none());
    if !busy.pull.is_open() {
        prop_assert!(busy.closed);
        return Ok(());
    }
    let mut calm = world(base_moved);
    calm.truth = busy.truth.clone();
    bring_to_rest(&mut calm);
    prop_assert_eq!(busy.verdict(), calm.verdict());
    Ok(())
}

/// Lets a plain life be cut by a crash before its `steps`th step and, in another life, only then.
fn a_crash_changes_nothing(steps: usize, fuse: usize, crash: &Chance) -> Result<(), TestCaseError> {
    let mut world = world(BaseMoved::Keep);
    world.observe();
    for step in 0..steps {
        if step + 1 == steps {
            world.deliver_to_pull(Some(fuse));
            world.deliver_to_build(Some(fuse));
            world.meet(crash.clone(), &mut Vec::new());
        }
        world.progress();
    }
    world.settle();
    let mut calm = self::world(BaseMoved::Keep);
    calm.settle();
    prop_assert_eq!(world.verdict(), calm.verdict());
    if !matches!(crash, Chance::CrashMachine) {
        prop_assert_eq!(world.started.len(), calm.started.len(), "a job ran twice");
    }
    Ok(())
}

#[test]
fn a_crash_at_any_step_changes_nothing() {
    for crash in [Chance::Crash, Chance::CrashBuild, Chance::CrashMachine] {
        for steps in 0..60 {
            for fuse in 0..3 {
                a_crash_changes_nothing(steps, fuse, &crash).unwrap();
            }
        }
    }
}

proptest! {
    #[test]
    fn converges_where_outcomes_outlive_a_moved_base(chances in chances()) {
        ends_as_if_only_the_end_had_been_seen(BaseMoved::Keep, chances)?;
    }

    #[test]
    fn converges_where_a_moved_base_runs_jobs_again(chances in chances()) {
        ends_as_if_only_the_end_had_been_seen(BaseMoved::Rerun, chances)?;
    }
}
