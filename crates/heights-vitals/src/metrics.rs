//! The figures of a tree in the OpenMetrics text format.
//!
//! <https://github.com/prometheus/OpenMetrics/blob/main/specification/OpenMetrics.md>

use std::fmt::Write;

use crate::wire::{Actor, Picture, State};

/// The type that the text is served as.
pub(crate) const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// How many actors have series of their own, those first that have most waiting: a collector keeps
/// every series for weeks, and actors come and go.
const ACTORS: usize = 1_000;

type Figure = (&'static str, &'static str, &'static str, fn(&Actor) -> Option<f64>);

/// Name, type, what it is, and the figure of one actor.
const FIGURES: [Figure; 8] = [
    ("heights_mailbox_messages", "gauge", "Messages that wait.", |actor| number(actor.mailbox)),
    ("heights_mailbox_oldest_seconds", "gauge", "How long the oldest has waited.", |actor| {
        seconds(actor.oldest_ms)
    }),
    (
        "heights_handling_seconds",
        "gauge",
        "How long the current message has been handled.",
        |actor| seconds(actor.working.as_ref().map(|working| working.since_ms)),
    ),
    ("heights_messages_handled", "counter", "Messages handled in this life.", |actor| {
        number(actor.handled)
    }),
    ("heights_messages_failed", "counter", "Messages whose handling failed.", |actor| {
        number(actor.failed)
    }),
    ("heights_messages_dropped", "counter", "Messages that a full mailbox dropped.", |actor| {
        number(actor.dropped)
    }),
    ("heights_busy_seconds", "counter", "Time spent in handlers in this life.", |actor| {
        seconds(actor.busy_ms)
    }),
    ("heights_actor_restarts", "counter", "How often it was restarted.", |actor| {
        number(actor.restarts.map(u64::from))
    }),
];

/// Writes everything that is known.
pub(crate) fn expose(picture: &Picture) -> String {
    let mut text = String::new();
    let mut actors: Vec<&Actor> = picture.tree.actors.iter().collect();
    actors.sort_by_key(|actor| std::cmp::Reverse(actor.mailbox));
    actors.truncate(ACTORS);
    for (name, kind, help, figure) in FIGURES {
        head(&mut text, name, kind, help);
        let total = if kind == "counter" { "_total" } else { "" };
        for actor in &actors {
            if let Some(value) = figure(actor) {
                line(
                    &mut text,
                    &format!("{name}{total}{{path=\"{}\"}}", escaped(&actor.path)),
                    value,
                );
            }
        }
    }
    head(&mut text, "heights_actors", "gauge", "Actors, by what they do.");
    for state in State::NAMED {
        let count = picture.tree.actors.iter().filter(|actor| actor.state == state).count();
        line(&mut text, &format!("heights_actors{{state=\"{}\"}}", state.as_str()), count as f64);
    }
    runtime(&mut text, picture);
    text.push_str("# EOF\n");
    text
}

fn runtime(text: &mut String, picture: &Picture) {
    let Some(runtime) = &picture.runtime else { return };
    let silent = runtime.silent_ms as f64 / 1_000.0;
    head(
        text,
        "heights_runtime_silent_seconds",
        "gauge",
        "Since the runtime last gave a sign of life.",
    );
    line(text, "heights_runtime_silent_seconds", silent);
    head(text, "heights_runtime_tasks", "gauge", "Tasks on the runtime.");
    line(text, "heights_runtime_tasks", runtime.tasks as f64);
    if let Some(used) = runtime.inspector_cpu_us {
        head(text, "heights_inspector_cpu_seconds", "counter", "Processor time of the inspector.");
        line(text, "heights_inspector_cpu_seconds_total", used as f64 / 1_000_000.0);
    }
}

fn head(text: &mut String, name: &str, kind: &str, help: &str) {
    for part in ["# TYPE ", name, " ", kind, "\n# HELP ", name, " ", help, "\n"] {
        text.push_str(part);
    }
}

fn line(text: &mut String, series: &str, value: f64) {
    // Writing into a string does not fail.
    let _infallible = writeln!(text, "{series} {value}");
}

fn escaped(label: &str) -> String {
    label.replace('\\', r"\\").replace('"', "\\\"").replace('\n', r"\n")
}

fn number(value: Option<u64>) -> Option<f64> {
    value.map(|value| value as f64)
}

fn seconds(millis: Option<u64>) -> Option<f64> {
    number(millis).map(|millis| millis / 1_000.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::{Hello, PROTOCOL, Tier, Tree};

    #[test]
    fn a_figure_that_is_not_known_has_no_series_and_labels_are_escaped() {
        let odd = Actor {
            state: State::Idle,
            mailbox: Some(3),
            oldest_ms: Some(1_500),
            ..Actor::at("a\"b\\c\nd")
        };
        let hello = Hello {
            protocol: PROTOCOL,
            name: String::new(),
            version: String::new(),
            os_pid: 1,
            started_ms: 0,
            tier: Tier::Read,
            capabilities: Vec::new(),
        };
        let tree = Tree { taken_ms: 0, total: 1, actors: vec![odd] };
        let text = expose(&Picture { hello, tree, crashes: Vec::new(), runtime: None });
        let odd = r#"{path="a\"b\\c\nd"}"#;
        assert!(text.contains(&format!("heights_mailbox_messages{odd} 3\n")), "{text}");
        assert!(text.contains(&format!("heights_mailbox_oldest_seconds{odd} 1.5\n")), "{text}");
        assert!(!text.contains("heights_messages_handled_total{"), "{text}");
        assert!(text.contains("heights_actors{state=\"idle\"} 1\n"), "{text}");
        assert!(text.ends_with("# EOF\n"));
    }
}
