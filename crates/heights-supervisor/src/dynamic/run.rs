//! The process of a dynamic supervisor: requests in, decisions of the machine, answers out.

use std::sync::Arc;

use heights_core::{ChildKey, Counts, DynamicEvent, Incarnation};
use ractor::{ActorRef, SupervisionEvent};

use super::builder::Config;
use super::state::State;
use crate::admin::{AdminError, ChildInfo, ChildStarted, StartChildError, StartError};
use crate::desk;
use crate::exit::{Exit, Fault};
use crate::guard::{Behavior, Receipt};
use crate::keeper::StartFailure;
use crate::process::{Process, ProcessId};
use crate::reply::Reply;
use crate::server::Flow;
use crate::spec::ChildSpec;

pub(crate) enum Msg {
    StartChild(Box<ChildSpec>, Reply<Result<ChildStarted, StartChildError>>),
    TerminateChild(ProcessId, Reply<Result<(), AdminError>>),
    GetChildSpec(ProcessId, Reply<Result<ChildSpec, AdminError>>),
    WhichChildren(Reply<Vec<ChildInfo>>),
    CountChildren(Reply<Counts>),
    Started(ChildKey, Incarnation, Result<(), StartFailure>),
    Exited(ChildKey, Incarnation, Exit),
    Retry(ChildKey, u64),
    /// Children that were told to end may be late.
    Overdue,
}

pub(super) struct DynamicBehavior;

impl Behavior for DynamicBehavior {
    type Msg = Msg;
    type State = State;
    type Args = Arc<Config>;

    async fn start(
        &self,
        myself: ActorRef<Msg>,
        config: Arc<Config>,
        process: &Process,
    ) -> Result<State, Fault> {
        config.check().map_err(StartError::from)?;
        Ok(State::new(myself, process.clone(), &config).map_err(StartError::from)?)
    }

    async fn handle(
        &self,
        _myself: ActorRef<Msg>,
        message: Msg,
        state: &mut State,
    ) -> Result<Flow, Fault> {
        let verdict = match message {
            Msg::StartChild(spec, reply) => {
                state.start_child(*spec, reply);
                None
            }
            Msg::TerminateChild(pid, reply) => {
                state.terminate_child(pid, reply);
                None
            }
            Msg::GetChildSpec(pid, reply) => {
                reply.send(state.spec(pid).ok_or(AdminError::NotFound));
                None
            }
            Msg::WhichChildren(reply) => {
                reply.send(state.which_children());
                None
            }
            Msg::CountChildren(reply) => {
                reply.send(state.counts());
                None
            }
            Msg::Started(key, incarnation, outcome) => state.started(key, incarnation, outcome),
            Msg::Exited(key, incarnation, exit) => state.exited(key, incarnation, exit),
            Msg::Retry(key, ticket) => state.feed(DynamicEvent::Retry(key, ticket)),
            Msg::Overdue => {
                state.overdue();
                None
            }
        };
        let verdict = match verdict {
            None if state.is_ending() => Box::pin(state.wait_for_the_end()).await,
            verdict => verdict,
        };
        Ok(verdict.map_or(Flow::Continue, |verdict| Flow::Stop(verdict.into())))
    }

    async fn supervise(
        &self,
        _myself: ActorRef<Msg>,
        event: SupervisionEvent,
        state: &mut State,
    ) -> Result<(), Fault> {
        desk::ignore(state.process(), &event);
        Ok(())
    }

    async fn terminate(
        &self,
        _myself: ActorRef<Msg>,
        state: &mut State,
        _exit: &Exit,
    ) -> Result<(), Fault> {
        state.feed(DynamicEvent::Stop);
        if state.is_ending() {
            state.wait_for_the_end().await;
        }
        Ok(())
    }

    fn receive(&self, message: &Msg, _process: &Process) -> Receipt {
        Receipt::of(label(message))
    }
}

fn label(message: &Msg) -> &'static str {
    match message {
        Msg::StartChild(..) => "start_child",
        Msg::TerminateChild(..) => "terminate_child",
        Msg::GetChildSpec(..) => "get_child_spec",
        Msg::WhichChildren(_) => "which_children",
        Msg::CountChildren(_) => "count_children",
        Msg::Started(..) => "child_started",
        Msg::Exited(..) => "child_exited",
        Msg::Retry(..) => "retry",
        Msg::Overdue => "overdue",
    }
}
