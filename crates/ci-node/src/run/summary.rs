//! The last words of a session: every job, failures last, and where the logs are.

use std::collections::BTreeMap;

use crate::output::duration_text;
use crate::run::event::{Ended, Verdict};
use crate::run::session::SessionEnd;

/// One line for each job, and one for all.
pub(super) fn summary(end: &SessionEnd) -> String {
    let mut jobs: Vec<&Ended> = end.jobs.iter().collect();
    // The order among equals is that of their ends.
    jobs.sort_by_key(|ended| ended.end.verdict());
    let width = jobs.iter().map(|ended| ended.job.to_string().len()).max().unwrap_or(0);
    let mut text = String::from("\n");
    for ended in jobs {
        text.push_str(line(ended, width).trim_end());
        text.push('\n');
        if let (true, Some(run_dir)) = (has_logs(ended), &ended.run_dir) {
            text.push_str(&format!("           logs: {}\n", run_dir.join("logs").display()));
        }
    }
    text.push_str(&format!("\n{} in {}", counts(end), duration_text(end.took)));
    text
}

/// How many ended how, the worst first.
pub(super) fn counts(end: &SessionEnd) -> String {
    let mut counts: BTreeMap<Verdict, usize> = BTreeMap::new();
    for ended in &end.jobs {
        *counts.entry(ended.end.verdict()).or_default() += 1;
    }
    let parts = counts.iter().rev().map(|(verdict, count)| format!("{count} {}", verdict.word()));
    parts.collect::<Vec<_>>().join(", ")
}

fn line(ended: &Ended, width: usize) -> String {
    let verdict = ended.end.verdict().word();
    let took = match ended.run_dir {
        Some(_) => duration_text(ended.took),
        None => String::new(),
    };
    let detail = ended.end.detail().unwrap_or_default();
    format!("{verdict:<9}  {:<width$}  {took:<6}  {detail}", ended.job.to_string())
}

fn has_logs(ended: &Ended) -> bool {
    ended.end.verdict() != Verdict::Passed
}
