//! A session that does not take place: what would run, in an order in which it could.

use anyhow::Result;
use ci_domain::plan::PlannedJob;

use crate::output::{Output, note};
use crate::run::choice::Choice;
use crate::run::event::Event;
use crate::run::lines::Lines;
use crate::run::scene::Scene;
use crate::run::session::SessionEnd;
use crate::run::show::Show;

/// Prints the jobs.
#[derive(Debug)]
pub(super) struct Dry {
    output: Output,
}

impl Dry {
    pub(super) fn new() -> Self {
        Self { output: Output::new() }
    }
}

impl Show for Dry {
    fn planned(&mut self, choice: &Choice) -> Result<()> {
        Lines::new(&choice.plan).planned(choice)?;
        choice.plan.jobs().try_for_each(|job| self.output.line(&line(job)))
    }

    fn event(&mut self, _event: &Event) -> Result<()> {
        Ok(())
    }

    fn say(&mut self, words: &str) -> Result<()> {
        note(words);
        Ok(())
    }

    fn ended(&mut self, _end: &SessionEnd, _scene: &Scene) -> Result<()> {
        Ok(())
    }
}

fn line(job: &PlannedJob) -> String {
    let needs: Vec<String> = job.needs.iter().map(ToString::to_string).collect();
    if needs.is_empty() {
        job.id.to_string()
    } else {
        format!("{}  needs {}", job.id, needs.join(", "))
    }
}
