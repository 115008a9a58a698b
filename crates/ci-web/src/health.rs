//! `/healthz` and `/readyz`: whether the process answers, and whether the node does all that it should.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse;

use crate::site::Site;
use crate::wire::Readiness;

/// Says that the process answers.
pub(crate) async fn alive() -> &'static str {
    "ok\n"
}

/// Says whether the node does all that it should, and why not.
pub(crate) async fn ready(State(site): State<Site>) -> impl IntoResponse {
    let readiness = readiness(&site).await;
    if readiness.is_ready() {
        (StatusCode::OK, "ready\n".to_owned())
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, readiness.reasons.join("\n") + "\n")
    }
}

/// Whether the store takes writes, there is room on the disk, and every repository was looked at, with
/// success or known trouble.
pub(crate) async fn readiness(site: &Site) -> Readiness {
    let mut reasons = Vec::new();
    if site.is_stopping() {
        reasons.push("the node is stopping".to_owned());
    }
    if site.node().ledger().store().stats().failed {
        reasons.push("the store has failed".to_owned());
    }
    if site.node().queues().is_disk_low() {
        reasons.push("free space is below the reserve".to_owned());
    }
    // No names: this answer is open to everyone.
    let (mut unpolled, mut silent) = (0, 0);
    for repo in site.node().repos() {
        match site.watcher(&repo).await {
            Ok(view) => unpolled += u32::from(view.polls == 0 && view.trouble.is_none()),
            Err(_) => silent += 1,
        }
    }
    if unpolled > 0 {
        reasons.push(format!("repositories not polled yet: {unpolled}"));
    }
    if silent > 0 {
        reasons.push(format!("repositories whose watcher does not answer: {silent}"));
    }
    Readiness { reasons }
}
