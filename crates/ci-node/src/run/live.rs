//! A session on a terminal: what has ended scrolls away, and what runs is drawn below it, in place.

use std::collections::BTreeMap;
use std::env;
use std::io::{self, IsTerminal};

use anyhow::Result;
use ci_domain::ids::JobId;
use ci_domain::plan::Plan;
use ci_exec::CommandId;
use tokio::time::Instant;

use crate::output::duration_text;
use crate::output::{Output, plain};
use crate::run::choice::Choice;
use crate::run::event::Event;
use crate::run::lines::Lines;
use crate::run::scene::Scene;
use crate::run::session::SessionEnd;
use crate::run::show::Show;

/// Jobs that are drawn; a view that is taller than the terminal could not be drawn over.
const MAX_ROWS: usize = 10;
/// Lines are cut at the right edge instead of wrapped, so that they can be counted; and back.
const NO_WRAP: &str = "\x1b[?7l";
const WRAP: &str = "\x1b[?7h";
/// Clears the row. Rows are cleared one by one: tmux takes a screen that is cleared from its top for one that is
/// to be kept, and each drawing would be left behind in what one can scroll back to.
const CLEAR_ROW: &str = "\x1b[K";
/// Clears from here to the end of the screen.
const CLEAR: &str = "\x1b[J";

/// Draws.
#[derive(Debug)]
pub(super) struct Live {
    lines: Lines,
    output: Output,
    view: View,
    /// Lines that are on the screen and will be drawn over.
    drawn: usize,
}

/// What is known of the session.
#[derive(Debug)]
struct View {
    began: Instant,
    all: usize,
    ended: usize,
    running: BTreeMap<JobId, Running>,
}

#[derive(Debug)]
struct Running {
    since: Instant,
    commands: BTreeMap<CommandId, (String, Instant)>,
}

/// Whether stdout is a terminal that can do this.
pub(super) fn is_possible() -> bool {
    io::stdout().is_terminal() && env::var_os("TERM").is_some_and(|term| term != "dumb")
}

impl Live {
    pub(super) fn new(plan: &Plan) -> Self {
        let (began, all) = (Instant::now(), plan.jobs().count());
        Self {
            lines: Lines::new(plan),
            output: Output::new(),
            view: View { began, all, ended: 0, running: BTreeMap::new() },
            drawn: 0,
        }
    }

    fn erase(&mut self) -> Result<()> {
        if self.drawn > 0 {
            let (drawn, blank) = (self.drawn, format!("{CLEAR_ROW}\n").repeat(self.drawn));
            self.output.write(&format!("\r\x1b[{drawn}A{blank}\x1b[{drawn}A"))?;
            self.drawn = 0;
        }
        Ok(())
    }

    fn draw(&mut self) -> Result<()> {
        let rows = self.view.rows(Instant::now());
        let up = match self.drawn {
            0 => String::new(),
            drawn => format!("\r\x1b[{drawn}A"),
        };
        // A name may have lines; a row has one.
        let line = |row: &String| format!("{CLEAR_ROW}{}\n", plain(row).replace('\n', " "));
        let text: String = rows.iter().map(line).collect();
        self.drawn = rows.len();
        self.output.write(&format!("{up}{NO_WRAP}{text}{WRAP}{CLEAR}"))
    }
}

impl Show for Live {
    fn planned(&mut self, choice: &Choice) -> Result<()> {
        self.lines.planned(choice)
    }

    fn event(&mut self, event: &Event) -> Result<()> {
        self.view.take(event, Instant::now());
        match event {
            Event::CommandStarted { job, command, title } => self.lines.began(job, command, title),
            Event::Ended(ended) => {
                self.erase()?;
                self.lines.ended_job(ended)?;
            }
            Event::Started { .. } | Event::CommandExited { .. } => {}
        }
        self.draw()
    }

    fn say(&mut self, words: &str) -> Result<()> {
        self.erase()?;
        self.lines.say(words)
    }

