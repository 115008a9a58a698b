//! What the screen shows, and what keys do to it. Nothing here draws or asks.

use std::collections::BTreeSet;
use std::time::Duration;

use heights_vitals::wire::{ControlOutcome, Picture};
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::rows::{Row, rows};

/// How often a new picture is asked for, and between which bounds that can be set.
const INTERVAL: Duration = Duration::from_secs(2);
const SHORTEST: Duration = Duration::from_millis(250);
const LONGEST: Duration = Duration::from_secs(60);

/// How far a page turns.
const PAGE: usize = 20;

/// What is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum View {
    Tree,
    Top,
    Queues,
    Crashes,
    System,
}

impl View {
    pub const ALL: [(Self, &'static str); 5] = [
        (Self::Tree, "tree"),
        (Self::Top, "top"),
        (Self::Queues, "queues"),
        (Self::Crashes, "crashes"),
        (Self::System, "system"),
    ];
}

/// By what the list of the busiest is sorted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    Mailbox,
    Wait,
    Busy,
    Restarts,
}

impl Order {
    const ALL: [Self; 4] = [Self::Mailbox, Self::Wait, Self::Busy, Self::Restarts];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Mailbox => "mailbox",
            Self::Wait => "wait",
            Self::Busy => "busy",
            Self::Restarts => "restarts",
        }
    }
}

/// What lies over the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Over {
    Nothing,
    /// The keys.
    Help,
    /// One actor, and why it does what it does.
    Actor {
        path: String,
    },
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
}

/// Everything that the screen shows.
#[derive(Debug)]
pub struct Model {
    pub picture: Picture,
    pub view: View,
    pub over: Over,
    pub order: Order,
    pub reversed: bool,
    pub filter: String,
    pub folded: BTreeSet<String>,
    /// What is selected stays selected wherever it moves.
    pub selected: Option<String>,
    /// Said at the bottom until the next key.
    pub message: Option<String>,
    /// Why there is no newer picture.
    pub lost: Option<String>,
    pub colour: bool,
    living: bool,
    paused: bool,
    interval: Duration,
}

impl Model {
    pub fn new(picture: Picture, living: bool, colour: bool) -> Self {
        Self {
            picture,
            view: View::Tree,
            over: Over::Nothing,
            order: Order::Mailbox,
            reversed: false,
            filter: String::new(),
            folded: BTreeSet::new(),
            selected: None,
            message: None,
            lost: None,
            colour,
            living,
            paused: false,
            interval: INTERVAL,
        }
    }

    pub fn interval(&self) -> Duration {
        self.interval
    }

    pub fn is_paused(&self) -> bool {
        self.paused
    }

    pub fn is_living(&self) -> bool {
        self.living
    }

    /// Takes a new picture.
    pub fn see(&mut self, picture: Picture) {
        self.picture = picture;
        self.lost = None;
    }

