//! The first line: who is looked at, and how it is.

use heights_vitals::wire::Tier;

use super::super::model::Model;
use super::super::system::SILENT_MS;
use crate::text::{share, span};

/// Heights of a little chart, lowest first.
const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// Returns as much of the line as fits; what matters most stays longest.
pub fn line(model: &Model, width: usize) -> String {
    let (hello, tree) = (&model.picture.hello, &model.picture.tree);
    // With each part, the lower the number, the longer it stays.
    let mut parts = vec![
        (0, format!("vitals {} {}", hello.os_pid, hello.name)),
        (2, format!("{} actors", tree.total)),
    ];
    parts.extend(rate(model).map(|rate| (5, rate)));
    parts.extend(chart(model).map(|chart| (7, chart)));
    parts.extend(trouble(model).map(|trouble| (1, trouble)));
    parts.extend(cost(model).map(|cost| (6, cost)));
    parts.push((3, tier(model).to_owned()));
    let is_as_ever = model.lost.is_none() && model.is_living() && !model.is_paused();
    parts.push((if is_as_ever { 4 } else { 0 }, freshness(model)));
    let length = |parts: &[(u8, String)]| -> usize {
        parts.iter().map(|(_, text)| text.chars().count() + 2).sum::<usize>().saturating_sub(2)
    };
    while length(&parts) > width {
        let least = parts.iter().map(|(rank, _)| *rank).max().unwrap_or(0);
        if least == 0 {
            break;
        }
        parts.retain(|(rank, _)| *rank != least);
    }
    parts.into_iter().map(|(_, text)| text).collect::<Vec<_>>().join("  ")
}

fn rate(model: &Model) -> Option<String> {
    model.paces.back().map(|pace| format!("{pace} msg/s"))
}

fn chart(model: &Model) -> Option<String> {
    let most = *model.paces.iter().max()?;
    if most == 0 || model.paces.len() < 2 || !model.dress.unicode {
        return None;
    }
    let last = BARS.len() as u64 - 1;
    let bar = |pace: &u64| BARS[usize::try_from(pace * last / most).unwrap_or(0)];
    Some(model.paces.iter().map(bar).collect())
}

fn trouble(model: &Model) -> Option<String> {
    let runtime = model.picture.runtime.as_ref()?;
    if runtime.silent_ms > SILENT_MS {
        return Some(format!("RUNTIME SILENT {}", span(runtime.silent_ms)));
    }
    let blocked = runtime.blocked.len();
    (blocked > 0).then(|| format!("{blocked} of {} BLOCKED", runtime.workers))
}

fn cost(model: &Model) -> Option<String> {
    let cost = model.picture.runtime.as_ref()?.cost?;
    Some(format!("cost {}", share(cost.cpu_ppm)))
}

fn tier(model: &Model) -> &'static str {
    match model.picture.hello.tier {
        Tier::Read => "[read]",
        Tier::Trace => "[read+trace]",
        Tier::Control => "[control]",
    }
}

fn freshness(model: &Model) -> String {
    match (&model.lost, model.is_living(), model.is_paused()) {
        (Some(lost), ..) => {
            let since = span(u64::try_from(lost.since.as_millis()).unwrap_or(u64::MAX));
            format!("LOST {since} ago, retrying: {}", lost.why)
        }
        (None, false, _) => "snapshot".to_owned(),
        (None, true, true) => "paused".to_owned(),
        (None, true, false) => format!("every {:?}", model.interval()),
    }
}