    fn redraw(&mut self) -> Result<()> {
        self.draw()
    }

    fn ended(&mut self, end: &SessionEnd, scene: &Scene) -> Result<()> {
        self.erase()?;
        self.lines.ended(end, scene)
    }
}

impl View {
    fn take(&mut self, event: &Event, now: Instant) {
        match event {
            Event::Started { job, .. } => {
                let running = Running { since: now, commands: BTreeMap::new() };
                self.running.insert(job.clone(), running);
            }
            Event::CommandStarted { job, command, title } => {
                if let Some(running) = self.running.get_mut(job) {
                    running.commands.insert(command.clone(), (title.clone(), now));
                }
            }
            Event::CommandExited { job, command, .. } => {
                if let Some(running) = self.running.get_mut(job) {
                    running.commands.remove(command);
                }
            }
            Event::Ended(ended) => {
                self.ended += 1;
                self.running.remove(&ended.job);
            }
        }
    }

    fn rows(&self, now: Instant) -> Vec<String> {
        let width = self.running.keys().map(|job| job.to_string().len()).max().unwrap_or(0);
        let mut rows: Vec<String> = self
            .running
            .iter()
            .take(MAX_ROWS)
            .map(|(job, running)| running.row(&format!("{:<width$}", job.to_string()), now))
            .collect();
        let waiting = self.all.saturating_sub(self.ended + self.running.len());
        rows.push(format!(
            "{} of {} ended, {} running, {waiting} waiting  {}",
            self.ended,
            self.all,
            self.running.len(),
            duration_text(now - self.began),
        ));
        rows
    }
}

impl Running {
    fn row(&self, job: &str, now: Instant) -> String {
        let took = duration_text(now - self.since);
        let commands: Vec<String> = self
            .commands
            .values()
            .map(|(title, since)| format!("{title} ({})", duration_text(now - *since)))
            .collect();
        format!("● {job}  {took:<6}  {}", commands.join(", ")).trim_end().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use ci_exec::{Exit, Outcome};

    use super::*;
    use crate::run::event::{End, Ended};

    fn view(events: &[(u64, Event)], now: u64) -> String {
        let began = Instant::now();
        let mut view = View { began, all: 3, ended: 0, running: BTreeMap::new() };
        for (second, event) in events {
            view.take(event, began + Duration::from_secs(*second));
        }
        view.rows(began + Duration::from_secs(now)).join("\n")
    }

    #[test]
    fn the_view_shows_what_runs_and_for_how_long() {
        let job = |text: &str| text.parse::<JobId>().unwrap();
        let command = |text: &str| CommandId::parse(text).unwrap();
        let started = |text: &str| Event::Started { job: job(text), run_dir: "/run".into() };
        let began = |id: &str, title: &str| Event::CommandStarted {
            job: job("air:test"),
            command: command(id),
            title: title.to_owned(),
        };
        let exited = Event::CommandExited {
            job: job("air:test"),
            command: command("0-1"),
            exit: Exit::Code(0),
            took: Duration::from_secs(1),
        };
        let ended = Event::Ended(Ended {
            job: job("common:test"),
            end: End::Ran(Outcome::Passed),
            took: Duration::from_secs(2),
            run_dir: None,
        });
        let events = [
            (0, started("air:test")),
            (1, started("common:test")),
            (1, began("0-1", "mix deps.get")),
            (2, began("1-1", "unit tests")),
            (3, exited),
        ];
        insta::assert_snapshot!(view(&events, 65), @r"
        ● air:test     1m05s   unit tests (1m03s)
        ● common:test  1m04s
        0 of 3 ended, 2 running, 1 waiting  1m05s
        ");
        let mut all = events.to_vec();
        all.push((66, ended));
        insta::assert_snapshot!(view(&all, 67), @r"
        ● air:test  1m07s   unit tests (1m05s)
        1 of 3 ended, 1 running, 1 waiting  1m07s
        ");
    }
}
