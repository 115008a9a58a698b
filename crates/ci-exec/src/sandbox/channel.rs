//! What runner and init say to each other: packets, some with open files, on a pair of sockets.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, IoSlice, IoSliceMut, Read, Seek, Write};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::path::PathBuf;

use rustix::fs::{MemfdFlags, memfd_create};
use rustix::io::ioctl_fionbio;
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, SocketFlags, SocketType, recvmsg, sendmsg, socketpair,
};
use rustix::process::Pid;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use crate::fact::Exit;
use crate::script::Script;

/// The longest packet; what may be longer is in a file that goes along.
const MAX_PACKET: usize = 4096;
/// The most files that go along with a packet.
const MAX_FILES: usize = 2;

/// What the runner tells init.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Order {
    /// To start a shell: a [`WrittenScript`] and a pipe for the output go along.
    Start { number: u32 },
    /// That the pid of one more shell is known, and may be given to others once that has ended.
    Seen,
}

/// What init tells the runner.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum News {
    /// That it is there; its pidfd goes along.
    Ready,
    /// That the shell runs; its pidfd goes along.
    Started { number: u32 },
    /// That the shell could not be started.
    Refused { number: u32, errno: Option<i32>, reason: String },
    /// How the shell has ended; it is reaped.
    Ended { number: u32, code: Option<i32>, signal: Option<i32> },
}

/// A [`Script`] in a file without a name, since environments can be long.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct WrittenScript {
    shell: PathBuf,
    text: String,
    working_dir: PathBuf,
    env: BTreeMap<String, String>,
}

/// One end of the pair.
#[derive(Debug)]
pub(super) struct Channel(AsyncFd<OwnedFd>);

impl Channel {
    /// Both ends, as sockets that block until they become channels.
    pub(super) fn pair() -> io::Result<(OwnedFd, OwnedFd)> {
        let (family, kind) = (AddressFamily::UNIX, SocketType::SEQPACKET);
        Ok(socketpair(family, kind, SocketFlags::CLOEXEC, None)?)
    }

    pub(super) fn new(socket: OwnedFd) -> io::Result<Self> {
        ioctl_fionbio(&socket, true)?;
        #[expect(deprecated, reason = "sound for an OwnedFd, and its successor is unsafe to call")]
        let socket = AsyncFd::new(socket)?;
        Ok(Self(socket))
    }

    pub(super) async fn send<T: Serialize>(
        &self,
        word: &T,
        files: &[BorrowedFd<'_>],
    ) -> io::Result<()> {
        let bytes = serde_json::to_vec(word)?;
        let send = |socket: &OwnedFd| {
            let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MAX_FILES))];
            let mut along = SendAncillaryBuffer::new(&mut space);
            if !files.is_empty() {
                along.push(SendAncillaryMessage::ScmRights(files));
            }
            sendmsg(socket, &[IoSlice::new(&bytes)], &mut along, SendFlags::NOSIGNAL)?;
            Ok(())
        };
        self.0.async_io(Interest::WRITABLE, send).await
    }

    /// The next word of the other end; `None` once there is none any more.
    pub(super) async fn receive<T: DeserializeOwned>(
        &self,
    ) -> io::Result<Option<(T, Vec<OwnedFd>)>> {
        let (bytes, files) = self.0.async_io(Interest::READABLE, receive).await?;
        if bytes.is_empty() {
            return Ok(None);
        }
        Ok(Some((serde_json::from_slice(&bytes)?, files)))
    }
}

fn receive(socket: &OwnedFd) -> io::Result<(Vec<u8>, Vec<OwnedFd>)> {
    let mut bytes = vec![0; MAX_PACKET];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MAX_FILES))];
    let mut along = RecvAncillaryBuffer::new(&mut space);
    let flags = RecvFlags::CMSG_CLOEXEC;
    let received = recvmsg(socket, &mut [IoSliceMut::new(&mut bytes)], &mut along, flags)?;
    bytes.truncate(received.bytes);
    let files = along.drain().filter_map(|message| match message {
        RecvAncillaryMessage::ScmRights(files) => Some(files),
        _ => None,
    });
    Ok((bytes, files.flatten().collect()))
}

impl WrittenScript {
    pub(super) fn write(script: &Script<'_>) -> io::Result<OwnedFd> {
        let env = script.env.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let written = Self {
            shell: script.shell.to_owned(),
            text: script.text.to_owned(),
            working_dir: script.working_dir.to_owned(),
            env: env.collect(),
        };
        let mut file = File::from(memfd_create("ci-script", MemfdFlags::CLOEXEC)?);
        file.write_all(&serde_json::to_vec(&written)?)?;
        file.rewind()?;
        Ok(file.into())
    }

    pub(super) fn read(file: OwnedFd) -> io::Result<Self> {
        let mut bytes = Vec::new();
        File::from(file).read_to_end(&mut bytes)?;
        Ok(serde_json::from_slice(&bytes)?)
    }

    pub(super) fn script(&self) -> Script<'_> {
        Script {
            shell: &self.shell,
            text: &self.text,
            working_dir: &self.working_dir,
            env: self.env.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect(),
        }
    }
}

impl News {
    pub(super) fn ended(number: u32, exit: Exit) -> Self {
        match exit {
            Exit::Code(code) => Self::Ended { number, code: Some(code), signal: None },
            Exit::Signal(signal) => Self::Ended { number, code: None, signal: Some(signal) },
            Exit::OutOfMemory | Exit::TimedOut | Exit::Cancelled => {
                unreachable!("these are decided by the runner")
            }
        }
    }

    pub(super) fn refused(number: u32, error: &io::Error) -> Self {
        Self::Refused { number, errno: error.raw_os_error(), reason: error.to_string() }
    }
}

/// The pid of another process as this one sees it, from its pidfd; of one that is reaped it is -1.
pub(super) fn pid_of(pidfd: impl AsFd) -> io::Result<Pid> {
    let info = std::fs::read_to_string(format!("/proc/self/fdinfo/{}", pidfd.as_fd().as_raw_fd()))?;
    let line = info.lines().find_map(|line| line.strip_prefix("Pid:"));
    let number = line.and_then(|number| number.trim().parse::<i32>().ok());
    number
        .filter(|number| *number > 0)
        .and_then(Pid::from_raw)
        .ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, "the process is gone"))
}

#[cfg(test)]
mod tests {
    use rustix::process::{PidfdFlags, pidfd_open};

    use super::*;

    #[test]
    fn a_pidfd_tells_the_pid_until_it_is_given_away() {
        let mut child = std::process::Command::new("true").spawn().unwrap();
        let pid = Pid::from_child(&child);
        let pidfd = pidfd_open(pid, PidfdFlags::empty()).unwrap();
        assert_eq!(pid_of(&pidfd).unwrap(), pid);
        child.wait().unwrap();
        assert_eq!(pid_of(&pidfd).unwrap_err().kind(), io::ErrorKind::NotFound);
    }
}
