//! Acting on actors, and saying in the log who did.

use heights_supervisor::Hub;

use super::peer::Peer;
use super::refusal::Refusal;
use crate::foresee::Action;
use crate::wire::Actor;

/// Does what was foreseen, and says so in the log.
pub(crate) fn perform(
    action: Action,
    hub: &Hub,
    target: &Actor,
    peer: Peer,
    reason: Option<&str>,
) -> Result<(), Refusal> {
    let pid = target.pid.as_deref().unwrap_or_default();
    let path = &target.path;
    let process = pid.parse().ok().and_then(|pid| hub.process(pid));
    let done = process.is_some_and(|process| {
        match action {
            Action::Suspend => return process.suspend(),
            Action::Resume => process.resume(),
            _ if action.kills(target) => process.kill(),
            _ => process.stop(),
        }
        true
    });
    let action = action.as_str();
    let (uid, os_pid) = (peer.uid, peer.os_pid);
    tracing::warn!(target: "heights_vitals::audit", action, %pid, %path, done, ?uid, ?os_pid, ?reason, "control call");
    if done { Ok(()) } else { Err(Refusal::not_found(format!("{path} ended by itself just now"))) }
}

/// Says in the log that someone was not allowed to.
pub(crate) fn note_refusal(action: Action, reference: &str, peer: Peer, reason: Option<&str>) {
    let action = action.as_str();
    let (uid, os_pid) = (peer.uid, peer.os_pid);
    tracing::warn!(target: "heights_vitals::audit", action, reference, ?uid, ?os_pid, ?reason, "control call refused");
}
