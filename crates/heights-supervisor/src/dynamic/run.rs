//! The process of a dynamic supervisor, and what it is asked and told.

use std::sync::Arc;

use heights_core::{ChildKey, Counts, DynamicEvent, Incarnation};
use ractor::{ActorRef, SupervisionEvent};

use super::builder::Config;
use super::office::{Office, Sign};
use super::state::State;
use crate::admin::{AdminError, ChildInfo, ChildStarted, StartChildError, StartError};
use crate::desk;
use crate::exit::{Exit, Fault};
use crate::guard::Behavior;
use crate::keeper::{Keeper, StartFailure};
use crate::process::ProcessId;
use crate::queue::Wake;
use crate::reply::Reply;
use crate::server::Flow;
use crate::spec::ChildSpec;

pub(crate) enum Msg {
    StartChild(ChildSpec, Reply<Result<ChildStarted, StartChildError>>),
    TerminateChild(ProcessId, Reply<Result<(), AdminError>>),
    GetChildSpec(ProcessId, Reply<Result<ChildSpec, AdminError>>),
    WhichChildren(Reply<Vec<ChildInfo>>),
    CountChildren(Reply<Counts>),
    Started(ProcessId, Result<(), StartFailure>),
    /// The life before is still there, so this one is not begun.
    NotFree(ChildKey, Incarnation),
    Exited {
        pid: ProcessId,
        exit: Exit,
        /// Whether it was told to end.
        as_told: bool,
    },
    Retry(ChildKey, u64),
    /// Children that were told to end may be late.
    Overdue,
}

impl Msg {
    /// Tells whether whoever brings it may deal with it: it begins no other life of a child.
    pub(super) fn is_for_anyone(&self) -> bool {
        match self {
            Self::StartChild(..)
            | Self::TerminateChild(..)
            | Self::GetChildSpec(..)
            | Self::WhichChildren(_)
            | Self::CountChildren(_)
            | Self::Started(_, Ok(())) => true,
            Self::Exited { as_told, .. } => *as_told,
            Self::Started(_, Err(_)) | Self::NotFree(..) | Self::Retry(..) | Self::Overdue => false,
        }
    }

    /// Tells whether dealing with it starts a task, of a child or of an alarm.
    pub(super) const fn sets_tasks_up(&self) -> bool {
        matches!(self, Self::StartChild(..) | Self::TerminateChild(..))
    }

    pub(super) const fn label(&self) -> &'static str {
        match self {
            Self::StartChild(..) => "start_child",
            Self::TerminateChild(..) => "terminate_child",
            Self::GetChildSpec(..) => "get_child_spec",
            Self::WhichChildren(_) => "which_children",
            Self::CountChildren(_) => "count_children",
            Self::Started(..) | Self::NotFree(..) => "child_started",
            Self::Exited { .. } => "child_exited",
            Self::Retry(..) => "retry",
            Self::Overdue => "overdue",
        }
    }
}

/// The supervisor's own task; most is done in its [`Office`] by those who come there.
pub(super) struct DynamicBehavior;

impl Behavior for DynamicBehavior {
    type Msg = Wake;
    type State = Sign;
    type Args = (Arc<Config>, Office);

    const NOTES_ITSELF: bool = true;

    async fn start(
        &self,
        actor: ActorRef<Wake>,
        (config, office): Self::Args,
        keeper: &Arc<Keeper>,
    ) -> Result<Sign, Fault> {
        config.check().map_err(StartError::from)?;
        let state = State::new(&config, office.clone(), keeper).map_err(StartError::from)?;
        Ok(office.open(actor, state))
    }

    async fn handle(
        &self,
        _actor: ActorRef<Wake>,
        Wake: Wake,
        sign: &mut Sign,
    ) -> Result<Flow, Fault> {
        let mut shift = sign.shift().await;
        let mut end = shift.end_found();
        while end.is_none() {
            if shift.state().is_ending() {
                end = Box::pin(shift.state().wait_for_the_end()).await.map(Exit::from);
                if end.is_some() {
                    break;
                }
            }
            let Some(message) = shift.next() else { return Ok(Flow::Continue) };
            end = shift.handle(message);
            // Others want to run, too.
            tokio::task::consume_budget().await;
        }
        Ok(end.map_or(Flow::Continue, Flow::Stop))
    }

    async fn supervise(
        &self,
        _actor: ActorRef<Wake>,
        event: SupervisionEvent,
        sign: &mut Sign,
    ) -> Result<(), Fault> {
        desk::ignore(sign.process(), &event);
        Ok(())
    }

    async fn terminate(
        &self,
        _actor: ActorRef<Wake>,
        sign: &mut Sign,
        _exit: &Exit,
    ) -> Result<(), Fault> {
        sign.close();
        let mut shift = sign.shift().await;
        let state = shift.state();
        state.feed(DynamicEvent::Stop);
        if state.is_ending() {
            state.wait_for_the_end().await;
        }
        Ok(())
    }
}
