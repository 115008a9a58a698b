//! A child that does as it is told and writes down what happens to it.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// What happened, in order: `(a` for the begin of a start of a, `+a` when it runs, `!a` when its
/// start fails, `-a` when its stop hook has run, `~a` when its state is gone.
#[derive(Debug, Clone, Default)]
pub struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    /// Takes what was written since the last time, as one line.
    pub fn take(&self) -> String {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner)).join(" ")
    }

    /// Returns what was written since it was last taken, as one line.
    pub fn read(&self) -> String {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).join(" ")
    }

    fn write(&self, mark: char, id: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(format!("{mark}{id}"));
    }
}

/// How a start goes.
#[derive(Debug, Clone, Copy)]
pub enum Begin {
    /// Well, after this long.
    Takes(Duration),
    /// It fails for this reason.
    Fails(&'static str),
    /// It never returns.
    Hangs,
}

/// A child, through all its lives.
#[derive(Debug, Clone)]
pub struct Puppet {
    id: &'static str,
    log: Log,
    begins: Arc<Mutex<VecDeque<Begin>>>,
    stop_takes: Duration,
}

impl Puppet {
    /// Makes a puppet that starts and stops at once.
    pub fn new(id: &'static str, log: &Log) -> Self {
        let begins = Arc::default();
        Self { id, log: log.clone(), begins, stop_takes: Duration::ZERO }
    }

    /// Has its stop hook take this long.
    #[must_use]
    pub const fn stop_takes(mut self, time: Duration) -> Self {
        self.stop_takes = time;
        self
    }

    /// Says how its next starts go; those after them go well.
    pub fn next_begins(&self, begins: impl IntoIterator<Item = Begin>) {
        self.begins.lock().unwrap_or_else(PoisonError::into_inner).extend(begins);
    }

    /// Returns its id.
    pub const fn id(&self) -> &'static str {
        self.id
    }

    /// Starts a life: what an implementation calls in its start hook.
    pub async fn begin(&self) -> Result<Life, &'static str> {
        self.log.write('(', self.id);
        let begin = self.begins.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
        match begin {
            None => {}
            Some(Begin::Takes(time)) => tokio::time::sleep(time).await,
            Some(Begin::Fails(why)) => {
                self.log.write('!', self.id);
                return Err(why);
            }
            Some(Begin::Hangs) => std::future::pending().await,
        }
        self.log.write('+', self.id);
        Ok(Life(self.clone()))
    }
}

/// One life of a puppet: the state of the actor that it is.
#[derive(Debug)]
pub struct Life(Puppet);

impl Life {
    /// Stops: what an implementation calls in its stop hook.
    pub async fn end(&self) {
        if !self.0.stop_takes.is_zero() {
            tokio::time::sleep(self.0.stop_takes).await;
        }
        self.0.log.write('-', self.0.id);
    }
}

impl Drop for Life {
    fn drop(&mut self) {
        self.0.log.write('~', self.0.id);
    }
}
