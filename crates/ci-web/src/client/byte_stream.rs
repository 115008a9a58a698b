//! An answer that is read as it comes.

use std::pin::Pin;

use http_body_util::BodyExt;
use hyper::body::{Bytes, Incoming};

use super::ClientError;

/// Polls a connection to its end; what goes wrong with it goes wrong with the body too.
pub(super) type Connection = Pin<Box<dyn Future<Output = ()> + Send>>;

/// The bytes of an answer, as they come. Dropping it closes the connection.
pub struct ByteStream {
    body: Incoming,
    connection: Option<Connection>,
}

impl ByteStream {
    pub(super) fn new(body: Incoming, connection: Connection) -> Self {
        Self { body, connection: Some(connection) }
    }

    /// The next bytes; `None` at the end. Waits as long as it takes.
    ///
    /// # Errors
    /// The answer broke off.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, ClientError> {
        loop {
            let frame = tokio::select! {
                biased;
                frame = self.body.frame() => frame,
                () = driven(&mut self.connection) => continue,
            };
            match frame {
                None => return Ok(None),
                Some(Err(error)) => return Err(ClientError::Lost(error)),
                // Trailers say nothing that we need.
                Some(Ok(frame)) => {
                    if let Ok(data) = frame.into_data() {
                        return Ok(Some(data));
                    }
                }
            }
        }
    }
}

impl std::fmt::Debug for ByteStream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ByteStream").finish_non_exhaustive()
    }
}

/// Polls the connection while there is one; one that has ended is not polled again.
async fn driven(connection: &mut Option<Connection>) {
    match connection {
        Some(running) => {
            running.await;
            *connection = None;
        }
        None => std::future::pending().await,
    }
}
