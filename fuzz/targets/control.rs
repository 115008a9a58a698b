//! Whatever a client says to a runner: the same is understood in whichever pieces it comes, and no more
//! is read than a request may have.
#![no_main]

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use libfuzzer_sys::fuzz_target;
use tokio::io::{AsyncRead, ReadBuf};

#[path = "../../crates/ci-exec/src/control/request.rs"]
#[expect(dead_code, reason = "a client's half is not fuzzed")]
mod request;

fuzz_target!(|said: (Vec<u8>, Vec<u8>)| {
    let (words, sizes) = said;
    let whole = receive(&words, &[]);
    assert_eq!(receive(&words, &sizes).0, whole.0, "in other pieces");
    assert!(whole.1 as u64 <= request::MAX_REQUEST, "{} bytes were read", whole.1);
    // A later version may say more, and is understood all the same.
    for (request, name) in [
        (request::Request::Attach, "attach"),
        (request::Request::Cancel, "cancel"),
        (request::Request::Ping, "ping"),
    ] {
        let line = format!("{{\"version\":7,\"request\":\"{name}\",\"more\":{}}}\n", sizes.len());
        assert_eq!(receive(line.as_bytes(), &sizes).0, Some(request));
    }
});

/// What is understood of `words`, and how many bytes of them were read.
fn receive(words: &[u8], sizes: &[u8]) -> (Option<request::Request>, usize) {
    let mut stream = Pieces { words, sizes, read: 0 };
    let received = {
        let receiving = std::pin::pin!(request::receive(&mut stream));
        match receiving.poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(received) => received.expect("nothing goes wrong with these bytes"),
            Poll::Pending => panic!("a reader that always has something is waited for"),
        }
    };
    (received, stream.read)
}

/// Bytes that come in pieces of these sizes, and then all at once.
struct Pieces<'a> {
    words: &'a [u8],
    sizes: &'a [u8],
    read: usize,
}

impl AsyncRead for Pieces<'_> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let size = match self.sizes.split_first() {
            Some((size, rest)) => {
                self.sizes = rest;
                usize::from(*size).max(1)
            }
            None => usize::MAX,
        };
        let length = size.min(self.words.len()).min(buffer.remaining());
        let (piece, rest) = self.words.split_at(length);
        buffer.put_slice(piece);
        self.words = rest;
        self.read += length;
        Poll::Ready(Ok(()))
    }
}
