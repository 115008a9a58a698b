//! Where a container's first process meets its runner: a socket in the run directory, which takes one
//! connection and is gone.

use std::fs;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::net::{
    AddressFamily, SocketAddrUnix, SocketFlags, SocketType, accept_with, bind, connect, listen,
    socket_with,
};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// The folder in a run directory that its container sees.
const FOLDER: &str = "gate";
/// Where it is inside.
pub(super) const INSIDE: &str = "/.ci-node/gate";
/// The name of the socket.
const SOCKET: &str = "socket";

/// A socket that waits for the first process of a container.
#[derive(Debug)]
pub(crate) struct Gate {
    listener: AsyncFd<OwnedFd>,
    folder: PathBuf,
}

/// The folder of the gate of a run.
pub(super) fn folder(run_dir: &Path) -> PathBuf {
    run_dir.join(FOLDER)
}

impl Gate {
    /// Opens the gate of a run.
    pub(crate) fn open(run_dir: &Path) -> io::Result<Self> {
        let folder = folder(run_dir);
        fs::create_dir_all(&folder)?;
        // The folder's own path may be too long for a socket's address.
        let open = fs::File::open(&folder)?;
        let path = format!("/proc/self/fd/{}/{SOCKET}", open.as_raw_fd());
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let listener = socket_with(AddressFamily::UNIX, SocketType::SEQPACKET, flags, None)?;
        bind(&listener, &SocketAddrUnix::new(path)?)?;
        listen(&listener, 1)?;
        #[expect(deprecated, reason = "sound for an OwnedFd, and its successor is unsafe to call")]
        let listener = AsyncFd::new(listener)?;
        Ok(Self { listener, folder })
    }

    /// Waits for who comes first. Nobody else can: commands are started later.
    pub(crate) async fn first(self) -> io::Result<OwnedFd> {
        let flags = SocketFlags::CLOEXEC;
        let accept = |listener: &OwnedFd| Ok(accept_with(listener, flags)?);
        let first = self.listener.async_io(Interest::READABLE, accept).await?;
        fs::remove_file(self.folder.join(SOCKET))?;
        Ok(first)
    }
}

/// Meets the runner, from inside.
pub(crate) fn meet() -> io::Result<OwnedFd> {
    let socket =
        socket_with(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)?;
    connect(&socket, &SocketAddrUnix::new(Path::new(INSIDE).join(SOCKET))?)?;
    Ok(socket)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn one_comes_in_and_the_socket_is_gone() {
        let folder = tempfile::tempdir().unwrap();
        let gate = Gate::open(folder.path()).unwrap();
        let path = folder.path().join("gate/socket");
        let guest = std::thread::spawn(move || {
            let kind = SocketType::SEQPACKET;
            let socket = socket_with(AddressFamily::UNIX, kind, SocketFlags::CLOEXEC, None)?;
            connect(&socket, &SocketAddrUnix::new(path)?)
        });
        gate.first().await.unwrap();
        guest.join().unwrap().unwrap();
        assert!(!folder.path().join("gate/socket").exists());
    }
}
