//! What a client says to a runner: one line, a JSON object.

use std::io;

use serde::{Deserialize, Serialize};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// The version of the protocol; a later one must still understand the requests of this one.
const PROTOCOL_VERSION: u32 = 1;
/// The most that is read of what a client says.
pub(crate) const MAX_REQUEST: u64 = 1024;

/// What a client wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Request {
    /// To be woken when there are facts.
    Attach,
    /// That the job ends.
    Cancel,
    /// To know that somebody is there.
    Ping,
}

#[derive(Serialize, Deserialize)]
struct Envelope {
    version: u32,
    request: Request,
}

/// Reads the request of a client; `None` from one that hung up, talks of something else or does not come
/// to an end. What comes after the line is not for us.
pub(crate) async fn receive(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<Option<Request>> {
    let (mut stream, mut said) = (stream.take(MAX_REQUEST), Vec::new());
    while !said.contains(&b'\n') && stream.read_buf(&mut said).await? > 0 {}
    let line = said.split(|byte| *byte == b'\n').next().unwrap_or_default();
    Ok(serde_json::from_slice::<Envelope>(line).ok().map(|envelope| envelope.request))
}

/// Sends a request.
pub(crate) async fn send(
    stream: &mut (impl AsyncWrite + Unpin),
    request: Request,
) -> io::Result<()> {
    let envelope = Envelope { version: PROTOCOL_VERSION, request };
    let mut line = serde_json::to_vec(&envelope)?;
    line.push(b'\n');
    stream.write_all(&line).await
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn check(said: &[&str], expected: Option<Request>) {
        let (mut client, mut runner) = tokio::io::duplex(4 * MAX_REQUEST as usize);
        let speak = async {
            for piece in said {
                client.write_all(piece.as_bytes()).await.unwrap();
                tokio::task::yield_now().await;
            }
            drop(client);
        };
        let (received, ()) = tokio::join!(receive(&mut runner), speak);
        assert_eq!(received.unwrap(), expected, "{said:?}");
    }

    #[tokio::test]
    async fn a_request_is_a_line_in_whatever_pieces_it_comes() {
        check(&["{\"version\":1,\"request\":\"ping\"}\n"], Some(Request::Ping)).await;
        check(&["{\"version\":1,", "\"request\":\"cancel\"}", "\n"], Some(Request::Cancel)).await;
        check(&["{\"version\":1,\"request\":\"attach\"}\nmore\n"], Some(Request::Attach)).await;
        check(&["{\"version\":1,\"request\":\"ping\"}"], Some(Request::Ping)).await;
        check(&["\n{\"version\":1,\"request\":\"ping\"}\n"], None).await;
        check(&["hello\n"], None).await;
        check(&[], None).await;
    }

    #[tokio::test]
    async fn one_that_does_not_end_is_not_understood_however_it_comes() {
        let long = format!("{{\"version\":1,\"request\":\"cancel\"{:2000}}}\n", "");
        check(&[&long], None).await;
        check(&[&long[..1000], &long[1000..]], None).await;
    }
}
