//! The process of a web server.
//!
//! Parent: any supervisor. Children: none; the connections are tasks that it owns, so they end with it
//! however it ends. Restart: permanent; the next life binds the same port. Messages: that nobody
//! lets clients in any more.

use std::net::SocketAddr;
use std::sync::Arc;

use heights_supervisor::{Context, Exit, Fault, Flow, Recipient, Server};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::connections::serve;
use super::stopping::{self, Stop};
use super::{BindError, HttpServer};

#[derive(Clone)]
pub(super) struct Args {
    pub(super) server: HttpServer,
    /// Where the life before listened, if there was one.
    pub(super) bound: Arc<watch::Sender<Option<SocketAddr>>>,
}

pub(super) struct Listener {
    stop: Stop,
    serving: JoinSet<()>,
}

/// Letting clients in has ended by itself: it crashed.
pub(super) struct Deaf;

impl Server for Listener {
    type Args = Args;
    type Msg = Deaf;

    async fn init(args: Args, cx: &mut Context<Deaf>) -> Result<Self, Fault> {
        let wanted = args.bound.borrow().unwrap_or(args.server.address);
        let listener = TcpListener::bind(wanted).await;
        let listener = listener.map_err(|error| BindError::new(wanted, error))?;
        let address = listener.local_addr()?;
        args.bound.send_replace(Some(address));
        tracing::info!(%address, "serving");
        let (stop, stopping) = stopping::pair();
        let ended = TellWhenDropped(cx.myself().recipient(|()| Deaf));
        let mut serving = JoinSet::new();
        serving.spawn(async move {
            let _ended = ended;
            serve(listener, args.server, stopping).await;
        });
        Ok(Self { stop, serving })
    }

    async fn handle(&mut self, Deaf: Deaf, _cx: &mut Context<Deaf>) -> Result<Flow, Fault> {
        Err("nobody lets clients in any more".into())
    }

    async fn terminate(&mut self, _exit: &Exit) {
        self.stop.tell();
        // It is bounded by the drain; how it ended does not matter any more.
        let _ended = self.serving.join_next().await;
    }

    fn label(Deaf: &Deaf) -> &'static str {
        "deaf"
    }
}

struct TellWhenDropped(Recipient<()>);

impl Drop for TellWhenDropped {
    fn drop(&mut self) {
        self.0.tell(());
    }
}
