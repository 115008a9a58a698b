//! A set of processes that belong together, and the ladder that ends them: TERM, grace, KILL, proof.

use std::collections::{BTreeSet, HashMap};
use std::io;
use std::time::Duration;

use rustix::io::Errno;
use rustix::process::{Pid, Signal, kill_process_group};
use tokio::time::{Instant, sleep};

use super::{Process, Survivors};

/// How long killed processes may take to disappear; only one that hangs in the kernel takes longer.
const KILL_MARGIN: Duration = Duration::from_secs(5);
/// The first pause between two looks at what is left.
const FIRST_PAUSE: Duration = Duration::from_millis(1);
/// The longest pause between two looks at what is left.
const LONGEST_PAUSE: Duration = Duration::from_millis(25);

/// Which processes belong to a scope, besides the descendants of all that ever did.
#[derive(Clone, Debug)]
pub(crate) enum Rule {
    /// The process group that this shell of ours leads or led.
    Group(Pid),
    /// All descendants of the calling process, which must be a subreaper.
    Descendants,
    /// What a dead runner left: all in its session, and all with the marker in their environment.
    LeftBy {
        /// The pid of the runner, where no other process can have got it since.
        session: Option<Pid>,
        /// `NAME=value`, as each of its commands inherited it.
        marker: String,
    },
}

/// Processes that belong together. What was seen in it stays in it, whatever it does to escape.
#[derive(Debug)]
pub(crate) struct Scope {
    rule: Rule,
    /// Pid and start time of each process that was seen.
    seen: BTreeSet<(i32, u64)>,
}

impl Scope {
    pub(crate) fn new(rule: Rule) -> Self {
        Self { rule, seen: BTreeSet::new() }
    }

    /// Ends all its processes and returns when none is left.
    ///
    /// They are asked to end; those that have not after `grace` are killed.
    pub(crate) async fn end(&mut self, grace: Duration) -> io::Result<Result<(), Survivors>> {
        let asked = Instant::now();
        if self.signal(Signal::TERM)?.is_empty() {
            return Ok(Ok(()));
        }
        // A stopped process takes a signal only after it goes on.
        self.signal(Signal::CONT)?;
        let mut pause = FIRST_PAUSE;
        while asked.elapsed() < grace {
            sleep(pause.min(grace.saturating_sub(asked.elapsed()))).await;
            if self.living()?.is_empty() {
                return Ok(Ok(()));
            }
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
        self.kill().await
    }

    /// Kills all its processes and returns when none is left.
    async fn kill(&mut self) -> io::Result<Result<(), Survivors>> {
        let deadline = Instant::now() + KILL_MARGIN;
        let mut pause = FIRST_PAUSE;
        loop {
            let left = self.signal(Signal::KILL)?;
            if left.is_empty() {
                return Ok(Ok(()));
            }
            if Instant::now() >= deadline {
                return Ok(Err(Survivors(left.iter().map(Process::name).collect())));
            }
            sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    /// Sends `signal` to all its processes and says which they were.
    fn signal(&mut self, signal: Signal) -> io::Result<Vec<Process>> {
        let living = self.living()?;
        let group = match &self.rule {
            Rule::Group(leader) if !living.is_empty() => Some(*leader),
            _ => None,
        };
        if let Some(leader) = group {
            // One call for the whole group, which not even a fork bomb outruns.
            match kill_process_group(leader, signal) {
                Ok(()) | Err(Errno::SRCH | Errno::PERM) => {}
                Err(error) => return Err(error.into()),
            }
        }
        // No process gets a signal twice: many take a second TERM for an order to hurry.
        let in_group = |process: &Process| {
            group.is_some_and(|leader| process.group == leader.as_raw_nonzero().get())
        };
        for process in living.iter().filter(|process| !in_group(process)) {
            process.signal(signal)?;
        }
        Ok(living)
    }

    /// Its processes that can still do something.
    pub(crate) fn living(&mut self) -> io::Result<Vec<Process>> {
        let all = Process::all()?;
        let mut members: BTreeSet<i32> = BTreeSet::new();
        for process in &all {
            if self.seen.contains(&key(process)) || self.rule.matches(process)? {
                members.insert(process.pid.as_raw_nonzero().get());
            }
        }
        add_descendants(&all, &mut members);
        let own = rustix::process::getpid();
        let is_member = |process: &Process| {
            process.pid != own && members.contains(&process.pid.as_raw_nonzero().get())
        };
        let living: Vec<Process> =
            all.into_iter().filter(|one| is_member(one) && one.is_living()).collect();
        self.seen.extend(living.iter().map(key));
        Ok(living)
    }
}

impl Rule {
    fn matches(&self, process: &Process) -> io::Result<bool> {
        match self {
            // A group of another session only has the same number.
            Self::Group(leader) => Ok(process.group == leader.as_raw_nonzero().get()
                && process.session == rustix::process::getsid(None)?.as_raw_nonzero().get()),
            Self::Descendants => Ok(process.pid == rustix::process::getpid()),
            Self::LeftBy { session, marker } => {
                let in_session = session
                    .is_some_and(|session| process.session == session.as_raw_nonzero().get());
                Ok(in_session || process.was_started_with(marker)?)
            }
        }
    }
}

/// Adds to `members` all processes that have one of them among their ancestors.
fn add_descendants(all: &[Process], members: &mut BTreeSet<i32>) {
    let mut children: HashMap<i32, Vec<i32>> = HashMap::new();
    for process in all {
        children.entry(process.parent).or_default().push(process.pid.as_raw_nonzero().get());
    }
    let mut pending: Vec<i32> = members.iter().copied().collect();
    while let Some(parent) = pending.pop() {
        for child in children.get(&parent).into_iter().flatten() {
            if members.insert(*child) {
                pending.push(*child);
            }
        }
    }
}

fn key(process: &Process) -> (i32, u64) {
    (process.pid.as_raw_nonzero().get(), process.start_time)
}
