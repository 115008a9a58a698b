//! G: a supervisor that ends with its significant children.

use super::stage::{Stage, expect, only, soon, within};
use super::{Line, line};
use crate::peer::{AutoShutdown, End, Peer, Restart, Strategy};
use crate::score::Verdict;

pub(super) fn lines<P: Peer>() -> Vec<Line> {
    vec![
        line(
            "G59",
            "any significant child that ends well ends the supervisor, in order",
            any_ends_it::<P>,
        ),
        line("G61", "a significant child that fails is restarted and ends nothing", fails::<P>),
        line(
            "G62",
            "where all significant children have to end, only the last ends the supervisor",
            all_end_it::<P>,
        ),
    ]
}

/// The children a and b are transient and significant.
fn stage(auto_shutdown: AutoShutdown) -> Stage {
    let mut stage = Stage::new(Strategy::OneForOne);
    stage.plan.auto_shutdown = auto_shutdown;
    for child in &mut stage.plan.children[..2] {
        child.restart = Restart::Transient;
        child.significant = true;
    }
    stage
}

async fn any_ends_it<P: Peer>() -> Verdict {
    let stage = stage(AutoShutdown::AnySignificant);
    let peer: P = stage.up().await?;
    peer.tell("b", End::Normal).await;
    within(peer.ended()).await?;
    soon().await;
    expect(&only(&stage.log.take(), &['-', '+']), "-b -c -a")
}

async fn fails<P: Peer>() -> Verdict {
    let stage = stage(AutoShutdown::AnySignificant);
    let peer: P = stage.up().await?;
    peer.tell("b", End::Kill).await;
    soon().await;
    expect(&only(&stage.log.take(), &['-', '+']), "+b")
}

async fn all_end_it<P: Peer>() -> Verdict {
    let stage = stage(AutoShutdown::AllSignificant);
    let peer: P = stage.up().await?;
    peer.tell("a", End::Normal).await;
    soon().await;
    expect(&only(&stage.log.take(), &['-', '+']), "-a")?;
    peer.tell("b", End::Normal).await;
    within(peer.ended()).await?;
    soon().await;
    expect(&only(&stage.log.take(), &['-', '+']), "-b -c")
}
