//! The Unix socket of the command line: for the node's own user and root, who may do everything.

use std::fs::{self, Permissions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::process::geteuid;
use tokio::net::{UnixListener, UnixStream};
use tracing::warn;

/// How long nobody is let in after the system refused to.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// The socket; its file is removed when it is dropped.
pub(crate) struct AdminSocket {
    listener: UnixListener,
    path: PathBuf,
}

impl AdminSocket {
    /// Binds `path`. A socket that a former life left there is replaced: the lock of the data folder says
    /// that there is no other node in it.
    pub(crate) fn bind(path: &Path) -> io::Result<Self> {
        match fs::symlink_metadata(path) {
            Ok(found) if found.file_type().is_socket() => fs::remove_file(path)?,
            Ok(_) => return Err(told(path, "something else is in its place")),
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(told(path, &error.to_string())),
        }
        let bound = UnixListener::bind(path).map_err(|error| told(path, &error.to_string()))?;
        let socket = Self { listener: bound, path: path.to_owned() };
        // Between the two lines strangers are refused by their uid, as they are later.
        fs::set_permissions(path, Permissions::from_mode(0o600))?;
        Ok(socket)
    }

    /// Waits for somebody who may enter.
    pub(crate) async fn accept(&self) -> UnixStream {
        loop {
            match self.listener.accept().await {
                Ok((stream, _)) => {
                    let peer = stream.peer_cred().map(|peer| peer.uid()).ok();
                    if may_enter(peer, geteuid().as_raw()) {
                        return stream;
                    }
                    warn!(uid = ?peer, "refused a foreign user");
                }
                Err(error) => {
                    warn!(%error, "failed to accept a connection");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }
}

impl Drop for AdminSocket {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_file(&self.path) {
            warn!(path = %self.path.display(), %error, "failed to remove the admin socket");
        }
    }
}

fn told(path: &Path, why: &str) -> io::Error {
    io::Error::other(format!("bind the admin socket {}: {why}", path.display()))
}

fn may_enter(peer: Option<u32>, own: u32) -> bool {
    peer.is_some_and(|uid| uid == own || uid == 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_same_user_and_root_may_enter() {
        let asked = [(Some(7), 7), (Some(0), 7), (Some(8), 7), (None, 7), (Some(7), 0)];
        let answers = asked.map(|(peer, own)| may_enter(peer, own));
        assert_eq!(answers, [true, true, false, false, false]);
    }

    #[tokio::test]
    async fn replaces_what_a_former_life_left_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("admin.sock");
        drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
        let socket = AdminSocket::bind(&path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        drop(socket);
        assert!(!path.exists());
        fs::write(&path, "a file").unwrap();
        assert!(AdminSocket::bind(&path).is_err());
        assert_eq!(fs::read(&path).unwrap(), b"a file");
    }
}
