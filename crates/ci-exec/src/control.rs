//! The words between a runner and its clients, on a Unix socket in the run directory.
//!
//! A client sends one line, a JSON object. To `attach` the runner answers with one byte whenever the
//! journal has grown, and for as long as the connection stands it counts as followed; the end of the
//! connection is the end of the runner. To `cancel` and `ping` it answers `ok`, a line, and hangs up.

mod request;

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixListener;
use std::time::Duration;

use tokio::io::AsyncReadExt;
use tokio::net::UnixStream;
use tokio::time::timeout;

use crate::run_dir::RunDir;

use request::send;
pub(crate) use request::{Request, receive};

/// The name of the socket in the run directory.
const SOCKET: &str = "control.sock";
/// The answer to a request that was understood.
pub(crate) const OK: &[u8] = b"ok\n";
/// How long a runner that is well takes to answer at most, with all cores busy.
const ANSWER_LIMIT: Duration = Duration::from_secs(2);

/// Asks the runner of `dir` for a sign of life.
///
/// # Errors
/// Fails where none answers in time.
pub async fn ping(dir: &RunDir) -> io::Result<()> {
    ask(dir, Request::Ping).await
}

/// Connects to the runner of `dir` and asks for its wake-ups.
pub(crate) async fn attach(dir: &RunDir) -> io::Result<UnixStream> {
    let mut stream = connect(dir).await?;
    send(&mut stream, Request::Attach).await?;
    Ok(stream)
}

/// Sends a request and waits until the runner has acknowledged it.
pub(crate) async fn ask(dir: &RunDir, request: Request) -> io::Result<()> {
    let exchange = async {
        let mut stream = connect(dir).await?;
        send(&mut stream, request).await?;
        let mut answer = Vec::new();
        stream.take(OK.len() as u64).read_to_end(&mut answer).await?;
        if answer == OK { Ok(()) } else { Err(io::Error::other("the runner did not understand")) }
    };
    timeout(ANSWER_LIMIT, exchange).await.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
}

/// Opens the socket of the runner that calls, in place of one that a dead runner left.
///
/// It needs no runtime yet, so that a runner can fail before it says that it is there.
pub(crate) fn listen(dir: &RunDir) -> io::Result<UnixListener> {
    match std::fs::remove_file(dir.file(SOCKET)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let (_open, path) = short_path(dir)?;
    let listener = UnixListener::bind(path)?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

async fn connect(dir: &RunDir) -> io::Result<UnixStream> {
    let (_open, path) = short_path(dir)?;
    UnixStream::connect(path).await
}

/// A path to the socket that fits into a socket address, however long the directory's own is; it
/// holds for as long as the handle beside it.
fn short_path(dir: &RunDir) -> io::Result<(File, String)> {
    let open = File::open(dir.path())?;
    let path = format!("/proc/self/fd/{}/{SOCKET}", open.as_raw_fd());
    Ok((open, path))
}
