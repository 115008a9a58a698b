//! Breadth first, until nothing new comes up.

use std::collections::{HashSet, VecDeque};
use std::fmt;

use heights_core::Dice;

use crate::history::History;
use crate::setups::Setup;
use crate::turn::turns;
use crate::world::{Key, Stimulus, Subject, World};

/// Many more states than any setup has: a state is not recognized if there are more.
const TOO_MANY: usize = 100_000;

/// What an exploration came to.
#[derive(Debug, Default)]
pub struct Explored {
    pub states: usize,
    pub steps: usize,
}

/// Something that must not be, and the shortest way to it.
pub struct Violation {
    pub what: String,
    setup: Setup,
    pub history: History,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.what)?;
        writeln!(f, "{:?}, as happens in these steps:", self.setup)?;
        write!(f, "{:?}", self.history)
    }
}

/// Lets a supervisor live for a while, whatever happens to it, and returns what did.
pub fn wander(setup: &Setup, seed: u64) -> History {
    let mut dice = Dice::new(seed);
    let mut pick = move |number: usize| (dice.roll() * number as f64) as usize;
    let mut world = World::new(setup, setup.machine());
    let mut stimuli = vec![Stimulus::Boot];
    for _ in 0..100 {
        if stimuli.is_empty() {
            break;
        }
        let stimulus = stimuli.swap_remove(pick(stimuli.len()));
        let turned = turns(&world, &stimulus).unwrap_or_else(|(what, history)| {
            panic!("{stimulus:?}: {what}, as happens in these steps:\n{history:?}")
        });
        let (ended, lives): (Vec<_>, Vec<_>) = turned.into_iter().partition(|world| world.ended);
        let mut choice = if lives.is_empty() { ended } else { lives };
        world = choice.swap_remove(pick(choice.len()));
        stimuli = world.stimuli();
        // Its own end is likely enough without being asked for.
        stimuli.retain(|stimulus| *stimulus != Stimulus::Stop);
    }
    world.history
}

/// Visits every state that can be reached.
pub fn explore<S: Subject>(setup: &Setup, subject: S) -> Result<Explored, Box<Violation>> {
    let mut frontier = Frontier { setup, known: HashSet::new(), next: VecDeque::new(), steps: 0 };
    frontier.visit(&World::new(setup, subject), &Stimulus::Boot)?;
    while let Some(world) = frontier.next.pop_front() {
        for stimulus in world.stimuli() {
            frontier.visit(&world, &stimulus)?;
        }
    }
    Ok(Explored { states: frontier.known.len(), steps: frontier.steps })
}

struct Frontier<'a, S> {
    setup: &'a Setup,
    known: HashSet<Key>,
    next: VecDeque<World<S>>,
    steps: usize,
}

impl<S: Subject> Frontier<'_, S> {
    /// Goes one step and keeps where it leads to, unless that is known.
    fn visit(&mut self, world: &World<S>, stimulus: &Stimulus) -> Result<(), Box<Violation>> {
        self.steps += 1;
        let turned = turns(world, stimulus).map_err(|(what, history)| {
            let what = format!("{stimulus:?}: {what}");
            Box::new(Violation { what, setup: self.setup.clone(), history })
        });
        for world in turned? {
            if self.known.insert(world.key()) {
                self.next.push_back(world);
            }
        }
        assert!(self.known.len() < TOO_MANY, "states are not recognized: {:?}", world.key());
        Ok(())
    }
}