    /// Keeps the last picture, and why there is no newer one.
    pub fn lose(&mut self, why: &str) {
        self.lost = Some(why.to_owned());
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

    /// Returns the rows of the view, and which of them is selected.
    pub fn rows(&self) -> (Vec<Row>, usize) {
        let rows = rows(self);
        let selected = self.selected.as_ref();
        let at = rows.iter().position(|row| Some(&row.key) == selected).unwrap_or(0);
        (rows, at)
    }

    /// Does what a key says.
    pub fn press(&mut self, key: KeyEvent) -> Effect {
        self.message = None;
        if key.code == KeyCode::Char('c') && key.modifiers.contains(KeyModifiers::CONTROL) {
            return Effect::Quit;
        }
        match &mut self.over {
            Over::Nothing => self.press_list(key.code),
            Over::Filter => {
                match key.code {
                    KeyCode::Char(letter) => self.filter.push(letter),
                    KeyCode::Backspace => {
                        self.filter.pop();
                    }
                    KeyCode::Esc => {
                        self.filter.clear();
                        self.over = Over::Nothing;
                    }
                    KeyCode::Enter => self.over = Over::Nothing,
                    _ => {}
                }
                Effect::None
            }
            Over::Proposal { .. } => self.press_proposal(key.code),
            Over::Actions { path } => {
                let reference = path.clone();
                self.press_actions(key.code, reference)
            }
            Over::Help | Over::Actor { .. } => {
                if key.code == KeyCode::Char('x')
                    && let Over::Actor { path } = &self.over
                {
                    self.over = Over::Actions { path: path.clone() };
                } else {
                    self.over = Over::Nothing;
                }
                Effect::None
            }
        }
    }

    fn press_list(&mut self, key: KeyCode) -> Effect {
        match key {
            KeyCode::Char('q') => return Effect::Quit,
            KeyCode::Char('?') => self.over = Over::Help,
            KeyCode::Char('/') => self.over = Over::Filter,
            KeyCode::Char(digit @ '1'..='5') => {
                let at = digit as usize - '1' as usize;
                self.view = View::ALL[at].0;
            }
            KeyCode::Char('s') => self.sort_next(),
            KeyCode::Char('r') => self.reversed = !self.reversed,
            KeyCode::Char('p') => self.paused = !self.paused,
            KeyCode::Char('-') => self.interval = (self.interval / 2).max(SHORTEST),
            KeyCode::Char('+') => self.interval = (self.interval * 2).min(LONGEST),
            KeyCode::Char(' ') => self.fold(),
            KeyCode::Char('c') => self.fold_all(),
            KeyCode::Char('e') => self.folded.clear(),
            KeyCode::Char('g') => return Effect::Refresh,
            KeyCode::Char('x') => {
                if let Some(path) = self.selected_path() {
                    self.over = Over::Actions { path };
                }
            }
            KeyCode::Enter | KeyCode::Char('!') => {
                if let Some(path) = self.selected_path() {
                    self.over = Over::Actor { path };
                }
            }
            KeyCode::Esc => self.filter.clear(),
            KeyCode::Down | KeyCode::Char('j') => self.step(1, true),
            KeyCode::Up | KeyCode::Char('k') => self.step(1, false),
            KeyCode::PageDown => self.step(PAGE, true),
            KeyCode::PageUp => self.step(PAGE, false),
            KeyCode::Home => self.step(usize::MAX, false),
            KeyCode::End => self.step(usize::MAX, true),
            _ => {}
        }
        Effect::None
    }

    fn press_actions(&mut self, key: KeyCode, reference: String) -> Effect {
        self.over = Over::Nothing;
        let action = match key {
            KeyCode::Char('s') => "stop",
            KeyCode::Char('r') => "restart",
            KeyCode::Char('k') => "kill",
            KeyCode::Char('p') => "suspend",
            KeyCode::Char('u') => "resume",
            _ => return Effect::None,
        };
        if !self.living {
            self.say("a snapshot cannot be acted on");
            return Effect::None;
        }
        Effect::Foresee { action, reference }
    }

    fn press_proposal(&mut self, key: KeyCode) -> Effect {
        let Over::Proposal { outcome, typed } = &mut self.over else { return Effect::None };
        match key {
            KeyCode::Esc => self.over = Over::Nothing,
            KeyCode::Backspace => {
                typed.pop();
            }
            KeyCode::Char(letter) => typed.push(letter),
            KeyCode::Enter => {
                if crate::act::is_confirmed(outcome, typed) {
                    let (action, reference) = (outcome.action.clone(), outcome.pid.clone());
                    self.over = Over::Nothing;
                    return Effect::Act { action, reference };
                }
                self.say("nothing was done");
            }
            _ => {}
        }
        Effect::None
    }

    /// Returns the path of the selected actor, if the view is one of actors.
    fn selected_path(&self) -> Option<String> {
        let (rows, at) = self.rows();
        rows.get(at).and_then(|row| row.path.clone())
    }

    fn step(&mut self, by: usize, down: bool) {
        let (rows, at) = self.rows();
        let last = rows.len().saturating_sub(1);
        let to = if down { at.saturating_add(by).min(last) } else { at.saturating_sub(by) };
        self.selected = rows.get(to).map(|row| row.key.clone());
    }

    fn sort_next(&mut self) {
        let at = Order::ALL.iter().position(|order| *order == self.order).unwrap_or(0);
        self.order = Order::ALL[(at + 1) % Order::ALL.len()];
    }

    fn fold(&mut self) {
        if self.view != View::Tree {
            return;
        }
        if let Some(path) = self.selected_path()
            && !self.folded.remove(&path)
        {
            self.folded.insert(path);
        }
    }

    fn fold_all(&mut self) {
        let supervisors = self.picture.tree.actors.iter().filter(|actor| actor.depth > 0);
        let supervisors = supervisors.filter(|actor| actor.supervision.is_some());
        self.folded = supervisors.map(|actor| actor.path.clone()).collect();
    }
}
