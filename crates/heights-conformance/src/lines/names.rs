//! L: names, and whoever is found under them.

use super::stage::{SECOND, Stage, expect, hold, only, soon};
use super::{Line, line};
use crate::peer::{End, Peer, Restart, Strategy};
use crate::score::Verdict;

pub(super) fn lines<P: Peer>() -> Vec<Line> {
    vec![
        line("L96a", "a name that is taken is not given to another", taken::<P>),
        line(
            "L96b",
            "a name is not free while the stop hook of whoever had it runs",
            not_too_early::<P>,
        ),
        line("L96c", "a name is free when whoever had it is gone", free::<P>),
        line("L97", "nobody is found under the name of one who was killed", nobody::<P>),
        line("L102", "after a restart the name leads to the next life", next_life::<P>),
    ]
}

/// The child b is temporary, and its stop hook takes ten seconds.
fn slow() -> Stage {
    let mut stage = Stage::of(Strategy::OneForOne, |puppet| puppet.stop_takes(SECOND * 10));
    stage.plan.children[1].restart = Restart::Temporary;
    stage
}

async fn taken<P: Peer>() -> Verdict {
    let peer: P = Stage::new(Strategy::OneForOne).up().await?;
    hold(!peer.claim("b").await, || "it is given away".to_owned())
}

async fn not_too_early<P: Peer>() -> Verdict {
    let stage = slow();
    let peer: P = stage.up().await?;
    peer.tell("b", End::Normal).await;
    soon().await;
    let free = peer.claim("b").await;
    expect(&only(&stage.log.take(), &['-']), "")?;
    hold(!free, || "it is free too early".to_owned())
}

async fn free<P: Peer>() -> Verdict {
    let stage = slow();
    let peer: P = stage.up().await?;
    peer.tell("b", End::Normal).await;
    tokio::time::sleep(SECOND * 20).await;
    expect(&only(&stage.log.take(), &['-']), "-b")?;
    hold(peer.claim("b").await, || "it is taken still".to_owned())
}

async fn nobody<P: Peer>() -> Verdict {
    let peer: P = slow().up().await?;
    peer.tell("b", End::Kill).await;
    tokio::time::sleep(SECOND * 20).await;
    hold(!peer.tell_by_name("b", End::Normal).await, || "somebody is".to_owned())
}

async fn next_life<P: Peer>() -> Verdict {
    let stage = Stage::new(Strategy::OneForOne);
    let peer: P = stage.up().await?;
    for _ in 0..2 {
        hold(peer.tell_by_name("b", End::Kill).await, || "nobody is found".to_owned())?;
        soon().await;
    }
    expect(&only(&stage.log.take(), &['+']), "+b +b")
}
