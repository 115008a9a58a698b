//! K: children that are bound to elder siblings.

use super::stage::{Stage, expect, only, soon, within};
use super::{Line, line};
use crate::peer::{End, Peer, Strategy};
use crate::score::Verdict;

pub(super) fn lines<P: Peer>() -> Vec<Line> {
    vec![
        line(
            "K94a",
            "whoever is bound to a failed child stops before it starts again, and comes back after it",
            shares_the_fate::<P>,
        ),
        line(
            "K94b",
            "whoever is bound to a child that is terminated stops before it, and stays down",
            goes_first::<P>,
        ),
    ]
}

/// c is bound to a, b to nobody.
fn stage() -> Stage {
    let mut stage = Stage::new(Strategy::OneForOne);
    stage.plan.children[2].bound_to = Some("a");
    stage
}

async fn shares_the_fate<P: Peer>() -> Verdict {
    let stage = stage();
    let peer: P = stage.up().await?;
    peer.tell("a", End::Kill).await;
    soon().await;
    expect(&only(&stage.log.take(), &['-', '+']), "-c +a +c")
}

async fn goes_first<P: Peer>() -> Verdict {
    let stage = stage();
    let peer: P = stage.up().await?;
    within(peer.terminate("a")).await??;
    soon().await;
    expect(&only(&stage.log.take(), &['-', '+']), "-c -a")
}
