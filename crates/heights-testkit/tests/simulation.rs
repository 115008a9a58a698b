//! Small trees of all shapes, to which all sorts of things happen, in thousands of short lives.

#![expect(clippy::unwrap_used, reason = "a test may fail loudly")]

use std::collections::HashMap;
use std::time::Duration;

use heights::prelude::*;
use heights::{ChildRef, Report, SupervisorBuilder, SupervisorRef};
use heights_testkit::simulation::{Sim, play, play_all};
use heights_testkit::{Actor, FaultPlan, Trace};

/// Enough for every shape to meet most faults; more are played by raising it.
const SEEDS: u64 = 3_000;

const STRATEGIES: [Strategy; 3] = [Strategy::OneForOne, Strategy::OneForAll, Strategy::RestForOne];
const RESTARTS: [Restart; 3] = [Restart::Permanent, Restart::Transient, Restart::Temporary];

/// Names each child so that its place in the order of starts can be read from it: a2 is the third
/// child of the root, b0 the first of a supervisor below it.
fn family(sim: &mut Sim, prefix: &str, refs: &mut Vec<ChildRef<Actor>>) -> SupervisorBuilder {
    let strategy = *sim.pick(&STRATEGIES);
    let intensity = u32::try_from(sim.dice(4)).unwrap();
    let mut builder = Supervisor::builder(format!("{prefix}-family"))
        .strategy(strategy)
        .intensity(intensity, Duration::from_secs(5));
    for number in 0..1 + sim.dice(3) {
        let mut faults = FaultPlan::new();
        for step in 1..6 {
            faults = match sim.dice(8) {
                0 | 1 => faults.fail_at(step),
                2 => faults.fail_start(step + 1),
                3 => faults.hang_start(step + 1),
                4 => faults.slow_stop(Duration::from_secs(sim.dice(8))),
                _ => faults,
            };
        }
        let (spec, child) = sim.trace().child(format!("{prefix}{number}"), &faults);
        builder = builder.child(spec.restart(*sim.pick(&RESTARTS)));
        refs.push(child);
    }
    builder
}

async fn act(sim: &mut Sim, root: &SupervisorRef, children: &[ChildRef<Actor>]) {
    let child = sim.pick(children).clone();
    let id = format!("a{}", sim.dice(3));
    match sim.dice(10) {
        0 => tokio::time::sleep(Duration::from_millis(sim.dice(20_000))).await,
        // Who is asked may refuse, or not be there: that is its good right.
        1 => drop(root.terminate_child(&*id).await),
        2 => drop(root.restart_child(&*id).await),
        3 => drop(root.delete_child(&*id).await),
        4 => child.current().iter().for_each(|current| current.process().kill()),
        5 => child.current().iter().for_each(|current| current.process().stop()),
        _ => drop(child.call(Actor::Step).await),
    }
}

/// Notes in the trace what the supervisors report.
fn listen(trace: &Trace) -> heights::Recipient<Report> {
    let trace = trace.clone();
    heights::Recipient::from_fn(move |report: Report| match report {
        Report::Supervisor(report) => {
            trace.note(format!("! {} {:?} {}", report.supervisor, report.context, report.child));
        }
        Report::Left(report) => trace.note(format!("left {} {}", report.supervisor, report.child)),
        _ => {}
    })
}

async fn life(sim: &mut Sim) {
    let mut children = Vec::new();
    let mut root = family(sim, "a", &mut children).on_report(listen(sim.trace()));
    if sim.dice(2) == 0 {
        root = root.child(family(sim, "b", &mut children).child_spec().0);
    }
    let root = root.start().await.unwrap();
    let hub = root.hub().unwrap();
    for _ in 0..sim.dice(20) {
        act(sim, &root, &children).await;
    }
    if sim.dice(2) == 0 {
        // Whatever is under way comes to its end; from here on the order is the supervisors'.
        tokio::time::sleep(Duration::from_secs(1_000)).await;
        sim.trace().note("calm");
    }
    root.stop().await;
    sim.trace().note("stopped");
    let left = hub.snapshot().processes;
    assert!(left.is_empty(), "left behind: {left:?}");
    check(&sim.trace().take_text());
    assert!(children.iter().all(|child| child.current().is_none()));
}

/// What must hold in every life: one life of a child at a time, those of a kill aside, which do
/// not say when they end, and an orderly end.
fn check(log: &str) {
    let mut lives: HashMap<&str, usize> = HashMap::new();
    let (mut calm, mut last) = (false, None);
    for line in log.lines().map(|line| line[11..].trim()) {
        match line.split_at(1) {
            ("+", id) => {
                assert!(!calm, "{id} starts out of nothing:\n{log}");
                *lives.entry(id).or_default() += 1;
            }
            ("-", rest) => {
                let id = rest.split(' ').next().unwrap();
                let lives = lives.get_mut(id).unwrap();
                assert!(*lives > 0, "{id} ends twice:\n{log}");
                *lives -= 1;
                // The family below is the youngest of the root, so b goes before a.
                let place = (id.starts_with('a'), std::cmp::Reverse(id[1..].to_owned()));
                if calm {
                    assert!(last.as_ref() < Some(&place), "{id} stops out of order:\n{log}");
                    last = Some(place);
                }
            }
            _ => calm |= line == "calm",
        }
    }
}

#[test]
fn whatever_happens_a_tree_ends_in_good_order() {
    play_all(0..SEEDS, life);
}

#[test]
fn the_same_seed_leads_to_the_same_log() {
    let log = |seed| {
        play(seed, async |sim| {
            let mut children = Vec::new();
            let builder = family(sim, "a", &mut children).on_report(listen(sim.trace()));
            let root = builder.start().await.unwrap();
            for _ in 0..10 {
                act(sim, &root, &children).await;
            }
            root.stop().await;
        })
    };
    for seed in 0..100 {
        let first = log(seed);
        assert!(first.lines().count() > 1, "nothing happens with seed {seed}");
        assert_eq!(first, log(seed), "seed {seed}");
    }
}

#[test]
#[should_panic(expected = "seed 5: too much")]
fn a_failure_names_its_seed() {
    let mut lives = 0;
    let lives = std::cell::Cell::from_mut(&mut lives);
    play_all(0..10, async |sim: &mut Sim| {
        sim.trace().note("so far so good");
        lives.set(lives.get() + 1);
        assert!(lives.get() <= 5, "too much");
    });
}
