//! `vitals trace`: messages as they are handled, within a budget.

use std::time::Duration;

use heights_vitals::Trace;
use heights_vitals::wire::{TraceBooks, TraceEnd, TraceEvent, TraceRequest, TracedMessage};
use tokio::signal::ctrl_c;

use crate::command::{TraceArgs, Vitals};
use crate::failure::Failure;
use crate::output::Output;
use crate::text::{known, span, time_of_day};

pub async fn run(vitals: &Vitals, args: &TraceArgs, output: Output) -> Result<(), Failure> {
    let request = TraceRequest {
        actors: args.references.clone(),
        messages: args.messages.clone(),
        rate: args.rate,
        max: args.max,
        for_ms: millis(args.span),
        bytes: args.bytes,
    };
    let mut trace = vitals.client().await?.trace(&request).await?;
    let mut books = None;
    while let Some(event) = next(&mut trace).await? {
        match &event {
            TraceEvent::Began { actors, budget } => output.note(&beginning(actors, budget))?,
            TraceEvent::Message(message) if output.event("vitals.traced/1", message, tell)? => {}
            TraceEvent::Message(_nobody_reads) => return Ok(()),
            TraceEvent::Books(now) => books = Some(*now),
            TraceEvent::Ended { reason, books: last } => {
                return output.note(&format!("{}\n{}", ending(*reason), tell_books(last)));
            }
            // A newer process may tell more than this program knows.
            _ => {}
        }
    }
    // Whoever leaves learns what was counted when it was counted last.
    output.note(&books.as_ref().map(tell_books).unwrap_or_default())
}

/// Waits for the next event; `None` when the process has ended, or somebody wants to leave.
async fn next(trace: &mut Trace) -> Result<Option<TraceEvent>, Failure> {
    tokio::select! {
        event = trace.next() => Ok(event?),
        left = ctrl_c() => left.map(|()| None).map_err(Failure::Io),
    }
}

/// Says what is traced, and when that ends.
pub fn beginning(actors: &[String], budget: &TraceRequest) -> String {
    let kinds = match budget.messages.as_slice() {
        [] => String::new(),
        kinds => format!(", {} only", kinds.join(", ")),
    };
    let time = span(budget.for_ms);
    let actors = match actors {
        [] => "nobody yet".to_owned(),
        actors => actors.join(", "),
    };
    let (max, rate) = (budget.max, budget.rate);
    format!(
        "tracing {actors}{kinds}; at most {rate} a second; stops after {time}, {max} lines or when you leave\n"
    )
}

/// Shows one message.
pub fn tell(message: &TracedMessage) -> String {
    let from = message.from_path.clone().or_else(|| message.from.clone());
    let well = if message.well { "ok" } else { "FAILED" };
    let text = message.text.as_ref().map(|text| format!("  {text}")).unwrap_or_default();
    format!(
        "{}  {} → {} {}  waited {}  took {}  {well}{text}\n",
        time_of_day(message.at_ms),
        known(from),
        message.path,
        message.label,
        known(message.waited_us.map(short)),
        short(message.took_us),
    )
}

/// Shows the books, which balance.
pub fn tell_books(books: &TraceBooks) -> String {
    let TraceBooks { handled, shown, suppressed, dropped, lasted_ms } = books;
    let time = span(*lasted_ms);
    format!(
        "{shown} shown + {suppressed} suppressed (rate) + {dropped} dropped = {handled} handled in {time}\n"
    )
}

/// Says why it has ended.
pub fn ending(reason: TraceEnd) -> &'static str {
    match reason {
        TraceEnd::Count => "as many as were asked for",
        TraceEnd::Time => "the time is over",
        TraceEnd::NobodyLeft => "nobody is left who could be traced",
        TraceEnd::Shutdown => "the process ends",
        TraceEnd::Unknown => "it has ended",
    }
}

/// Shows a short time.
pub fn short(micros: u64) -> String {
    match micros {
        0..1_000 => format!("{micros}µs"),
        1_000..10_000 => format!("{:.1}ms", micros as f64 / 1_000.0),
        _ => span(micros / 1_000),
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_one_line() {
        let message = TracedMessage {
            at_ms: 1_795_448_053_949,
            pid: "57".to_owned(),
            path: "ci/queue".to_owned(),
            from: Some("61".to_owned()),
            from_path: Some("ci/runners/linux-1".to_owned()),
            label: "Claim".to_owned(),
            waited_us: Some(38_400),
            took_us: 1_250,
            well: true,
            text: None,
        };
        let line =
            "15:34:13.949Z  ci/runners/linux-1 → ci/queue Claim  waited 38ms  took 1.2ms  ok\n";
        assert_eq!(tell(&message), line);
        let stranger = TracedMessage {
            from: None,
            from_path: None,
            well: false,
            took_us: 12,
            text: Some("job 7".to_owned()),
            ..message
        };
        assert!(
            tell(&stranger)
                .ends_with("– → ci/queue Claim  waited 38ms  took 12µs  FAILED  job 7\n")
        );
    }

    #[test]
    fn the_beginning_names_every_limit_and_the_end_the_books() {
        let budget = TraceRequest { messages: vec!["Claim".to_owned()], ..TraceRequest::default() };
        assert_eq!(
            beginning(&["ci/queue".to_owned()], &budget),
            "tracing ci/queue, Claim only; at most 50 a second; stops after 15s, 500 lines or when you leave\n"
        );
        let books = TraceBooks {
            handled: 3_512,
            shown: 15,
            suppressed: 3_497,
            dropped: 0,
            lasted_ms: 3_100,
        };
        assert_eq!(
            tell_books(&books),
            "15 shown + 3497 suppressed (rate) + 0 dropped = 3512 handled in 3s\n"
        );
    }
}
