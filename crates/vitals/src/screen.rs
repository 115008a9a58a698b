//! `vitals` without a command, and `vitals attach`: the screen that one leaves open.
//!
//! What is drawn comes from the model alone, never from the socket. So keys work while the process
//! does not answer, and the last picture stays when the process is gone.
//!
//! ```text
//! keys ──────► Model::press ──► Effect ──► Questions ──► the process
//!                 Model ◄── see, hear, lose ◄── News ◄──────┘
//!                   └──► draw, at most ten times a second
//! ```

mod cells;
mod draw;
mod keys;
mod listing;
mod model;
mod page;
mod questions;
mod system;
mod tracing;
mod words;

use std::io::{self, IsTerminal, Write};
use std::thread;
use std::time::Duration;

use ratatui::DefaultTerminal;
use ratatui::crossterm::event::{self, Event, KeyEventKind};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::time::{Instant, sleep_until};

use self::model::{Effect, Model};
use self::questions::{News, Questions};
use crate::command::Vitals;
use crate::dress::Dress;
use crate::failure::Failure;
use crate::output::Output;

/// The time between two frames: more often nobody can look, and a slow line cannot follow.
const FRAME: Duration = Duration::from_millis(100);

type Keys = UnboundedReceiver<io::Result<Event>>;

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
    let mut model = Model::new(picture, living.is_some(), Dress::of_screen(vitals.color));
    let mut questions = Questions::to(living);
    let mut keys = listen();
    let mut terminal = ratatui::try_init().map_err(Failure::Io)?;
    let shown = show(&mut terminal, &mut model, &mut questions, &mut keys).await;
    // What is left of a terminal that cannot be restored is not ours to mend.
    ratatui::restore();
    shown
}

/// Reads keys on a thread of its own: a terminal cannot be read and waited for otherwise.
fn listen() -> Keys {
    let (tell, keys) = unbounded_channel();
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
    questions: &mut Questions,
    keys: &mut Keys,
) -> Result<(), Failure> {
    let mut told_to_end = signal(SignalKind::terminate()).map_err(Failure::Io)?;
    let mut looked = Instant::now();
    let (mut stale, mut next_frame) = (true, Instant::now());
    loop {
        if stale && Instant::now() >= next_frame {
            let area = terminal.draw(|frame| draw::draw(frame, model)).map_err(Failure::Io)?.area;
            model.height = draw::list_height(area.height);
            (stale, next_frame) = (false, Instant::now() + FRAME);
        }
        tokio::select! {
            event = keys.recv() => {
                let Some(event) = event else { return Ok(()) };
                match on_event(model, &event.map_err(Failure::Io)?) {
                    Effect::Quit => return Ok(()),
                    Effect::Copy(text) => copy(model, &text)?,
                    effect => questions.ask(effect),
                }
                stale = true;
            }
            news = questions.news() => stale |= hear(model, questions, news),
            () = sleep_until(looked + model.interval()) => {
                looked = Instant::now();
                stale |= questions.look(model);
            }
            () = sleep_until(next_frame), if stale => {}
            _ = told_to_end.recv() => return Ok(()),
        }
    }
}

fn on_event(model: &mut Model, event: &Event) -> Effect {
    match event {
        Event::Key(key) if key.kind == KeyEventKind::Press => model.press(*key),
        _ => Effect::None,
    }
}

/// Takes what the process has said; `true` if there is something new to be seen.
fn hear(model: &mut Model, questions: &mut Questions, news: News) -> bool {
    match news {
        // Whoever has stopped the picture wants to look at this one.
        News::Picture(Ok(_)) if model.is_paused() => return false,
        News::Picture(Ok(picture)) => model.see(*picture),
        News::Picture(Err((why, since))) => model.lose(&why, since),
        News::Foreseen(Ok(outcome)) => model.propose(*outcome),
        News::Acted(Ok(outcome)) => {
            model.say(&crate::act::done(&outcome));
            questions.ask(Effect::Refresh);
        }
        News::Foreseen(Err(why)) | News::Acted(Err(why)) => model.say(&why),
        News::State(path, state) => model.show_state(&path, state.map(|state| *state)),
        News::Traced(event) => {
            if let Some(tracing) = &mut model.tracing {
                match event {
                    Ok(event) => tracing.hear(event),
                    Err(why) => tracing.end(&why),
                }
            }
            model.follow();
        }
    }
    true
}

/// Asks the terminal to keep a text to be pasted; those that cannot ignore it.
fn copy(model: &mut Model, text: &str) -> Result<(), Failure> {
    let sequence = format!("\x1b]52;c;{}\x07", base64(text.as_bytes()));
    let mut out = io::stdout();
    out.write_all(sequence.as_bytes()).and_then(|()| out.flush()).map_err(Failure::Io)?;
    model.say(&format!("copied {text}"));
    Ok(())
}

/// Writes bytes in base64, in which terminals take what is to be copied.
fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for part in bytes.chunks(3) {
        let at = |at: usize| u32::from(part.get(at).copied().unwrap_or(0));
        let bits = at(0) << 16 | at(1) << 8 | at(2);
        for place in 0..4 {
            let letter = LETTERS[(bits >> (18 - 6 * place) & 63) as usize];
            text.push(if place <= part.len() { char::from(letter) } else { '=' });
        }
    }
    text
}

#[cfg(test)]
mod tests;
