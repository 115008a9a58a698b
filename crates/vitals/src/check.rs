//! `vitals check`: looks for what is wrong, for people, for cron and for CI.

use std::collections::BTreeMap;
use std::time::Duration;

use heights_vitals::wire::{Actor, Kind, Picture, State};
use serde::Serialize;

use crate::command::{CheckArgs, Vitals};
use crate::failure::Failure;
use crate::output::Output;
use crate::text::{self, span};

/// How long a crash is recent.
const RECENT_MS: u64 = 5 * 60 * 1000;

#[derive(Debug, Serialize)]
struct Examination {
    taken_ms: u64,
    healthy: bool,
    findings: Vec<Finding>,
}

/// Something that is wrong, or may be.
#[derive(Debug, PartialEq, Eq, Serialize)]
struct Finding {
    level: Level,
    /// A word for programs.
    rule: &'static str,
    /// Where, if it is at one actor.
    path: Option<String>,
    text: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
enum Level {
    Warn,
    Fail,
}

/// Prints what was found; `false` if something is wrong.
pub async fn run(vitals: &Vitals, args: &CheckArgs, output: Output) -> Result<bool, Failure> {
    let picture = vitals.source().await?.picture().await?;
    let findings = examine(&picture, args);
    let healthy = findings.iter().all(|finding| finding.level < Level::Fail);
    let examination = Examination { taken_ms: picture.tree.taken_ms, healthy, findings };
    output.print("vitals.check/1", &examination, |examination| tell(examination, &picture))?;
    Ok(healthy)
}

fn examine(picture: &Picture, args: &CheckArgs) -> Vec<Finding> {
    let mut findings: Vec<Finding> =
        picture.tree.actors.iter().flat_map(|actor| look_at(actor, args)).collect();
    findings.extend(crashing(picture, args.crashes));
    findings.extend(args.rule.iter().flat_map(|rule| {
        let against = rule.judge(picture).against;
        let finding = |text| Finding { level: Level::Fail, rule: "rule", path: None, text };
        against.into_iter().map(finding)
    }));
    findings
}

fn look_at(actor: &Actor, args: &CheckArgs) -> Vec<Finding> {
    let finding = |level, rule, text| {
        let path = Some(actor.path.clone());
        Finding { level, rule, path, text }
    };
    let mut findings = Vec::new();
    if let Some(waiting) = actor.mailbox.filter(|waiting| *waiting >= args.backlog) {
        findings.push(finding(Level::Fail, "backlog", format!("{waiting} messages wait")));
    }
    if let Some(age) = actor.oldest_ms.filter(|age| exceeds(*age, args.oldest)) {
        let text = format!("its oldest message has waited for {}", span(age));
        findings.push(finding(Level::Fail, "oldest", text));
    }
    let working = actor.working.as_ref().filter(|_| actor.kind == Some(Kind::Worker));
    if let Some(working) = working.filter(|working| exceeds(working.since_ms, args.stuck)) {
        let text = format!("it has handled {} for {}", working.label, span(working.since_ms));
        findings.push(finding(Level::Fail, "stuck", text));
    }
    match actor.state {
        State::Suspended => {
            findings.push(finding(Level::Warn, "suspended", "it is suspended".to_owned()));
        }
        State::Restarting => {
            let when = text::known(actor.restart_in_ms.map(span));
            let text = format!("it is down and is started again in {when}");
            findings.push(finding(Level::Warn, "restarting", text));
        }
        _ => {}
    }
    if let Some(supervision) = actor.supervision.as_ref().filter(|shape| shape.max_restarts > 0)
        && supervision.restarts_left == Some(0)
    {
        let text = "the next crash of a child ends it: no restart is left".to_owned();
        findings.push(finding(Level::Fail, "intensity", text));
    }
    findings
}

/// Finds those that crash again and again.
fn crashing(picture: &Picture, limit: usize) -> Vec<Finding> {
    let since = picture.tree.taken_ms.saturating_sub(RECENT_MS);
    let mut recent: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for crash in picture.crashes.iter().filter(|crash| crash.at_ms >= since) {
        recent.entry(&crash.path).or_default().push(&crash.exit);
    }
    let often = recent.into_iter().filter(|(_, exits)| exits.len() >= limit);
    often
        .map(|(path, exits)| Finding {
            level: Level::Fail,
            rule: "crashes",
            path: Some(path.to_owned()),
            text: format!("{} crashes in 5m, the latest: {}", exits.len(), exits[0]),
        })
        .collect()
}

fn exceeds(millis: u64, limit: Duration) -> bool {
    u128::from(millis) > limit.as_millis()
}

fn tell(examination: &Examination, picture: &Picture) -> String {
    let mut rows: Vec<Vec<String>> = examination
        .findings
        .iter()
        .map(|finding| {
            let level = match finding.level {
                Level::Warn => "warn",
                Level::Fail => "FAIL",
            };
            let place = finding.path.clone().unwrap_or_else(|| finding.rule.to_owned());
            vec![level.to_owned(), place, finding.text.clone()]
        })
        .collect();
    if rows.is_empty() {
        let hello = &picture.hello;
        let text = format!("{} actors, nothing is wrong", picture.tree.actors.len());
        rows.push(vec!["ok".to_owned(), format!("{} {}", hello.name, hello.os_pid), text]);
    }
    text::columns(&rows)
}
