//! Holds a condition against a picture.

use super::{About, Claim, Comparison, Figure, Node};
use crate::wire::{Actor, Picture};

/// How many actors are named that speak against one claim.
const NAMED: usize = 5;

/// Tells whether it holds, and collects what speaks against it.
pub(super) fn holds(node: &Node, picture: &Picture, against: &mut Vec<String>) -> bool {
    match node {
        Node::All(parts) => {
            // All of them are judged, so that one learns of everything that is missing.
            parts.iter().filter(|part| !holds(part, picture, against)).count() == 0
        }
        Node::Any(parts) => {
            let before = against.len();
            let holds = parts.iter().any(|part| holds(part, picture, against));
            if holds {
                against.truncate(before);
            }
            holds
        }
        Node::Not(part) => {
            let mut rest = Vec::new();
            let holds = !holds(part, picture, &mut rest);
            if !holds {
                against.push(format!("it holds: {part}"));
            }
            holds
        }
        Node::Claim(claim) => claim_holds(claim, picture, against),
    }
}

fn claim_holds(claim: &Claim, picture: &Picture, against: &mut Vec<String>) -> bool {
    let matching = || picture.tree.actors.iter().filter(|actor| claim.pattern.matches(&actor.path));
    let pattern = claim.pattern.text();
    match &claim.about {
        About::Figure(Figure::Count, comparison, value) => {
            let count = matching().count() as u64;
            together("count", pattern, count, (*comparison, *value), against)
        }
        About::Figure(Figure::Crashes, comparison, value) => {
            let crashes = picture.crashes.iter();
            let count = crashes.filter(|crash| claim.pattern.matches(&crash.path)).count() as u64;
            together("crashes", pattern, count, (*comparison, *value), against)
        }
        _ if matching().next().is_none() => {
            against.push(format!("no actor matches {pattern}"));
            false
        }
        about => {
            let mut refuted = matching().filter_map(|actor| refute(about, actor)).peekable();
            let holds = refuted.peek().is_none();
            against.extend(refuted.take(NAMED));
            holds
        }
    }
}

fn together(
    name: &str,
    pattern: &str,
    count: u64,
    (comparison, value): (Comparison, u64),
    against: &mut Vec<String>,
) -> bool {
    let holds = comparison.holds(count, value);
    if !holds {
        against.push(format!("{name}({pattern})={count}"));
    }
    holds
}

/// Says what speaks against a claim about one actor.
fn refute(about: &About, actor: &Actor) -> Option<String> {
    let path = &actor.path;
    match about {
        About::Exists => None,
        About::State(comparison, word) => {
            let state = actor.state.as_str();
            let holds = (state == word) == (*comparison == Comparison::Equal);
            (!holds).then(|| format!("state({path})={state}"))
        }
        About::Figure(figure, comparison, value) => {
            let name = figure.as_str();
            match figure.of(actor) {
                None => Some(format!("{name}({path}) is not known")),
                Some(known) => {
                    let holds = comparison.holds(known, *value);
                    (!holds).then(|| format!("{name}({path})={known}{}", figure.unit()))
                }
            }
        }
    }
}

impl Comparison {
    fn holds(self, left: u64, right: u64) -> bool {
        match self {
            Self::Equal => left == right,
            Self::Unequal => left != right,
            Self::Less => left < right,
            Self::AtMost => left <= right,
            Self::More => left > right,
            Self::AtLeast => left >= right,
        }
    }
}

impl Figure {
    /// Returns the figure of an actor, if it is known and is one of a single actor.
    fn of(self, actor: &Actor) -> Option<u64> {
        match self {
            Self::Mailbox => actor.mailbox,
            Self::Peak => actor.mailbox_peak,
            // Where nothing waits, nothing has waited for any time.
            Self::Oldest => actor.oldest_ms.or((actor.mailbox == Some(0)).then_some(0)),
            Self::Waited => actor.waited_ms,
            // An actor that handles nothing has handled it for no time.
            Self::Busy => Some(actor.working.as_ref().map_or(0, |working| working.since_ms)),
            Self::Handled => actor.handled,
            Self::Failed => actor.failed,
            Self::Dropped => actor.dropped,
            Self::Restarts => actor.restarts.map(u64::from),
            Self::Life => actor.incarnation.map(u64::from),
            Self::Age => actor.age_ms,
            Self::Count | Self::Crashes => None,
        }
    }
}
