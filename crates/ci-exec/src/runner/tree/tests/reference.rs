//! Any tree, with every option and a cancel at any time, beside a reference that knows of no tasks: it
//! computes from the moment when a step begins, and that when it has to stop, what it comes to.

use proptest::prelude::*;

use super::*;

/// The moment of a stop that never comes.
const NEVER: u64 = u64::MAX;

/// What a step has come to.
#[derive(Clone, Default)]
struct Ended {
    at: u64,
    /// What ran, and how it ended.
    runs: Vec<String>,
    /// What makes the step a failure.
    failed: Vec<String>,
    /// Whether something ended in the very moment of a stop, where either is right.
    is_tied: bool,
}

impl Ended {
    fn and(mut self, next: Self) -> Self {
        self.runs.extend(next.runs);
        self.failed.extend(next.failed);
        Self { at: self.at.max(next.at), is_tied: self.is_tied || next.is_tied, ..self }
    }
}

fn step(step: &Step, begin: u64, stop: u64) -> Ended {
    let nothing = Ended { at: begin, ..Ended::default() };
    match step {
        _ if stop <= begin => nothing,
        Step::Command(one) => command(one, begin, stop),
        Step::Sequence(all) => all.steps.iter().fold(nothing, |ended, next| {
            let always = matches!(next, Step::Command(command) if command.always);
            match ended.failed.is_empty() || always {
                true => {
                    let next = self::step(next, ended.at, stop);
                    ended.and(next)
                }
                false => ended,
            }
        }),
        Step::Parallel(group) => parallel(group, begin, stop),
    }
}

fn command(command: &Command, begin: u64, stop: u64) -> Ended {
    let tries: Vec<(u64, &str)> = command.run.split(' ').map(a_try).collect();
    let mut ended = Ended { at: begin, ..Ended::default() };
    for number in 0..=command.retry as usize {
        if stop <= ended.at {
            break;
        }
        let (took, code) = tries[number.min(tries.len() - 1)];
        let limit = command.timeout.map_or(NEVER, |limit| limit.as_secs());
        let (took, end) = if limit < took { (limit, "timeout") } else { (took, code) };
        let id = format!("{}-{}", command.id, number + 1);
        if stop < ended.at + took {
            ended.runs.push(format!("{id}=cancelled"));
            return Ended { at: stop, failed: Vec::new(), ..ended };
        }
        ended.at += took;
        ended.is_tied |= ended.at == stop;
        ended.runs.push(format!("{id}={end}"));
        ended.failed = if end == "0" { Vec::new() } else { vec![id] };
        if end == "0" {
            break;
        }
    }
    ended.failed.retain(|_| !command.allow_failure);
    ended
}

fn a_try(word: &str) -> (u64, &str) {
    let (seconds, code) = word.split_once(':').unwrap();
    (seconds.parse().unwrap(), code)
}

/// Nothing that a branch does before the first failure depends on it, so that is found first.
fn parallel(group: &Parallel, begin: u64, stop: u64) -> Ended {
    let undisturbed = branches(group, begin, stop, None);
    let failures = undisturbed.iter().enumerate().filter(|(_, ended)| !ended.failed.is_empty());
    let first = failures.min_by_key(|(_, ended)| ended.at).filter(|(_, ended)| ended.at < stop);
    let ended = match first {
        Some((position, ended)) if group.fail_fast => {
            branches(group, begin, ended.at, Some((position, ended.clone())))
        }
        _ => undisturbed,
    };
    let nothing = Ended { at: begin, ..Ended::default() };
    ended.into_iter().fold(nothing, Ended::and)
}

/// The ends of all branches, each of which begins once there is room for it; one of them is known.
fn branches(group: &Parallel, begin: u64, stop: u64, known: Option<(usize, Ended)>) -> Vec<Ended> {
    let places = group.limit.map_or(group.steps.len(), |limit| limit.get() as usize);
    let mut free_at = vec![begin; places.max(1)];
    let branch = |(position, branch): (usize, &Step)| {
        let place = free_at.iter_mut().min().unwrap();
        let ended = match &known {
            Some((of, ended)) if *of == position => ended.clone(),
            _ => step(branch, *place, stop),
        };
        *place = ended.at;
        ended
    };
    group.steps.iter().enumerate().map(branch).collect()
}

fn any_command() -> impl Strategy<Value = Step> {
    let a_try = (1..1000_u64, prop_oneof![3 => Just(0), 1 => 1..4]);
    let options = (any::<bool>(), any::<bool>(), proptest::option::weighted(0.3, 1..1000_u64));
    let tries = proptest::collection::vec(a_try, 1..4);
    (tries, 0..3_u32, options).prop_map(|(tries, retry, (allow_failure, always, timeout))| {
        let words: Vec<String> =
            tries.iter().map(|(seconds, code)| format!("{seconds}:{code}")).collect();
        with(&words.join(" "), |command| {
            command.retry = retry;
            command.allow_failure = allow_failure;
            command.always = always;
            command.timeout = timeout.map(Duration::from_secs);
        })
    })
}

fn any_step() -> impl Strategy<Value = Step> {
    any_command().prop_recursive(4, 40, 5, |inner| {
        let steps = || proptest::collection::vec(inner.clone(), 0..5);
        let limit = proptest::option::of(1..4_u32);
        prop_oneof![
            steps().prop_map(seq),
            (limit, any::<bool>(), steps())
                .prop_map(|(limit, fail_fast, steps)| group(limit, fail_fast, steps)),
        ]
    })
}

proptest! {
    #[test]
    fn every_tree_means_what_the_reference_says(
        steps in proptest::collection::vec(any_step(), 0..6),
        cancel in proptest::option::of(1..4000_u64),
    ) {
        let mut root = seq(steps.clone());
        number(&NodeId::root(), &mut root);
        let mut expected = step(&root, 0, cancel.unwrap_or(NEVER));
        prop_assume!(!expected.is_tied);
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap();
        let cancel = cancel.map(|seconds| (seconds, Stop::Cancelled));
        let ran = runtime.block_on(run_until(steps, cancel));
        let mut log: Vec<&str> = ran.log.split_whitespace().collect();
        log.sort_unstable();
        expected.runs.sort_unstable();
        prop_assert_eq!(log, expected.runs);
        prop_assert_eq!(ran.result, Ok(expected.failed.join(" ")));
        prop_assert_eq!(ran.seconds, expected.at);
    }
}
