//! What the screen asks the process, without waiting for the answers.

use std::future::pending;
use std::time::Duration;

use heights_vitals::wire::{ControlOutcome, ControlRequest, Picture, StateView, TraceEvent};
use heights_vitals::{Client, Trace};
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::Instant;

use super::model::{Effect, Model, Page, Subject};
use super::tracing::Tracing;

/// Looking takes at most the tenth part of the time, so that the tool is no burden itself.
const SHARE: u32 = 10;

/// What has become of a question. Where it went wrong, the words for people.
#[derive(Debug)]
pub enum News {
    /// With what went wrong, for how long there is none.
    Picture(Result<Box<Picture>, (String, Duration)>),
    Foreseen(Result<Box<ControlOutcome>, String>),
    Acted(Result<Box<ControlOutcome>, String>),
    State(String, Result<Box<StateView>, String>),
    Traced(Result<TraceEvent, String>),
}

/// An answer, with what belongs to the questions only.
#[derive(Debug)]
enum Answer {
    News(News),
    Picture { picture: Result<Box<Picture>, String>, took: Duration },
    Trace(Result<Box<Trace>, String>),
}

/// Asks one process, or nobody.
#[derive(Debug)]
pub struct Questions {
    client: Option<Client>,
    asked: JoinSet<Answer>,
    /// The picture that is on its way.
    looking: Option<AbortHandle>,
    /// When there is time to look again.
    rested: Instant,
    /// When the latest picture came.
    seen: Instant,
    trace: Option<Box<Trace>>,
}

impl Questions {
    pub fn to(client: Option<Client>) -> Self {
        let (asked, now) = (JoinSet::new(), Instant::now());
        Self { client, asked, looking: None, rested: now, seen: now, trace: None }
    }

    /// Asks for a new picture, and for the state that is looked at, unless the screen is to stay as it
    /// is or there is no time for it; `true` if the screen should say for how long there is none.
    pub fn look(&mut self, model: &mut Model) -> bool {
        if model.is_paused() {
            return false;
        }
        if self.looking.is_none() && Instant::now() >= self.rested {
            self.ask(Effect::Refresh);
            if let Some(Page { subject: Subject::Actor { path, .. }, .. }) = &model.page {
                self.ask(Effect::State { path: path.clone() });
            }
        }
        match &mut model.lost {
            Some(lost) => {
                lost.since = self.seen.elapsed();
                true
            }
            None => false,
        }
    }

    /// Asks what a key wants to know.
    pub fn ask(&mut self, effect: Effect) {
        let Some(client) = self.client.clone() else { return };
        match effect {
            Effect::None | Effect::Quit | Effect::Copy(_) => {}
            Effect::Refresh => {
                if self.looking.is_none() {
                    self.looking = Some(self.asked.spawn(picture(client)));
                }
            }
            Effect::Foresee { action, reference } => {
                self.asked.spawn(async move {
                    let foreseen = act(&client, action, &reference, true).await;
                    Answer::News(News::Foreseen(foreseen))
                });
            }
            Effect::Act { action, reference } => {
                self.asked.spawn(async move {
                    let acted = act(&client, &action, &reference, false).await;
                    Answer::News(News::Acted(acted))
                });
            }
            Effect::State { path } => {
                self.asked.spawn(async move {
                    let state = client.state(&path, None).await;
                    let state = state.map(Box::new).map_err(|error| error.to_string());
                    Answer::News(News::State(path, state))
                });
            }
            Effect::Trace { path } => {
                self.trace = None;
                self.asked.spawn(async move {
                    let trace = client.trace(&Tracing::request(&path)).await;
                    Answer::Trace(trace.map(Box::new).map_err(|error| error.to_string()))
                });
            }
            Effect::EndTrace => self.trace = None,
        }
    }

    /// Waits for the next answer.
    pub async fn news(&mut self) -> News {
        loop {
            let answer = tokio::select! {
                Some(answer) = self.asked.join_next() => answer,
                event = told(&mut self.trace) => {
                    let ended = event.is_err();
                    if ended {
                        self.trace = None;
                    }
                    return News::Traced(event);
                }
            };
            match answer {
                Ok(Answer::News(news)) => return news,
                Ok(Answer::Picture { picture, took }) => {
                    return News::Picture(self.took(picture, took));
                }
                Ok(Answer::Trace(Ok(trace))) => self.trace = Some(trace),
                Ok(Answer::Trace(Err(why))) => return News::Traced(Err(why)),
                Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
                Err(_cancelled) => {}
            }
        }
    }

    fn took(
        &mut self,
        picture: Result<Box<Picture>, String>,
        took: Duration,
    ) -> Result<Box<Picture>, (String, Duration)> {
        self.looking = None;
        self.rested = Instant::now() + took * (SHARE - 1);
        match picture {
            Ok(picture) => {
                self.seen = Instant::now();
                Ok(picture)
            }
            Err(why) => Err((why, self.seen.elapsed())),
        }
    }
}

async fn picture(client: Client) -> Answer {
    let asked = Instant::now();
    let picture = client.picture().await;
    let picture = picture.map(Box::new).map_err(|error| error.to_string());
    // Whoever does not answer costs nothing: it is asked again as soon as it is due.
    let took = if picture.is_ok() { asked.elapsed() } else { Duration::ZERO };
    Answer::Picture { picture, took }
}

/// Waits for the next event of the trace, if there is one.
async fn told(trace: &mut Option<Box<Trace>>) -> Result<TraceEvent, String> {
    match trace {
        None => pending().await,
        Some(trace) => match trace.next().await {
            Ok(Some(event)) => Ok(event),
            Ok(None) => Err("the process is gone".to_owned()),
            Err(error) => Err(error.to_string()),
        },
    }
}

async fn act(
    client: &Client,
    action: &str,
    reference: &str,
    dry_run: bool,
) -> Result<Box<ControlOutcome>, String> {
    let reason = Some("from the screen of vitals".to_owned());
    let outcome = client.act(action, reference, &ControlRequest { dry_run, reason }).await;
    outcome.map(Box::new).map_err(|error| error.to_string())
}
