//! P18 to P20: why the factory is not a supervisor.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ractor::concurrency::oneshot;
use ractor::factory::queues::{DefaultQueue, PriorityManager, PriorityQueue, StandardPriority};
use ractor::factory::routing::QueuerRouting;
use ractor::factory::{
    DeadMansSwitchConfiguration, DiscardHandler, DiscardMode, DiscardReason, DiscardSettings,
    Factory, FactoryArguments, FactoryMessage, Job, WorkerBuilder, WorkerMessage,
    WorkerStartContext,
};
use ractor::{Actor, ActorProcessingErr, ActorRef, ActorStatus, RpcReplyPort};

use tokio::task::block_in_place;

use super::gate::Gate;
use super::support::{CEILING, settle, still, within};

/// Counts its lives; ends each at once, or works for ever.
#[derive(Clone)]
struct Worker {
    lives: Arc<AtomicU32>,
    ends: Ends,
    /// Holds on to its thread whenever it is asked whether it is there.
    gate: Option<Gate>,
}

#[derive(Clone, Copy, PartialEq)]
enum Ends {
    Never,
    AfterStart,
    /// From its second life on.
    InStart,
}

impl Actor for Worker {
    type Msg = WorkerMessage<u32, ()>;
    type State = WorkerStartContext<u32, (), ()>;
    type Arguments = WorkerStartContext<u32, (), ()>;

    async fn pre_start(
        &self,
        _: ActorRef<Self::Msg>,
        context: Self::Arguments,
    ) -> Result<Self::State, ActorProcessingErr> {
        let life = self.lives.fetch_add(1, Ordering::SeqCst) + 1;
        if self.ends == Ends::InStart && life > 1 {
            return Err("asked to".into());
        }
        Ok(context)
    }

    async fn post_start(
        &self,
        _: ActorRef<Self::Msg>,
        _: &mut Self::State,
    ) -> Result<(), ActorProcessingErr> {
        match self.ends {
            Ends::Never => Ok(()),
            Ends::AfterStart | Ends::InStart => Err("asked to".into()),
        }
    }

    async fn handle(
        &self,
        _: ActorRef<Self::Msg>,
        message: Self::Msg,
        _: &mut Self::State,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            WorkerMessage::Dispatch(_) => std::future::pending().await,
            WorkerMessage::FactoryPing(_) => {
                if let Some(gate) = &self.gate {
                    // All that could run on this thread moves to another one.
                    block_in_place(|| gate.pass());
                }
                Ok(())
            }
        }
    }
}

struct Workers(Worker);

impl WorkerBuilder<Worker, ()> for Workers {
    fn build(&mut self, _: usize) -> (Worker, ()) {
        (self.0.clone(), ())
    }
}

impl Workers {
    fn that(ends: Ends) -> (Box<Self>, Arc<AtomicU32>) {
        let lives = Arc::default();
        (Box::new(Self(Worker { lives: Arc::clone(&lives), ends, gate: None })), lives)
    }
}

type Queue = DefaultQueue<u32, ()>;
type PlainFactory = Factory<u32, (), (), Worker, QueuerRouting<u32, ()>, Queue>;

async fn factory(ends: Ends) -> (ActorRef<FactoryMessage<u32, ()>>, Arc<AtomicU32>) {
    let (workers, lives) = Workers::that(ends);
    let arguments = FactoryArguments::builder()
        .worker_builder(workers)
        .router(QueuerRouting::default())
        .queue(Queue::default())
        .build();
    let (factory, _task) = Actor::spawn(None, PlainFactory::default(), arguments).await.unwrap();
    (factory, lives)
}

#[tokio::test(start_paused = true)]
async fn p18_a_factory_restarts_a_worker_without_end() {
    let (factory, lives) = factory(Ends::AfterStart).await;
    let many = async {
        while lives.load(Ordering::SeqCst) < 10_000 {
            tokio::task::yield_now().await;
        }
    };
    within("ten thousand lives in no time at all", many).await;
    let unmoved = factory.get_status() == ActorStatus::Running;
    still(unmoved, "factories have an intensity: a pool of workers could be one");
    factory.kill();
}

