//! `vitals state`: what an actor shows of its state.

use heights_vitals::wire::{Missing, StateView};
use serde_json::Value;

use crate::command::{StateArgs, Vitals};
use crate::failure::Failure;
use crate::meant::worker_below;
use crate::output::Output;
use crate::text::span;

/// Prints the view; `false` if there never will be one.
pub async fn run(vitals: &Vitals, args: &StateArgs, output: Output) -> Result<bool, Failure> {
    let source = vitals.source().await?;
    let mut state = source.state(&args.reference, args.bytes).await?;
    if let (Some(path), Some(view)) = (&args.path, &state.view) {
        let missing = || Failure::NoProcess(format!("the state of {} has no {path}", state.path));
        state.view = Some(part(view, path).ok_or_else(missing)?.clone());
    }
    output.note(&remark(&state))?;
    output.print("vitals.state/1", &state, |state| {
        state.view.as_ref().map(tell).unwrap_or_default()
    })?;
    if state.missing == Some(Missing::Unsupported)
        && let Some(worker) = worker_below(&source.actor(&state.path).await?)
    {
        output.note(&format!("next: vitals state {worker}\n"))?;
    }
    // An actor that has not come to it is told of as it is: what keeps it is an answer, too.
    Ok(state.view.is_some() || state.missing == Some(Missing::NotYet))
}

/// Finds a part of a view: `.queue.items.0`.
fn part<'a>(view: &'a Value, path: &str) -> Option<&'a Value> {
    path.split('.').filter(|name| !name.is_empty()).try_fold(view, |value, name| match value {
        Value::Array(items) => items.get(name.parse::<usize>().ok()?),
        value => value.get(name),
    })
}

/// Shows a view as it is read best: text as text, all else as JSON.
pub fn tell(view: &Value) -> String {
    match view {
        Value::String(text) => format!("{text}\n"),
        value => format!("{value:#}\n"),
    }
}

/// Says what one has to know about the view, or why there is none.
pub fn remark(state: &StateView) -> String {
    let path = &state.path;
    let busy = state
        .working
        .as_ref()
        .map(|working| format!("handler {} has run for {}", working.label, span(working.since_ms)));
    let age = state.age_ms.map(span).unwrap_or_default();
    let keeps = busy.as_ref().map(|busy| format!("; {busy}")).unwrap_or_default();
    let mut text = match state.missing {
        Some(Missing::Unsupported) => format!("{path} shows nothing of its state\n"),
        Some(Missing::NoProcess) => format!("{path} is not up\n"),
        Some(_) => format!("no view of {path} yet: nobody has asked before{keeps}\n"),
        None if state.stale => match busy {
            Some(busy) => format!("stale: {busy}; this view is {age} old\n"),
            None => format!("stale: this view is {age} old\n"),
        },
        None => String::new(),
    };
    if state.cut {
        text.push_str("something was left out: the view would have been too large\n");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use heights_vitals::wire::Working;
    use serde_json::json;

    fn state() -> StateView {
        StateView {
            taken_ms: 0,
            pid: "3".to_owned(),
            path: "ci/store".to_owned(),
            view: Some(json!({"queue": [{"id": 7}, "x"]})),
            missing: None,
            age_ms: Some(41_000),
            stale: false,
            cut: false,
            working: None,
        }
    }

    #[test]
    fn a_part_is_found_by_names_and_numbers() {
        let view = state().view.unwrap();
        assert_eq!(part(&view, ".queue.0.id"), Some(&json!(7)));
        assert_eq!(part(&view, "queue.1"), Some(&json!("x")));
        assert_eq!(part(&view, "."), Some(&view));
        assert_eq!(part(&view, ".queue.2"), None);
        assert_eq!(part(&view, ".queue.id"), None);
    }

    #[test]
    fn an_old_view_says_how_old_and_why() {
        assert_eq!(remark(&state()), "");
        let working = Working { label: "Put".to_owned(), since_ms: 41_000, ..Working::default() };
        let stale = StateView { stale: true, working: Some(working), ..state() };
        assert_eq!(remark(&stale), "stale: handler Put has run for 41s; this view is 41s old\n");
    }

    #[test]
    fn a_missing_view_says_why() {
        let missing = |why| remark(&StateView { view: None, missing: Some(why), ..state() });
        assert_eq!(missing(Missing::Unsupported), "ci/store shows nothing of its state\n");
        assert_eq!(missing(Missing::NoProcess), "ci/store is not up\n");
        assert_eq!(missing(Missing::NotYet), "no view of ci/store yet: nobody has asked before\n");
    }
}
