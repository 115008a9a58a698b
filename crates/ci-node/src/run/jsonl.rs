//! A session for programs: one JSON object for each fact.

use std::path::Path;

use anyhow::Result;
use ci_exec::{Exit, Outcome, RunDir, UnixMillis};
use serde::Serialize;
use serde_json::Value;

use crate::output::{Output, note};
use crate::run::choice::Choice;
use crate::run::event::{End, Ended, Event, Verdict};
use crate::run::scene::Scene;
use crate::run::session::SessionEnd;
use crate::run::show::Show;

/// Prints facts.
#[derive(Debug)]
pub(super) struct Jsonl {
    output: Output,
}

/// What happened.
#[derive(Debug, Serialize)]
#[serde(tag = "fact", rename_all = "snake_case")]
enum WireFact<'a> {
    /// Always the first.
    Planned {
        schema: &'static str,
        jobs: Vec<WireJob>,
        held: Vec<String>,
    },
    JobStarted {
        job: String,
        run_dir: &'a Path,
    },
    CommandStarted {
        job: String,
        command: String,
        title: &'a str,
    },
    CommandExited {
        job: String,
        command: String,
        exit: WireExit,
        duration_ms: u64,
    },
    JobEnded {
        job: String,
        verdict: &'static str,
        detail: Option<String>,
        failed: Vec<WireFailed<'a>>,
        blocked_by: Vec<String>,
        duration_ms: u64,
        run_dir: Option<&'a Path>,
    },
    /// Always the last.
    Ended {
        verdict: &'static str,
        passed: usize,
        not_passed: usize,
        duration_ms: u64,
        run_dirs: Option<&'a Path>,
    },
}

#[derive(Debug, Serialize)]
struct WireJob {
    id: String,
    needs: Vec<String>,
}

#[derive(Debug, Serialize)]
struct WireFailed<'a> {
    command: String,
    title: &'a str,
    exit: WireExit,
    log: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "snake_case")]
enum WireExit {
    Code(i32),
    Signal(i32),
    OutOfMemory,
    TimedOut,
    Cancelled,
}

impl Jsonl {
    pub(super) fn new(output: Output) -> Self {
        Self { output }
    }

    fn print(&mut self, fact: WireFact<'_>) -> Result<()> {
        let mut value = serde_json::to_value(fact)?;
        if let Value::Object(fields) = &mut value {
            // When, in milliseconds since 1970.
            fields.insert("at".to_owned(), UnixMillis::now().0.into());
        }
        self.output.json_line(&value)
    }

    fn print_end(&mut self, end: &SessionEnd, run_dirs: Option<&Path>) -> Result<()> {
        let passed = end.jobs.iter().filter(|job| job.end.verdict() == Verdict::Passed).count();
        let worst = end.jobs.iter().map(|job| job.end.verdict()).max();
        self.print(WireFact::Ended {
            verdict: worst.unwrap_or(Verdict::Passed).word(),
            passed,
            not_passed: end.jobs.len() - passed,
            duration_ms: millis(end.took),
            run_dirs,
        })
    }
}

impl Show for Jsonl {
    fn planned(&mut self, choice: &Choice) -> Result<()> {
        let job = |job: &ci_domain::plan::PlannedJob| WireJob {
            id: job.id.to_string(),
            needs: job.needs.iter().map(ToString::to_string).collect(),
        };
        let jobs = choice.plan.jobs().map(job).collect();
        let held = choice.held.iter().map(ToString::to_string).collect();
        self.print(WireFact::Planned { schema: "ci-node.run/1", jobs, held })?;
        if choice.plan.is_empty() {
            self.print_end(&SessionEnd::default(), None)?;
        }
        Ok(())
    }

    fn event(&mut self, event: &Event) -> Result<()> {
        self.print(match event {
            Event::Started { job, run_dir } => {
                WireFact::JobStarted { job: job.to_string(), run_dir }
            }
            Event::CommandStarted { job, command, title } => WireFact::CommandStarted {
                job: job.to_string(),
                command: command.to_string(),
                title,
            },
            Event::CommandExited { job, command, exit, took } => WireFact::CommandExited {
                job: job.to_string(),
                command: command.to_string(),
                exit: (*exit).into(),
                duration_ms: millis(*took),
            },
            Event::Ended(ended) => job_ended(ended),
        })
    }

    fn say(&mut self, words: &str) -> Result<()> {
        note(words);
        Ok(())
    }

    fn ended(&mut self, end: &SessionEnd, scene: &Scene) -> Result<()> {
        self.print_end(end, Some(scene.folder()).filter(|folder| folder.exists()))
    }
}

impl From<Exit> for WireExit {
    fn from(exit: Exit) -> Self {
        match exit {
            Exit::Code(code) => Self::Code(code),
            Exit::Signal(signal) => Self::Signal(signal),
            Exit::OutOfMemory => Self::OutOfMemory,
            Exit::TimedOut => Self::TimedOut,
            Exit::Cancelled => Self::Cancelled,
        }
    }
}

fn job_ended(ended: &Ended) -> WireFact<'_> {
    let verdict = ended.end.verdict();
    let blocked_by = match &ended.end {
        End::Blocked(by) => by.iter().map(ToString::to_string).collect(),
        _ => Vec::new(),
    };
    WireFact::JobEnded {
        job: ended.job.to_string(),
        verdict: verdict.word(),
        detail: ended.end.detail(),
        failed: failed(ended),
        blocked_by,
        duration_ms: millis(ended.took),
        run_dir: ended.run_dir.as_deref().filter(|_| verdict != Verdict::Passed),
    }
}

fn failed(ended: &Ended) -> Vec<WireFailed<'_>> {
    let End::Ran(Outcome::Failed { commands, .. }) = &ended.end else { return Vec::new() };
    let dir = ended.run_dir.as_ref().and_then(|run_dir| RunDir::open(run_dir).ok());
    let log = |command| Some(dir.as_ref()?.log(command).path().display().to_string());
    commands
        .iter()
        .map(|failed| WireFailed {
            command: failed.command.to_string(),
            title: &failed.title,
            exit: failed.exit.into(),
            log: log(&failed.command),
        })
        .collect()
}

fn millis(duration: std::time::Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
