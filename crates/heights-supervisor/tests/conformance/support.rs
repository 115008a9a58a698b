//! A server that does as it is told and writes down what happens to it.

use std::collections::VecDeque;
use std::future::Future;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use heights_supervisor::{
    ChildRef, ChildSpec, Context, Exit, Fault, Flow, Ignore, Process, Reply, Server,
    SupervisorBuilder, SupervisorRef,
};

/// Longer than anything that ends by itself, in virtual time.
const CEILING: Duration = Duration::from_secs(24 * 3600);

pub const SECOND: Duration = Duration::from_secs(1);

/// What happened, in order; shared by all probes of a test.
#[derive(Clone, Default)]
pub struct Trace(Arc<Mutex<Vec<String>>>);

impl Trace {
    pub fn note(&self, line: impl Into<String>) {
        self.0.lock().unwrap().push(line.into());
    }

    /// Takes out what was noted so far, as one line.
    pub fn take(&self) -> String {
        std::mem::take(&mut *self.0.lock().unwrap()).join(", ")
    }
}

/// How a start goes.
#[derive(Debug, Clone, Copy)]
pub enum Start {
    Fails(&'static str),
    Panics(&'static str),
    Ignores,
    Hangs,
    Takes(Duration),
}

/// How a stop goes.
#[derive(Debug, Clone, Copy, Default)]
pub enum Stop {
    #[default]
    Quick,
    Takes(Duration),
    Panics,
}

/// A child that does as it is told.
#[derive(Clone)]
pub struct Probe {
    pub spec: ChildSpec,
    pub reference: ChildRef<Msg>,
    starts: Arc<Mutex<VecDeque<Start>>>,
}

impl Probe {
    pub fn new(trace: &Trace, name: &'static str) -> Self {
        Self::stopping(trace, name, Stop::Quick)
    }

    pub fn stopping(trace: &Trace, name: &'static str, stop: Stop) -> Self {
        let starts = Arc::<Mutex<VecDeque<Start>>>::default();
        let (script, trace) = (Arc::clone(&starts), trace.clone());
        let (spec, reference) = ChildSpec::server::<Puppet>(name, move || Args {
            name,
            trace: trace.clone(),
            start: script.lock().unwrap().pop_front(),
            stop,
        });
        Self { spec, reference, starts }
    }

    /// Changes the spec.
    #[must_use]
    pub fn with(mut self, change: impl FnOnce(ChildSpec) -> ChildSpec) -> Self {
        self.spec = change(self.spec);
        self
    }

    /// Says how the next starts go; those after them go well.
    pub fn next_starts(&self, starts: impl IntoIterator<Item = Start>) {
        self.starts.lock().unwrap().extend(starts);
    }

    pub fn process(&self) -> Process {
        self.reference.current().unwrap().process().clone()
    }

    /// Tells the child how to end and waits until that life is gone.
    pub async fn end(&self, how: Msg) -> Exit {
        let process = self.process();
        self.reference.cast(how).unwrap();
        within("the child to end", process.gone()).await
    }

    pub async fn panic(&self) -> Exit {
        self.end(Msg::Panic("boom")).await
    }

    /// Waits until the child runs.
    pub async fn running(&self) -> Process {
        within("the child to run", self.reference.running()).await.process().clone()
    }

    /// Crashes the child and waits until its next life runs.
    pub async fn crash(&self) -> Process {
        self.panic().await;
        self.running().await
    }
}

pub struct Args {
    name: &'static str,
    trace: Trace,
    start: Option<Start>,
    stop: Stop,
}

pub enum Msg {
    Panic(&'static str),
    /// Panics, and does not say what it was told.
    Choke(&'static str),
    Fault(&'static str),
    Stop(Exit),
    Ping(Reply<u32>),
    Forget(Reply<u32>),
    Work(Duration),
    Note(&'static str),
}

struct Puppet {
    name: &'static str,
    trace: Trace,
    stop: Stop,
}

impl Server for Puppet {
    type Args = Args;
    type Msg = Msg;

    async fn init(args: Args, _cx: &mut Context<Msg>) -> Result<Self, Fault> {
        let Args { name, trace, start, stop } = args;
        match start {
            None => {}
            Some(Start::Takes(time)) => tokio::time::sleep(time).await,
            Some(Start::Fails(why)) => {
                trace.note(format!("fail {name}"));
                return Err(why.into());
            }
            Some(Start::Panics(why)) => panic!("{why}"),
            Some(Start::Ignores) => return Err(Ignore.into()),
            Some(Start::Hangs) => {
                trace.note(format!("hang {name}"));
                std::future::pending::<()>().await;
            }
        }
        trace.note(format!("start {name}"));
        Ok(Self { name, trace, stop })
    }

    async fn handle(&mut self, msg: Msg, _cx: &mut Context<Msg>) -> Result<Flow, Fault> {
        match msg {
            Msg::Panic(why) => panic!("{why}"),
            Msg::Choke(secret) => panic!("cannot swallow {} bytes", secret.len()),
            Msg::Fault(why) => return Err(why.into()),
            Msg::Stop(exit) => return Ok(Flow::Stop(exit)),
            Msg::Ping(reply) => reply.send(1),
            Msg::Forget(reply) => drop(reply),
            Msg::Work(time) => tokio::time::sleep(time).await,
            Msg::Note(what) => self.trace.note(what),
        }
        Ok(Flow::Continue)
    }

    async fn terminate(&mut self, exit: &Exit) {
        match self.stop {
            Stop::Quick => {}
            Stop::Takes(time) => tokio::time::sleep(time).await,
            Stop::Panics => panic!("not even this"),
        }
        let name = self.name;
        if exit.is_abnormal() {
            self.trace.note(format!("crash {name}"));
        } else {
            self.trace.note(format!("stop {name}"));
        }
    }

    fn label(msg: &Msg) -> &'static str {
        match msg {
            Msg::Panic(_) => "panic",
            Msg::Choke(_) => "choke",
            Msg::Fault(_) => "fault",
            Msg::Stop(_) => "stop",
            Msg::Ping(_) => "ping",
            Msg::Forget(_) => "forget",
            Msg::Work(_) => "work",
            Msg::Note(_) => "note",
        }
    }
}

/// Waits for something, but not for ever; with the clock paused the ceiling costs nothing.
pub async fn within<T>(what: &str, waiting: impl Future<Output = T>) -> T {
    match tokio::time::timeout(CEILING, waiting).await {
        Ok(value) => value,
        Err(_elapsed) => panic!("waited in vain for {what}"),
    }
}

/// Lets everything that can run now run, without moving the clock.
pub async fn settle() {
    for _ in 0..200 {
        tokio::task::yield_now().await;
    }
}

/// Starts a supervisor that must start.
pub async fn start(builder: SupervisorBuilder) -> SupervisorRef {
    within("the supervisor to start", builder.start()).await.unwrap()
}
