//! `ractor-supervisor` 0.2.0, on ractor.
//!
//! Its static supervisor is the only one with strategies, its dynamic one the only one that takes
//! children later. Names are global there, so each plan has names of its own.

use std::sync::atomic::{AtomicU64, Ordering};

use ractor::registry::where_is;
use ractor::rpc::CallResult;
use ractor::{Actor, ActorCell, ActorProcessingErr, ActorRef};
use ractor_supervisor::{
    ChildSpec, DynamicSupervisor, DynamicSupervisorMsg, DynamicSupervisorOptions, SpawnFn,
    Supervisor, SupervisorArguments, SupervisorMsg, SupervisorOptions, SupervisorStrategy,
};

use crate::peer::{
    AutoShutdown, Child, End, Missing, Peer, Plan, Refusal, Restart, StopRule, Strategy,
};
use crate::puppet::{Life, Log, Puppet};

static PLANS: AtomicU64 = AtomicU64::new(0);

/// A supervisor of `ractor-supervisor`.
#[derive(Debug)]
pub struct RactorSupervisor {
    root: ActorCell,
    dynamic: bool,
    plan: u64,
}

struct Doll(Puppet);

impl Actor for Doll {
    type Msg = End;
    type State = Life;
    type Arguments = ();

    async fn pre_start(&self, _: ActorRef<End>, (): ()) -> Result<Life, ActorProcessingErr> {
        Ok(self.0.begin().await?)
    }

    async fn handle(
        &self,
        myself: ActorRef<End>,
        end: End,
        _life: &mut Life,
    ) -> Result<(), ActorProcessingErr> {
        match end {
            End::Normal => myself.stop(None),
            End::Error => return Err("asked to".into()),
            End::Panic => panic!("asked to"),
            End::Kill => myself.kill(),
        }
        Ok(())
    }

    async fn post_stop(&self, _: ActorRef<End>, life: &mut Life) -> Result<(), ActorProcessingErr> {
        life.end().await;
        Ok(())
    }
}

impl RactorSupervisor {
    fn name(&self, id: &str) -> String {
        name(self.plan, id)
    }

    async fn known(&self) -> Vec<String> {
        let state = ractor::rpc::call(&self.root, SupervisorMsg::InspectState, None).await;
        let Ok(CallResult::Success(state)) = state else { return Vec::new() };
        state.child_specs.into_iter().map(|spec| spec.id).collect()
    }

    async fn known_dynamic(&self) -> Vec<String> {
        let state = ractor::rpc::call(&self.root, DynamicSupervisorMsg::InspectState, None).await;
        let Ok(CallResult::Success(state)) = state else { return Vec::new() };
        state.active_children.into_keys().collect()
    }
}

fn name(plan: u64, id: &str) -> String {
    format!("{plan} {id}")
}

fn spec(plan: u64, child: Child) -> Result<ChildSpec, Missing> {
    let Child { puppet, restart, stop, start_within, bound_to, .. } = child;
    if bound_to.is_some() {
        return Err(Missing("children cannot be bound to siblings"));
    }
    if start_within.is_some() {
        return Err(Missing("there is no start timeout"));
    }
    if stop != StopRule::Usual {
        return Err(Missing("there is no shutdown rule for a child"));
    }
    let id = name(plan, puppet.id());
    Ok(ChildSpec {
        id,
        restart: match restart {
            Restart::Permanent => ractor_supervisor::Restart::Permanent,
            Restart::Transient => ractor_supervisor::Restart::Transient,
            Restart::Temporary => ractor_supervisor::Restart::Temporary,
        },
        spawn_fn: SpawnFn::new(move |supervisor, id| {
            let doll = Doll(puppet.clone());
            async move {
                let spawned = Supervisor::spawn_linked(id, doll, (), supervisor).await?;
                Ok(spawned.0.get_cell())
            }
        }),
        backoff_fn: None,
        reset_after: None,
    })
}

impl Peer for RactorSupervisor {
    const NAME: &'static str = "ractor-supervisor 0.2.0";

