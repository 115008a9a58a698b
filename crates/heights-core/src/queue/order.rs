//! What each discipline has to remember beside the waiters themselves.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::Arc;

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

/// Whose turn it is: each key in turn, and within a key each of its parts.
type Turns = Rota<Rota<BTreeSet<Ticket>>>;

/// What a turn belongs to: a key or a part of one; those without have one of their own.
type Name = Option<Arc<str>>;

/// Lines that take turns, by name.
#[derive(Debug, Default)]
pub(super) struct Rota<L> {
    turns: VecDeque<Name>,
    lines: HashMap<Name, L>,
}

/// People who wait, in lines of lines as deep as their paths are long.
pub(super) trait Line: Default {
    fn head(&self) -> Option<Ticket>;
    fn is_empty(&self) -> bool;
    fn join(&mut self, ticket: Ticket, path: &[Name]);
    /// The one whose turn it was leaves, and whose turn it was goes to the end.
    fn served(&mut self, ticket: Ticket, path: &[Name]);
    fn left(&mut self, ticket: Ticket, path: &[Name]);
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
            turns.join(ticket, &path(key));
        }
    }

    pub(super) fn served(&mut self, ticket: Ticket, key: Option<&Key>) {
        if let Some(places) = self.places() {
            places.0.pop_first();
        }
        if let Self::Fair(turns, _) = self {
            turns.served(ticket, &path(key));
        }
    }

    pub(super) fn left(&mut self, ticket: Ticket, key: Option<&Key>) {
        if let Some(places) = self.places()
            && !places.0.remove(&ticket)
        {
            places.0.pop_last();
        }
        if let Self::Fair(turns, _) = self {
            turns.left(ticket, &path(key));
        }
    }

    fn places(&mut self) -> Option<&mut Places> {
        match self {
            Self::Arrival | Self::CoDel(_) => None,
            Self::Newest(places) | Self::Fair(_, places) => Some(places),
        }
    }
}

impl Line for BTreeSet<Ticket> {
    fn head(&self) -> Option<Ticket> {
        self.first().copied()
    }

    fn is_empty(&self) -> bool {
        Self::is_empty(self)
    }

    fn join(&mut self, ticket: Ticket, _path: &[Name]) {
        self.insert(ticket);
    }

    fn served(&mut self, ticket: Ticket, _path: &[Name]) {
        self.remove(&ticket);
    }

    fn left(&mut self, ticket: Ticket, _path: &[Name]) {
        self.remove(&ticket);
    }
}

impl<L: Line> Line for Rota<L> {
    fn head(&self) -> Option<Ticket> {
        self.lines.get(self.turns.front()?)?.head()
    }

    fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    fn join(&mut self, ticket: Ticket, path: &[Name]) {
        let Some((name, rest)) = path.split_first() else { return };
        let line = self.lines.entry(name.clone()).or_default();
        if line.is_empty() {
            self.turns.push_back(name.clone());
        }
        line.join(ticket, rest);
    }

    fn served(&mut self, ticket: Ticket, path: &[Name]) {
        let Some((name, rest)) = path.split_first() else { return };
        if let Some(line) = self.lines.get_mut(name) {
            line.served(ticket, rest);
        }
        self.close_if_empty(name);
        if self.turns.front() == Some(name) {
            self.turns.rotate_left(1);
        }
    }

    fn left(&mut self, ticket: Ticket, path: &[Name]) {
        let Some((name, rest)) = path.split_first() else { return };
        if let Some(line) = self.lines.get_mut(name) {
            line.left(ticket, rest);
        }
        self.close_if_empty(name);
    }
}

impl<L: Line> Rota<L> {
    /// A name under which nobody waits has no turn.
    fn close_if_empty(&mut self, name: &Name) {
        if self.lines.get(name).is_some_and(L::is_empty) {
            self.lines.remove(name);
            self.turns.retain(|turn| turn != name);
        }
    }
}

/// The key, and the part of it.
fn path(key: Option<&Key>) -> [Name; 2] {
    [key.map(|key| key.whole.clone()), key.and_then(|key| key.part.clone())]
}
