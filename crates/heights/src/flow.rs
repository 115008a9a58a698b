//! Flows: a stream through supervised stages, no faster than its slowest reader.
//!
//! ```text
//!             demand                        demand
//!   source ───────────► stage 1 … stage n ───────────► sink
//!   map, filter         by key: each, or windows
//! ```
//!
//! The source is asked for an item only when there is demand for one: at most [`demand`](Flow::demand)
//! items are between the source and the end of their stage, and as many results between the stages and
//! the sink. So a sink that is slow stops the source, and nothing piles up.
//!
//! | | promise |
//! |---|---|
//! | partition | items of the same key go through the same stage, in their order |
//! | window | for each key every `count` items in a row become one result; the last may be shorter |
//! | crash | whatever stage fails, the whole flow starts over, with a new stream from the source |
//! | end | when the source has ended and all results have been taken, the flow leaves in good order |
//!
//! Starting over means that results may come twice; a source that knows how far it got, in a
//! [`Table`](crate::Table) for example, need not begin at the beginning.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use heights::prelude::*;
//! use heights::flow::{Flow, Window};
//! use futures_util::stream;
//!
//! let (told, mut sums) = tokio::sync::mpsc::unbounded_channel();
//! let (flow, done) = Flow::from(|| stream::iter(1..=10))
//!     .partition(2, |number| number % 2)
//!     .window(3, || 0, |sum, number| *sum += number)
//!     .sink(move |window: Window<i32, i32>| {
//!         let told = told.clone();
//!         async move { Ok(told.send((window.key, window.value))?) }
//!     })
//!     .child_spec("sums");
//! let root = Supervisor::builder("root").child(flow).start().await?;
//! done.finished().await;
//! let mut all: Vec<_> = std::iter::from_fn(|| sums.try_recv().ok()).collect();
//! all.sort();
//! assert_eq!(all, [(0, 12), (0, 18), (1, 9), (1, 16)]);
//! root.stop().await;
//! # Ok(())
//! # }
//! ```

mod pipes;
mod run;
mod stage;

use std::future::Future;
use std::hash::Hash;
use std::sync::Arc;
use std::time::Duration;

use futures_util::stream::{BoxStream, StreamExt};
use futures_util::{Stream, future};
use heights_supervisor::{ChildId, ChildSpec, Fault};
use tokio::sync::Semaphore;

pub use self::run::FlowRef;
use self::run::Plan;
pub use self::stage::Window;
use self::stage::{Each, MakeStage, Windows};

/// How many items are on their way unless told otherwise: some for each stage, few to do again.
const DEMAND: usize = 64;

/// A stream, described: it is made anew for each life of the flow.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use futures_util::stream;
/// use heights::flow::Flow;
/// use heights::prelude::*;
///
/// let (told, mut seen) = tokio::sync::mpsc::unbounded_channel();
/// let (flow, done) = Flow::from(|| stream::iter(["a", "b", "a"]))
///     .map(str::to_uppercase)
///     .partition(2, |letter| letter.clone())
///     .each(|letter| async move { Ok(letter) })
///     .sink(move |letter| {
///         let told = told.clone();
///         async move { Ok(told.send(letter)?) }
///     })
///     .child_spec("letters");
/// let root = Supervisor::builder("root").child(flow).start().await?;
/// done.finished().await;
/// let mut letters: Vec<_> = std::iter::from_fn(|| seen.try_recv().ok()).collect();
/// letters.sort();
/// assert_eq!(letters, ["A", "A", "B"]);
/// root.stop().await;
/// # Ok(())
/// # }
/// ```
#[must_use = "a flow runs only as a child"]
pub struct Flow<T> {
    source: MakeSource<T>,
    demand: usize,
}

/// A flow whose items are told apart by key.
#[must_use = "a flow runs only as a child"]
pub struct Partitioned<T, K> {
    flow: Flow<T>,
    stages: usize,
    key: Arc<dyn Fn(&T) -> K + Send + Sync>,
}

/// A flow with its stages.
#[must_use = "a flow runs only as a child"]
pub struct Staged<T, R> {
    flow: Flow<T>,
    route: Arc<dyn Fn(&T) -> usize + Send + Sync>,
    stages: usize,
    stage: MakeStage<T, R>,
}

/// A whole flow.
#[must_use = "a flow runs only as a child"]
pub struct Sunk<T, R>(Plan<T, R>);

type MakeSource<T> = Arc<dyn Fn() -> BoxStream<'static, T> + Send + Sync>;

