//! Breadth first, until nothing new comes up.

use std::collections::{HashSet, VecDeque};
use std::fmt;
use std::hash::Hash;

use heights_core::Dice;

/// Many more states than any setup has: a state is not recognized if there are more.
const TOO_MANY: usize = 100_000;

/// A supervisor, its children, and what may happen to them.
pub trait Space: Clone {
    type Stimulus: Clone + PartialEq + fmt::Debug;
    /// All that decides what can still happen.
    type Key: PartialEq + Eq + Hash + fmt::Debug;

    fn key(&self) -> Self::Key;

    /// Lists what may happen now.
    fn stimuli(&self) -> Vec<Self::Stimulus>;

    /// Returns every world that can come of this; fails with a promise that is broken by it, in
    /// the first line, and how it came to that.
    fn turns(&self, stimulus: &Self::Stimulus) -> Result<Vec<Self>, String>;

    /// Fails, like `turns`, if something does not hold that must in any state.
    fn examine(&self) -> Result<(), String>;
}

/// What an exploration came to.
#[derive(Debug, Default, Clone, Copy)]
pub struct Explored {
    pub setups: usize,
    pub states: usize,
    pub steps: usize,
}

impl std::ops::AddAssign for Explored {
    fn add_assign(&mut self, other: Self) {
        self.setups += other.setups;
        self.states += other.states;
        self.steps += other.steps;
    }
}

/// Visits every state that can be reached; fails with a broken promise and the shortest way to it.
pub fn explore<W: Space>(start: W) -> Result<Explored, String> {
    let mut frontier = Frontier { known: HashSet::new(), next: VecDeque::from([start]), steps: 0 };
    while let Some(world) = frontier.next.pop_front() {
        for stimulus in world.stimuli() {
            let visited = frontier.visit(&world, &stimulus);
            visited.map_err(|broken| format!("{stimulus:?}: {broken}"))?;
        }
    }
    Ok(Explored { setups: 1, states: frontier.known.len(), steps: frontier.steps })
}

struct Frontier<W: Space> {
    known: HashSet<W::Key>,
    next: VecDeque<W>,
    steps: usize,
}

impl<W: Space> Frontier<W> {
    /// Goes one step and keeps where it leads to, unless that is known.
    fn visit(&mut self, world: &W, stimulus: &W::Stimulus) -> Result<(), String> {
        self.steps += 1;
        for world in world.turns(stimulus)? {
            if self.known.insert(world.key()) {
                world.examine()?;
                self.next.push_back(world);
            }
        }
        assert!(self.known.len() < TOO_MANY, "states are not recognized: {:?}", world.key());
        Ok(())
    }
}

/// Lives for a while, whatever happens, and goes on for as long as possible.
pub fn wander<W: Space>(mut world: W, seed: u64, avoid: &W::Stimulus) -> W {
    let mut dice = Dice::new(seed);
    let mut pick = move |number: usize| (dice.roll() * number as f64) as usize;
    for _ in 0..100 {
        let mut stimuli = world.stimuli();
        stimuli.retain(|stimulus| stimulus != avoid);
        if stimuli.is_empty() {
            break;
        }
        let stimulus = stimuli.swap_remove(pick(stimuli.len()));
        let turned = world.turns(&stimulus);
        let turned = turned.unwrap_or_else(|broken| panic!("{stimulus:?}: {broken}"));
        let goes_on = |world: &W| !world.stimuli().is_empty();
        let (lives, ended): (Vec<_>, Vec<_>) = turned.into_iter().partition(goes_on);
        let mut choice = if lives.is_empty() { ended } else { lives };
        world = choice.swap_remove(pick(choice.len()));
    }
    world
}
