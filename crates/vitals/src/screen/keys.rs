//! What keys do to the model.

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::model::{Effect, Model, Order, Over, Page, View};
use super::words::{self, Word};

/// How many letters a wide list moves at once.
const SIDEWAYS: usize = 16;

/// The actions of the window `x`, by their keys.
const ACTIONS: [(char, &str); 6] = [
    ('s', "stop"),
    ('d', "drain"),
    ('r', "restart"),
    ('k', "kill"),
    ('p', "suspend"),
    ('u', "resume"),
];

impl Model {
    /// Does what a key says.
    pub fn press(&mut self, key: KeyEvent) -> Effect {
        self.message = None;
        if key.code == KeyCode::Char('c') && key.modifiers.contains(KeyModifiers::CONTROL) {
            return Effect::Quit;
        }
        match &self.over {
            Over::Nothing if self.page.is_some() => self.press_page(key.code),
            Over::Nothing => self.press_list(key.code),
            Over::Filter => self.press_filter(key.code),
            Over::Command { .. } => self.press_command(key.code),
            Over::Proposal { .. } => self.press_proposal(key.code),
            Over::Actions { path } => {
                let reference = path.clone();
                self.press_actions(key.code, reference)
            }
            Over::Help => {
                self.over = Over::Nothing;
                Effect::None
            }
        }
    }

    /// Does what means the same on lists and on pages.
    fn press_anywhere(&mut self, key: KeyCode) -> Effect {
        match key {
            KeyCode::Char('q') => return Effect::Quit,
            KeyCode::Char('?') => self.over = Over::Help,
            KeyCode::Char(':') => self.over = Over::Command { typed: String::new() },
            KeyCode::Char(digit @ '1'..='6') => {
                self.turn_to(View::ALL[digit as usize - '1' as usize].0);
            }
            KeyCode::Char('p') => self.paused = !self.paused,
            KeyCode::Char('-') => self.pace(false),
            KeyCode::Char('+' | '=') => self.pace(true),
            KeyCode::Char('g') => return Effect::Refresh,
            KeyCode::Char('x') => {
                if let Some(path) = self.selected_path() {
                    self.over = Over::Actions { path };
                }
            }
            KeyCode::Char('t') => return self.press_trace(),
            KeyCode::Char('y') => {
                return self.selected_path().map_or(Effect::None, Effect::Copy);
            }
            _ => {}
        }
        Effect::None
    }

    fn press_list(&mut self, key: KeyCode) -> Effect {
        match key {
            KeyCode::Char('/') => self.over = Over::Filter,
            KeyCode::Char('s') => self.sort_next(),
            KeyCode::Char('r') => {
                self.reversed = !self.reversed;
                self.relist();
            }
            KeyCode::Char('w') => {
                self.wide = !self.wide;
                self.left = 0;
            }
            KeyCode::Right => self.left = self.left.saturating_add(SIDEWAYS),
            KeyCode::Left => self.left = self.left.saturating_sub(SIDEWAYS),
            KeyCode::Char(' ') => self.fold(),
            KeyCode::Char('c') => self.fold_all(),
            KeyCode::Char('e') => {
                self.folded.clear();
                self.relist();
            }
            KeyCode::Enter | KeyCode::Char('!') => return self.open(),
            KeyCode::Esc => {
                self.filter.clear();
                self.relist();
            }
            KeyCode::Down | KeyCode::Char('j') => self.step(1, true),
            KeyCode::Up | KeyCode::Char('k') => self.step(1, false),
            KeyCode::PageDown => self.step(self.height, true),
            KeyCode::PageUp => self.step(self.height, false),
            KeyCode::Home => self.step(usize::MAX, false),
            KeyCode::End => self.step(usize::MAX, true),
            key => return self.press_anywhere(key),
        }
        Effect::None
    }

