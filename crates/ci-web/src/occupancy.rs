//! What a connection is at, as far as it matters to whether it may be closed in favor of another.
//!
//! ```text
//! incomplete ──the request is whole──► answering ──the answer is out──► incomplete
//! ```
//!
//! Who opens connections and says nothing, or says it as slowly as allowed, is never beyond the first.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use axum::Router;
use axum::body::{Body, Bytes, HttpBody};
use axum::http::{Request, Response};
use hyper::body::{Frame, Incoming, SizeHint};
use hyper::service::Service;
use hyper_util::service::TowerToHyperService;
use tokio::time::Instant;

/// What a connection is at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    /// It waits for a request, or for the rest of one, since then.
    Incomplete(Instant),
    /// It has been given a whole request then, and works on the answer or sends it.
    Answering(Instant),
}

/// What one connection is at, for whoever decides on its life.
#[derive(Clone, Debug)]
pub(crate) struct Occupancy(Arc<Mutex<Stage>>);

impl Occupancy {
    /// A connection that was just opened.
    pub(crate) fn new() -> Self {
        Self(Arc::new(Mutex::new(Stage::Incomplete(Instant::now()))))
    }

    /// What it is at.
    pub(crate) fn stage(&self) -> Stage {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set(&self, stage: Stage) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = stage;
    }
}

/// Answers the requests of one connection, and takes note of what it is at.
pub(crate) struct Watched {
    routes: TowerToHyperService<Router>,
    occupancy: Occupancy,
}

impl Watched {
    pub(crate) fn new(routes: Router, occupancy: Occupancy) -> Self {
        Self { routes: TowerToHyperService::new(routes), occupancy }
    }
}

impl Service<Request<Incoming>> for Watched {
    type Response = Response<Leaving>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        let answered = Answered(self.occupancy.clone());
        let answer = self.routes.call(request.map(|body| Arriving::new(body, &self.occupancy)));
        Box::pin(async move { Ok(answer.await?.map(|body| Leaving { body, _answered: answered })) })
    }
}

/// The body of a request. Once it is whole, so is the request.
struct Arriving {
    body: Incoming,
    occupancy: Occupancy,
}

impl Arriving {
    fn new(body: Incoming, occupancy: &Occupancy) -> Self {
        let arriving = Self { body, occupancy: occupancy.clone() };
        arriving.note_end();
        arriving
    }

    fn note_end(&self) {
        if self.body.is_end_stream() {
            self.occupancy.set(Stage::Answering(Instant::now()));
        }
    }
}

impl HttpBody for Arriving {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(cx));
        self.note_end();
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// The body of an answer. It is dropped when all of it has been handed over, or nobody wants it any more.
pub(crate) struct Leaving {
    body: Body,
    _answered: Answered,
}

impl HttpBody for Leaving {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// Dropped at the end of an answer, even of one that never came.
struct Answered(Occupancy);

impl Drop for Answered {
    fn drop(&mut self) {
        self.0.set(Stage::Incomplete(Instant::now()));
    }
}
