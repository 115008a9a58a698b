//! What is foreseen, against what the machines of supervisors decide, on a thousand trees.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use heights_core::{
    Action as Decided, AutoShutdown, ChildId, ChildPlan, ChildRun, ChildState, Event, ExitClass,
    Flags, Intensity, Machine, Moment, Restart as Rule, Strategy,
};

use super::*;

/// How many trees are grown.
const TREES: u64 = 1_000;

/// Rolls the same numbers for the same seed.
struct Dice(u64);

impl Dice {
    fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }

    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963);
        usize::try_from(self.0 >> 33).unwrap() % sides
    }
}

/// A tree, and the machine of each supervisor by its path.
struct Grown {
    dice: Dice,
    actors: Vec<Actor>,
    machines: BTreeMap<String, Machine>,
}

/// What became of a tree.
#[derive(Debug, Default, PartialEq)]
struct Fate {
    /// Who was started again.
    restarts: BTreeSet<String>,
    /// Who was stopped along with the one that ended, and stays down.
    stays_down: BTreeSet<String>,
    escalates: Vec<String>,
    ends_all: bool,
}

impl Grown {
    fn new(seed: u64) -> Self {
        let (actors, machines) = (Vec::new(), BTreeMap::new());
        let mut grown = Self { dice: Dice::new(seed), actors, machines };
        grown.grow("app", Actor::at("app"));
        grown
    }

    /// Adds a supervisor, which is `like` this otherwise, and all below it.
    fn grow(&mut self, path: &str, like: Actor) {
        let (strategy, shape) = self.strategy(path);
        let (auto_shutdown, shape) = self.auto_shutdown(shape);
        let intensity = Intensity::new(shape.max_restarts, Duration::from_secs(5));
        self.actors.push(Actor {
            kind: Some(Kind::Supervisor),
            supervision: Some(shape),
            ..alive(path, like)
        });
        let mut plans: Vec<ChildPlan> = Vec::new();
        for _ in 0..=self.dice.roll(5) {
            let plan = self.plan(&plans, auto_shutdown);
            let child = format!("{path}/{}", plan.id);
            let like = described(&child, &plan);
            plans.push(plan);
            if child.matches('/').count() < 3 && self.dice.roll(3) == 0 {
                self.grow(&child, like);
            } else {
                self.actors.push(alive(&child, like));
            }
        }
        let flags = Flags { intensity, auto_shutdown, backoff: None };
        let mut machine = Machine::new(strategy, flags, plans).unwrap();
        drive(&mut machine, Event::Boot, |_| {});
        self.machines.insert(path.to_owned(), machine);
    }

    fn strategy(&mut self, path: &str) -> (Strategy, Supervision) {
        let strategies = [
            (Strategy::OneForOne, "one_for_one"),
            (Strategy::OneForAll, "one_for_all"),
            (Strategy::RestForOne, "rest_for_one"),
        ];
        let (strategy, name) = strategies[self.dice.roll(3)];
        let left = u32::try_from(self.dice.roll(2)).unwrap();
        let shape = supervisor(path, name, left).supervision.unwrap();
        (strategy, Supervision { max_restarts: left, ..shape })
    }

    fn auto_shutdown(&mut self, shape: Supervision) -> (AutoShutdown, Supervision) {
        let ends = [
            (AutoShutdown::Never, None),
            (AutoShutdown::AnySignificant, Some("any_significant")),
            (AutoShutdown::AllSignificant, Some("all_significant")),
        ];
        let (auto_shutdown, name) = ends[self.dice.roll(3)];
        (auto_shutdown, Supervision { auto_shutdown: name.map(str::to_owned), ..shape })
    }

    fn plan(&mut self, elders: &[ChildPlan], auto_shutdown: AutoShutdown) -> ChildPlan {
        let mut plan = ChildPlan::worker(format!("c{}", elders.len()));
        plan.restart = [Rule::Permanent, Rule::Transient, Rule::Temporary][self.dice.roll(3)];
        plan.significant = self.dice.roll(2) == 0
            && plan.restart != Rule::Permanent
            && auto_shutdown != AutoShutdown::Never;
        let bonds = elders.iter().filter(|_| self.dice.roll(3) == 0);
        plan.binds_to = bonds.map(|elder| elder.id.clone()).collect();
        plan
    }

