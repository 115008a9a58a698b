//! The messages of one actor, as they are handled.

use std::collections::VecDeque;

use heights_vitals::wire::{TraceBooks, TraceEvent, TraceRequest, TracedMessage};

use crate::trace;

/// How many messages are kept to look back at.
const KEPT: usize = 1_000;

/// What a screen asks for: as much as a person can follow.
const RATE: u32 = 20;
const FOR_MS: u64 = 60_000;

/// What has been told of a trace.
#[derive(Debug)]
pub struct Tracing {
    /// The actor that was asked for.
    pub path: String,
    messages: VecDeque<TracedMessage>,
    books: TraceBooks,
    /// Why it tells no more.
    ended: Option<String>,
}

impl Tracing {
    pub fn of(path: &str) -> Self {
        let (messages, books) = (VecDeque::new(), TraceBooks::default());
        Self { path: path.to_owned(), messages, books, ended: None }
    }

    /// What is asked of the process.
    pub fn request(path: &str) -> TraceRequest {
        let actors = vec![path.to_owned()];
        TraceRequest { actors, rate: RATE, for_ms: FOR_MS, ..TraceRequest::default() }
    }

    pub fn len(&self) -> usize {
        self.messages.len()
    }

    pub fn message(&self, at: usize) -> Option<&TracedMessage> {
        self.messages.get(at)
    }

    /// Returns who handled the message of a row.
    pub fn path_at(&self, at: usize) -> Option<String> {
        let handled = self.messages.get(at).map(|message| message.path.clone());
        handled.or_else(|| Some(self.path.clone()))
    }

    pub fn is_running(&self) -> bool {
        self.ended.is_none()
    }

    /// Takes what the process tells.
    pub fn hear(&mut self, event: TraceEvent) {
        match event {
            TraceEvent::Message(message) => {
                self.messages.push_back(message);
                let over = self.messages.len().saturating_sub(KEPT);
                self.messages.drain(..over);
            }
            TraceEvent::Books(books) => self.books = books,
            TraceEvent::Ended { reason, books } => {
                self.books = books;
                self.end(trace::ending(reason));
            }
            _ => {}
        }
    }

    /// It tells no more.
    pub fn end(&mut self, why: &str) {
        if self.ended.is_none() {
            self.ended = Some(why.to_owned());
        }
    }

    /// Says where it stands.
    pub fn standing(&self) -> String {
        let books = trace::tell_books(&self.books);
        let ended = match &self.ended {
            Some(why) => format!("ended: {why}"),
            None => "running".to_owned(),
        };
        format!("{} {ended}; {}", self.path, books.trim_end())
    }
}
