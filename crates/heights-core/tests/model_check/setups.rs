//! The supervisors that are explored.

use std::time::Duration;

use heights_core::GiveUp::{Escalate, RemoveChild};
use heights_core::Restart::{Permanent, Temporary, Transient};
use heights_core::{
    AutoShutdown, Backoff, ChildId, ChildPlan, Flags, GiveUp, Intensity, Machine, Restart,
    RestartLimit, Strategy,
};

/// How long restarts count, in ticks of the world's clock.
pub const PERIOD: u64 = 2;

/// One supervisor.
#[derive(Debug, Clone)]
pub struct Setup {
    pub strategy: Strategy,
    pub flags: Flags,
    pub plans: Vec<ChildPlan>,
    /// Whether children are deleted and added again.
    pub edits: bool,
    /// What it may be reconfigured to.
    pub lists: Vec<Vec<ChildPlan>>,
}

const NAMES: [&str; 3] = ["b", "c", "a"];
const TYPES: [Restart; 3] = [Permanent, Transient, Temporary];

impl Setup {
    pub fn new(strategy: Strategy, restarts: [Restart; 3]) -> Self {
        let plan = |(name, restart)| ChildPlan { restart, ..ChildPlan::worker(name) };
        let intensity = Intensity::new(3, Duration::from_secs(PERIOD));
        Self {
            strategy,
            flags: Flags { intensity, ..Flags::default() },
            plans: NAMES.into_iter().zip(restarts).map(plan).collect(),
            edits: false,
            lists: Vec::new(),
        }
    }

    pub fn machine(&self) -> Machine {
        Machine::new(self.strategy, self.flags, self.plans.clone()).unwrap()
    }

    /// Lists every child that there ever is once, by the first of its plans.
    pub fn known(&self) -> Vec<&ChildPlan> {
        let mut known: Vec<&ChildPlan> = Vec::new();
        for plan in self.plans.iter().chain(self.lists.iter().flatten()) {
            if known.iter().all(|other| other.id != plan.id) {
                known.push(plan);
            }
        }
        known
    }

    /// Every way to give three children one of three restart types.
    pub fn all_restart_types(strategy: Strategy) -> impl Iterator<Item = Self> {
        let types = |number: usize| [TYPES[number / 9], TYPES[number / 3 % 3], TYPES[number % 3]];
        (0..27).map(move |number| Self::new(strategy, types(number)))
    }

    /// Supervisors whose children are deleted and added again, so that their order changes.
    pub fn edited(strategy: Strategy) -> Self {
        let mut setup = Self::new(strategy, [Permanent, Temporary, Transient]);
        setup.flags.intensity.restarts = 2;
        setup.edits = true;
        setup
    }

    /// Supervisors that wait before they restart. How long makes no difference here: timers fire
    /// whenever they like.
    pub fn delayed(strategy: Strategy) -> impl Iterator<Item = Self> {
        let types = [[Permanent; 3], [Permanent, Temporary, Transient]];
        types.into_iter().map(move |types| {
            let mut setup = Self::new(strategy, types);
            let second = Duration::from_secs(1);
            setup.flags.backoff = Some(Backoff::exponential(second, second));
            setup
        })
    }

    /// Supervisors that end when their significant children have.
    pub fn significant(strategy: Strategy) -> impl Iterator<Item = Self> {
        let flags = [AutoShutdown::AnySignificant, AutoShutdown::AllSignificant];
        let types = [[Transient; 3], [Temporary, Transient, Permanent]];
        flags.into_iter().flat_map(move |flag| {
            types.map(|types| {
                let mut setup = Self::new(strategy, types);
                setup.flags.auto_shutdown = flag;
                for plan in &mut setup.plans[..2] {
                    plan.significant = true;
                }
                setup
            })
        })
    }

    /// Supervisors with children that have limits of their own, the first of which is removed and
    /// the second of which takes all with it, if they fail too often.
    pub fn limited(strategy: Strategy) -> impl Iterator<Item = Self> {
        use AutoShutdown::{AllSignificant, AnySignificant, Never};
        let significant = [Transient, Transient, Temporary];
        let flags =
            [(Never, [Permanent; 3]), (AnySignificant, significant), (AllSignificant, significant)];
        flags.into_iter().map(move |(flag, types)| {
            let mut setup = Self::new(strategy, types);
            setup.flags.auto_shutdown = flag;
            setup.flags.intensity.restarts = 2;
            for (plan, then) in setup.plans.iter_mut().zip([RemoveChild, Escalate]) {
                plan.limit = Some(Box::new(limit(1, then)));
                plan.significant = flag != Never;
            }
            setup
        })
    }

