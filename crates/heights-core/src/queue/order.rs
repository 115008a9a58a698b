//! What each discipline has to remember beside the waiters themselves.

use std::collections::{BTreeSet, HashMap, VecDeque};

use super::{Discipline, Key, Ticket};
use crate::CoDel;

/// The memory of a discipline.
#[derive(Debug)]
pub(super) enum Order {
    /// Arrival is all there is.
    Arrival,
    /// Arrival, and how long it has taken lately.
    CoDel(CoDel),
    /// The newest first.
    Newest(Places),
    /// Each key in turn.
    Fair(Turns, Places),
}

/// The places in line of those who wait. A place is not a person: when somebody is served out of
/// turn, the oldest place is used up, and who owned it goes on waiting in another.
#[derive(Debug, Default)]
pub(super) struct Places(BTreeSet<Ticket>);

/// Whose turn it is, by key.
#[derive(Debug, Default)]
pub(super) struct Turns {
    turns: VecDeque<Option<Key>>,
    lines: HashMap<Option<Key>, BTreeSet<Ticket>>,
}

impl Order {
    pub(super) fn new(discipline: Discipline) -> Self {
        match discipline {
            Discipline::Fifo => Self::Arrival,
            Discipline::Lifo => Self::Newest(Places::default()),
            Discipline::Fair => Self::Fair(Turns::default(), Places::default()),
            Discipline::CoDel { target, interval } => Self::CoDel(CoDel::new(target, interval)),
        }
    }

    pub(super) fn codel(&mut self) -> Option<&mut CoDel> {
        if let Self::CoDel(codel) = self { Some(codel) } else { None }
    }

    /// The oldest place, where places differ from people.
    pub(super) fn place(&self) -> Option<Ticket> {
        match self {
            Self::Arrival | Self::CoDel(_) => None,
            Self::Newest(places) | Self::Fair(_, places) => places.0.first().copied(),
        }
    }

    pub(super) fn fairest(&self) -> Option<Ticket> {
        if let Self::Fair(turns, _) = self { turns.head() } else { None }
    }

    pub(super) fn join(&mut self, ticket: Ticket, key: Option<&Key>) {
        if let Some(places) = self.places() {
            places.0.insert(ticket);
        }
        if let Self::Fair(turns, _) = self {
            turns.join(ticket, key);
        }
    }

    pub(super) fn served(&mut self, ticket: Ticket, key: Option<&Key>) {
        if let Some(places) = self.places() {
            places.0.pop_first();
        }
        if let Self::Fair(turns, _) = self {
            turns.served(ticket, key);
        }
    }

    pub(super) fn left(&mut self, ticket: Ticket, key: Option<&Key>) {
        if let Some(places) = self.places()
            && !places.0.remove(&ticket)
        {
            places.0.pop_last();
        }
        if let Self::Fair(turns, _) = self {
            turns.left(ticket, key);
        }
    }

    fn places(&mut self) -> Option<&mut Places> {
        match self {
            Self::Arrival | Self::CoDel(_) => None,
            Self::Newest(places) | Self::Fair(_, places) => Some(places),
        }
    }
}

impl Turns {
    fn head(&self) -> Option<Ticket> {
        self.lines.get(self.turns.front()?)?.first().copied()
    }

    fn join(&mut self, ticket: Ticket, key: Option<&Key>) {
        let line = self.lines.entry(key.cloned()).or_default();
        if line.is_empty() {
            self.turns.push_back(key.cloned());
        }
        line.insert(ticket);
    }

    /// The key whose turn it was goes to the end.
    fn served(&mut self, ticket: Ticket, key: Option<&Key>) {
        self.left(ticket, key);
        if self.turns.front().is_some_and(|turn| turn.as_ref() == key) {
            self.turns.rotate_left(1);
        }
    }

    fn left(&mut self, ticket: Ticket, key: Option<&Key>) {
        let key = key.cloned();
        let Some(line) = self.lines.get_mut(&key) else { return };
        line.remove(&ticket);
        if line.is_empty() {
            self.lines.remove(&key);
            self.turns.retain(|turn| *turn != key);
        }
    }
}
