//! C: which ends lead to a restart.

use super::stage::{Stage, hold, soon};
use super::{Line, line};
use crate::peer::{End, Peer, Restart, Strategy};
use crate::score::Verdict;

use End::{Error, Kill, Normal, Panic};

pub(super) fn lines<P: Peer>() -> Vec<Line> {
    vec![
        line(
            "C23",
            "a permanent child is restarted after a normal end, an error, a panic and a kill",
            || ends_of::<P>(Restart::Permanent, &[Normal, Error, Panic, Kill], &[]),
        ),
        line(
            "C24a",
            "a transient child is restarted after an error and a panic, not after a normal end",
            || ends_of::<P>(Restart::Transient, &[Error, Panic], &[Normal]),
        ),
        line("C24b", "a transient child is restarted after a kill", || {
            ends_of::<P>(Restart::Transient, &[Kill], &[])
        }),
        line("C25", "a temporary child is never restarted", || {
            ends_of::<P>(Restart::Temporary, &[], &[Normal, Error, Panic, Kill])
        }),
    ]
}

async fn ends_of<P: Peer>(restart: Restart, restarts: &[End], stays_down: &[End]) -> Verdict {
    for (ends, wanted) in [(restarts, true), (stays_down, false)] {
        for end in ends {
            let mut stage = Stage::new(Strategy::OneForOne);
            stage.plan.children[1].restart = restart;
            let peer: P = stage.up().await?;
            peer.tell("b", *end).await;
            soon().await;
            let restarted = stage.log.take().contains("+b");
            let not = if restarted { "" } else { "not " };
            hold(restarted == wanted, || format!("{not}restarted after {end:?}"))?;
        }
    }
    Ok(())
}