    /// Supervisors with children that are bound to elder ones: in a row, to the same one, or to two.
    pub fn bound(strategy: Strategy) -> Vec<Self> {
        let shapes: [[&[&str]; 3]; 3] =
            [[&[], &["b"], &["c"]], [&[], &["b"], &["b"]], [&[], &[], &["b", "c"]]];
        let types = [[Permanent; 3], [Transient, Temporary, Permanent]];
        let bound = |(shape, types): ([&[&str]; 3], _)| {
            let mut setup = Self::new(strategy, types);
            setup.flags.intensity.restarts = 2;
            for (plan, on) in setup.plans.iter_mut().zip(shape) {
                plan.binds_to = on.iter().map(|on| ChildId::from(*on)).collect();
            }
            setup
        };
        shapes.into_iter().flat_map(|shape| types.map(|types| (shape, types))).map(bound).collect()
    }

    /// Bound children that are deleted and added again, have limits, wait before they are restarted,
    /// or are significant.
    pub fn bound_and_more(strategy: Strategy) -> [Self; 4] {
        let mut shapes = Self::bound(strategy);
        let mut edited = shapes[0].clone();
        edited.edits = true;
        edited.flags.intensity.restarts = 1;
        let mut limited = shapes[2].clone();
        limited.plans[0].limit = Some(Box::new(limit(1, RemoveChild)));
        let mut delayed = shapes[4].clone();
        let second = Duration::from_secs(1);
        delayed.flags.backoff = Some(Backoff::exponential(second, second));
        let mut significant = shapes.swap_remove(1);
        significant.flags.auto_shutdown = AutoShutdown::AllSignificant;
        significant.plans[0].significant = true;
        significant.plans[1].significant = true;
        [edited, limited, delayed, significant]
    }

    /// Supervisors that get new specs: another order, other restart types and limits, one child
    /// more, one less; and specs that are wrong.
    pub fn reconfigured(strategy: Strategy) -> Self {
        let plan = |id: &str, restart| ChildPlan { restart, ..ChildPlan::worker(id) };
        let limited = |id: &str, restart, restarts| ChildPlan {
            limit: Some(Box::new(limit(restarts, RemoveChild))),
            ..plan(id, restart)
        };
        let mut setup = Self::new(strategy, [Permanent; 3]);
        setup.flags.intensity.restarts = 2;
        setup.plans = vec![limited("b", Permanent, 1), plan("c", Transient)];
        let second = Duration::from_secs(1);
        let delayed = Backoff::exponential(second, second);
        setup.lists = vec![
            vec![plan("c", Temporary), plan("a", Temporary), limited("b", Transient, 1)],
            vec![
                limited("b", Permanent, 0),
                ChildPlan { backoff: Some(Box::new(delayed)), ..plan("a", Permanent) },
            ],
            vec![plan("a", Permanent), plan("b", Permanent), plan("a", Permanent)],
        ];
        setup
    }

    /// Supervisors that get specs with other bonds, in another order, with and without a delay; and
    /// specs with a bond that cannot be.
    pub fn rebound(strategy: Strategy) -> [Self; 2] {
        let plan = |id: &str, on: &[&str]| ChildPlan {
            binds_to: on.iter().map(|on| ChildId::from(*on)).collect(),
            ..ChildPlan::worker(id)
        };
        let mut prompt = Self::new(strategy, [Permanent; 3]);
        prompt.flags.intensity.restarts = 1;
        prompt.plans = vec![plan("b", &[]), plan("c", &["b"]), plan("a", &["c"])];
        prompt.lists = vec![
            vec![plan("c", &[]), plan("b", &[]), plan("a", &["b"])],
            vec![plan("a", &[]), plan("b", &["a"])],
            vec![plan("c", &["b"]), plan("b", &[])],
        ];
        let mut delayed = prompt.clone();
        let second = Duration::from_secs(1);
        delayed.flags.backoff = Some(Backoff::exponential(second, second));
        [prompt, delayed]
    }
}

const fn limit(restarts: u32, then: GiveUp) -> RestartLimit {
    RestartLimit { intensity: Intensity::new(restarts, Duration::from_secs(PERIOD)), then }
}
