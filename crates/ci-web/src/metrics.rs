//! `/metrics`: figures for whoever watches over the node, as OpenMetrics text.

mod family;
mod process;

use std::time::Duration;

use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use ci_build::Runs;

use self::family::{Exposition, Kind};
use crate::access::{Allowed, Look};
use crate::ask;
use crate::moment;
use crate::site::Site;
use crate::webhook::Fate;
use crate::wire::{Queue, Quota, Repo, StoreStats};

/// The media type that scrapers know it by.
const MEDIA_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Tells all figures.
pub(crate) async fn expose(State(site): State<Site>, _: Allowed<Look>) -> impl IntoResponse {
    let mut page = Exposition::default();
    page.family("ci_build", Kind::Info, "What runs.");
    page.sample("_info", &[("version", site.version())], 1);
    queues(&mut page, &ask::queues(&site));
    repos(&mut page, &ask::repos(&site, site.node().repos()).await);
    store(&mut page, &ask::store_stats(&site));
    leftovers(&mut page, site.node().runs());
    deliveries(&mut page, &site);
    tree(&mut page, &site);
    undelivered(&mut page, &site).await;
    quotas(&mut page, &ask::quotas(&site));
    page.family("ci_web_start_time_seconds", Kind::Gauge, "When the web server started.");
    page.sample("", &[], seconds(moment::millis(site.started())));
    process::figures(&mut page);
    ([(header::CONTENT_TYPE, MEDIA_TYPE)], page.end())
}

fn queues(page: &mut Exposition, queues: &[Queue]) {
    page.family("ci_queue_held", Kind::Gauge, "Permits held.");
    for queue in queues {
        page.sample("", &[("queue", &queue.name)], queue.held);
    }
    page.family("ci_queue_waiting", Kind::Gauge, "Waiters.");
    for queue in queues {
        page.sample("", &[("queue", &queue.name)], queue.waiting);
    }
    page.family("ci_queue_oldest_wait_seconds", Kind::Gauge, "How long the first has waited.");
    for queue in queues {
        page.sample("", &[("queue", &queue.name)], seconds(queue.oldest_wait_ms.unwrap_or(0)));
    }
    page.family("ci_queue_granted", Kind::Counter, "Permits given.");
    for queue in queues {
        page.sample("_total", &[("queue", &queue.name)], queue.granted);
    }
}

fn repos(page: &mut Exposition, repos: &[Repo]) {
    page.family("ci_pulls", Kind::Gauge, "Open pull requests by the state of their verdict.");
    for repo in repos {
        let counts = &repo.verdicts;
        let states = [
            ("success", counts.success),
            ("pending", counts.pending),
            ("failure", counts.failure),
            ("error", counts.error),
            ("unknown", counts.unknown),
        ];
        for (state, count) in states {
            page.sample("", &[("repo", &repo.name), ("state", state)], count);
        }
    }
    page.family("ci_pulls_quarantined", Kind::Gauge, "Pull requests that were given up.");
    for repo in repos {
        page.sample("", &[("repo", &repo.name)], repo.quarantined.len());
    }
    page.family("ci_polls", Kind::Counter, "Polls that worked.");
    for repo in repos {
        page.sample("_total", &[("repo", &repo.name)], repo.polls);
    }
    page.family("ci_poll_trouble", Kind::Gauge, "Whether the last poll did not work.");
    for repo in repos {
        page.sample("", &[("repo", &repo.name)], u8::from(repo.trouble.is_some()));
    }
}

fn store(page: &mut Exposition, stats: &StoreStats) {
    page.family("ci_store_changes", Kind::Counter, "Changes made.");
    page.sample("_total", &[], stats.changes);
    page.family("ci_store_refused", Kind::Counter, "Changes refused.");
    page.sample("_total", &[], stats.refused);
    page.family("ci_store_commits", Kind::Counter, "Syncs to the disk.");
    page.sample("_total", &[], stats.commits);
    page.family("ci_store_queued", Kind::Gauge, "Changes that wait for the disk.");
    page.sample("", &[], stats.queued);
    page.family("ci_store_bytes", Kind::Gauge, "Bytes on disk.");
    page.sample("", &[], stats.disk_bytes);
    page.family("ci_store_failed", Kind::Gauge, "Whether the store failed for good.");
    page.sample("", &[], u8::from(stats.failed));
}

fn leftovers(page: &mut Exposition, runs: &Runs) {
    let totals = runs.leftovers();
    let family = "ci_job_strays";
    page.family(
        family,
        Kind::Counter,
        "Processes that left their command and were ended with their job.",
    );
    page.sample("_total", &[], totals.strays);
    page.family("ci_job_survivors", Kind::Counter, "Processes of jobs that could not be ended.");
    page.sample("_total", &[], totals.survivors);
    let swept = "Processes that were ended because their runner had been killed.";
    page.family("ci_job_swept", Kind::Counter, swept);
    page.sample("_total", &[], totals.swept);
    let containers = "Containers that were removed because their runner had been killed.";
    page.family("ci_job_swept_containers", Kind::Counter, containers);
    page.sample("_total", &[], runs.swept_containers());
    let artifacts = "What all files that jobs have left take, when they were last added up.";
    page.family("ci_artifact_bytes", Kind::Gauge, artifacts);
    page.sample("", &[], runs.artifact_bytes());
}

fn deliveries(page: &mut Exposition, site: &Site) {
    page.family("ci_webhooks", Kind::Counter, "Webhook deliveries by what became of them.");
    for fate in Fate::ALL {
        page.sample("_total", &[("result", fate.word())], site.deliveries().of(fate));
    }
}

fn tree(page: &mut Exposition, site: &Site) {
    let tree = site.hub().snapshot();
    let restarts: u64 = tree.processes.iter().map(|process| u64::from(process.restarts())).sum();
    page.family("heights_processes", Kind::Gauge, "Living processes of the supervision tree.");
    page.sample("", &[], tree.processes.len());
    page.family("heights_restarts", Kind::Gauge, "Restarts of the processes that live now.");
    page.sample("", &[], restarts);
    page.family("heights_restarts_waiting", Kind::Gauge, "Processes that wait to be restarted.");
    page.sample("", &[], tree.waiting.len());
}

async fn undelivered(page: &mut Exposition, site: &Site) {
    // A reporter that does not answer has no figure: a zero would be a lie.
    let Ok(undelivered) = ask::undelivered(site).await else { return };
    page.family("ci_undelivered_writes", Kind::Gauge, "Writes that the forge has not taken.");
    for repo in site.node().repos() {
        let count = undelivered.iter().filter(|write| write.repo == repo.as_str()).count();
        page.sample("", &[("repo", repo.as_str())], count);
    }
}

fn quotas(page: &mut Exposition, quotas: &[Quota]) {
    page.family("ci_github_quota", Kind::Gauge, "Calls, or points, that GitHub takes in a window.");
    for quota in quotas {
        page.sample("", &[("kind", &quota.kind)], quota.limit);
    }
    page.family("ci_github_quota_remaining", Kind::Gauge, "Of these, how many are left.");
    for quota in quotas {
        page.sample("", &[("kind", &quota.kind)], quota.remaining);
    }
}

fn seconds(millis: u64) -> f64 {
    Duration::from_millis(millis).as_secs_f64()
}
