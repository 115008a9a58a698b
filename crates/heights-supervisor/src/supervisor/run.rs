//! The process of a supervisor: requests in, decisions of the machine, answers out.

use std::sync::Arc;

use heights_core::{Answer, ChildId, Counts, Event, Refusal, Verdict};
use ractor::{ActorRef, SupervisionEvent};

use super::builder::Config;
use super::state::{Settled, State};
use crate::admin::{AdminError, ChildInfo, ChildStarted, StartChildError, StartError};
use crate::desk;
use crate::exit::{Exit, Fault};
use crate::guard::{Behavior, Receipt};
use crate::keeper::{Keeper, StartFailure};
use crate::process::Process;
use crate::reply::Reply;
use crate::server::Flow;
use crate::spec::ChildSpec;

type Answered<T, E> = Reply<Result<T, E>>;

pub(crate) enum Msg {
    StartChild(Box<ChildSpec>, Answered<ChildStarted, StartChildError>),
    TerminateChild(ChildId, Answered<(), AdminError>),
    RestartChild(ChildId, Answered<ChildStarted, AdminError>),
    DeleteChild(ChildId, Answered<(), AdminError>),
    Reconfigure(Vec<ChildSpec>, Answered<(), AdminError>),
    GetChildSpec(ChildId, Answered<ChildSpec, AdminError>),
    WhichChildren(Reply<Vec<ChildInfo>>),
    CountChildren(Reply<Counts>),
    Exited(Process, Exit),
    Retry { id: ChildId, ticket: u64 },
}

pub(super) struct SupervisorBehavior;

impl Behavior for SupervisorBehavior {
    type Msg = Msg;
    type State = State;
    type Args = Arc<Config>;

    async fn start(
        &self,
        myself: ActorRef<Msg>,
        config: Arc<Config>,
        keeper: &Arc<Keeper>,
    ) -> Result<State, Fault> {
        let children = config.children()?;
        let state = State::new(myself, keeper.process().clone(), &config, children);
        let mut state = state.map_err(StartError::from)?;
        match state.boot().await.verdict {
            None => Ok(state),
            Some(Verdict::StartFailed(id)) => {
                Err(StartError::Child { id, cause: state.take_failure() }.into())
            }
            Some(Verdict::Stopped | Verdict::ReachedMaxIntensity | Verdict::AutoShutdown) => {
                Err(StartError::Itself(state.take_failure()).into())
            }
        }
    }

    async fn handle(
        &self,
        _myself: ActorRef<Msg>,
        message: Msg,
        state: &mut State,
    ) -> Result<Flow, Fault> {
        let settled = match message {
            Msg::StartChild(spec, reply) => start_child(state, *spec, reply).await,
            Msg::TerminateChild(id, reply) => {
                let settled = state.feed(Event::TerminateChild(id)).await;
                reply.send(done(state, &settled));
                settled
            }
            Msg::RestartChild(id, reply) => {
                let settled = state.feed(Event::RestartChild(id)).await;
                reply.send(restarted(state, &settled));
                settled
            }
            Msg::DeleteChild(id, reply) => {
                let settled = state.feed(Event::DeleteChild(id)).await;
                reply.send(done(state, &settled));
                settled
            }
            Msg::Reconfigure(specs, reply) => {
                let settled = state.reconfigure(specs).await;
                reply.send(done(state, &settled));
                settled
            }
            Msg::GetChildSpec(id, reply) => {
                reply.send(state.spec(&id).ok_or(AdminError::NotFound));
                return Ok(Flow::Continue);
            }
            Msg::WhichChildren(reply) => {
                reply.send(state.which_children());
                return Ok(Flow::Continue);
            }
            Msg::CountChildren(reply) => {
                reply.send(state.counts());
                return Ok(Flow::Continue);
            }
            Msg::Exited(process, exit) => state.exited(&process, exit).await,
            Msg::Retry { id, ticket } => state.retry(id, ticket).await,
        };
        Ok(settled.verdict.map_or(Flow::Continue, |verdict| Flow::Stop(verdict.into())))
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
        state.feed(Event::Stop).await;
        Ok(())
    }

    fn receive(&self, message: &Msg, _process: &Process) -> Receipt {
        Receipt::of(label(message))
    }
}

async fn start_child(
    state: &mut State,
    spec: ChildSpec,
    reply: Answered<ChildStarted, StartChildError>,
) -> Settled {
    let id = spec.id().clone();
    let plan = spec.plan().clone();
    state.expect(spec);
    let settled = state.feed(Event::StartChild(plan)).await;
    state.expect_no_more();
    reply.send(match &settled.answer {
        Some(Answer::Started(run)) => state.started(&run.id).ok_or_else(|| failed(state, id)),
        Some(Answer::Ignored(_)) => Err(StartChildError::Ignored),
        Some(Answer::Refused(Refusal::AlreadyStarted(run))) => Err(state
            .started(&run.id)
            .map_or(StartChildError::AlreadyPresent, StartChildError::AlreadyStarted)),
        Some(Answer::Refused(Refusal::Invalid(error))) => {
            Err(StartChildError::Invalid(error.clone()))
        }
        Some(Answer::Refused(Refusal::DependencyDown(on))) => {
            Err(StartChildError::DependencyDown(on.clone()))
        }
        Some(Answer::Refused(_)) => Err(StartChildError::AlreadyPresent),
        Some(Answer::StartFailed(_) | Answer::Done) | None => Err(failed(state, id)),
    });
    settled
}

fn failed(state: &mut State, id: ChildId) -> StartChildError {
    StartChildError::Failed { id, cause: state.take_failure() }
}

fn restarted(state: &mut State, settled: &Settled) -> Result<ChildStarted, AdminError> {
    let Some(Answer::Started(run)) = &settled.answer else {
        return done(state, settled).and(Err(AdminError::Failed(StartFailure::Stopped)));
    };
    state.started(&run.id).ok_or_else(|| AdminError::Failed(state.take_failure()))
}

fn done(state: &mut State, settled: &Settled) -> Result<(), AdminError> {
    match &settled.answer {
        Some(Answer::Done | Answer::Started(_)) => Ok(()),
        Some(Answer::Refused(Refusal::Running | Refusal::AlreadyStarted(_))) => {
            Err(AdminError::Running)
        }
        Some(Answer::Refused(Refusal::Invalid(error))) => Err(AdminError::Invalid(error.clone())),
        Some(Answer::Refused(Refusal::Restarting)) => Err(AdminError::Restarting),
        Some(Answer::Refused(Refusal::DependencyDown(on))) => {
            Err(AdminError::DependencyDown(on.clone()))
        }
        Some(Answer::Refused(_)) => Err(AdminError::NotFound),
        Some(Answer::Ignored(_)) => Err(AdminError::Ignored),
        Some(Answer::StartFailed(_)) | None => Err(AdminError::Failed(state.take_failure())),
    }
}

fn label(message: &Msg) -> &'static str {
    match message {
        Msg::StartChild(..) => "start_child",
        Msg::TerminateChild(..) => "terminate_child",
        Msg::RestartChild(..) => "restart_child",
        Msg::DeleteChild(..) => "delete_child",
        Msg::Reconfigure(..) => "reconfigure",
        Msg::GetChildSpec(..) => "get_child_spec",
        Msg::WhichChildren(_) => "which_children",
        Msg::CountChildren(_) => "count_children",
        Msg::Exited(..) => "child_exited",
        Msg::Retry { .. } => "retry",
    }
}