    fn press_page(&mut self, key: KeyCode) -> Effect {
        let height = self.height;
        let Some(Page { scroll, .. }) = &mut self.page else { return Effect::None };
        match key {
            KeyCode::Esc | KeyCode::Backspace | KeyCode::Enter => self.page = None,
            KeyCode::Down | KeyCode::Char('j') => *scroll = scroll.saturating_add(1),
            KeyCode::Up | KeyCode::Char('k') => *scroll = scroll.saturating_sub(1),
            KeyCode::PageDown | KeyCode::Char(' ') => *scroll = scroll.saturating_add(height),
            KeyCode::PageUp => *scroll = scroll.saturating_sub(height),
            KeyCode::Home => *scroll = 0,
            KeyCode::End => *scroll = usize::MAX,
            key => return self.press_anywhere(key),
        }
        Effect::None
    }

    fn press_filter(&mut self, key: KeyCode) -> Effect {
        match key {
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
        self.relist();
        Effect::None
    }

    fn press_command(&mut self, key: KeyCode) -> Effect {
        let Over::Command { typed } = &mut self.over else { return Effect::None };
        match key {
            KeyCode::Char(letter) => typed.push(letter),
            KeyCode::Backspace => {
                typed.pop();
            }
            KeyCode::Esc => self.over = Over::Nothing,
            KeyCode::Enter => {
                let said = words::parse(typed);
                self.over = Over::Nothing;
                return match said {
                    Ok(word) => self.obey(word),
                    Err(wrong) => {
                        self.say(&wrong);
                        Effect::None
                    }
                };
            }
            _ => {}
        }
        Effect::None
    }

    fn obey(&mut self, word: Word) -> Effect {
        match word {
            Word::Nothing => {}
            Word::Quit => return Effect::Quit,
            Word::Turn(view) => self.turn_to(view),
            Word::Sort(order) => {
                self.order = order;
                self.turn_to(View::Top);
            }
            Word::Filter(text) => {
                self.filter = text;
                self.relist();
            }
            Word::Open(reference) => match self.picture.detail(&reference) {
                Ok(detail) => return self.open_actor(detail.actor.path),
                Err(error) => self.say(&error.to_string()),
            },
            Word::Trace(reference) => match self.picture.detail(&reference) {
                Ok(detail) => return self.begin_trace(detail.actor.path),
                Err(error) => self.say(&error.to_string()),
            },
            Word::Act(action, reference) => return self.foresee(action, reference),
        }
        Effect::None
    }

    fn press_trace(&mut self) -> Effect {
        let runs = self.tracing.as_ref().is_some_and(super::tracing::Tracing::is_running);
        if self.view == View::Trace && self.page.is_none() {
            return match &mut self.tracing {
                Some(tracing) if runs => {
                    tracing.end("by key");
                    Effect::EndTrace
                }
                Some(tracing) => {
                    let path = tracing.path.clone();
                    self.begin_trace(path)
                }
                None => Effect::None,
            };
        }
        self.selected_path().map_or(Effect::None, |path| self.begin_trace(path))
    }

    fn press_actions(&mut self, key: KeyCode, reference: String) -> Effect {
        self.over = Over::Nothing;
        let KeyCode::Char(letter) = key else { return Effect::None };
        match ACTIONS.iter().find(|(key, _)| *key == letter) {
            Some((_, action)) => self.foresee(action, reference),
            None => Effect::None,
        }
    }

    fn foresee(&mut self, action: &'static str, reference: String) -> Effect {
        if self.is_living() {
            return Effect::Foresee { action, reference };
        }
        self.say("a snapshot cannot be acted on");
        Effect::None
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

    fn sort_next(&mut self) {
        let at = Order::ALL.iter().position(|(order, _)| *order == self.order).unwrap_or(0);
        self.order = Order::ALL[(at + 1) % Order::ALL.len()].0;
        self.relist();
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
        self.relist();
    }

    fn fold_all(&mut self) {
        let supervisors = self.picture.tree.actors.iter().filter(|actor| actor.depth > 0);
        let supervisors = supervisors.filter(|actor| actor.supervision.is_some());
        self.folded = supervisors.map(|actor| actor.path.clone()).collect();
        self.relist();
    }
}
