//! D: who shares a fate, and in which order.

use super::stage::{Stage, expect, hold, only, soon, sorted, stops_of_siblings, within};
use super::{Line, line};
use crate::peer::{End, Peer, Strategy};
use crate::score::Verdict;

pub(super) fn lines<P: Peer>() -> Vec<Line> {
    vec![
        line("D30", "one for one: the siblings of a failed child go on", || {
            restarted::<P>(Strategy::OneForOne, "+b")
        }),
        line("D31a", "one for all: all children are restarted", || {
            restarted::<P>(Strategy::OneForAll, "+a +b +c")
        }),
        line(
            "D31b",
            "one for all: nothing of the old lives is left when the first new one starts",
            all_gone::<P>,
        ),
        line("D32", "rest for one: the failed child and the younger ones are restarted", || {
            restarted::<P>(Strategy::RestForOne, "+b +c")
        }),
        line("D33a", "siblings are stopped in reverse order, by their stop hooks", in_reverse::<P>),
        line("D33b", "siblings are started again in order", in_order::<P>),
        line(
            "D34",
            "a restarted child keeps its place in the order of the stop",
            keeps_its_place::<P>,
        ),
        line(
            "D38",
            "two children that fail at once cause one coordinated restart",
            both_at_once::<P>,
        ),
        line("D41", "the old state is dropped before the next life begins", old_state_first::<P>),
    ]
}

async fn restarted<P: Peer>(strategy: Strategy, wanted: &str) -> Verdict {
    let stage = Stage::new(strategy);
    let peer: P = stage.up().await?;
    peer.tell("b", End::Panic).await;
    soon().await;
    expect(&sorted(&stage.log.take(), &['+']), wanted)
}

async fn all_gone<P: Peer>() -> Verdict {
    let stage = Stage::new(Strategy::OneForAll);
    let peer: P = stage.up().await?;
    peer.tell("b", End::Panic).await;
    soon().await;
    let log = stage.log.take();
    let first = log.find('(').unwrap_or(log.len());
    let gone = only(&log[..first], &['~']);
    hold(["~a", "~b", "~c"].iter().all(|one| gone.contains(one)), || format!("saw `{log}`"))
}

async fn in_reverse<P: Peer>() -> Verdict {
    let stage = Stage::new(Strategy::OneForAll);
    let peer: P = stage.up().await?;
    peer.tell("b", End::Kill).await;
    soon().await;
    expect(&stops_of_siblings(&stage.log.take()), "-c -a")
}

async fn in_order<P: Peer>() -> Verdict {
    let stage = Stage::new(Strategy::OneForAll);
    let peer: P = stage.up().await?;
    peer.tell("b", End::Panic).await;
    soon().await;
    expect(&only(&stage.log.take(), &['+']), "+a +b +c")
}

async fn keeps_its_place<P: Peer>() -> Verdict {
    let stage = Stage::new(Strategy::OneForOne);
    let peer: P = stage.up().await?;
    peer.tell("a", End::Kill).await;
    soon().await;
    stage.log.take();
    within(peer.stop()).await?;
    soon().await;
    expect(&only(&stage.log.take(), &['-']), "-c -b -a")
}

async fn both_at_once<P: Peer>() -> Verdict {
    let stage = Stage::new(Strategy::OneForAll).intensity(1);
    let peer: P = stage.up().await?;
    peer.tell("a", End::Panic).await;
    peer.tell("c", End::Panic).await;
    soon().await;
    expect(&sorted(&stage.log.take(), &['+']), "+a +b +c")
}

async fn old_state_first<P: Peer>() -> Verdict {
    for end in [End::Normal, End::Error, End::Panic, End::Kill] {
        let stage = Stage::new(Strategy::OneForOne);
        let peer: P = stage.up().await?;
        peer.tell("b", end).await;
        soon().await;
        let log = only(&stage.log.take(), &['~', '(']);
        hold(log == "~b (b", || format!("after {end:?} saw `{log}`"))?;
    }
    Ok(())
}
