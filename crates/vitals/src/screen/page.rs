//! The lines of a page: one actor, or one crash.

use heights_vitals::ClientError;
use heights_vitals::wire::StateView;

use super::model::{Model, Page, Subject};
use crate::{crashes, info, state, why};

/// Returns what a page is called.
pub fn title(page: &Page) -> String {
    match &page.subject {
        Subject::Actor { path, .. } => path.clone(),
        Subject::Crash { pid, .. } => format!("the end of {pid}"),
    }
}

/// Returns all lines of a page.
pub fn lines(model: &Model, page: &Page) -> Vec<String> {
    let text = match &page.subject {
        Subject::Actor { path, state } => actor(model, path, state.as_ref()),
        Subject::Crash { pid, at_ms } => crash(model, pid, *at_ms),
    };
    text.lines().map(str::to_owned).collect()
}

fn actor(model: &Model, path: &str, state: Option<&Result<StateView, String>>) -> String {
    let said =
        |answer: Result<String, ClientError>| answer.unwrap_or_else(|error| format!("{error}\n"));
    let described = model.picture.detail(path).map(|detail| info::describe(&detail));
    let reason = model.picture.why(path).map(|why| why::tell(&why));
    let state = match state {
        None if model.is_living() => "asked for\n".to_owned(),
        None => "a snapshot holds no state\n".to_owned(),
        Some(Err(error)) => format!("{error}\n"),
        Some(Ok(view)) => {
            let shown = view.view.as_ref().map(state::tell).unwrap_or_default();
            state::remark(view) + &shown
        }
    };
    format!("WHY\n{}\nFIGURES\n{}\nSTATE\n{state}", said(reason), said(described))
}

fn crash(model: &Model, pid: &str, at_ms: u64) -> String {
    let crashes = &model.picture.crashes;
    match crashes.iter().find(|crash| crash.pid == pid && crash.at_ms == at_ms) {
        Some(crash) => crashes::describe(&crashes::Shown::of(crash, crashes)),
        None => "it is not remembered any more\n".to_owned(),
    }
}
