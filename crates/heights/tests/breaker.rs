//! The circuit breaker under real calls and a clock that stands still.

use std::time::Duration;

use heights::Recipient;
use heights::breaker::{Breaker, BreakerError, BreakerState};
use tokio::time::{advance, timeout};

const SECOND: Duration = Duration::from_secs(1);

async fn fail(breaker: &Breaker) -> Result<(), BreakerError<&'static str>> {
    breaker.call(async { Err("down") }).await
}

async fn succeed(breaker: &Breaker) -> Result<(), BreakerError<&'static str>> {
    breaker.call(async { Ok(()) }).await
}

#[tokio::test(start_paused = true)]
async fn opens_refuses_probes_and_closes_and_tells_each_change() {
    let (told, mut heard) = tokio::sync::mpsc::unbounded_channel();
    let events = Recipient::from_fn(move |event| told.send(event).unwrap());
    let forge = Breaker::builder("forge").consecutive(2).open_for(SECOND).probes(2);
    let forge = forge.on_change(events).build();
    for _ in 0..2 {
        assert_eq!(fail(&forge).await, Err(BreakerError::Failed("down")));
    }
    let refused = succeed(&forge).await.unwrap_err();
    assert_eq!(refused, BreakerError::Open { breaker: "forge".into(), retry_in: SECOND });
    assert_eq!(refused.to_string(), "call forge, which has failed too often");
    assert_eq!((forge.info().state, forge.info().refused), (BreakerState::Open, 1));
    advance(SECOND).await;
    succeed(&forge).await.unwrap();
    assert_eq!(forge.info().state, BreakerState::HalfOpen);
    succeed(&forge).await.unwrap();
    let expected = [BreakerState::Open, BreakerState::HalfOpen, BreakerState::Closed];
    for state in expected {
        assert_eq!(heard.try_recv().unwrap().state, state);
    }
    assert!(heard.try_recv().is_err());
}

#[tokio::test(start_paused = true)]
async fn opens_by_the_share_of_failures_in_the_window() {
    let forge = Breaker::builder("forge").failure_rate(0.5, 4).window(10 * SECOND).build();
    for _ in 0..3 {
        assert!(fail(&forge).await.is_err());
    }
    advance(10 * SECOND).await;
    assert!(fail(&forge).await.is_err());
    assert_eq!((forge.info().failed, forge.info().counted), (1, 1), "the others are too old");
    for _ in 0..2 {
        succeed(&forge).await.unwrap();
    }
    assert!(fail(&forge).await.is_err());
    assert_eq!(forge.info().state, BreakerState::Open);
}

#[tokio::test(start_paused = true)]
async fn an_error_that_is_fine_and_a_call_that_is_given_up_are_no_failures() {
    let forge = Breaker::builder("forge").consecutive(1).build();
    let missing = forge.call_unless(async { Err::<(), _>("404") }, |error| *error == "404").await;
    assert_eq!(missing, Err(BreakerError::Failed("404")));
    let endless = forge.call(std::future::pending::<Result<(), &str>>());
    assert!(timeout(SECOND, endless).await.is_err());
    assert_eq!(forge.info().state, BreakerState::Closed);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_panics_is_a_failure() {
    let forge = Breaker::builder("forge").consecutive(1).build();
    let mut worker = tokio::task::JoinSet::new();
    let borrowed = forge.clone();
    worker.spawn(async move {
        borrowed.call(async { if true { panic!("on purpose") } else { Ok::<(), ()>(()) } }).await
    });
    assert!(worker.join_next().await.unwrap().is_err());
    assert_eq!(forge.info().state, BreakerState::Open);
}

#[tokio::test(start_paused = true)]
async fn a_probe_that_is_given_up_makes_room_for_another() {
    let forge = Breaker::builder("forge").open_for(SECOND).build();
    forge.open();
    advance(SECOND).await;
    let mut probe = Box::pin(forge.call(std::future::pending::<Result<(), &str>>()));
    assert!(timeout(SECOND, &mut probe).await.is_err());
    let busy = BreakerError::Open { breaker: "forge".into(), retry_in: Duration::ZERO };
    assert_eq!(succeed(&forge).await, Err(busy));
    drop(probe);
    succeed(&forge).await.unwrap();
    assert_eq!(forge.info().state, BreakerState::Closed);
}

#[tokio::test(start_paused = true)]
async fn can_be_opened_and_closed_by_hand() {
    let forge = Breaker::builder("forge").build();
    forge.open();
    assert!(succeed(&forge).await.is_err());
    forge.close();
    succeed(&forge).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_share_that_is_none_is_read_as_all() {
    for share in [f64::NAN, f64::INFINITY, 2.0] {
        let forge = Breaker::builder("forge").failure_rate(share, 0).build();
        assert!(fail(&forge).await.is_err());
        assert_eq!(forge.info().state, BreakerState::Open, "{share}");
    }
}
