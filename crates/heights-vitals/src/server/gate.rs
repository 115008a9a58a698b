//! What every answer has to pass: it must be paid for, and there must be room for it.

use std::sync::Arc;

use axum::body::{Body, HttpBody};
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http_body_util::BodyExt;
use tokio::sync::{Mutex, Semaphore};

use super::cost::Meter;

/// How much of answers may be on its way at once, in KiB: a tree of a hundred thousand actors is
/// two thirds of it.
const ROOM: u32 = 96 * 1024;

/// Keeps answers from costing more, and taking more room, than they may.
#[derive(Debug, Clone)]
pub(crate) struct Gate(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    meter: Arc<Meter>,
    /// Held while an answer is made and waits for room: what waits is one answer at most.
    making: Mutex<()>,
    room: Arc<Semaphore>,
}

impl Gate {
    pub(crate) fn new(meter: Arc<Meter>) -> Self {
        let room = Arc::new(Semaphore::new(ROOM as usize));
        Self(Arc::new(Inner { meter, making: Mutex::default(), room }))
    }
}

/// Lets a request pass when there is budget for it.
pub(crate) async fn afford(State(gate): State<Gate>, request: Request, next: Next) -> Response {
    match gate.0.meter.afford().await {
        Ok(()) => next.run(request).await,
        Err(refusal) => refusal.into_response(),
    }
}

/// Lets one large answer after the other be made, and each be sent when there is room for it.
pub(crate) async fn make_room(State(gate): State<Gate>, request: Request, next: Next) -> Response {
    let _turn = gate.0.making.lock().await;
    let (head, body) = next.run(request).await.into_parts();
    let size = body.size_hint().upper().unwrap_or(0) / 1024 + 1;
    let size = u32::try_from(size).unwrap_or(ROOM).min(ROOM);
    let Ok(room) = Arc::clone(&gate.0.room).acquire_many_owned(size).await else {
        // Nobody ever closes it.
        return Response::from_parts(head, body);
    };
    // The room is free again when the body has been sent, or given up.
    let body = body.map_frame(move |frame| {
        let _held = &room;
        frame
    });
    Response::from_parts(head, Body::new(body))
}