impl<T: Send + 'static> Flow<T> {
    /// Begins with a stream; `make` is called for each life of the flow.
    pub fn from<S>(make: impl Fn() -> S + Send + Sync + 'static) -> Self
    where
        S: Stream<Item = T> + Send + 'static,
    {
        Self { source: Arc::new(move || make().boxed()), demand: DEMAND }
    }

    /// Lets at most this many items be on their way to the end of their stage, and as many results on
    /// their way through the sink; at least one.
    pub fn demand(mut self, items: usize) -> Self {
        self.demand = items.clamp(1, Semaphore::MAX_PERMITS);
        self
    }

    /// Changes each item, one after the other, as it leaves the source.
    pub fn map<U: Send + 'static>(
        self,
        map: impl Fn(T) -> U + Clone + Send + Sync + 'static,
    ) -> Flow<U> {
        let source = self.source;
        Flow { source: Arc::new(move || source().map(map.clone()).boxed()), demand: self.demand }
    }

    /// Drops those items that `keep` says no to, as they leave the source.
    pub fn filter(self, keep: impl Fn(&T) -> bool + Clone + Send + Sync + 'static) -> Self {
        let source = self.source;
        let source = move || {
            let keep = keep.clone();
            source().filter(move |item| future::ready(keep(item))).boxed()
        };
        Self { source: Arc::new(source), demand: self.demand }
    }

    /// Spreads the items over stages that work side by side, all items of a key through the same one.
    pub fn partition<K: Hash>(
        self,
        stages: usize,
        key: impl Fn(&T) -> K + Send + Sync + 'static,
    ) -> Partitioned<T, K> {
        Partitioned { flow: self, stages: stages.max(1), key: Arc::new(key) }
    }
}

impl<T: Send + 'static, K: Hash + 'static> Partitioned<T, K> {
    /// Does something with each item, one after the other within a stage.
    ///
    /// An error is a fault of the stage: the flow starts over.
    pub fn each<R, Fut>(self, work: impl Fn(T) -> Fut + Send + Sync + 'static) -> Staged<T, R>
    where
        R: Send + 'static,
        Fut: Future<Output = Result<R, Fault>> + Send + 'static,
    {
        let work = Arc::new(work);
        self.staged(Arc::new(move || Box::new(Each(Arc::clone(&work)))))
    }

    /// Folds every `count` items in a row of a key into one result, `count` being at least one.
    ///
    /// When the source ends, what is left of each key becomes a result too.
    pub fn window<A: Send + 'static>(
        self,
        count: usize,
        start: impl Fn() -> A + Send + Sync + 'static,
        fold: impl Fn(&mut A, T) + Send + Sync + 'static,
    ) -> Staged<T, Window<K, A>>
    where
        K: Clone + Eq + Send,
    {
        let (key, start, fold) = (Arc::clone(&self.key), Arc::new(start), Arc::new(fold));
        self.staged(Arc::new(move || {
            let (key, start, fold) = (Arc::clone(&key), Arc::clone(&start), Arc::clone(&fold));
            let key = move |item: &T| key(item);
            Box::new(Windows::new(
                count,
                key,
                move || start(),
                move |sum: &mut A, item| {
                    fold(sum, item);
                },
            ))
        }))
    }

    fn staged<R>(self, stage: MakeStage<T, R>) -> Staged<T, R> {
        let (stages, key) = (self.stages, self.key);
        let route = Arc::new(move |item: &T| pipes::stage_of(&key(item), stages));
        Staged { flow: self.flow, route, stages, stage }
    }
}

impl<T: Send + 'static, R: Send + 'static> Staged<T, R> {
    /// Takes the results, one after the other.
    ///
    /// An error is a fault of the sink: the flow starts over.
    pub fn sink<Fut>(self, take: impl Fn(R) -> Fut + Send + Sync + 'static) -> Sunk<T, R>
    where
        Fut: Future<Output = Result<(), Fault>> + Send + 'static,
    {
        Sunk(Plan {
            source: self.flow.source,
            demand: self.flow.demand,
            route: self.route,
            stages: self.stages,
            stage: self.stage,
            sink: Arc::new(move |result| Box::pin(take(result))),
            intensity: None,
        })
    }
}

impl<T: Send + 'static, R: Send + 'static> Sunk<T, R> {
    /// Lets the flow start over at most so often in any period; by default as any supervisor.
    pub fn intensity(mut self, restarts: u32, period: Duration) -> Self {
        self.0.intensity = Some((restarts, period));
        self
    }

    /// Makes the flow a child: a supervisor that is transient and leaves when the flow has ended.
    pub fn child_spec(self, id: impl Into<ChildId>) -> (ChildSpec, FlowRef) {
        self.0.child_spec(id.into())
    }
}
