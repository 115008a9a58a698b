//! What the screen shows. Nothing here draws or asks.

use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

use heights_vitals::wire::{ControlOutcome, Picture, StateView};

use super::listing::Listing;
use super::tracing::Tracing;
use crate::dress::Dress;
use crate::rates::Sample;

/// How often a new picture is asked for, and between which bounds that can be set.
const INTERVAL: Duration = Duration::from_secs(2);
const SHORTEST: Duration = Duration::from_millis(250);
const LONGEST: Duration = Duration::from_secs(60);

/// How many paces are remembered: as many as one looks at.
const PACES: usize = 16;

/// What is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum View {
    Tree,
    Top,
    Queues,
    Crashes,
    Trace,
    System,
}

impl View {
    pub const ALL: [(Self, &'static str); 6] = [
        (Self::Tree, "tree"),
        (Self::Top, "top"),
        (Self::Queues, "queues"),
        (Self::Crashes, "crashes"),
        (Self::Trace, "trace"),
        (Self::System, "system"),
    ];
}

/// By what the list of the busiest is sorted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    Mailbox,
    Busy,
    Rate,
    Wait,
    Restarts,
}

impl Order {
    pub const ALL: [(Self, &'static str); 5] = [
        (Self::Mailbox, "mailbox"),
        (Self::Busy, "busy"),
        (Self::Rate, "rate"),
        (Self::Wait, "wait"),
        (Self::Restarts, "restarts"),
    ];

    pub fn as_str(self) -> &'static str {
        Self::ALL.iter().find(|(order, _)| *order == self).map_or("", |(_, name)| name)
    }
}

/// What lies over the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Over {
    Nothing,
    /// The keys.
    Help,
    /// What can be done to an actor.
    Actions {
        path: String,
    },
    /// What an action would do, and what has been typed to confirm it.
    Proposal {
        outcome: Box<ControlOutcome>,
        typed: String,
    },
    /// Part of a path is being typed.
    Filter,
    /// A command is being typed.
    Command {
        typed: String,
    },
}

/// One thing that is looked at instead of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    pub subject: Subject,
    /// How many lines are above the screen.
    pub scroll: usize,
}

/// What a page is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    /// An actor, and what it shows of its state, or why it shows nothing.
    Actor { path: String, state: Option<Result<StateView, String>> },
    /// A crash, by life and moment.
    Crash { pid: String, at_ms: u64 },
}

/// What a key asks for beyond the model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    None,
    Quit,
    Refresh,
    /// Ask what an action would do.
    Foresee {
        action: &'static str,
        reference: String,
    },
    /// Do it, to exactly the life that was shown.
    Act {
        action: String,
        reference: String,
    },
    /// Ask an actor for its state.
    State {
        path: String,
    },
    /// Tell of an actor's messages.
    Trace {
        path: String,
    },
    /// Tell of them no more.
    EndTrace,
    /// Give a text to the terminal to be pasted elsewhere.
    Copy(String),
}

/// Why there is no newer picture, and for how long.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lost {
    pub why: String,
    pub since: Duration,
}

/// Everything that the screen shows.
#[derive(Debug)]
pub struct Model {
    pub picture: Picture,
    /// What was counted when the picture before was taken.
    pub before: Sample,
    /// How many messages all actors handled in a second, at the latest pictures.
    pub paces: VecDeque<u64>,
    pub view: View,
    pub over: Over,
    pub page: Option<Page>,
    pub tracing: Option<Tracing>,
    pub order: Order,
    pub reversed: bool,
    pub filter: String,
    pub folded: BTreeSet<String>,
    pub listing: Listing,
    /// Whether all columns are shown, and how many letters are left of the screen then.
    pub wide: bool,
    pub left: usize,
    /// Said at the bottom until the next key.
    pub message: Option<String>,
    pub lost: Option<Lost>,
    pub dress: Dress,
    living: bool,
    pub(super) paused: bool,
    interval: Duration,
    /// How many rows the list has on the screen.
    pub height: usize,
}

impl Model {
    pub fn new(picture: Picture, living: bool, dress: Dress) -> Self {
        let mut model = Self {
            before: Sample::default(),
            picture,
            paces: VecDeque::new(),
            view: View::Tree,
            over: Over::Nothing,
            page: None,
            tracing: None,
            order: Order::Mailbox,
            reversed: false,
            filter: String::new(),
            folded: BTreeSet::new(),
            listing: Listing::default(),
            wide: false,
            left: 0,
            message: None,
            lost: None,
            dress,
            living,
            paused: false,
            interval: INTERVAL,
            height: 20,
        };
        model.relist();
        model
    }

