//! Who has subscribed to what.

use std::any::Any;
use std::collections::HashMap;
use std::sync::Arc;

use heights_registry::EndHookId;
use heights_supervisor::{Owner, shielded};

use super::SubscriptionId;
use super::queue::Queue;
use super::topic::{Topic, TopicKey};

/// The subscribers of each topic that has some.
#[derive(Default)]
pub(super) struct Topics(HashMap<TopicKey, Box<dyn Any + Send + Sync>>);

/// Replaced as a whole, so that who publishes needs no lock while subscribers are told.
pub(super) type Subscribers<E> = Arc<Vec<Subscriber<E>>>;

pub(super) struct Subscriber<E> {
    pub(super) id: SubscriptionId,
    pub(super) queue: Arc<Queue<E>>,
    pub(super) wants: Option<Wants<E>>,
    pub(super) bond: Option<(Owner, EndHookId)>,
}

pub(super) type Wants<E> = Arc<dyn Fn(&E) -> bool + Send + Sync>;

impl Topics {
    pub(super) fn subscribers<E: Send + Sync + 'static>(&self, topic: &Topic<E>) -> Subscribers<E> {
        let subscribers = self.0.get(&topic.key());
        let subscribers = subscribers.and_then(|any| any.downcast_ref::<Subscribers<E>>());
        subscribers.cloned().unwrap_or_default()
    }

    /// Changes the subscribers of a topic; one that has none left is forgotten.
    pub(super) fn replace<E: Send + Sync + 'static, R>(
        &mut self,
        topic: &Topic<E>,
        change: impl FnOnce(&mut Vec<Subscriber<E>>) -> R,
    ) -> R {
        let mut subscribers = self.subscribers(topic).to_vec();
        let result = change(&mut subscribers);
        if subscribers.is_empty() {
            self.0.remove(&topic.key());
        } else {
            let subscribers: Subscribers<E> = Arc::new(subscribers);
            self.0.insert(topic.key(), Box::new(subscribers));
        }
        result
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(|(_, name)| &**name)
    }
}

impl<E> Subscriber<E> {
    /// Tells whether the subscriber wants an event; a panic of its filter is none of whoever
    /// publishes, and no.
    pub(super) fn wants(&self, event: &E) -> bool {
        let Some(wants) = &self.wants else { return true };
        let mut wanted = false;
        shielded("what a subscriber chooses events by", || wanted = wants(event));
        wanted
    }
}

impl<E> Clone for Subscriber<E> {
    fn clone(&self) -> Self {
        let (queue, wants) = (Arc::clone(&self.queue), self.wants.clone());
        Self { id: self.id, queue, wants, bond: self.bond.clone() }
    }
}
