//! H: stopping.

use tokio::time::Instant;

use super::stage::{SECOND, Stage, expect, hold, only, soon, within};
use super::{Line, line};
use crate::peer::{Peer, StopRule, Strategy};
use crate::score::Verdict;

pub(super) fn lines<P: Peer>() -> Vec<Line> {
    vec![
        line("H66", "a stop is in reverse order, and every stop hook runs", in_reverse::<P>),
        line(
            "H67",
            "a child that takes longer than its limit is killed, exactly then",
            killed_in_time::<P>,
        ),
        line("H69", "a child without a limit is waited for", waited_for::<P>),
        line("H70", "when a stop returns, no state of any child is left", nothing_left::<P>),
        line(
            "H71",
            "two that stop it at once are both answered when it is over",
            both_answered::<P>,
        ),
    ]
}

async fn in_reverse<P: Peer>() -> Verdict {
    let stage = Stage::new(Strategy::OneForOne);
    let peer: P = stage.up().await?;
    within(peer.stop()).await?;
    soon().await;
    expect(&only(&stage.log.take(), &['-']), "-c -b -a")
}

async fn killed_in_time<P: Peer>() -> Verdict {
    let stage = Stage::of(Strategy::OneForOne, |puppet| puppet.stop_takes(SECOND * 60));
    let stage = stage.stopping(StopRule::Within(SECOND * 2));
    let peer: P = stage.up().await?;
    let begin = Instant::now();
    within(peer.stop()).await?;
    let log = stage.log.take();
    hold(begin.elapsed() == SECOND * 6, || format!("it takes {:?}", begin.elapsed()))?;
    expect(&log, "~c ~b ~a")
}

async fn waited_for<P: Peer>() -> Verdict {
    let stage = Stage::of(Strategy::OneForOne, |puppet| puppet.stop_takes(SECOND * 60));
    let stage = stage.stopping(StopRule::Wait);
    let peer: P = stage.up().await?;
    within(peer.stop()).await?;
    expect(&only(&stage.log.take(), &['-']), "-c -b -a")
}

async fn nothing_left<P: Peer>() -> Verdict {
    let stage = Stage::of(Strategy::OneForOne, |puppet| puppet.stop_takes(SECOND));
    let peer: P = stage.up().await?;
    within(peer.stop()).await?;
    let log = stage.log.take();
    hold(["~a", "~b", "~c"].iter().all(|one| log.contains(one)), || format!("saw `{log}`"))
}

async fn both_answered<P: Peer>() -> Verdict {
    let stage = Stage::of(Strategy::OneForOne, |puppet| puppet.stop_takes(SECOND));
    let peer: P = stage.up().await?;
    let stop = async || {
        within(peer.stop()).await?;
        hold(stage.log.read().contains("~a"), || "one is answered too early".to_owned())
    };
    let (one, other) = tokio::join!(stop(), stop());
    one.and(other)
}
