//! Whole trees in virtual time, each told by one number.
//!
//! Everything that could differ from run to run comes from the seed: the clock is paused, there is
//! one thread, and chance is [`Sim::dice`]. So a seed that fails once fails always, and telling it
//! is telling the whole story.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::Trace;

/// One simulated life of a program.
#[derive(Debug)]
pub struct Sim {
    dice: u64,
    trace: Trace,
}

impl Sim {
    /// Rolls a number below `sides`.
    ///
    /// # Panics
    ///
    /// When there are no sides.
    pub fn dice(&mut self, sides: u64) -> u64 {
        // SplitMix64: a good number from any state, the neighbors of a seed included.
        self.dice = self.dice.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut roll = self.dice;
        roll = (roll ^ (roll >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        roll = (roll ^ (roll >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (roll ^ (roll >> 31)) % sides
    }

    /// Picks one of several.
    ///
    /// # Panics
    ///
    /// When there are none.
    pub fn pick<'a, T>(&mut self, choices: &'a [T]) -> &'a T {
        let sides = u64::try_from(choices.len()).expect("no slice is that long");
        let roll = usize::try_from(self.dice(sides)).expect("it is below the length");
        &choices[roll]
    }

    /// Returns the trace of this life, where all that matters is noted.
    pub const fn trace(&self) -> &Trace {
        &self.trace
    }
}

/// Plays a scenario once; returns its event log, which depends on the seed alone.
///
/// ```
/// use heights_testkit::simulation::{Sim, play};
///
/// let scenario = async |sim: &mut Sim| {
///     tokio::time::sleep(std::time::Duration::from_secs(sim.dice(60))).await;
///     sim.trace().note("awake");
/// };
/// assert_eq!(play(7, scenario), play(7, scenario));
/// ```
///
/// # Panics
///
/// When the scenario does; and when the system has no room for another runtime.
pub fn play(seed: u64, scenario: impl AsyncFnOnce(&mut Sim)) -> String {
    in_virtual_time(async {
        let mut sim = Sim { dice: seed, trace: Trace::new() };
        scenario(&mut sim).await;
        sim.trace.take_text()
    })
}

/// Plays a scenario once for each seed.
///
/// # Panics
///
/// At the first seed at which the scenario does, with the seed and what had happened until then.
/// To see it again, play that seed alone.
///
/// ```
/// use heights::prelude::*;
/// use heights_testkit::simulation::{Sim, play_all};
/// use heights_testkit::{Actor, FaultPlan};
///
/// play_all(0..10, async |sim: &mut Sim| {
///     let faults = FaultPlan::new().fail_at(1 + sim.dice(3));
///     let (spec, child) = sim.trace().child("child", &faults);
///     let root = Supervisor::builder("root").child(spec).start().await.expect("it comes up");
///     for _ in 0..3 {
///         child.running().await;
///         drop(child.call(Actor::Step).await);
///     }
///     root.stop().await;
///     let (starts, ends): (Vec<_>, Vec<_>) =
///         sim.trace().take().into_iter().partition(|line| line.starts_with('+'));
///     assert_eq!((starts.len(), ends.len()), (2, 2), "one life before the fault and one after");
/// });
/// ```
pub fn play_all(seeds: impl IntoIterator<Item = u64>, scenario: impl AsyncFn(&mut Sim)) {
    for seed in seeds {
        let mut so_far = None;
        let playing = || {
            in_virtual_time(async {
                let mut sim = Sim { dice: seed, trace: Trace::new() };
                so_far = Some(sim.trace.clone());
                scenario(&mut sim).await;
            });
        };
        if let Err(panic) = catch_unwind(AssertUnwindSafe(playing)) {
            let why = panic.downcast_ref::<String>().map(String::as_str);
            let why = why.or_else(|| panic.downcast_ref::<&str>().copied());
            let log = so_far.map(|trace| trace.take_text()).unwrap_or_default();
            panic!("seed {seed}: {}\n{log}", why.unwrap_or("it panicked"));
        }
    }
}

fn in_virtual_time<T>(playing: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime of one thread needs nothing that could be missing");
    runtime.block_on(playing)
}
