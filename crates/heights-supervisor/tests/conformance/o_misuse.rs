//! Beyond the list: what nobody should do, and what comes of it. No misuse panics, and none waits
//! for ever.

use std::time::Duration;

use heights_supervisor::{
    AdminError, AutoShutdown, Backoff, CallError, ChildSpec, ChildStatus, Context,
    DynamicSupervisor, Fault, Flow, GiveUp, Mailbox, Overflow, Reply, Restart, SendError, Server,
    Shutdown, SpecError, StartError, Supervisor, TaskSupervisor, check_child_specs,
};

use crate::support::{Msg, Probe, SECOND, Start, Trace, settle, start, within};

/// Asks itself, and sends to itself where there is no room.
struct Narcissus;

#[derive(Debug)]
enum Wish {
    Echo(Reply<()>),
    AskMyself(Reply<CallError>),
    FillMyself(Reply<bool>),
    Nothing,
}

impl Server for Narcissus {
    type Args = ();
    type Msg = Wish;

    const MAILBOX: Mailbox = Mailbox::bounded(2, Overflow::Block);

    async fn init((): (), cx: &mut Context<Wish>) -> Result<Self, Fault> {
        match cx.myself().call(Wish::Echo).await {
            Err(CallError::CallingSelf) => Ok(Self),
            other => Err(format!("{other:?}").into()),
        }
    }

    async fn handle(&mut self, wish: Wish, cx: &mut Context<Wish>) -> Result<Flow, Fault> {
        match wish {
            Wish::Echo(reply) => reply.send(()),
            Wish::AskMyself(reply) => {
                reply.send(cx.myself().call(Wish::Echo).await.unwrap_err());
            }
            Wish::FillMyself(reply) => {
                for _ in 0..2 {
                    cx.myself().send(Wish::Nothing).await?;
                }
                let full = cx.myself().send(Wish::Nothing).await;
                reply.send(matches!(full, Err(SendError::Full(Wish::Nothing))));
            }
            Wish::Nothing => {}
        }
        Ok(Flow::Continue)
    }
}

#[tokio::test(start_paused = true)]
async fn o01_a_server_that_asks_itself_is_told_so_at_once() {
    let (spec, narcissus) = ChildSpec::server::<Narcissus>("narcissus", || ());
    let _root = start(Supervisor::builder("root").child(spec)).await;
    let error = narcissus.call(Wish::AskMyself).await.unwrap();
    assert!(matches!(error, CallError::CallingSelf), "{error}");
    assert_eq!(error.to_string(), "the process is calling itself");
    // Others that ask on its behalf are others.
    let tasks = TaskSupervisor::builder("tasks").start().await.unwrap();
    let other = narcissus.clone();
    let task = tasks.async_nolink("other", |_cx| async move { other.call(Wish::Echo).await });
    task.await.unwrap().join().await.unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn o02_a_server_does_not_wait_for_room_in_its_own_mailbox() {
    let (spec, narcissus) = ChildSpec::server::<Narcissus>("narcissus", || ());
    let _root = start(Supervisor::builder("root").child(spec)).await;
    assert!(within("an answer", narcissus.call(Wish::FillMyself)).await.unwrap());
    within("an answer", narcissus.call(Wish::Echo)).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn o03_no_duration_is_too_long() {
    let trace = Trace::default();
    let longest = Duration::MAX;
    let a = Probe::new(&trace, "a").with(|spec| {
        let spec = spec.shutdown(Shutdown::Timeout(longest)).backoff(
            // What is no share is no jitter.
            Backoff::exponential(longest, longest).jitter(f64::NAN).reset_after(longest),
        );
        let spec = spec.start_timeout(longest).kill_grace(longest);
        spec.restart_limit(u32::MAX, longest, GiveUp::Escalate)
    });
    a.next_starts([Start::Takes(SECOND)]);
    let builder = Supervisor::builder("root").intensity(u32::MAX, longest).child(a.spec.clone());
    let root = start(builder).await;
    let ping = a.reference.call_within(longest, Msg::Ping).await;
    assert_eq!(ping.unwrap(), 1);
    a.panic().await;
    settle().await;
    let children = root.which_children().await;
    assert_eq!(children[0].status, ChildStatus::Restarting);
    let waiting = root.tree().unwrap().waiting;
    assert!(waiting[0].remaining > SECOND * u32::MAX / 2, "{waiting:?}");
    within("the end", root.stop()).await;
}

#[tokio::test(start_paused = true)]
async fn o04_no_duration_is_too_short() {
    let trace = Trace::default();
    let none = Duration::ZERO;
    let backoff = Backoff::exponential(none, none).jitter(2.0).reset_after(none);
    let a = Probe::new(&trace, "a")
        .with(|spec| spec.backoff(backoff).kill_grace(none).shutdown(Shutdown::Timeout(none)));
    let root = start(Supervisor::builder("root").child(a.spec.clone())).await;
    let error = a.reference.call_within(none, Msg::Forget).await.unwrap_err();
    assert!(matches!(error, CallError::Timeout(_) | CallError::Down(_)), "{error}");
    a.crash().await;
    let late = Probe::new(&trace, "late").with(|spec| spec.start_timeout(none));
    late.next_starts([Start::Takes(SECOND)]);
    let error = root.start_child(late.spec.clone()).await.unwrap_err();
    assert_eq!(error.to_string(), "child late did not start: not up within 0ns");
    within("the end", root.stop()).await;
}

#[tokio::test(start_paused = true)]
async fn o05_a_root_has_a_name() {
    let nameless = [
        Supervisor::builder("").start().await.err(),
        DynamicSupervisor::builder("").start().await.err(),
        TaskSupervisor::builder("").start().await.err(),
    ];
    for error in nameless {
        assert!(matches!(error, Some(StartError::Invalid(SpecError::EmptyId))), "{error:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn o06_mistakes_are_told_in_the_words_of_otp() {
    let trace = Trace::default();
    let a = Probe::new(&trace, "a");
    let twins = [a.spec.clone(), a.spec.clone()];
    let duplicate = check_child_specs(&twins, AutoShutdown::Never).unwrap_err();
    let significant = |restart, auto_shutdown| {
        let spec = a.spec.clone().restart(restart).significant();
        check_child_specs(&[spec], auto_shutdown).unwrap_err().to_string()
    };
    let hasty = Supervisor::builder("root").intensity(1, Duration::ZERO).start().await.unwrap_err();
    let root = start(Supervisor::builder("root").child(a.spec.clone())).await;
    let second = root.start_child(a.spec.clone()).await.unwrap_err();
    let running = root.delete_child("a").await.unwrap_err();
    root.terminate_child("a").await.unwrap();
    let present = root.start_child(a.spec.clone()).await.unwrap_err();
    let full = DynamicSupervisor::builder("none").max_children(0).start().await.unwrap();
    let texts = [
        ("duplicate_child_name", duplicate.to_string()),
        ("bad_combination", significant(Restart::Permanent, AutoShutdown::AnySignificant)),
        ("bad_combination", significant(Restart::Transient, AutoShutdown::Never)),
        ("invalid_period", hasty.to_string()),
        ("already_started", second.to_string()),
        ("already_present", present.to_string()),
        ("not_found", root.terminate_child("b").await.unwrap_err().to_string()),
        ("running", running.to_string()),
        ("restarting", AdminError::Restarting.to_string()),
        ("max_children", full.start_child(a.spec.clone()).await.unwrap_err().to_string()),
        ("calling", CallError::CallingSelf.to_string()),
    ];
    for (words, text) in texts {
        assert!(text.contains(&words.replace('_', " ")), "{words}: {text}");
    }
}
