//! The lines.

mod administration;
mod auto_shutdown;
mod bonds;
mod dynamic;
mod intensity;
mod names;
mod restart_types;
mod stage;
mod start;
mod stop;
mod strategies;

use std::future::Future;
use std::pin::Pin;

use crate::peer::Peer;
use crate::score::Verdict;

/// One promise, and the play that shows whether it is kept.
pub struct Line {
    /// Its place in the conformance list.
    pub number: &'static str,
    /// What is promised.
    pub says: &'static str,
    pub(crate) play: Box<dyn Fn() -> Play + Send>,
}

type Play = Pin<Box<dyn Future<Output = Verdict>>>;

/// Lists the lines as they are put to an implementation.
pub fn lines<P: Peer>() -> Vec<Line> {
    let mut lines = start::lines::<P>();
    lines.extend(restart_types::lines::<P>());
    lines.extend(strategies::lines::<P>());
    lines.extend(intensity::lines::<P>());
    lines.extend(auto_shutdown::lines::<P>());
    lines.extend(stop::lines::<P>());
    lines.extend(administration::lines::<P>());
    lines.extend(dynamic::lines::<P>());
    lines.extend(bonds::lines::<P>());
    lines.extend(names::lines::<P>());
    lines
}

fn line<F: Future<Output = Verdict> + 'static>(
    number: &'static str,
    says: &'static str,
    play: impl Fn() -> F + Send + 'static,
) -> Line {
    Line { number, says, play: Box::new(move || Box::pin(play())) }
}
