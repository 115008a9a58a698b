//! An event bus: whoever cares hears what happened, and the one who tells never waits.
//!
//! A [`Topic`] has a type, and its events are of that type. Each subscriber has a queue of its own
//! with a bound of its own: one that is slow loses its oldest events, is told how many
//! ([`Heard::Lagged`]), and holds up nobody.
//!
//! | a subscriber | subscribes by | and is gone |
//! |---|---|---|
//! | an actor | [`Bus::notify`]: one message says that there is [`News`], however much | with its owner |
//! | a stream | [`Bus::stream`] | when it is dropped |
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! use heights::bus::{Bus, Heard, Topic};
//!
//! const FINISHED: Topic<u32> = Topic::new("finished");
//!
//! let bus = Bus::new();
//! let mut builds = bus.stream(&FINISHED, 2);
//! for build in 1..=3 {
//!     bus.publish(&FINISHED, build);
//! }
//! assert_eq!(builds.next().await, Heard::Lagged(1));
//! assert_eq!(builds.next().await, Heard::Event(2));
//! assert_eq!(builds.next().await, Heard::Event(3));
//! # }
//! ```

mod queue;
mod subscribers;
mod subscription;
mod topic;

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use heights_supervisor::{Owner, Recipient};

use self::queue::Queue;
pub use self::queue::{Heard, News};
use self::subscribers::{Subscriber, Subscribers, Topics, Wants};
pub use self::subscription::Subscription;
pub use self::topic::Topic;

/// Carries events; cloning gives another handle to the same bus.
///
/// ```
/// use heights::bus::{Bus, Topic};
///
/// const FINISHED: Topic<u32> = Topic::new("finished");
///
/// let bus = Bus::new();
/// assert_eq!(bus.publish(&FINISHED, 1), 0, "nobody wants to know");
/// let listening = bus.stream(&FINISHED, 10);
/// assert_eq!(bus.publish(&FINISHED, 2), 1);
/// drop(listening);
/// assert_eq!(bus.publish(&FINISHED, 3), 0);
/// ```
#[derive(Clone, Default)]
pub struct Bus(Arc<RwLock<Topics>>);

/// Names a subscription, so that it can be ended before its owner does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SubscriptionId(u64);

impl Bus {
    /// Makes a bus that nobody listens to yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Tells all subscribers of a topic and returns how many wanted to know; never waits.
    ///
    /// What one publisher says arrives in its order. Of two that publish at once, each subscriber may
    /// hear another one first.
    pub fn publish<E>(&self, topic: &Topic<E>, event: E) -> usize
    where
        E: Clone + Send + Sync + 'static,
    {
        let subscribers = self.subscribers_of(topic);
        let wanting = subscribers.iter().filter(|subscriber| subscriber.wants(&event));
        wanting.map(|subscriber| subscriber.queue.push(event.clone())).count()
    }

    /// Subscribes an actor: `recipient` is told that there is news until `owner` has ended.
    ///
    /// At most one such message waits at any time, and at most `bound` events behind it.
    ///
    /// ```
    /// # use heights::prelude::*;
    /// # use heights::bus::{Bus, News, Topic};
    /// # const FINISHED: Topic<u32> = Topic::new("finished");
    /// # enum Msg { Finished(News<u32>) }
    /// # fn init(bus: &Bus, cx: &mut Context<Msg>) {
    /// bus.notify(&FINISHED, 100, cx.owner(), cx.myself().recipient(Msg::Finished));
    /// # }
    /// ```
    pub fn notify<E>(
        &self,
        topic: &Topic<E>,
        bound: usize,
        owner: &Owner,
        recipient: Recipient<News<E>>,
    ) -> SubscriptionId
    where
        E: Clone + Send + Sync + 'static,
    {
        let id = SubscriptionId::next();
        let (topics, ended) = (Arc::downgrade(&self.0), topic.clone());
        let hook = owner.on_end(move || {
            if let Some(topics) = topics.upgrade() {
                Self(topics).unsubscribe(&ended, id);
            }
        });
        let bond = Some((owner.clone(), hook));
        let queue = Queue::telling(bound, recipient);
        self.add(topic, Subscriber { id, queue, wants: None, bond });
        // The hook of an owner that ended meanwhile found nothing to take back.
        if !owner.is_alive() {
            self.unsubscribe(topic, id);
        }
        id
    }

    /// Subscribes to the events of a topic from now on, of which at most `bound` wait.
    pub fn stream<E>(&self, topic: &Topic<E>, bound: usize) -> Subscription<E>
    where
        E: Clone + Send + Sync + 'static,
    {
        self.open(topic, bound, None)
    }

    /// Subscribes to those events of a topic that `wants` says yes to; it says no by panicking, too.
    pub fn stream_where<E>(
        &self,
        topic: &Topic<E>,
        bound: usize,
        wants: impl Fn(&E) -> bool + Send + Sync + 'static,
    ) -> Subscription<E>
    where
        E: Clone + Send + Sync + 'static,
    {
        self.open(topic, bound, Some(Arc::new(wants)))
    }

    /// Ends a subscription before its owner does; `false` if it has ended.
    pub fn unsubscribe<E>(&self, topic: &Topic<E>, id: SubscriptionId) -> bool
    where
        E: Clone + Send + Sync + 'static,
    {
        let removed = self.replace(topic, |subscribers| {
            let position = subscribers.iter().position(|subscriber| subscriber.id == id);
            position.map(|position| subscribers.remove(position))
        });
        let Some(removed) = removed else { return false };
        if let Some((owner, hook)) = removed.bond {
            owner.forget(hook);
        }
        true
    }

    /// Returns how many subscribers a topic has.
    pub fn subscribers<E>(&self, topic: &Topic<E>) -> usize
    where
        E: Clone + Send + Sync + 'static,
    {
        self.subscribers_of(topic).len()
    }

    fn open<E>(&self, topic: &Topic<E>, bound: usize, wants: Option<Wants<E>>) -> Subscription<E>
    where
        E: Clone + Send + Sync + 'static,
    {
        let (id, queue) = (SubscriptionId::next(), Queue::waking(bound));
        self.add(topic, Subscriber { id, queue: Arc::clone(&queue), wants, bond: None });
        Subscription { bus: self.clone(), topic: topic.clone(), id, queue }
    }

    fn add<E: Send + Sync + 'static>(&self, topic: &Topic<E>, subscriber: Subscriber<E>) {
        self.replace(topic, |subscribers| subscribers.push(subscriber));
    }

    fn replace<E: Send + Sync + 'static, R>(
        &self,
        topic: &Topic<E>,
        change: impl FnOnce(&mut Vec<Subscriber<E>>) -> R,
    ) -> R {
        self.0.write().unwrap_or_else(PoisonError::into_inner).replace(topic, change)
    }

    fn subscribers_of<E: Send + Sync + 'static>(&self, topic: &Topic<E>) -> Subscribers<E> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).subscribers(topic)
    }
}

impl SubscriptionId {
    fn next() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        Self(NEXT.fetch_add(1, Ordering::Relaxed))
    }
}

impl fmt::Debug for Bus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let topics = self.0.read().unwrap_or_else(PoisonError::into_inner);
        f.debug_list().entries(topics.names()).finish()
    }
}
