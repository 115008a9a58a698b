//! The lines of a page: one actor, or one crash.

use heights_vitals::ClientError;
use heights_vitals::wire::{Cause, StateView, Why};

use super::model::{Model, Page, Subject};
use crate::meant::worker_below;
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
    let reason = model.picture.why(path).map(|why| why::tell(&why) + &pointer(model, &why));
    let state = match state {
        None if model.is_living() => "asked for\n".to_owned(),
        None => "vitals state --from FILE shows what a snapshot holds of states\n".to_owned(),
        Some(Err(error)) => format!("{error}\n"),
        Some(Ok(view)) => {
            let shown = view.view.as_ref().map(state::tell).unwrap_or_default();
            state::remark(view) + &shown
        }
    };
    format!("WHY\n{}\nFIGURES\n{}\nSTATE\n{state}", said(reason), said(described))
}

/// Names the worker that is meant, where a supervisor has nothing to be told of.
fn pointer(model: &Model, why: &Why) -> String {
    let supervisor = Some(&why.verdict).filter(|verdict| verdict.cause == Cause::Nothing);
    let detail = supervisor.and_then(|verdict| model.picture.detail(&verdict.path).ok());
    let worker = detail.as_ref().and_then(worker_below);
    worker.map(|worker| format!("its worker is {worker}\n")).unwrap_or_default()
}

fn crash(model: &Model, pid: &str, at_ms: u64) -> String {
    let crashes = &model.picture.crashes;
    match crashes.iter().find(|crash| crash.pid == pid && crash.at_ms == at_ms) {
        Some(crash) => crashes::describe(&crashes::Shown::of(crash, crashes)),
        None => "it is not remembered any more\n".to_owned(),
    }
}
