//! The same small worker twice: as a server of ours and as an ordinary ractor actor.

use std::time::Duration;

use heights_supervisor::{Context, Fault, Flow, Reply, Server};
use ractor::{Actor, ActorProcessingErr, ActorRef, RpcReplyPort, SupervisionEvent};
use tokio::task::JoinHandle;

/// Longer than anything here takes.
pub const LIMIT: Duration = Duration::from_secs(60);

pub struct Worker(u64);

pub enum Msg {
    Add(u64),
    Total(Reply<u64>),
    Fail,
}

impl Server for Worker {
    type Args = ();
    type Msg = Msg;

    async fn init((): (), _cx: &mut Context<Msg>) -> Result<Self, Fault> {
        Ok(Self(0))
    }

    async fn handle(&mut self, msg: Msg, _cx: &mut Context<Msg>) -> Result<Flow, Fault> {
        match msg {
            Msg::Add(number) => self.0 += number,
            Msg::Total(reply) => reply.send(self.0),
            Msg::Fail => return Err("asked to".into()),
        }
        Ok(Flow::Continue)
    }
}

pub struct Bare;

pub enum BareMsg {
    Add(u64),
    Total(RpcReplyPort<u64>),
    Fail,
}

impl Actor for Bare {
    type Msg = BareMsg;
    type State = u64;
    type Arguments = ();

    async fn pre_start(
        &self,
        _myself: ActorRef<BareMsg>,
        (): (),
    ) -> Result<u64, ActorProcessingErr> {
        Ok(0)
    }

    async fn handle(
        &self,
        _myself: ActorRef<BareMsg>,
        message: BareMsg,
        state: &mut u64,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            BareMsg::Add(number) => *state += number,
            BareMsg::Total(reply) => reply.send(*state)?,
            BareMsg::Fail => return Err("asked to".into()),
        }
        Ok(())
    }

    /// Without this a parent ends with its first child.
    async fn handle_supervisor_evt(
        &self,
        _myself: ActorRef<BareMsg>,
        _event: SupervisionEvent,
        _state: &mut u64,
    ) -> Result<(), ActorProcessingErr> {
        Ok(())
    }
}

/// Starts a bare worker.
pub async fn bare() -> (ActorRef<BareMsg>, JoinHandle<()>) {
    Actor::spawn(None, Bare, ()).await.unwrap()
}
