//! How values look to people. What is not known is a dash, never a zero.

use heights_vitals::wire::{Actor, Blocked, Kind, Restart, State};

const UNKNOWN: &str = "–";

/// Shows a value, or that it is not known.
pub fn known<T: ToString>(value: Option<T>) -> String {
    value.map_or_else(|| UNKNOWN.to_owned(), |value| value.to_string())
}

/// Shows a duration with the two units that matter.
pub fn span(millis: u64) -> String {
    let seconds = millis / 1000;
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86_400);
    match (days, hours, minutes, seconds) {
        (0, 0, 0, 0) => format!("{millis}ms"),
        (0, 0, 0, _) => format!("{seconds}s"),
        (0, 0, _, _) => format!("{minutes}m {:02}s", seconds % 60),
        (0, _, _, _) => format!("{hours}h {:02}m", minutes % 60),
        _ => format!("{days}d {:02}h", hours % 24),
    }
}

/// Shows a duration with the one unit that matters most.
pub fn brief(millis: u64) -> String {
    let seconds = millis / 1000;
    match seconds {
        0 => format!("{millis}ms"),
        1..120 => format!("{seconds}s"),
        120..7_200 => format!("{}m", seconds / 60),
        7_200..172_800 => format!("{}h", seconds / 3600),
        _ => format!("{}d", seconds / 86_400),
    }
}

/// Shows a time of day, in universal time.
pub fn time_of_day(millis: u64) -> String {
    let (seconds, rest) = (millis / 1000 % 86_400, millis % 1000);
    format!("{:02}:{:02}:{:02}.{rest:03}Z", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

/// Shows what an actor is doing; the sign alone says as much as the word.
pub fn state(state: State) -> &'static str {
    match state {
        State::Stopping => "◌ stopping",
        State::Restarting => "✖ restarting",
        State::Starting => "◌ starting",
        State::Suspended => "⏸ suspended",
        State::Waiting => "◐ waiting",
        State::Busy => "● busy",
        State::Running => "● running",
        State::Idle => "○ idle",
        State::Unknown => "? unknown",
    }
}

pub fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Supervisor => "supervisor",
        Kind::Worker => "worker",
        Kind::Task => "task",
        Kind::Foreign => "foreign",
        Kind::Unknown => UNKNOWN,
    }
}

pub fn restart(restart: Restart) -> &'static str {
    match restart {
        Restart::Permanent => "permanent",
        Restart::Transient => "transient",
        Restart::Temporary => "temporary",
        Restart::Unknown => UNKNOWN,
    }
}

/// Shows how a supervisor treats its children.
pub fn supervision(actor: &Actor) -> Option<String> {
    let supervision = actor.supervision.as_ref()?;
    let strategy = supervision.strategy.as_deref().unwrap_or("dynamic");
    let (left, most) = (known(supervision.restarts_left), supervision.max_restarts);
    Some(format!("{strategy}, {left} of {most} restarts left in {}", span(supervision.period_ms)))
}

/// Shows the message that an actor handles, and for how long.
pub fn handling(actor: &Actor) -> String {
    known(actor.working.as_ref().map(|work| format!("{} {}", work.label, span(work.since_ms))))
}

/// Says what is worth saying of an actor beside its figures.
pub fn remarks(actor: &Actor) -> Vec<String> {
    let mut remarks: Vec<String> = supervision(actor).into_iter().collect();
    if let Some(restarts) = actor.restarts.filter(|restarts| *restarts > 0) {
        remarks.push(format!("restarts {restarts}"));
    }
    if let Some(other) = &actor.waiting_for {
        remarks.push(format!("waiting for {other}"));
    }
    if let (State::Busy | State::Waiting, Some(working)) = (actor.state, &actor.working) {
        remarks.push(format!("{} for {}", working.label, span(working.since_ms)));
    }
    if let Some(millis) = actor.restart_in_ms {
        remarks.push(format!("restarts in {}", span(millis)));
    }
    remarks
}

/// Says who keeps a thread from all others.
pub fn blocks(blocked: &Blocked) -> String {
    let Blocked { thread, path, pid, label, since_ms } = blocked;
    let who = path.as_ref().unwrap_or(pid);
    let message = label.as_ref().map(|label| format!(" in {label}")).unwrap_or_default();
    format!("{thread} by {who}{message} for {}", span(*since_ms))
}

/// Shows a share that is given in millionths.
pub fn share(ppm: u32) -> String {
    format!("{:.2} %", f64::from(ppm) / 10_000.0)
}

/// Lines columns up below their heads.
pub fn table(head: &[&str], rows: impl Iterator<Item = Vec<String>>) -> String {
    let head = head.iter().map(|name| (*name).to_owned()).collect();
    columns(&std::iter::once(head).chain(rows).collect::<Vec<_>>())
}

/// Lines columns up; the last one is as wide as it likes.
pub fn columns(rows: &[Vec<String>]) -> String {
    let count = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max()
    };
    let widths: Vec<usize> = (0..count).map(|column| width(column).unwrap_or(0)).collect();
    let line = |row: &Vec<String>| {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
        let line = cells.collect::<Vec<_>>().join("  ");
        format!("{}\n", line.trim_end())
    };
    rows.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_shows_two_units() {
        let shown = [0, 999, 1000, 61_000, 3_600_000, 273_600_000].map(span);
        assert_eq!(shown, ["0ms", "999ms", "1s", "1m 01s", "1h 00m", "3d 04h"]);
    }

    #[test]
    fn a_brief_span_shows_one_unit() {
        let shown = [999, 41_000, 119_000, 600_000, 7_300_000, 200_000_000].map(brief);
        assert_eq!(shown, ["999ms", "41s", "119s", "10m", "2h", "2d"]);
    }

    #[test]
    fn a_time_of_day_is_in_universal_time() {
        assert_eq!(time_of_day(1_795_448_053_949), "15:34:13.949Z");
    }

    #[test]
    fn what_is_not_known_is_a_dash() {
        assert_eq!((known(Some(0)), known::<u64>(None)), ("0".to_owned(), "–".to_owned()));
    }

    #[test]
    fn columns_line_up_whatever_the_alphabet() {
        let rows = [["é", "1"], ["abc", "22"]].map(|row| row.map(str::to_owned).to_vec());
        assert_eq!(columns(&rows), "é    1\nabc  22\n");
    }
}
