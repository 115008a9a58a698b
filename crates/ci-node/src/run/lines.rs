//! A session as lines of text: one for each job that starts or ends, and the logs of what failed.

use std::path::Path;

use anyhow::{Context as _, Result};
use ci_domain::ids::JobId;
use ci_domain::plan::Plan;
use ci_exec::{FailedCommand, Outcome, RunDir};

use crate::output::duration_text;
use crate::output::{NO_COMPONENT, Output, note};
use crate::run::choice::Choice;
use crate::run::event::{End, Ended, Event, exit_text};
use crate::run::scene::Scene;
use crate::run::session::SessionEnd;
use crate::run::show::Show;
use crate::run::summary::summary;
use crate::run::tail::tail;

/// Prints lines.
#[derive(Debug)]
pub(super) struct Lines {
    output: Output,
    /// Of the longest job.
    width: usize,
}

impl Lines {
    pub(super) fn new(plan: &Plan) -> Self {
        let width = plan.jobs().map(|job| job.id.to_string().len()).max().unwrap_or(0);
        Self { output: Output::new(), width }
    }

    /// What is said of `job`, under the others.
    fn job(&mut self, job: &JobId, words: &str) -> Result<()> {
        let width = self.width;
        self.output.line(&format!("{:<width$}  {words}", job.to_string()))
    }

    /// How a job ended, with the logs of what failed.
    pub(super) fn ended_job(&mut self, ended: &Ended) -> Result<()> {
        let mut words = ended.end.verdict().word().to_owned();
        if ended.run_dir.is_some() {
            words.push_str(&format!(" in {}", duration_text(ended.took)));
        }
        if let Some(detail) = ended.end.detail() {
            words.push_str(&format!(": {detail}"));
        }
        self.job(&ended.job, &words)?;
        match (&ended.end, &ended.run_dir) {
            (End::Ran(Outcome::Failed { commands, .. }), Some(run_dir)) => {
                commands.iter().try_for_each(|command| self.log(run_dir, command))
            }
            _ => Ok(()),
        }
    }

    fn log(&mut self, run_dir: &Path, command: &FailedCommand) -> Result<()> {
        let log = RunDir::open(run_dir)?.log(&command.command);
        let path = log.path().display().to_string();
        let (lines, is_cut) = tail(&log).with_context(|| format!("failed to read {path}"))?;
        let FailedCommand { title, exit, .. } = command;
        self.output.line(&format!("  ┌ {title}: {}", exit_text(*exit)))?;
        if is_cut {
            self.output.line("  │ …")?;
        }
        for line in lines {
            self.output.line(format!("  │ {line}").trim_end())?;
        }
        self.output.line(&format!("  └ {path}"))
    }
}

impl Show for Lines {
    fn planned(&mut self, choice: &Choice) -> Result<()> {
        if !choice.is_affected {
            return self.output.line(if choice.has_components {
                "Nothing is affected: there is nothing to run."
            } else {
                NO_COMPONENT
            });
        }
        if choice.plan.is_empty() {
            self.output.line("No job that is affected was chosen: there is nothing to run.")?;
            note("COMPONENT:JOB, or --component, names what runs whether it is affected or not.");
        }
        if choice.held.is_empty() {
            return Ok(());
        }
        let held: Vec<String> = choice.held.iter().map(ToString::to_string).collect();
        note(&format!("Not run before an approval: {} (--approved runs them)", held.join(", ")));
        Ok(())
    }

    fn event(&mut self, event: &Event) -> Result<()> {
        match event {
            Event::Started { job, .. } => self.job(job, "started"),
            Event::Ended(ended) => self.ended_job(ended),
            Event::CommandStarted { .. } | Event::CommandExited { .. } => Ok(()),
        }
    }

    fn say(&mut self, words: &str) -> Result<()> {
        note(words);
        Ok(())
    }

    fn ended(&mut self, end: &SessionEnd, _scene: &Scene) -> Result<()> {
        self.output.line(&summary(end))
    }
}