    async fn start(plan: Plan) -> Result<Self, Refusal> {
        if plan.auto_shutdown != AutoShutdown::Never {
            return Err(Refusal::Missing(Missing("there is no automatic shutdown")));
        }
        let number = PLANS.fetch_add(1, Ordering::Relaxed);
        let children: Result<Vec<_>, _> =
            plan.children.into_iter().map(|child| spec(number, child)).collect();
        let options = SupervisorOptions {
            strategy: match plan.strategy {
                Strategy::OneForOne => SupervisorStrategy::OneForOne,
                Strategy::OneForAll => SupervisorStrategy::OneForAll,
                Strategy::RestForOne => SupervisorStrategy::RestForOne,
            },
            max_restarts: usize::try_from(plan.intensity).unwrap_or(usize::MAX),
            max_window: plan.period,
            reset_after: None,
        };
        let child_specs = children.map_err(Refusal::Missing)?;
        let arguments = SupervisorArguments { child_specs, options };
        let spawned = Supervisor::spawn(name(number, "supervisor"), arguments).await;
        let (root, _task) = spawned.map_err(|error| Refusal::Failed(error.to_string()))?;
        // Its start returns before its children start; it answers after they have.
        match ractor::rpc::call(&root.get_cell(), SupervisorMsg::InspectState, None).await {
            Ok(CallResult::Success(_state)) => {
                Ok(Self { root: root.get_cell(), dynamic: false, plan: number })
            }
            _ => Err(Refusal::Failed("it has ended already".to_owned())),
        }
    }

    async fn dynamic(plan: Plan, most: usize) -> Result<Self, Refusal> {
        let number = PLANS.fetch_add(1, Ordering::Relaxed);
        let options = DynamicSupervisorOptions {
            max_children: Some(most),
            max_restarts: usize::try_from(plan.intensity).unwrap_or(usize::MAX),
            max_window: plan.period,
            reset_after: None,
        };
        let spawned = DynamicSupervisor::spawn(name(number, "supervisor"), options).await;
        let (root, _task) = spawned.map_err(|error| Refusal::Failed(error.to_string()))?;
        let supervisor = Self { root: root.get_cell(), dynamic: true, plan: number };
        for child in plan.children {
            let id = child.puppet.id();
            if !supervisor.add(child).await.map_err(Refusal::Missing)? {
                return Err(Refusal::Failed(format!("{id} does not come up")));
            }
        }
        Ok(supervisor)
    }

    async fn tell(&self, id: &str, end: End) {
        #[expect(clippy::disallowed_methods, reason = "names are how its children are found")]
        if let Some(child) = where_is(self.name(id)) {
            // A child that is gone has ended, which is what it was to do.
            drop(child.send_message(end));
        }
    }

    async fn stop(&self) {
        self.root.stop(None);
        drop(self.root.wait(None).await);
    }

    async fn ended(&self) {
        drop(self.root.wait(None).await);
    }

    async fn running(&self) -> Result<Vec<String>, Missing> {
        // It knows its specs; who of them runs is known to ractor.
        let linked: Vec<_> =
            self.root.get_children().iter().filter_map(ActorCell::get_name).collect();
        let known = if self.dynamic { self.known_dynamic().await } else { self.known().await };
        let ids = known.into_iter().filter(|id| linked.contains(id));
        Ok(ids.filter_map(|id| Some(id.split_once(' ')?.1.to_owned())).collect())
    }

    async fn add(&self, child: Child) -> Result<bool, Missing> {
        if !self.dynamic {
            return Err(Missing("its supervisor with strategies takes no children later"));
        }
        let spec = spec(self.plan, child)?;
        Ok(DynamicSupervisor::spawn_child(self.root.clone().into(), spec).await.is_ok())
    }

    async fn terminate(&self, id: &str) -> Result<bool, Missing> {
        if !self.dynamic {
            return Err(Missing("its supervisor with strategies terminates no children"));
        }
        let root = self.root.clone().into();
        Ok(DynamicSupervisor::terminate_child(root, self.name(id)).await.is_ok())
    }

    async fn tell_by_name(&self, id: &'static str, end: End) -> bool {
        #[expect(clippy::disallowed_methods, reason = "the names of ractor are asked for")]
        let holder = where_is(self.name(id));
        holder.is_some_and(|holder| holder.send_message(end).is_ok())
    }

    async fn claim(&self, id: &'static str) -> bool {
        let somebody = Doll(Puppet::new(id, &Log::default()));
        #[expect(clippy::disallowed_methods, reason = "somebody who is nobody's child")]
        let spawned = Actor::spawn(Some(self.name(id)), somebody, ()).await;
        let Ok((somebody, task)) = spawned else { return false };
        somebody.kill();
        task.await.is_ok()
    }
}
