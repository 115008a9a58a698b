//! kameo 0.22.2.
//!
//! There a supervisor is any actor that spawns supervised children; its strategy belongs to its
//! type, so there are three types. It starts them in its own start hook, one by one, and waits for
//! each to be up, which is the most orderly way that its interface has.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use kameo::actor::{Actor, ActorRef, Spawn, WeakActorRef};
use kameo::error::ActorStopReason;
use kameo::message::{Context, Message};
use kameo::supervision::{RestartPolicy, SupervisionStrategy};

use crate::peer::{
    AutoShutdown, Child, End, Missing, Peer, Plan, Refusal, Restart, StopRule, Strategy,
};
use crate::puppet::{Life, Log, Puppet};

type Dolls = Arc<Mutex<HashMap<&'static str, ActorRef<Doll>>>>;

/// A supervisor of kameo.
pub struct Kameo {
    root: Root,
    plan: u64,
    dolls: Dolls,
}

struct Doll(Life);

/// Names are global there, so each plan has names of its own.
static PLANS: AtomicU64 = AtomicU64::new(0);

fn name(plan: u64, id: &str) -> String {
    format!("{plan} {id}")
}

/// Why a doll does not start or says that it is broken.
#[derive(Debug, Clone)]
struct Broken(String);

impl std::fmt::Display for Broken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl Actor for Doll {
    type Args = (Puppet, u64);
    type Error = Broken;

    async fn on_start((puppet, plan): Self::Args, myself: ActorRef<Self>) -> Result<Self, Broken> {
        let life = puppet.begin().await.map_err(|why| Broken(why.to_owned()))?;
        // Whether that works is a line of its own, and no matter of the others.
        let _named = myself.register(name(plan, puppet.id()));
        Ok(Self(life))
    }

    async fn on_stop(&mut self, _: WeakActorRef<Self>, _: ActorStopReason) -> Result<(), Broken> {
        self.0.end().await;
        Ok(())
    }
}

impl Message<End> for Doll {
    type Reply = Result<(), Broken>;

    async fn handle(&mut self, end: End, cx: &mut Context<Self, Self::Reply>) -> Self::Reply {
        match end {
            End::Normal => cx.stop(),
            End::Error => return Err(Broken("asked to".to_owned())),
            End::Panic => panic!("asked to"),
            End::Kill => cx.actor_ref().kill(),
        }
        Ok(())
    }
}

/// What a supervisor is given to start with.
#[derive(Clone)]
struct Cast {
    plan: Plan,
    number: u64,
    dolls: Dolls,
}

async fn add<S: Actor>(
    supervisor: &ActorRef<S>,
    Cast { plan, number, dolls }: &Cast,
    child: Child,
) -> Result<(), Broken> {
    let Child { puppet, restart, .. } = child;
    let number = *number;
    let id = puppet.id();
    let policy = match restart {
        Restart::Permanent => RestartPolicy::Permanent,
        Restart::Transient => RestartPolicy::Transient,
        Restart::Temporary => RestartPolicy::Never,
    };
    let doll = Doll::supervise_with(supervisor, move || (puppet.clone(), number))
        .restart_policy(policy)
        .restart_limit(plan.intensity, plan.period)
        .spawn()
        .await;
    let up = doll.wait_for_startup_result().await;
    dolls.lock().unwrap_or_else(PoisonError::into_inner).insert(id, doll);
    up.map_err(|error| Broken(format!("{error:?}")))
}

macro_rules! supervisor {
    ($name:ident, $strategy:expr) => {
        struct $name;

        impl Actor for $name {
            type Args = Cast;
            type Error = Broken;

            fn supervision_strategy() -> SupervisionStrategy {
                $strategy
            }

            async fn on_start(cast: Cast, myself: ActorRef<Self>) -> Result<Self, Broken> {
                for child in cast.plan.children.clone() {
                    add(&myself, &cast, child).await?;
                }
                Ok(Self)
            }
        }
    };
}

supervisor!(OneForOne, SupervisionStrategy::OneForOne);
supervisor!(OneForAll, SupervisionStrategy::OneForAll);
supervisor!(RestForOne, SupervisionStrategy::RestForOne);

