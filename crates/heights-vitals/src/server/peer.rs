//! Who is at the other end of a connection, as the kernel says.

use axum::extract::Request;
use axum::extract::connect_info::ConnectInfo;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use rustix::process::getuid;
use tokio::net::UnixStream;

use super::refusal::Refusal;

/// The process at the other end, as it was when it connected.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Peer {
    /// Unknown if the kernel did not say.
    pub(crate) uid: Option<u32>,
    pub(crate) os_pid: Option<i32>,
}

impl Peer {
    /// Asks the kernel.
    pub(crate) fn of(stream: &UnixStream) -> Self {
        match stream.peer_cred() {
            Ok(peer) => Self { uid: Some(peer.uid()), os_pid: peer.pid() },
            Err(_) => Self { uid: None, os_pid: None },
        }
    }
}

/// Lets only our own user and root pass.
pub(crate) async fn admit(
    ConnectInfo(peer): ConnectInfo<Peer>,
    request: Request,
    next: Next,
) -> Response {
    if may_enter(peer.uid, getuid().as_raw()) {
        next.run(request).await
    } else {
        tracing::warn!(uid = ?peer.uid, os_pid = ?peer.os_pid, "refused a foreign user");
        Refusal::forbidden("only the process's own user and root may look inside").into_response()
    }
}

fn may_enter(peer: Option<u32>, own: u32) -> bool {
    peer.is_some_and(|uid| uid == own || uid == 0)
}

#[cfg(test)]
mod tests {
    use super::may_enter;

    #[test]
    fn only_the_same_user_and_root_may_enter() {
        let asked = [(Some(7), 7), (Some(0), 7), (Some(8), 7), (None, 7), (Some(7), 0)];
        assert_eq!(
            asked.map(|(peer, own)| may_enter(peer, own)),
            [true, true, false, false, false]
        );
    }
}
