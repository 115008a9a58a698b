//! Events as they happen: the streams of `GET /v1/watch` and `POST /v1/traces`.

use std::error::Error;
use std::io;
use std::marker::PhantomData;

use http_body_util::BodyExt;
use hyper::body::{Bytes, Frame, Incoming};
use serde::de::DeserializeOwned;
use tokio::process::Child;

use super::ClientError;
use super::way::Driver;
use crate::wire::{Event, TraceEvent};

/// The longest event: a panic's text may be long, and is told whole.
const LONGEST: usize = 4 * 1024 * 1024;

/// Hears what happens in a process.
pub type Watch = Feed<Event>;

/// Hears of messages as they are handled.
pub type Trace = Feed<TraceEvent>;

/// Hears events of one kind until it is dropped.
#[derive(Debug)]
pub struct Feed<T> {
    body: Incoming,
    /// What has come and is not a whole line yet.
    rest: Vec<u8>,
    /// What drives the connection, for as long as there is one.
    driver: Option<Driver>,
    _command: Option<Child>,
    events: PhantomData<fn() -> T>,
}

impl<T: DeserializeOwned> Feed<T> {
    pub(super) fn new(body: Incoming, driver: Driver, command: Option<Child>) -> Self {
        let (rest, driver) = (Vec::new(), Some(driver));
        Self { body, rest, driver, _command: command, events: PhantomData }
    }

    /// Waits for the next event; `None` when the process has ended.
    pub async fn next(&mut self) -> Result<Option<T>, ClientError> {
        loop {
            while let Some(line) = self.line() {
                // Of the frame's lines only this one is needed: the id is in the event, too.
                if let Some(data) = line.strip_prefix(b"data:") {
                    let event = serde_json::from_slice(data);
                    return event.map(Some).map_err(|error| ClientError::Garbled(error.into()));
                }
            }
            if self.rest.len() > LONGEST {
                return Err(ClientError::Garbled("an event has no end".into()));
            }
            match self.frame().await {
                None => return Ok(None),
                Some(Err(error)) if is_end(&error) => return Ok(None),
                Some(frame) => {
                    let frame = frame.map_err(ClientError::Lost)?;
                    self.rest.extend_from_slice(frame.data_ref().map_or(&[], |data| data));
                }
            }
        }
    }

    /// Waits for the next part of the answer, and drives the connection meanwhile.
    async fn frame(&mut self) -> Option<Result<Frame<Bytes>, hyper::Error>> {
        if let Some(driver) = &mut self.driver {
            tokio::select! {
                frame = self.body.frame() => return frame,
                // What is left of the answer, or why there is no more, is in the body.
                _ended = driver => self.driver = None,
            }
        }
        self.body.frame().await
    }

    fn line(&mut self) -> Option<Vec<u8>> {
        let end = self.rest.iter().position(|byte| *byte == b'\n')?;
        let mut line: Vec<u8> = self.rest.drain(..=end).collect();
        line.pop();
        Some(line)
    }
}

/// Tells whether the other end is gone: a process that ends does not finish its answers.
fn is_end(error: &hyper::Error) -> bool {
    let cause = error.source().and_then(|cause| cause.downcast_ref::<io::Error>());
    let gone = [io::ErrorKind::UnexpectedEof, io::ErrorKind::ConnectionReset];
    error.is_incomplete_message() || cause.is_some_and(|cause| gone.contains(&cause.kind()))
}