enum Root {
    OneForOne(ActorRef<OneForOne>),
    OneForAll(ActorRef<OneForAll>),
    RestForOne(ActorRef<RestForOne>),
}

/// Does the same with whatever type the supervisor has.
macro_rules! with {
    ($root:expr, $actor:ident => $do:expr) => {
        match $root {
            Root::OneForOne($actor) => $do,
            Root::OneForAll($actor) => $do,
            Root::RestForOne($actor) => $do,
        }
    };
}

impl Peer for Kameo {
    const NAME: &'static str = "kameo 0.22.2";

    // It counts restarts by the clock of the system, which no test can turn.
    const PERIOD: Duration = Duration::from_millis(200);

    async fn pass(time: Duration) {
        #[expect(clippy::disallowed_methods, reason = "only real time passes on that clock")]
        std::thread::sleep(time);
    }

    async fn start(plan: Plan) -> Result<Self, Refusal> {
        if plan.children.iter().any(|child| child.start_within.is_some()) {
            return Err(Refusal::Missing(Missing("there is no start timeout")));
        }
        if plan.children.iter().any(|child| matches!(child.stop, StopRule::Within(_))) {
            return Err(Refusal::Missing(Missing("there is no shutdown timeout")));
        }
        if plan.auto_shutdown != AutoShutdown::Never {
            return Err(Refusal::Missing(Missing("there is no automatic shutdown")));
        }
        if plan.children.iter().any(|child| child.bound_to.is_some()) {
            let missing = "links work both ways and bring nobody back, and there is no other bond";
            return Err(Refusal::Missing(Missing(missing)));
        }
        let dolls = Dolls::default();
        let strategy = plan.strategy;
        let number = PLANS.fetch_add(1, Ordering::Relaxed);
        let cast = Cast { plan, number, dolls: Arc::clone(&dolls) };
        let root = match strategy {
            Strategy::OneForOne => Root::OneForOne(OneForOne::spawn(cast)),
            Strategy::OneForAll => Root::OneForAll(OneForAll::spawn(cast)),
            Strategy::RestForOne => Root::RestForOne(RestForOne::spawn(cast)),
        };
        let up = with!(&root, actor => actor.wait_for_startup_result().await);
        up.map_err(|error| Refusal::Failed(format!("{error:?}")))?;
        Ok(Self { root, plan: number, dolls })
    }

    async fn dynamic(_plan: Plan, _most: usize) -> Result<Self, Refusal> {
        Err(Refusal::Missing(Missing("children can be added, but have no ids and no answer")))
    }

    async fn tell(&self, id: &str, end: End) {
        let doll = self.dolls.lock().unwrap_or_else(PoisonError::into_inner)[id].clone();
        // A child that is gone has ended, which is what it was to do.
        let _gone = doll.tell(end).await;
    }

    async fn stop(&self) {
        with!(&self.root, actor => {
            // Who is gone need not be told.
            let _gone = actor.stop_gracefully().await;
            // The mailbox closes before the children have ended; the result comes after them.
            drop(actor.wait_for_shutdown_result().await);
        });
    }

    async fn ended(&self) {
        with!(&self.root, actor => drop(actor.wait_for_shutdown_result().await));
    }

    async fn running(&self) -> Result<Vec<String>, Missing> {
        Err(Missing("a supervisor does not list its children"))
    }

    async fn add(&self, _child: Child) -> Result<bool, Missing> {
        Err(Missing("children can be added, but have no ids and no answer"))
    }

    async fn terminate(&self, _id: &str) -> Result<bool, Missing> {
        Err(Missing(
            "a child can be stopped, but its supervisor takes that for an end like any other",
        ))
    }

    async fn tell_by_name(&self, id: &'static str, end: End) -> bool {
        let doll = ActorRef::<Doll>::lookup(name(self.plan, id).as_str());
        let Ok(Some(doll)) = doll else { return false };
        doll.tell(end).await.is_ok()
    }

    async fn claim(&self, id: &'static str) -> bool {
        let somebody =
            Doll::spawn((Puppet::new(id, &Log::default()), PLANS.fetch_add(1, Ordering::Relaxed)));
        let claimed = somebody.register(name(self.plan, id)).is_ok();
        somebody.kill();
        claimed
    }
}
