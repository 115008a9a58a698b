//! A: starting.

use super::stage::{SECOND, Stage, expect, hold, only, soon, within};
use super::{Line, line};
use crate::peer::{Peer, Refusal, Strategy};
use crate::puppet::Begin;
use crate::score::Verdict;

pub(super) fn lines<P: Peer>() -> Vec<Line> {
    vec![
        line("A2", "children start in order, each after the one before it is up", in_order::<P>),
        line("A3", "a supervisor that says that it runs has all its children up", all_up::<P>),
        line(
            "A4",
            "a child that does not come up stops those before it, in reverse, and the start fails",
            undone::<P>,
        ),
        line("A5", "the failed start says why the child did not come up", says_why::<P>),
        line("A13", "a child that hangs at its start is given up after a limit", hanging::<P>),
    ]
}

async fn in_order<P: Peer>() -> Verdict {
    let stage = Stage::new(Strategy::OneForOne);
    for puppet in [&stage.a, &stage.b, &stage.c] {
        puppet.next_begins([Begin::Takes(SECOND)]);
    }
    let _peer = within(P::start(stage.plan.clone())).await??;
    tokio::time::sleep(SECOND * 10).await;
    expect(&stage.log.take(), "(a +a (b +b (c +c")
}

async fn all_up<P: Peer>() -> Verdict {
    let stage = Stage::new(Strategy::OneForOne);
    stage.b.next_begins([Begin::Takes(SECOND)]);
    let _peer = within(P::start(stage.plan.clone())).await??;
    expect(&only(&stage.log.take(), &['+']), "+a +b +c")
}

async fn undone<P: Peer>() -> Verdict {
    let stage = Stage::new(Strategy::OneForOne);
    stage.c.next_begins([Begin::Fails("no room")]);
    let started = within(P::start(stage.plan.clone())).await?;
    soon().await;
    hold(started.is_err(), || "it says that it runs".to_owned())?;
    expect(&only(&stage.log.take(), &['-']), "-b -a")
}

async fn says_why<P: Peer>() -> Verdict {
    let stage = Stage::new(Strategy::OneForOne);
    stage.c.next_begins([Begin::Fails("no room")]);
    match within(P::start(stage.plan.clone())).await? {
        Ok(_peer) => hold(false, || "it says that it runs".to_owned()),
        Err(Refusal::Failed(why)) => hold(why.contains("no room"), || format!("it says `{why}`")),
        Err(Refusal::Missing(missing)) => Err(missing.into()),
    }
}

async fn hanging<P: Peer>() -> Verdict {
    let mut stage = Stage::new(Strategy::OneForOne);
    stage.b.next_begins([Begin::Hangs]);
    stage.plan.children[1].start_within = Some(SECOND * 5);
    match within(P::start(stage.plan.clone())).await? {
        Err(Refusal::Missing(missing)) => Err(missing.into()),
        Err(Refusal::Failed(_)) => Ok(()),
        Ok(_peer) => hold(false, || "it says that it runs".to_owned()),
    }
}
