//! E and F: how many restarts are too many, and life while restarting.

use super::stage::{Stage, expect, hold, only, soon, sorted, stops_of_siblings, within};
use super::{Line, line};
use crate::peer::{End, Peer, Strategy};
use crate::puppet::Begin;
use crate::score::Verdict;

pub(super) fn lines<P: Peer>() -> Vec<Line> {
    vec![
        line(
            "E43a",
            "as many restarts as the intensity says, and one more ends the supervisor",
            one_more::<P>,
        ),
        line("E44", "failures that are further apart than the period never end it", far_apart::<P>),
        line(
            "E43b",
            "failures of which no period sees more than the intensity never end it",
            often_but_few::<P>,
        ),
        line("E46a", "a coordinated restart counts once", counts_once::<P>),
        line(
            "E46b",
            "a restart that does not come up is tried again, and counts",
            tried_again::<P>,
        ),
        line(
            "E47",
            "a supervisor that gives up stops its other children in reverse order",
            orderly_end::<P>,
        ),
        line(
            "F53",
            "a child that never comes up leaves its supervisor able to answer",
            able_to_answer::<P>,
        ),
    ]
}

async fn one_more<P: Peer>() -> Verdict {
    let stage = Stage::new(Strategy::OneForOne).intensity(2);
    let peer: P = stage.up().await?;
    for _ in 0..3 {
        peer.tell("b", End::Panic).await;
        soon().await;
    }
    within(peer.ended()).await?;
    expect(&only(&stage.log.take(), &['+']), "+b +b")
}

async fn far_apart<P: Peer>() -> Verdict {
    let mut stage = Stage::new(Strategy::OneForOne).intensity(1);
    stage.plan.period = P::PERIOD;
    let peer: P = stage.up().await?;
    for _ in 0..4 {
        peer.tell("b", End::Panic).await;
        soon().await;
        P::pass(P::PERIOD).await;
    }
    expect(&only(&stage.log.take(), &['+']), "+b +b +b +b")
}

/// Three failures in a row, of which no period ever sees more than two.
async fn often_but_few<P: Peer>() -> Verdict {
    let mut stage = Stage::new(Strategy::OneForOne).intensity(2);
    stage.plan.period = P::PERIOD;
    let peer: P = stage.up().await?;
    for _ in 0..3 {
        peer.tell("b", End::Panic).await;
        soon().await;
        P::pass(P::PERIOD * 6 / 10).await;
    }
    expect(&only(&stage.log.take(), &['+']), "+b +b +b")
}

async fn counts_once<P: Peer>() -> Verdict {
    let stage = Stage::new(Strategy::OneForAll).intensity(2);
    let peer: P = stage.up().await?;
    for _ in 0..2 {
        peer.tell("a", End::Panic).await;
        soon().await;
    }
    expect(&sorted(&stage.log.take(), &['+']), "+a +a +b +b +c +c")
}

async fn tried_again<P: Peer>() -> Verdict {
    let stage = Stage::new(Strategy::OneForOne).intensity(3);
    let peer: P = stage.up().await?;
    stage.b.next_begins([Begin::Fails("not yet"), Begin::Fails("not yet")]);
    peer.tell("b", End::Panic).await;
    soon().await;
    expect(&only(&stage.log.take(), &['+', '!']), "!b !b +b")?;
    stage.b.next_begins([Begin::Fails("not yet")]);
    peer.tell("b", End::Panic).await;
    within(peer.ended()).await
}

async fn orderly_end<P: Peer>() -> Verdict {
    let stage = Stage::new(Strategy::OneForOne).intensity(0);
    let peer: P = stage.up().await?;
    peer.tell("b", End::Kill).await;
    within(peer.ended()).await?;
    soon().await;
    expect(&stops_of_siblings(&stage.log.take()), "-c -a")
}

async fn able_to_answer<P: Peer>() -> Verdict {
    // The thread that asks gets its turn only after some dozens of the tasks have had theirs.
    const MANY: usize = 50_000;
    let stage = Stage::new(Strategy::OneForOne).intensity(u32::MAX);
    let peer: P = stage.up().await?;
    stage.b.next_begins(std::iter::repeat_n(Begin::Fails("never"), MANY));
    peer.tell("b", End::Panic).await;
    within(peer.running()).await??;
    let tried = only(&stage.log.take(), &['!']).split(' ').count();
    hold(tried < MANY, || format!("it answers after {tried} attempts"))?;
    within(peer.stop()).await
}
