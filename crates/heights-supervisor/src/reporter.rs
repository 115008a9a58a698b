//! Tells the reports of one supervisor to everyone who asked for them.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::mpsc;

use crate::hub::Hub;
use crate::recipient::Recipient;
use crate::reply::NoProc;
use crate::report::Report;

/// Those who asked for the reports of one supervisor; shared by all its lives.
#[derive(Debug, Clone, Default)]
pub(crate) struct Reporter {
    fixed: Vec<Recipient<Report>>,
    streams: Arc<Mutex<Vec<mpsc::UnboundedSender<Report>>>>,
}

impl Reporter {
    pub(crate) fn add(&mut self, recipient: Recipient<Report>) {
        self.fixed.push(recipient);
    }

    pub(crate) fn stream(&self) -> mpsc::UnboundedReceiver<Report> {
        let (sender, receiver) = mpsc::unbounded_channel();
        self.streams().push(sender);
        receiver
    }

    pub(crate) fn tell(&self, hub: &Hub, report: &Report) {
        hub.report(report);
        for recipient in &self.fixed {
            recipient.tell(report.clone());
        }
        self.streams().retain(|stream| stream.send(report.clone()).is_ok());
    }

    fn streams(&self) -> MutexGuard<'_, Vec<mpsc::UnboundedSender<Report>>> {
        self.streams.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Recipient<Report> {
    /// Makes a recipient and the stream that it feeds.
    pub fn stream() -> (Self, mpsc::UnboundedReceiver<Report>) {
        let (sender, receiver) = mpsc::unbounded_channel();
        (Self::new(move |report| sender.send(report).map_err(|_closed| NoProc)), receiver)
    }
}
