//! heights itself.

use std::collections::HashMap;
use std::sync::Mutex;

use heights_registry::{Owner, Registry};
use heights_supervisor::{
    AutoShutdown, ChildRef, ChildSpec, ChildStatus, Context, DynamicRef, DynamicSupervisor, Exit,
    Fault, Flow, Process, ProcessId, Ref, Restart, Server, Shutdown, Strategy, Supervisor,
    SupervisorRef,
};

use crate::peer::{Child, End, Missing, Peer, Plan, Refusal, StopRule};
use crate::puppet::{Life, Puppet};

/// A supervisor of heights.
#[derive(Debug)]
pub struct Heights {
    root: Root,
    process: Process,
    children: Mutex<HashMap<&'static str, ChildRef<End>>>,
    names: Names,
}

/// Each child registers by its id.
type Names = Registry<&'static str, Option<Ref<End>>>;

#[derive(Debug)]
enum Root {
    Fixed(SupervisorRef),
    Dynamic(DynamicRef),
}

struct Actor(Life);

impl Server for Actor {
    type Args = (Puppet, Names);
    type Msg = End;

    async fn init((puppet, names): Self::Args, cx: &mut Context<End>) -> Result<Self, Fault> {
        let life = puppet.begin().await?;
        names.register(puppet.id(), Some(cx.myself()), cx.owner())?;
        Ok(Self(life))
    }

    async fn handle(&mut self, end: End, cx: &mut Context<End>) -> Result<Flow, Fault> {
        match end {
            End::Normal => return Ok(Flow::Stop(Exit::Normal)),
            End::Error => return Err("asked to".into()),
            End::Panic => panic!("asked to"),
            End::Kill => cx.process().kill(),
        }
        Ok(Flow::Continue)
    }

    async fn terminate(&mut self, _exit: &Exit) {
        self.0.end().await;
    }
}

fn spec(child: Child, names: &Names) -> (ChildSpec, ChildRef<End>) {
    let Child { puppet, restart, stop, start_within, significant, bound_to } = child;
    let args = (puppet, names.clone());
    let (mut spec, child) = ChildSpec::server::<Actor>(args.0.id(), move || args.clone());
    if significant {
        spec = spec.significant();
    }
    spec = spec.binds_to(bound_to);
    if let Some(limit) = start_within {
        spec = spec.start_timeout(limit);
    }
    spec = match stop {
        StopRule::Usual => spec,
        StopRule::Within(limit) => spec.shutdown(Shutdown::Timeout(limit)),
        StopRule::Wait => spec.shutdown(Shutdown::Infinity),
    };
    let restart = match restart {
        crate::Restart::Permanent => Restart::Permanent,
        crate::Restart::Transient => Restart::Transient,
        crate::Restart::Temporary => Restart::Temporary,
    };
    (spec.restart(restart), child)
}

impl Heights {
    fn pid_of(&self, id: &str) -> Option<ProcessId> {
        let children = self.children.lock().expect("nothing panics while it holds the lock");
        Some(children.get(id)?.current()?.pid())
    }

    fn remember(&self, id: &'static str, child: ChildRef<End>) {
        self.children.lock().expect("nothing panics while it holds the lock").insert(id, child);
    }
}

impl Peer for Heights {
    const NAME: &'static str = "heights";

    async fn start(plan: Plan) -> Result<Self, Refusal> {
        let strategy = match plan.strategy {
            crate::Strategy::OneForOne => Strategy::OneForOne,
            crate::Strategy::OneForAll => Strategy::OneForAll,
            crate::Strategy::RestForOne => Strategy::RestForOne,
        };
        let mut builder = Supervisor::builder("root").strategy(strategy);
        builder = builder.intensity(plan.intensity, plan.period);
        builder = builder.auto_shutdown(match plan.auto_shutdown {
            crate::AutoShutdown::Never => AutoShutdown::Never,
            crate::AutoShutdown::AnySignificant => AutoShutdown::AnySignificant,
            crate::AutoShutdown::AllSignificant => AutoShutdown::AllSignificant,
        });
        let (mut children, names) = (HashMap::new(), Names::unique());
        for child in plan.children {
            let id = child.puppet.id();
            let (spec, child) = spec(child, &names);
            builder = builder.child(spec);
            children.insert(id, child);
        }
        let started = builder.start_root().await;
        let (root, process) = started.map_err(|error| Refusal::Failed(told(&error)))?;
        Ok(Self { root: Root::Fixed(root), process, children: Mutex::new(children), names })
    }

    async fn dynamic(plan: Plan, most: usize) -> Result<Self, Refusal> {
        let builder = DynamicSupervisor::builder("root").max_children(most);
        let started = builder.intensity(plan.intensity, plan.period).start().await;
        let root = started.map_err(|error| Refusal::Failed(told(&error)))?;
        let process = root.process().ok_or_else(|| Refusal::Failed("it has ended".to_owned()))?;
        let (children, names) = (Mutex::default(), Names::unique());
        let heights = Self { root: Root::Dynamic(root), process, children, names };
        for child in plan.children {
            let id = child.puppet.id();
            if !heights.add(child).await.map_err(Refusal::Missing)? {
                return Err(Refusal::Failed(format!("{id} does not come up")));
            }
        }
        Ok(heights)
    }

    async fn tell(&self, id: &str, end: End) {
        let child = self.children.lock().expect("nothing panics while it holds the lock");
        let child = child[id].clone();
        // A child that is gone has ended, which is what it was to do.
        let _gone = child.cast(end);
    }

    async fn stop(&self) {
        match &self.root {
            Root::Fixed(root) => root.stop().await,
            Root::Dynamic(root) => root.stop().await,
        };
    }

    async fn ended(&self) {
        self.process.gone().await;
    }

    async fn running(&self) -> Result<Vec<String>, Missing> {
        let children = match &self.root {
            Root::Fixed(root) => root.which_children().await,
            Root::Dynamic(root) => root.which_children().await,
        };
        let running = children.into_iter().filter(|c| matches!(c.status, ChildStatus::Running(_)));
        Ok(running.map(|child| child.id.to_string()).collect())
    }

    async fn add(&self, child: Child) -> Result<bool, Missing> {
        let id = child.puppet.id();
        let (spec, child) = spec(child, &self.names);
        let added = match &self.root {
            Root::Fixed(root) => root.start_child(spec).await.is_ok(),
            Root::Dynamic(root) => root.start_child(spec).await.is_ok(),
        };
        if added {
            self.remember(id, child);
        }
        Ok(added)
    }

    async fn terminate(&self, id: &str) -> Result<bool, Missing> {
        let root = match &self.root {
            Root::Fixed(root) => return Ok(root.terminate_child(id).await.is_ok()),
            Root::Dynamic(root) => root,
        };
        let Some(pid) = self.pid_of(id) else { return Ok(false) };
        Ok(root.terminate_child(&pid).await.is_ok())
    }

    async fn tell_by_name(&self, name: &'static str, end: End) -> bool {
        let holder = self.names.lookup(&name).flatten();
        holder.is_some_and(|holder| holder.cast(end).is_ok())
    }

    async fn claim(&self, name: &'static str) -> bool {
        let (somebody, _lives) = Owner::new();
        self.names.register(name, None, &somebody).is_ok()
    }
}

/// Puts an error and what caused it into words.
fn told(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}
