//! I: what can be asked of a running supervisor.

use std::time::Duration;

use super::stage::{Stage, child, expect, hold, only, soon, within};
use super::{Line, line};
use crate::peer::{End, Peer, Restart, Strategy};
use crate::puppet::{Begin, Puppet};
use crate::score::{Verdict, Why};

pub(super) fn lines<P: Peer>() -> Vec<Line> {
    vec![
        line(
            "I77",
            "a second child with the id of one that runs is refused, and the first goes on",
            no_twins::<P>,
        ),
        line("I78", "a child that does not come up when it is added is not kept", not_kept::<P>),
        line(
            "I79a",
            "a child that is terminated stops by its hook and stays down",
            stays_down::<P>,
        ),
        line("I79b", "to terminate a child that is not there is an error", not_there::<P>),
        line("I85", "the list of children that run is right", right_list::<P>),
        line("I86", "one who asks and gives up does no harm", gives_up::<P>),
    ]
}

async fn no_twins<P: Peer>() -> Verdict {
    let stage = Stage::new(Strategy::OneForOne);
    let peer: P = stage.up().await?;
    let twin = Puppet::new("b", &stage.log);
    let added = within(peer.add(child(&twin, Restart::Permanent))).await??;
    soon().await;
    hold(!added, || "it is taken".to_owned())?;
    expect(&stage.log.take(), "")
}

async fn not_kept<P: Peer>() -> Verdict {
    let stage = Stage::new(Strategy::OneForOne);
    let peer: P = stage.up().await?;
    let late = Puppet::new("d", &stage.log);
    late.next_begins([Begin::Fails("no room")]);
    let added = within(peer.add(child(&late, Restart::Permanent))).await??;
    soon().await;
    hold(!added, || "it is said to run".to_owned())?;
    expect(&stage.log.take(), "(d !d")
}

async fn stays_down<P: Peer>() -> Verdict {
    let stage = Stage::new(Strategy::OneForOne);
    let peer: P = stage.up().await?;
    let terminated = within(peer.terminate("b")).await??;
    soon().await;
    hold(terminated, || "it is not found".to_owned())?;
    expect(&stage.log.take(), "-b ~b")
}

async fn not_there<P: Peer>() -> Verdict {
    let peer: P = Stage::new(Strategy::OneForOne).up().await?;
    let terminated = within(peer.terminate("nobody")).await??;
    hold(!terminated, || "nobody is said to be terminated".to_owned())
}

async fn right_list<P: Peer>() -> Verdict {
    let mut stage = Stage::new(Strategy::OneForOne);
    stage.plan.children[1].restart = Restart::Temporary;
    let peer: P = stage.up().await?;
    expect(&list(&peer).await?, "a b c")?;
    peer.tell("b", End::Normal).await;
    peer.tell("c", End::Panic).await;
    soon().await;
    expect(&list(&peer).await?, "a c")
}

pub(super) async fn list<P: Peer>(peer: &P) -> Result<String, Why> {
    let mut running = within(peer.running()).await??;
    running.sort();
    Ok(running.join(" "))
}

async fn gives_up<P: Peer>() -> Verdict {
    let stage = Stage::new(Strategy::OneForOne);
    let peer: P = stage.up().await?;
    let impatient = tokio::time::timeout(Duration::ZERO, peer.running()).await;
    if let Ok(answer) = impatient {
        answer?;
    }
    soon().await;
    peer.tell("b", End::Panic).await;
    soon().await;
    expect(&only(&stage.log.take(), &['+']), "+b")
}
