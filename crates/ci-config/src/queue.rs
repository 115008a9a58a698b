//! `[queues]`: how much happens at once, and how often.

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::time::Duration;

use ci_domain::ids::JobName;

use crate::diagnostic::Problems;
use crate::document::Entry;
use crate::field::Field;
use crate::keys;
use crate::quantity::{Rate, rate};
use crate::suggestion::did_you_mean;

/// Queues by name; a name before a `.` is nested in the one before it.
const NAMES: [&str; 7] =
    ["jobs", "jobs.<job>", "git", "git.fetch", "git.merge", "github.read", "github.write"];

/// A queue: a counter, a rate, or both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Queue {
    /// How many at once.
    pub concurrency: Option<NonZeroU32>,
    /// How many in how much time.
    pub rate: Option<Rate>,
    /// How many may come at once before the rate holds; as many as its count where there is none.
    pub burst: Option<NonZeroU32>,
}

/// The queues of a node whose file has none.
fn defaults() -> BTreeMap<String, Queue> {
    let counter = |count| Queue { concurrency: NonZeroU32::new(count), rate: None, burst: None };
    let per_second = Rate { count: NonZeroU32::MIN, per: Duration::from_secs(1) };
    let writes = Queue { concurrency: None, rate: Some(per_second), burst: NonZeroU32::new(10) };
    BTreeMap::from([
        ("jobs".to_owned(), counter(4)),
        // What runs for hours leaves room for those who wait.
        ("jobs.nightly".to_owned(), counter(1)),
        ("github.read".to_owned(), counter(8)),
        ("github.write".to_owned(), writes),
    ])
}

/// Reads the queues over their defaults.
pub(crate) fn read_queues(
    field: Option<&Field<'_>>,
    problems: &mut Problems,
) -> BTreeMap<String, Queue> {
    let mut queues = defaults();
    let entries = field.and_then(|field| field.entries(problems)).unwrap_or_default();
    for (entry, field) in entries {
        check_name(entry, problems);
        if let Some(queue) = read_queue(&field, problems) {
            queues.insert(entry.key.clone(), queue);
        }
    }
    queues
}

fn check_name(entry: &Entry, problems: &mut Problems) {
    let name = entry.key.as_str();
    let is_job_queue = name.strip_prefix("jobs.").is_some_and(|job| JobName::new(job).is_ok());
    if !is_job_queue && !NAMES.contains(&name) {
        let hint = did_you_mean(name, &NAMES).unwrap_or_else(|| {
            format!("queues are {}; a name with '.' is quoted", NAMES.join(", "))
        });
        problems.report(entry.at, format!("unknown queue `{name}`"), hint);
    }
}

fn read_queue(field: &Field<'_>, problems: &mut Problems) -> Option<Queue> {
    let fields = field.fields(keys::QUEUE, problems)?;
    let count = |key: &str, problems: &mut Problems| {
        fields.get(key).and_then(|field| field.number(1_u32, problems)).and_then(NonZeroU32::new)
    };
    let concurrency = count("concurrency", problems);
    let burst = count("burst", problems);
    let rate = fields
        .get("rate")
        .and_then(|field| field.parsed(rate, "write a number, / and s, m, h or d", problems));
    let has = |key| fields.get(key).is_some();
    if !has("concurrency") && !has("rate") {
        field.report(
            "has neither concurrency nor rate",
            "add `concurrency = 4`, or `rate`",
            problems,
        );
    }
    if has("burst") && !has("rate") {
        field.report("has a burst but no rate", "add `rate`, or remove `burst`", problems);
    }
    Some(Queue { concurrency, rate, burst })
}
