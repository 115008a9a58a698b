//! C, H and I of a supervisor whose children come and go.

use std::time::Duration;

use tokio::time::Instant;

use super::administration::list;
use super::stage::{SECOND, Stage, child, expect, hold, only, soon, sorted, within};
use super::{Line, line};
use crate::peer::{End, Peer, Restart, Strategy};
use crate::puppet::{Begin, Puppet};
use crate::score::Verdict;

pub(super) fn lines<P: Peer>() -> Vec<Line> {
    vec![
        line("H74a", "dynamic: all children stop by their hooks", stop_hooks_run::<P>),
        line("H74b", "dynamic: they stop side by side, not one after the other", side_by_side::<P>),
        line("I78b", "dynamic: a child that does not come up is not kept", not_kept::<P>),
        line(
            "I79c",
            "dynamic: a child that is terminated stops by its hook and stays down",
            stays_down::<P>,
        ),
        line("I79d", "dynamic: to terminate a child that is not there is an error", not_there::<P>),
        line("I83a", "dynamic: a child more than there may be is refused", no_more::<P>),
        line(
            "I83b",
            "dynamic: a child that is restarted keeps its place, although there may be no more",
            keeps_its_place::<P>,
        ),
        line("I86b", "dynamic: one who asks and gives up does no harm", gives_up::<P>),
    ]
}

fn stage() -> Stage {
    Stage::new(Strategy::OneForOne)
}

async fn stop_hooks_run<P: Peer>() -> Verdict {
    let stage = stage();
    let peer: P = stage.up_dynamic(9).await?;
    within(peer.stop()).await?;
    soon().await;
    expect(&sorted(&stage.log.take(), &['-']), "-a -b -c")
}

async fn side_by_side<P: Peer>() -> Verdict {
    let stage = Stage::of(Strategy::OneForOne, |puppet| puppet.stop_takes(SECOND));
    let peer: P = stage.up_dynamic(9).await?;
    let begin = Instant::now();
    within(peer.stop()).await?;
    let took = begin.elapsed();
    expect(&sorted(&stage.log.take(), &['-']), "-a -b -c")?;
    hold(took < SECOND * 2, || format!("it takes {took:?}"))
}

async fn not_kept<P: Peer>() -> Verdict {
    let stage = stage();
    let peer: P = stage.up_dynamic(9).await?;
    let late = Puppet::new("d", &stage.log);
    late.next_begins([Begin::Fails("no room")]);
    let added = within(peer.add(child(&late, Restart::Permanent))).await??;
    soon().await;
    hold(!added, || "it is said to run".to_owned())?;
    expect(&stage.log.take(), "(d !d")
}

async fn stays_down<P: Peer>() -> Verdict {
    let stage = stage();
    let peer: P = stage.up_dynamic(9).await?;
    let terminated = within(peer.terminate("b")).await??;
    soon().await;
    hold(terminated, || "it is not found".to_owned())?;
    expect(&stage.log.take(), "-b ~b")
}

async fn not_there<P: Peer>() -> Verdict {
    let peer: P = stage().up_dynamic(9).await?;
    let terminated = within(peer.terminate("nobody")).await??;
    hold(!terminated, || "nobody is said to be terminated".to_owned())
}

async fn no_more<P: Peer>() -> Verdict {
    let stage = stage();
    let peer: P = stage.up_dynamic(3).await?;
    let late = Puppet::new("d", &stage.log);
    let added = within(peer.add(child(&late, Restart::Permanent))).await??;
    soon().await;
    hold(!added, || "it is taken".to_owned())?;
    expect(&stage.log.take(), "")?;
    expect(&list(&peer).await?, "a b c")
}

async fn keeps_its_place<P: Peer>() -> Verdict {
    let stage = stage();
    let peer: P = stage.up_dynamic(3).await?;
    stage.b.next_begins([Begin::Fails("not yet"), Begin::Fails("not yet")]);
    peer.tell("b", End::Panic).await;
    // Before it is up again, wherever a restart takes a while.
    tokio::time::sleep(Duration::from_millis(5)).await;
    let late = Puppet::new("d", &stage.log);
    let added = within(peer.add(child(&late, Restart::Permanent))).await??;
    soon().await;
    hold(!added, || "another one is taken meanwhile".to_owned())?;
    expect(&only(&stage.log.take(), &['+']), "+b")?;
    expect(&list(&peer).await?, "a b c")
}

async fn gives_up<P: Peer>() -> Verdict {
    let stage = stage();
    let peer: P = stage.up_dynamic(9).await?;
    let impatient = tokio::time::timeout(Duration::ZERO, peer.running()).await;
    if let Ok(answer) = impatient {
        answer?;
    }
    soon().await;
    peer.tell("b", End::Panic).await;
    soon().await;
    expect(&only(&stage.log.take(), &['+']), "+b")
}