    /// Ends an actor and has the machines decide what follows.
    fn end(&mut self, path: &str, class: ExitClass) -> Fate {
        let mut fate = Fate::default();
        let (mut fallen, mut class) = (path.to_owned(), class);
        while let Some((parent, id)) = fallen.clone().rsplit_once('/') {
            let machine = self.machines.get_mut(parent).unwrap();
            let id = ChildId::from(id);
            let Some(ChildState::Running(incarnation)) = machine.state_of(&id) else {
                panic!("{fallen} runs")
            };
            let (mut started, mut stopped) = (BTreeSet::new(), BTreeSet::new());
            let exited = Event::Exited(ChildRun { id, incarnation }, class);
            let is_over = drive(machine, exited, |decided| {
                let _is_new = match decided {
                    Decided::Start(run) => started.insert(format!("{parent}/{}", run.id)),
                    Decided::Stop(run, _) => stopped.insert(format!("{parent}/{}", run.id)),
                    _ => false,
                };
            });
            if !is_over {
                fate.stays_down = stopped.difference(&started).cloned().collect();
                fate.restarts = started;
                return fate;
            }
            fate.escalates.push(parent.to_owned());
            (fallen, class) = (parent.to_owned(), ExitClass::Shutdown);
        }
        fate.ends_all = true;
        fate
    }
}

fn alive(path: &str, like: Actor) -> Actor {
    Actor {
        pid: Some(path.to_owned()),
        parent: path.rsplit_once('/').map(|(parent, _)| parent.to_owned()),
        state: State::Idle,
        ..like
    }
}

fn described(path: &str, plan: &ChildPlan) -> Actor {
    let restart = match plan.restart {
        Rule::Permanent => Restart::Permanent,
        Rule::Transient => Restart::Transient,
        Rule::Temporary => Restart::Temporary,
    };
    Actor {
        kind: Some(Kind::Worker),
        restart: Some(restart),
        significant: plan.significant,
        binds_to: plan.binds_to.iter().map(ToString::to_string).collect(),
        ..Actor::at(path)
    }
}

/// Feeds a machine until it wants nothing more; `true` if its supervisor ends.
fn drive(machine: &mut Machine, event: Event, mut note: impl FnMut(&Decided)) -> bool {
    let (mut next, mut is_over) = (Some(event), false);
    while let Some(event) = next.take() {
        for decided in machine.step(Moment::ZERO, event) {
            note(&decided);
            match decided {
                Decided::Start(run) => next = Some(Event::Started(run)),
                Decided::Stop(run, _) => next = Some(Event::Stopped(run)),
                Decided::Exit(_) => is_over = true,
                _ => {}
            }
        }
    }
    is_over
}

/// What was foreseen, in the words of what became of it.
fn foretold(outcome: &ControlOutcome, target: &str) -> Fate {
    let depth = |path: &str| path.matches('/').count();
    // Machines tell of their own children, and not of what is below those.
    let beside = |path: &&String| path.as_str() != target && depth(path) == depth(target);
    Fate {
        restarts: outcome.restarts.iter().cloned().collect(),
        stays_down: outcome.ends.iter().filter(beside).cloned().collect(),
        escalates: outcome.escalates.clone(),
        ends_all: outcome.ends_all,
    }
}

#[test]
fn what_is_foreseen_is_what_the_machines_decide() {
    let mut seen = [0; 4];
    for seed in 0..TREES {
        let actors = Grown::new(seed).actors;
        let target = &actors[Dice::new(seed + TREES).roll(actors.len())];
        if target.parent.is_none() {
            continue;
        }
        for (action, class) in
            [(Action::Kill, ExitClass::Abnormal), (Action::Stop, ExitClass::Shutdown)]
        {
            let outcome = foresee(action, target, &actors, true).unwrap();
            // The same tree once more, as machines remember.
            let mut actual = Grown::new(seed).end(&target.path, class);
            let mut foretold = foretold(&outcome, &target.path);
            if !actual.escalates.is_empty() {
                // Who stays down above has another depth.
                (actual.stays_down, foretold.stays_down) = Default::default();
            }
            assert_eq!(foretold, actual, "{seed} {action:?} {} in {actors:#?}", target.path);
            let kinds = [
                !actual.restarts.is_empty(),
                !actual.stays_down.is_empty(),
                !actual.escalates.is_empty(),
                actual.ends_all,
            ];
            for (count, is_so) in seen.iter_mut().zip(kinds) {
                *count += usize::from(is_so);
            }
        }
    }
    assert!(seen.iter().all(|count| *count > 10), "each kind of fate was seen: {seen:?}");
}
