//! A set of processes that belong together, and the ladder that ends them: TERM, grace, KILL, proof.

use std::collections::{BTreeSet, HashMap};
use std::io;
use std::time::Duration;

use rustix::io::Errno;
use rustix::process::{Pid, Signal, kill_process_group};
use tokio::time::{Instant, sleep};

use super::{Answer, Process, Survivors};
use crate::cgroup::JobGroup;

/// How long killed processes may take to disappear; only one that hangs in the kernel takes longer.
const KILL_MARGIN: Duration = Duration::from_secs(5);
/// The first pause between two looks at what is left.
const FIRST_PAUSE: Duration = Duration::from_millis(1);
/// The longest pause between two looks at what is left.
const LONGEST_PAUSE: Duration = Duration::from_millis(25);

/// Which processes belong to a scope, besides the descendants of all that ever did.
#[derive(Clone, Debug)]
pub(crate) enum Rule {
    /// The process group that a shell of ours leads or led.
    Group {
        /// The shell.
        leader: Pid,
        /// The session that it is in; a group of another one only has the same number.
        session: Pid,
    },
    /// All descendants of a process that its orphans come to: a subreaper, or the first of a namespace.
    Descendants(Pid),
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
    /// The pids of processes that are left alone, though not what descends from them.
    spared: Vec<Pid>,
    /// A control group whose processes belong to it too.
    group: Option<JobGroup>,
}

/// What a look at a scope has shown.
#[derive(Debug)]
pub(crate) struct Sight {
    /// The processes that can still do something.
    living: Vec<Process>,
    /// How many processes could not be told from strangers at this moment.
    undecided: usize,
}

impl Scope {
    pub(crate) fn new(rule: Rule) -> Self {
        Self { rule, seen: BTreeSet::new(), spared: vec![rustix::process::getpid()], group: None }
    }

    /// Adds the processes of a control group, which none of them leaves by itself.
    pub(crate) fn and_group(mut self, group: Option<JobGroup>) -> Self {
        self.group = group;
        self
    }

    /// Leaves these processes alone too, and not only the one that calls.
    pub(crate) fn sparing(mut self, pids: impl IntoIterator<Item = Pid>) -> Self {
        self.spared.extend(pids);
        self
    }

    /// Ends all its processes and returns when none is left.
    ///
    /// They are asked to end; those that have not after `grace` are killed.
    pub(crate) async fn end(&mut self, grace: Duration) -> io::Result<Result<(), Survivors>> {
        if self.ask(grace).await? { Ok(Ok(())) } else { self.kill().await }
    }

    /// Asks all its processes to end, and says whether they did within `grace`.
    pub(crate) async fn ask(&mut self, grace: Duration) -> io::Result<bool> {
        let asked = Instant::now();
        if self.signal(Signal::TERM)?.is_empty() {
            return Ok(true);
        }
        // A stopped process takes a signal only after it goes on.
        self.signal(Signal::CONT)?;
        let mut pause = FIRST_PAUSE;
        while asked.elapsed() < grace {
            sleep(pause.min(grace.saturating_sub(asked.elapsed()))).await;
            if self.look()?.is_empty() {
                return Ok(true);
            }
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
        Ok(false)
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
                return Ok(Err(left.names()));
            }
            sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    /// Sends `signal` to all its processes and says which they were.
    fn signal(&mut self, signal: Signal) -> io::Result<Sight> {
        let sight = self.look()?;
        let group = match &self.rule {
            Rule::Group { leader, .. } if !sight.living.is_empty() => Some(*leader),
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
        for process in sight.living.iter().filter(|process| !in_group(process)) {
            process.signal(signal)?;
        }
        Ok(sight)
    }

    /// How many processes were ever seen in it.
    pub(crate) fn count(&self) -> usize {
        self.seen.len()
    }

    /// Looks for its processes.
    pub(crate) fn look(&mut self) -> io::Result<Sight> {
        let all = Process::all()?;
        let mut members: BTreeSet<i32> = BTreeSet::new();
        let mut undecided = 0;
        for process in &all {
            match self.answer(process)? {
                Answer::Yes => drop(members.insert(process.pid.as_raw_nonzero().get())),
                Answer::Unknown => undecided += 1,
                Answer::No => {}
            }
        }
        if let Some(group) = &self.group {
            members.extend(group.processes()?.into_iter().map(|pid| pid.as_raw_nonzero().get()));
        }
        add_descendants(&all, &mut members);
        let is_member = |process: &Process| {
            !self.spared.contains(&process.pid)
                && members.contains(&process.pid.as_raw_nonzero().get())
        };
        let living: Vec<Process> =
            all.into_iter().filter(|one| is_member(one) && one.is_living()).collect();
        self.seen.extend(living.iter().map(key));
        Ok(Sight { living, undecided })
    }

    fn answer(&self, process: &Process) -> io::Result<Answer> {
        if self.seen.contains(&key(process)) {
            return Ok(Answer::Yes);
        }
        self.rule.answer(process)
    }
}

impl Sight {
    /// Whether it is certain that there is no process.
    fn is_empty(&self) -> bool {
        self.living.is_empty() && self.undecided == 0
    }

    /// What is left, for people.
    pub(crate) fn names(&self) -> Survivors {
        Survivors(self.living.iter().map(Process::name).collect())
    }
}

impl Rule {
    fn answer(&self, process: &Process) -> io::Result<Answer> {
        let is_so = match self {
            Self::Group { leader, session } => {
                process.group == leader.as_raw_nonzero().get()
                    && process.session == session.as_raw_nonzero().get()
            }
            Self::Descendants(ancestor) => process.pid == *ancestor,
            Self::LeftBy { session, marker } => {
                let session = session.map(|session| session.as_raw_nonzero().get());
                if session != Some(process.session) {
                    return process.was_started_with(marker);
                }
                true
            }
        };
        Ok(if is_so { Answer::Yes } else { Answer::No })
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
