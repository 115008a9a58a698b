//! A session as lines of text: one for each job that starts or ends, and the logs of what failed.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context as _, Result};
use ci_domain::ids::JobId;
use ci_domain::plan::Plan;
use ci_exec::{CommandId, FailedCommand, Outcome, RunDir};

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
    /// What stands above the logs of commands.
    headings: BTreeMap<(JobId, CommandId), String>,
}

impl Lines {
    pub(super) fn new(plan: &Plan) -> Self {
        let width = plan.jobs().map(|job| job.id.to_string().len()).max().unwrap_or(0);
        Self { output: Output::new(), width, headings: BTreeMap::new() }
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
                commands.iter().try_for_each(|command| self.log(&ended.job, run_dir, command))
            }
            _ => Ok(()),
        }
    }

    /// Takes note of what shall stand above the log of a command.
    pub(super) fn began(&mut self, job: &JobId, command: &CommandId, title: &str) {
        self.headings.insert((job.clone(), command.clone()), title.to_owned());
    }

    fn log(&mut self, job: &JobId, run_dir: &Path, command: &FailedCommand) -> Result<()> {
        let log = RunDir::open(run_dir)?.log(&command.command);
        let path = log.path().display().to_string();
        let (lines, is_cut) = tail(&log).with_context(|| format!("failed to read {path}"))?;
        let FailedCommand { command, title, exit } = command;
        let heading = self.headings.get(&(job.clone(), command.clone()));
        let title = heading.unwrap_or(title);
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
            if !choice.has_components {
                return self.output.line(NO_COMPONENT);
            }
            self.output.line("Nothing is affected: there is nothing to run.")?;
            note("--all runs what is not affected, too.");
            return Ok(());
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
            Event::CommandStarted { job, command, title } => {
                self.began(job, command, title);
                Ok(())
            }
            Event::CommandExited { .. } => Ok(()),
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
