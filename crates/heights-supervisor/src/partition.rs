//! One child many times over, so that what would queue before one process is spread over several.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::num::NonZero;
use std::sync::Arc;
use std::thread::available_parallelism;

use heights_core::{ChildId, Counts};
use tokio::sync::mpsc;

use crate::admin::{AdminError, ChildInfo, StartError};
use crate::exit::Exit;
use crate::process::Process;
use crate::report::Report;
use crate::spec::ChildSpec;
use crate::supervisor::{Supervisor, SupervisorBuilder, SupervisorRef};

/// A process with one child for each of a fixed number of partitions; a key belongs to one of
/// them, always the same.
///
/// ```
/// use heights_supervisor::{ChildSpec, PartitionSupervisor, TaskSupervisor};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// // Eight task supervisors: starting a task waits for an eighth of the others.
/// let tasks = PartitionSupervisor::builder("tasks", |_partition| {
///     TaskSupervisor::builder("tasks").child_spec()
/// });
/// let tasks = tasks.partitions(8.try_into()?).start().await?;
/// let task = tasks.via("a key").async_nolink("sum", |_cx| async { 40 + 2 }).await?;
/// assert_eq!(task.join().await?, 42);
/// tasks.stop().await;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy)]
pub struct PartitionSupervisor;

impl PartitionSupervisor {
    /// Begins the description of a partition supervisor.
    ///
    /// `make` is called once for each partition, from 0 on. What it calls the child does not
    /// matter: the id is the number of the partition.
    pub fn builder<R>(
        name: impl Into<ChildId>,
        make: impl Fn(usize) -> (ChildSpec, R) + Send + Sync + 'static,
    ) -> PartitionBuilder<R> {
        let partitions = available_parallelism().unwrap_or(NonZero::<usize>::MIN);
        let supervisor = Supervisor::builder(name);
        PartitionBuilder { partitions, supervisor, make: Arc::new(make) }
    }
}

type Make<R> = Arc<dyn Fn(usize) -> (ChildSpec, R) + Send + Sync>;

/// Describes a partition supervisor: by default one partition for each processor, and otherwise
/// what a [`Supervisor`] is by default.
#[must_use]
pub struct PartitionBuilder<R> {
    partitions: NonZero<usize>,
    supervisor: SupervisorBuilder,
    make: Make<R>,
}

impl<R> PartitionBuilder<R> {
    /// Sets how many partitions there are.
    pub fn partitions(mut self, partitions: NonZero<usize>) -> Self {
        self.partitions = partitions;
        self
    }

    /// Changes the supervisor of the partitions: strategy, intensity, back-off, reports, hub.
    pub fn supervisor(
        mut self,
        change: impl FnOnce(SupervisorBuilder) -> SupervisorBuilder,
    ) -> Self {
        self.supervisor = change(self.supervisor);
        self
    }

    /// Starts the supervisor as a root: returns once all partitions are up.
    pub async fn start(self) -> Result<PartitionRef<R>, StartError> {
        let (supervisor, partitions) = self.build();
        Ok(PartitionRef { supervisor: supervisor.start().await?, partitions })
    }

    /// Makes the supervisor a child of another; the references survive its restarts.
    pub fn child_spec(self) -> (ChildSpec, PartitionRef<R>) {
        let (supervisor, partitions) = self.build();
        let (spec, supervisor) = supervisor.child_spec();
        (spec, PartitionRef { supervisor, partitions })
    }

    fn build(self) -> (SupervisorBuilder, Arc<[R]>) {
        let Self { partitions, mut supervisor, make } = self;
        let mut references = Vec::with_capacity(partitions.get());
        for partition in 0..partitions.get() {
            let (spec, reference) = make(partition);
            supervisor = supervisor.child(spec.renamed(partition.to_string()));
            references.push(reference);
        }
        (supervisor, references.into())
    }
}

/// A reference to a partition supervisor and to its partitions, through all their lives.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use heights_supervisor::{ChildSpec, PartitionSupervisor};
///
/// // Each partition has a number of its own to tell them apart by.
/// let parts = PartitionSupervisor::builder("parts", |partition| {
///     let spec = ChildSpec::task("any", |cx| async move { Ok(cx.shutdown().await) });
///     (spec, partition)
/// });
/// let parts = parts.partitions(4.try_into()?).start().await?;
/// assert_eq!(parts.partitions(), [0, 1, 2, 3]);
/// assert_eq!(*parts.via("a key"), parts.partition_of("a key"));
/// assert_eq!(parts.get_child_spec(3).await?.id().as_str(), "3");
/// parts.stop().await;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct PartitionRef<R> {
    supervisor: SupervisorRef,
    partitions: Arc<[R]>,
}

impl<R> PartitionRef<R> {
    /// Returns the partition that a key belongs to.
    pub fn via<K: Hash + ?Sized>(&self, key: &K) -> &R {
        &self.partitions[self.partition_of(key)]
    }

    /// Returns the number of the partition that a key belongs to.
    pub fn partition_of<K: Hash + ?Sized>(&self, key: &K) -> usize {
        let mut hasher = DefaultHasher::new();
        key.hash(&mut hasher);
        let partitions = self.partitions.len() as u64;
        usize::try_from(hasher.finish() % partitions).expect("a number below a usize")
    }

    /// Returns all partitions, in order.
    pub fn partitions(&self) -> &[R] {
        &self.partitions
    }

    /// Returns the whole spec of one partition; see [`SupervisorRef::get_child_spec`].
    pub async fn get_child_spec(&self, partition: usize) -> Result<ChildSpec, AdminError> {
        self.supervisor.get_child_spec(partition.to_string()).await
    }

    /// Lists the partitions as children, in order; none if the supervisor does not run.
    pub async fn which_children(&self) -> Vec<ChildInfo> {
        self.supervisor.which_children().await
    }

    /// Counts the partitions; all zero if the supervisor does not run.
    pub async fn count_children(&self) -> Counts {
        self.supervisor.count_children().await
    }

    /// Stops the supervisor and returns once all partitions are gone; any number may ask.
    pub async fn stop(&self) -> Exit {
        self.supervisor.stop().await
    }

    /// Returns the reports of this supervisor, from now on and through its restarts.
    pub fn reports(&self) -> mpsc::UnboundedReceiver<Report> {
        self.supervisor.reports()
    }

    /// Returns the current life of the supervisor.
    pub fn process(&self) -> Option<Process> {
        self.supervisor.process()
    }
}

impl<R> Clone for PartitionRef<R> {
    fn clone(&self) -> Self {
        Self { supervisor: self.supervisor.clone(), partitions: Arc::clone(&self.partitions) }
    }
}

impl<R> std::fmt::Debug for PartitionBuilder<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PartitionBuilder")
            .field("partitions", &self.partitions)
            .field("supervisor", &self.supervisor)
            .finish_non_exhaustive()
    }
}
