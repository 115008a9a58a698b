//! `vitals` without a command: the screen that one leaves open.
//!
//! What is drawn comes from the model alone, never from the socket. So the screen works while the
//! process does not answer, and keeps the last picture when the process is gone.

mod draw;
mod model;
mod rows;

use std::io::{self, IsTerminal};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use heights_vitals::wire::{ControlOutcome, ControlRequest};
use heights_vitals::{Client, ClientError};
use ratatui::DefaultTerminal;
use ratatui::crossterm::event::{self, Event, KeyEventKind};
use tokio::time::{Instant, sleep_until};

use self::model::{Effect, Model};
use crate::command::Vitals;
use crate::dress::Dress;
use crate::failure::Failure;
use crate::output::Output;

/// How long a key may wait until it is seen.
const TICK: Duration = Duration::from_millis(50);

/// Shows a process, or the one that is meant, until somebody leaves.
pub async fn run(vitals: &Vitals, process: Option<&str>) -> Result<(), Failure> {
    if !io::stdout().is_terminal() || !io::stdin().is_terminal() {
        let hint = "not a terminal: say what to print, for instance vitals tree or vitals top";
        return Err(Failure::Usage(hint.to_owned()));
    }
    let process = match process {
        Some(process) => Some(process.to_owned()),
        None => vitals.picked(Output::new(vitals))?,
    };
    let source = vitals.source_of(process.as_deref()).await?;
    let picture = source.picture().await?;
    let living = source.living().cloned();
    let colour = Dress::of_screen(vitals.color).color;
    let mut model = Model::new(picture, living.is_some(), colour);
    let keys = listen();
    let mut terminal = ratatui::try_init().map_err(Failure::Io)?;
    let shown = show(&mut terminal, &mut model, living.as_ref(), &keys).await;
    // What is left of a terminal that cannot be restored is not ours to mend.
    ratatui::restore();
    shown
}

/// Reads keys on a thread of its own: a terminal cannot be read and waited for otherwise.
fn listen() -> mpsc::Receiver<io::Result<Event>> {
    let (tell, keys) = mpsc::channel();
    thread::spawn(move || {
        loop {
            let event = event::read();
            let broken = event.is_err();
            if tell.send(event).is_err() || broken {
                return;
            }
        }
    });
    keys
}

async fn show(
    terminal: &mut DefaultTerminal,
    model: &mut Model,
    living: Option<&Client>,
    keys: &mpsc::Receiver<io::Result<Event>>,
) -> Result<(), Failure> {
    let mut due = Instant::now() + model.interval();
    let mut stale = true;
    loop {
        if stale {
            terminal.draw(|frame| draw::draw(frame, model)).map_err(Failure::Io)?;
            stale = false;
        }
        match keys.try_recv() {
            Ok(event) => {
                let effect = on_event(model, &event.map_err(Failure::Io)?);
                if effect == Effect::Quit {
                    return Ok(());
                }
                perform(model, living, effect).await;
                stale = true;
                continue;
            }
            Err(mpsc::TryRecvError::Disconnected) => return Ok(()),
            Err(mpsc::TryRecvError::Empty) => {}
        }
        if Instant::now() >= due {
            due = Instant::now() + model.interval();
            stale = refresh(model, living).await;
            continue;
        }
        sleep_until(due.min(Instant::now() + TICK)).await;
    }
}

fn on_event(model: &mut Model, event: &Event) -> Effect {
    match event {
        Event::Key(key) if key.kind == KeyEventKind::Press => model.press(*key),
        _ => Effect::None,
    }
}

/// Asks for a new picture, unless the screen is to stay as it is; `true` if there is news.
async fn refresh(model: &mut Model, living: Option<&Client>) -> bool {
    let Some(client) = living.filter(|_| !model.is_paused()) else { return false };
    match client.picture().await {
        Ok(picture) => model.see(picture),
        Err(error) => model.lose(&error.to_string()),
    }
    true
}

/// Asks the process to do something, or what that would mean.
async fn perform(model: &mut Model, living: Option<&Client>, effect: Effect) {
    let Some(client) = living else { return };
    match effect {
        Effect::None | Effect::Quit => {}
        Effect::Refresh => {
            refresh(model, living).await;
        }
        Effect::Foresee { action, reference } => {
            match ask(client, action, &reference, true).await {
                Ok(outcome) => model.propose(outcome),
                Err(error) => model.say(&error.to_string()),
            }
        }
        Effect::Act { action, reference } => match ask(client, &action, &reference, false).await {
            Ok(outcome) => {
                model.say(&crate::act::done(&outcome));
                refresh(model, living).await;
            }
            Err(error) => model.say(&error.to_string()),
        },
    }
}

async fn ask(
    client: &Client,
    action: &str,
    reference: &str,
    dry_run: bool,
) -> Result<ControlOutcome, ClientError> {
    let reason = Some("from the screen of vitals".to_owned());
    client.act(action, reference, &ControlRequest { dry_run, reason }).await
}

#[cfg(test)]
mod tests;
