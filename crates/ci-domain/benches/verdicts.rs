//! How many verdicts a second the pure core gives, and how many events it takes.
//!
//! `cargo bench -p ci-domain` prints both for pull requests of growing size; `-- --quick` asks whether it
//! works. A verdict is all that `pr why` shows; an event is the end of a job, folded and decided on, with
//! the whole report on what GitHub should say now, as the actor of a pull request has it made.

#![expect(clippy::print_stdout, reason = "printing is what it is for")]
#![expect(clippy::unwrap_used, reason = "a bench may fail loudly")]

use std::collections::BTreeSet;
use std::hint::black_box;
use std::time::{Duration, Instant};

use ci_domain::forge::{Head, Kinship, PullFacts, PullState, Timestamp};
use ci_domain::ids::{BuildNumber, CommitSha, JobId, PullNumber};
use ci_domain::may_run::Isolation;
use ci_domain::outcome::{JobResult, Outcome};
use ci_domain::outline::{Basis, Outline, OutlineJob, Preparation, Prepared};
use ci_domain::pipeline::When;
use ci_domain::policy::Policy;
use ci_domain::pull::{Observation, Pull, PullConfig, PullEvent};
use ci_domain::report::Voice;

/// Components of the pull requests, each with three jobs; the last is the most that there may be.
const SIZES: [usize; 3] = [5, 50, 200];

fn main() {
    let is_quick = std::env::args().any(|argument| argument == "--quick");
    let patience = Duration::from_millis(if is_quick { 20 } else { 2_000 });
    println!("{:>10} {:>6} {:>14} {:>14}", "components", "jobs", "verdicts/s", "events/s");
    for components in SIZES {
        let (verdicts, events) = (verdicts(components, patience), events(components, patience));
        println!("{components:>10} {:>6} {verdicts:>14.0} {events:>14.0}", components * 3);
    }
}

/// Verdicts on a pull request of which half the jobs have ended.
fn verdicts(components: usize, patience: Duration) -> f64 {
    let jobs = jobs(components);
    let mut pull = planned(&jobs);
    for job in &jobs[..jobs.len() / 2] {
        pull.replay(finished(job));
    }
    let (begin, mut count) = (Instant::now(), 0_u32);
    while begin.elapsed() < patience {
        assert!(!black_box(&pull).verdict().unmet.is_empty());
        count += 1;
    }
    f64::from(count) / begin.elapsed().as_secs_f64()
}

/// Ends of jobs, one after the other until all have ended, and again.
fn events(components: usize, patience: Duration) -> f64 {
    let (jobs, voice) = (jobs(components), voice());
    let (mut spent, mut count) = (Duration::ZERO, 0_u32);
    while spent < patience {
        let mut pull = planned(&jobs);
        let begin = Instant::now();
        for job in &jobs {
            black_box(pull.apply(finished(job)).unwrap());
            black_box(pull.report(&voice).unwrap());
            count += 1;
        }
        spent += begin.elapsed();
    }
    f64::from(count) / spent.as_secs_f64()
}

/// A pull request that was planned and not approved.
fn planned(jobs: &[JobId]) -> Pull {
    let mut pull = Pull::new(PullConfig {
        repo: "acme/shop".parse().unwrap(),
        number: PullNumber(7),
        prefix: "shop-p7".to_owned(),
        isolation: Isolation::Namespaces,
        isolation_trouble: String::new(),
    });
    let (head, base) = (sha('a'), sha('b'));
    let basis = Basis { head: head.clone(), base: base.clone(), policy: base.clone() };
    pull.replay(PullEvent::Observed(Observation {
        facts: facts(head, base.clone()),
        policy: base,
        preexisting: false,
    }));
    let result = Preparation::Planned { merge: sha('c'), outline: outline(jobs) };
    let (policy, policy_error) = (Policy::default(), None);
    pull.replay(PullEvent::Prepared(Box::new(Prepared { basis, policy, policy_error, result })));
    pull
}

/// `c1:compile`, `c1:test` and `c1:ship`, which waits for approval, and so on.
fn jobs(components: usize) -> Vec<JobId> {
    let names = ["compile", "test", "ship"];
    let of = |component: usize| names.map(|name| format!("c{component}:{name}").parse().unwrap());
    (0..components).flat_map(of).collect()
}

fn outline(jobs: &[JobId]) -> Outline {
    let mut outline = Outline::default();
    for job in jobs {
        let compile = JobId { component: job.component.clone(), job: "compile".parse().unwrap() };
        let is_compile = *job == compile;
        let needs = if is_compile { BTreeSet::new() } else { [compile].into() };
        let when = if job.job.as_str() == "ship" { When::Approved } else { When::Always };
        let digest = "d".repeat(64);
        outline.affected.insert(job.component.clone());
        std::sync::Arc::make_mut(&mut outline.jobs)
            .insert(job.clone(), OutlineJob { needs, when, optional: false, digest });
    }
    outline
}

fn finished(job: &JobId) -> PullEvent {
    let outcome = Outcome {
        result: JobResult::Passed,
        attempt: Some("shop-p7-b1-1".parse().unwrap()),
        build: BuildNumber(1),
        digest: "d".repeat(64),
        duration: Duration::from_secs(1),
    };
    PullEvent::JobFinished { head: sha('a'), job: job.clone(), outcome }
}

fn facts(head: CommitSha, base: CommitSha) -> PullFacts {
    PullFacts {
        number: PullNumber(7),
        title: "Add a cart".to_owned(),
        author: "bob".parse().unwrap(),
        head: Head {
            sha: head,
            branch: "cart".parse().unwrap(),
            repo: Some("acme/shop".parse().unwrap()),
        },
        kinship: Kinship::Same,
        base: "main".parse().unwrap(),
        base_sha: Some(base),
        draft: false,
        state: PullState::Open,
        reviews: Vec::new(),
        created_at: Timestamp(1),
        updated_at: Timestamp(1),
    }
}

fn voice() -> Voice {
    Voice { node: "ci".to_owned(), public_url: "https://ci.example.com".to_owned() }
}

fn sha(digit: char) -> CommitSha {
    CommitSha::new(digit.to_string().repeat(40)).unwrap()
}