    pub fn interval(&self) -> Duration {
        self.interval
    }

    /// Looks half as often, or twice as often.
    pub fn pace(&mut self, slower: bool) {
        let interval = if slower { self.interval * 2 } else { self.interval / 2 };
        self.interval = interval.clamp(SHORTEST, LONGEST);
    }

    pub fn is_paused(&self) -> bool {
        self.paused
    }

    pub fn is_living(&self) -> bool {
        self.living
    }

    /// Takes a new picture.
    pub fn see(&mut self, picture: Picture) {
        let before = Sample::of(&self.picture.tree);
        if before.before(&picture.tree) > 0 {
            self.before = before;
        }
        if let Some(pace) = self.before.total(&picture.tree) {
            self.paces.push_back(pace.round() as u64);
            self.paces.drain(..self.paces.len().saturating_sub(PACES));
        }
        self.picture = picture;
        self.lost = None;
        self.relist();
    }

    /// Keeps the last picture, and why there is no newer one.
    pub fn lose(&mut self, why: &str, since: Duration) {
        self.lost = Some(Lost { why: why.to_owned(), since });
    }

    /// Says something until the next key.
    pub fn say(&mut self, message: &str) {
        self.message = Some(message.trim_end().to_owned());
        self.over = Over::Nothing;
    }

    /// Shows what an action would do and waits for an answer.
    pub fn propose(&mut self, outcome: ControlOutcome) {
        self.over = Over::Proposal { outcome: Box::new(outcome), typed: String::new() };
    }

    /// Takes what an actor shows of its state, if its page is still open.
    pub fn show_state(&mut self, of: &str, shown: Result<StateView, String>) {
        if let Some(Page { subject: Subject::Actor { path, state }, .. }) = &mut self.page
            && path == of
        {
            *state = Some(shown);
        }
    }

    /// Turns to a view.
    pub fn turn_to(&mut self, view: View) {
        self.view = view;
        self.page = None;
        self.left = 0;
        self.listing.begin();
        self.relist();
        if view == View::Trace {
            self.step(usize::MAX, true);
        }
    }

    /// Finds the rows of the view anew; what was selected stays selected wherever it is now.
    pub fn relist(&mut self) {
        let listing = Listing::of(self);
        self.listing = listing;
    }

    /// Returns the path of the actor that the page or the selected row is about.
    pub fn selected_path(&self) -> Option<String> {
        if let Some(page) = &self.page {
            return match &page.subject {
                Subject::Actor { path, .. } => Some(path.clone()),
                Subject::Crash { .. } => None,
            };
        }
        let at = self.listing.selected()?;
        match self.view {
            View::Tree | View::Top | View::Queues => {
                self.picture.tree.actors.get(at).map(|actor| actor.path.clone())
            }
            View::Crashes => self.picture.crashes.get(at).map(|crash| crash.path.clone()),
            View::Trace => self.tracing.as_ref().and_then(|tracing| tracing.path_at(at)),
            View::System => None,
        }
    }

    /// Opens the page of an actor and asks for its state.
    pub fn open_actor(&mut self, path: String) -> Effect {
        let subject = Subject::Actor { path: path.clone(), state: None };
        self.page = Some(Page { subject, scroll: 0 });
        if self.living { Effect::State { path } } else { Effect::None }
    }

    /// Opens the page of what is selected.
    pub fn open(&mut self) -> Effect {
        let crash = || self.picture.crashes.get(self.listing.selected()?);
        if self.view == View::Crashes
            && let Some(crash) = crash()
        {
            let subject = Subject::Crash { pid: crash.pid.clone(), at_ms: crash.at_ms };
            self.page = Some(Page { subject, scroll: 0 });
            return Effect::None;
        }
        self.selected_path().map_or(Effect::None, |path| self.open_actor(path))
    }

    /// Begins to show the messages of an actor.
    pub fn begin_trace(&mut self, path: String) -> Effect {
        if !self.living {
            self.say("a snapshot holds no messages");
            return Effect::None;
        }
        self.tracing = Some(Tracing::of(&path));
        self.turn_to(View::Trace);
        Effect::Trace { path }
    }
}