#[tokio::test(start_paused = true)]
async fn p18_a_worker_that_does_not_come_up_again_ends_the_factory() {
    let (factory, lives) = factory(Ends::InStart).await;
    settle().await;
    let ended = factory.get_status() == ActorStatus::Stopped && lives.load(Ordering::SeqCst) == 2;
    still(ended, "factories survive failed starts: a pool of workers could be one");
}

/// Asks a factory how much waits there, and gives up after a while.
async fn answers(factory: &ActorRef<FactoryMessage<u32, ()>>) -> bool {
    let (factory, limit) = (factory.get_cell(), Duration::from_millis(500));
    let asked =
        ractor::rpc::call(&factory, FactoryMessage::<u32, ()>::GetQueueDepth, Some(limit)).await;
    asked.unwrap().is_success()
}

/// It takes real time, as somebody has to block a thread; nothing depends on how much.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p19_a_factory_that_killed_a_worker_answers_nobody_until_that_yields() {
    let (mut workers, lives) = Workers::that(Ends::Never);
    let gate = Gate::default();
    let key = gate.key();
    workers.0.gate = Some(gate.clone());
    let at_once = Duration::from_millis(1);
    let switch = DeadMansSwitchConfiguration::builder().detection_timeout(at_once).build();
    let arguments = FactoryArguments::builder()
        .worker_builder(workers)
        .router(QueuerRouting::default())
        .queue(Queue::default())
        .dead_mans_switch(switch)
        .build();
    let (factory, _task) = Actor::spawn(None, PlainFactory::default(), arguments).await.unwrap();
    gate.reached().await;
    let waits = async { while answers(&factory).await {} };
    let waits = tokio::time::timeout(CEILING / 4, waits).await.is_ok() && !answers(&factory).await;
    still(waits, "a factory bounds its waits: a pool of workers could be one");
    assert_eq!(lives.load(Ordering::SeqCst), 1);
    drop(key);
    let answers_again = async { while !answers(&factory).await {} };
    within("the factory to answer when the worker is gone", answers_again).await;
    factory.kill();
}

struct NothingMayGo;

impl PriorityManager<u32, StandardPriority> for NothingMayGo {
    fn is_discardable(&self, _: &u32) -> bool {
        false
    }

    fn get_priority(&self, _: &u32) -> Option<StandardPriority> {
        None
    }
}

#[derive(Default)]
struct Discarded(Mutex<Vec<u32>>);

impl DiscardHandler<u32, ()> for Discarded {
    fn discard(&self, _: DiscardReason, job: &mut Job<u32, ()>) {
        self.0.lock().unwrap().push(job.key);
    }
}

#[tokio::test(start_paused = true)]
async fn p20_a_full_factory_drops_old_jobs_that_must_not_go_and_had_been_accepted() {
    type Careful = PriorityQueue<u32, (), StandardPriority, NothingMayGo, 5>;
    let (workers, _lives) = Workers::that(Ends::Never);
    let discarded = Arc::new(Discarded::default());
    let arguments = FactoryArguments::builder()
        .worker_builder(workers)
        .router(QueuerRouting::default())
        .queue(Careful::new(NothingMayGo))
        .discard_handler(Arc::clone(&discarded) as Arc<dyn DiscardHandler<u32, ()>>)
        .discard_settings(DiscardSettings::Static { limit: 1, mode: DiscardMode::Oldest })
        .build();
    let factory = Factory::<u32, (), (), Worker, QueuerRouting<u32, ()>, Careful>::default();
    let (factory, _task) = Actor::spawn(None, factory, arguments).await.unwrap();
    let mut accepted = Vec::new();
    for key in 1..=3 {
        let (accept, answer) = oneshot();
        let job = Job::builder().key(key).msg(()).accepted(RpcReplyPort::from(accept)).build();
        factory.send_message(FactoryMessage::Dispatch(job)).unwrap();
        accepted.push(within("an answer", answer).await.unwrap().is_none());
    }
    settle().await;
    let then = "shedding keeps its word: a queue of ours could stand on the factory's";
    // One is with the worker, one waits, and the one between them is gone.
    still(accepted == [true; 3] && *discarded.0.lock().unwrap() == [2], then);
    factory.kill();
}
