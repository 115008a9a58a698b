//! Finds the actor that someone means.

mod alike;

use std::collections::{BTreeMap, VecDeque};

use crate::wire::{Actor, ErrorBody, Heir};

/// How many shown pids are remembered: enough for every screen an operator may still look at.
const REMEMBERED: usize = 10_000;

/// Says why a reference does not name an actor.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Miss {
    /// Nothing is called so; these are the paths of what is called nearly so.
    Unknown(Vec<String>),
    /// Several are; these are their paths.
    Ambiguous(Vec<String>),
    /// That life has ended.
    Gone(Heir),
}

impl Miss {
    /// Returns the HTTP status that says so, and the body that explains it.
    pub(crate) fn explain(self, reference: &str) -> (u16, ErrorBody) {
        let body = |code: &str, message| ErrorBody {
            code: code.to_owned(),
            message,
            matches: Vec::new(),
            heir: None,
        };
        match self {
            Self::Unknown(alike) => {
                let hint = match alike.as_slice() {
                    [] => String::new(),
                    alike => format!("; did you mean {}?", alike.join(" or ")),
                };
                (404, body("not_found", format!("no actor is called {reference}{hint}")))
            }
            Self::Ambiguous(matches) => {
                let message = format!("{} actors are called {reference}", matches.len());
                (409, ErrorBody { matches, ..body("ambiguous", message) })
            }
            Self::Gone(heir) => {
                let now = heir.now.as_ref();
                let now =
                    now.map_or("nobody is there now".to_owned(), |now| format!("now it is {now}"));
                let message = format!("{} was {} and is gone; {now}", heir.gone, heir.path);
                (410, ErrorBody { heir: Some(heir), ..body("gone", message) })
            }
        }
    }
}

/// Remembers which paths the pids had that were shown to someone, so that a pid from an old screen
/// is answered with its heir and never hits another actor.
#[derive(Debug, Default)]
pub(crate) struct Shown {
    paths: BTreeMap<String, String>,
    order: VecDeque<String>,
}

impl Shown {
    pub(crate) fn remember(&mut self, pid: &str, path: &str) {
        if self.paths.insert(pid.to_owned(), path.to_owned()).is_none() {
            self.order.push_back(pid.to_owned());
        }
        if self.order.len() > REMEMBERED
            && let Some(oldest) = self.order.pop_front()
        {
            self.paths.remove(&oldest);
        }
    }
}

/// Finds an actor by pid, path, `@root`, the end of its path, or the beginning of its id or path.
///
/// The more exact reading wins; within one reading there must be only one match.
pub(crate) fn find<'a>(
    reference: &str,
    actors: &'a [Actor],
    shown: &Shown,
) -> Result<&'a Actor, Miss> {
    if reference == "@root" {
        return actors.first().ok_or(Miss::Unknown(Vec::new()));
    }
    if let Some(actor) = actors.iter().find(|actor| actor.pid.as_deref() == Some(reference)) {
        return Ok(actor);
    }
    if let Some(path) = shown.paths.get(reference) {
        return Err(Miss::Gone(heir(reference, path, actors)));
    }
    let readings: [&dyn Fn(&Actor) -> bool; 3] = [
        &|actor| actor.path == reference,
        &|actor| actor.path.strip_suffix(reference).is_some_and(|rest| rest.ends_with('/')),
        &|actor| actor.id.starts_with(reference) || actor.path.starts_with(reference),
    ];
    for reading in readings {
        let matches: Vec<&Actor> = actors.iter().filter(|actor| reading(actor)).collect();
        match matches.as_slice() {
            [] => {}
            [actor] => return Ok(actor),
            several => {
                return Err(Miss::Ambiguous(
                    several.iter().map(|actor| actor.path.clone()).collect(),
                ));
            }
        }
    }
    Err(Miss::Unknown(alike::alike(reference, actors)))
}

fn heir(gone: &str, path: &str, actors: &[Actor]) -> Heir {
    let now = actors.iter().find(|actor| actor.path == path).and_then(|actor| actor.pid.clone());
    Heir { gone: gone.to_owned(), path: path.to_owned(), now }
}

#[cfg(test)]
mod tests;
