//! Traces: messages as they are handled, within a budget.
//!
//! An ear at each traced process decides, and counts, what is told; that costs the process no more
//! than two counters where the rate is exceeded. What is told goes through a short queue, so a
//! reader that does not read loses messages, and never holds up the process.

mod ear;
mod follow;

use std::convert::Infallible;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Json;
use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::response::sse::{Event as SseEvent, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use tokio::sync::OwnedSemaphorePermit;
use tokio::sync::mpsc::Receiver;
use tokio::time::{Interval, MissedTickBehavior, interval};

use self::ear::Session;
use self::follow::Following;
use super::refusal::Refusal;
use super::shared::Shared;
use crate::view::millis;
use crate::wire::{Tier, TraceEnd, TraceEvent, TraceRequest, TracedMessage};

/// The most that a trace may tell in a second, whatever is asked for.
const RATE_MAX: u32 = 1_000;

/// The most that a trace may tell in all.
const COUNT_MAX: u64 = 100_000;

/// The longest that a trace goes on.
const TIME_MAX: Duration = Duration::from_secs(600);

/// The most that is told of one message: as much as a server writes down of it.
const BYTES_MAX: usize = 1_000;

/// How many messages may wait for the reader.
const QUEUE: usize = 256;

/// How often the budget is filled up.
const TICK: Duration = Duration::from_millis(100);

/// How many ticks there are between two looks for those to trace, and two tellings of the books.
const TICKS_PER_ROUND: u32 = 10;

pub(super) async fn trace(
    State(shared): State<Shared>,
    request: Result<Json<TraceRequest>, JsonRejection>,
) -> Result<Response, Refusal> {
    let Json(request) = request.map_err(|rejection| Refusal::bad_request(rejection.body_text()))?;
    if shared.tier() < Tier::Trace {
        return Err(Refusal::forbidden(
            "this process lets nobody look at its messages: its tier is below trace",
        ));
    }
    let permit = shared.stream()?;
    let budget = limited(request);
    let (session, told) = Session::new(&budget, QUEUE);
    let following = Following::begin(&shared, &budget.actors, Arc::clone(&session))?;
    let mut ticks = interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let ends = Instant::now() + Duration::from_millis(budget.for_ms);
    let trace =
        Trace { session, told, following, ticks, ends, round: 0, last: None, _permit: permit };
    let began = TraceEvent::Began { actors: trace.following.paths(), budget };
    let events = stream::unfold((trace, Some(began)), async |(mut trace, first)| {
        let event = match first {
            Some(began) => began,
            None => trace.next().await?,
        };
        Some((Ok::<_, Infallible>(frame(&event)), (trace, None)))
    });
    Ok(Sse::new(events).keep_alive(KeepAlive::default()).into_response())
}

fn limited(request: TraceRequest) -> TraceRequest {
    TraceRequest {
        rate: request.rate.clamp(1, RATE_MAX),
        max: request.max.clamp(1, COUNT_MAX),
        for_ms: request.for_ms.clamp(1, millis(TIME_MAX)),
        bytes: request.bytes.min(BYTES_MAX),
        ..request
    }
}

fn frame(event: &TraceEvent) -> SseEvent {
    let frame = SseEvent::default().json_data(event);
    // Our own types always have a JSON form; and a reader knows what to make of a comment.
    frame.unwrap_or_else(|_| SseEvent::default().comment("an event without a form"))
}

/// A trace that goes on for as long as somebody reads it.
struct Trace {
    session: Arc<Session>,
    told: Receiver<TracedMessage>,
    following: Following,
    ticks: Interval,
    ends: Instant,
    /// How many ticks there have been since the last round.
    round: u32,
    /// Why it has ended, once it has.
    last: Option<TraceEnd>,
    _permit: OwnedSemaphorePermit,
}

impl Trace {
    async fn next(&mut self) -> Option<TraceEvent> {
        loop {
            if let Some(reason) = self.last {
                return self.rest(reason);
            }
            tokio::select! {
                biased;
                Some(message) = self.told.recv() => {
                    if self.session.is_spent() {
                        self.end(TraceEnd::Count);
                    }
                    return Some(TraceEvent::Message(message));
                }
                _ = self.ticks.tick() => {
                    if let Some(event) = self.tick() {
                        return Some(event);
                    }
                }
            }
        }
    }

    fn tick(&mut self) -> Option<TraceEvent> {
        self.session.refill(TICK);
        if self.session.is_spent() || Instant::now() >= self.ends {
            let spent = self.session.is_spent();
            self.end(if spent { TraceEnd::Count } else { TraceEnd::Time });
            return None;
        }
        self.round += 1;
        if self.round < TICKS_PER_ROUND {
            return None;
        }
        self.round = 0;
        if !self.following.look_around() {
            self.end(TraceEnd::NobodyLeft);
            return None;
        }
        Some(TraceEvent::Books(self.session.books()))
    }

    fn end(&mut self, reason: TraceEnd) {
        self.following.leave_all();
        self.last = Some(reason);
    }

    /// Tells what is still in the queue, then the books, then nothing.
    fn rest(&mut self, reason: TraceEnd) -> Option<TraceEvent> {
        if let Ok(message) = self.told.try_recv() {
            return Some(TraceEvent::Message(message));
        }
        if !self.session.close() {
            return None;
        }
        Some(TraceEvent::Ended { reason, books: self.session.books() })
    }
}
