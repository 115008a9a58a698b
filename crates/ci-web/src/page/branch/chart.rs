//! Bars of durations, a line of the share that passed: two drawings over the same runs.

use super::super::html::{Html, html};
use super::super::icon::Tone;
use crate::moment::words;

/// The size of a drawing, and what is around its bars.
const WIDTH: usize = 420;
const HEIGHT: usize = 120;
const LEFT: usize = 64;
const TOP: usize = 8;
const BOTTOM: usize = 18;
/// Runs over which the share that passed is counted.
const WINDOW: usize = 10;

/// One run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Run {
    /// What people call it.
    pub(super) name: String,
    pub(super) tone: Tone,
    pub(super) duration_ms: u64,
}

/// How long each run took, the oldest on the left.
pub(super) fn durations(id: &str, title: &str, runs: &[Run]) -> Html {
    let longest = runs.iter().map(|run| run.duration_ms).max().unwrap_or(0).max(1);
    let room = HEIGHT - TOP - BOTTOM;
    let pitch = (WIDTH - LEFT) / runs.len().max(12);
    let bar = |(at, run): (usize, &Run)| {
        let height =
            usize::try_from(u128::from(run.duration_ms) * room as u128 / u128::from(longest));
        let height = height.unwrap_or(room).max(2);
        html!(
            r#"<g class="{}"><title>{}: {}</title><rect class="part" x="{}" y="{}" width="{}" height="{}" rx="1"/></g>"#,
            run.tone.class(),
            run.name,
            words(run.duration_ms),
            LEFT + at * pitch,
            TOP + room - height,
            pitch.saturating_sub(2).max(1),
            height
        )
    };
    let bars: Html = runs.iter().enumerate().map(bar).collect();
    frame(id, title, &describe_durations(runs), (&words(longest), "0"), &bars)
}

/// The share of runs that passed, each counted with those before it.
pub(super) fn pass_rate(id: &str, title: &str, runs: &[Run]) -> Html {
    let rates = rates(runs);
    let room = HEIGHT - TOP - BOTTOM;
    let pitch = (WIDTH - LEFT) / runs.len().max(12);
    let point = |(at, rate): (usize, &usize)| {
        format!("{},{}", LEFT + at * pitch + pitch / 2, TOP + room - room * rate / 100)
    };
    let points: Vec<String> = rates.iter().enumerate().map(point).collect();
    let mut line = html!(r#"<polyline class="rate" points="{}"/>"#, points.join(" "));
    // A line of one point is none, and where one ends is of interest most.
    if let Some((x, y)) = points.last().and_then(|point| point.split_once(',')) {
        line.push(&html!(r#"<circle class="latest" cx="{}" cy="{}" r="3"/>"#, x, y));
    }
    let now = rates.last().copied().unwrap_or(0);
    let words = format!("{now} % of the last {} passed.", runs.len().min(WINDOW));
    frame(id, title, &words, ("100 %", "0 %"), &line)
}

/// In hundredths, over the last [`WINDOW`] runs each.
fn rates(runs: &[Run]) -> Vec<usize> {
    let rate = |end: usize| {
        let window = &runs[(end + 1).saturating_sub(WINDOW)..=end];
        let passed = window.iter().filter(|run| run.tone == Tone::Good).count();
        passed * 100 / window.len()
    };
    (0..runs.len()).map(rate).collect()
}

fn describe_durations(runs: &[Run]) -> String {
    let mut times: Vec<u64> = runs.iter().map(|run| run.duration_ms).collect();
    times.sort_unstable();
    match times.get(times.len() / 2) {
        Some(middle) => format!("{} runs, half of them within {}.", runs.len(), words(*middle)),
        None => "No runs.".to_owned(),
    }
}

fn frame(id: &str, title: &str, words: &str, (most, least): (&str, &str), content: &Html) -> Html {
    let floor = HEIGHT - BOTTOM;
    html!(
        r#"<svg class="draw" viewBox="0 0 {} {}" width="{}" height="{}" role="img" aria-labelledby="{}-title {}-desc"><title id="{}-title">{}</title><desc id="{}-desc">{}</desc><path class="grid" d="M{} {}H{}M{} {}H{}"/><text class="faint" x="{}" y="{}" text-anchor="end" font-size="11">{}</text><text class="faint" x="{}" y="{}" text-anchor="end" font-size="11">{}</text>{}<text class="faint" x="{}" y="{}" font-size="11">older</text><text class="faint" x="{}" y="{}" text-anchor="end" font-size="11">newer</text></svg>"#,
        WIDTH,
        HEIGHT,
        WIDTH,
        HEIGHT,
        id,
        id,
        id,
        title,
        id,
        words,
        LEFT,
        TOP,
        WIDTH,
        LEFT,
        floor,
        WIDTH,
        LEFT - 6,
        TOP + 8,
        most,
        LEFT - 6,
        floor,
        least,
        *content,
        LEFT,
        HEIGHT - 4,
        WIDTH,
        HEIGHT - 4
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(tone: Tone, duration_ms: u64) -> Run {
        Run { name: "build 1".to_owned(), tone, duration_ms }
    }

    #[test]
    fn the_share_is_counted_over_the_latest() {
        let runs: Vec<Run> =
            (0..30).map(|at| run(if at < 15 { Tone::Bad } else { Tone::Good }, 1)).collect();
        let rates = rates(&runs);
        assert_eq!((rates[14], rates[19], rates[29]), (0, 50, 100));
    }

    #[test]
    fn a_drawing_says_the_same_in_words() {
        let runs = [run(Tone::Good, 1000), run(Tone::Bad, u64::MAX), run(Tone::Good, 3000)];
        let drawn = durations("d", "Durations", &runs).into_string();
        assert!(drawn.contains("3 runs, half of them within 3.0 s."), "{drawn}");
        assert_eq!(drawn.matches("class=\"part\"").count(), 3);
        let drawn = pass_rate("p", "Passed", &runs).into_string();
        assert!(drawn.contains("66 % of the last 3 passed."), "{drawn}");
        assert!(durations("d", "Durations", &[]).into_string().contains("No runs."));
    }
}
