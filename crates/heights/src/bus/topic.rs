//! What an event is about.

use std::any::TypeId;
use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

/// Names a kind of events; two topics of one name and different types are different topics.
///
/// ```
/// use heights::bus::{Bus, Topic};
///
/// const FINISHED: Topic<u32> = Topic::new("finished");
/// let of_a_build: Topic<String> = Topic::named(format!("build-{}", 7));
///
/// let bus = Bus::new();
/// let _hears = bus.stream(&FINISHED, 10);
/// assert_eq!(bus.publish(&FINISHED, 7), 1);
/// assert_eq!(bus.publish(&of_a_build, "done".to_owned()), 0);
/// ```
pub struct Topic<E> {
    name: Cow<'static, str>,
    events: PhantomData<fn(E)>,
}

/// Tells topics apart.
pub(super) type TopicKey = (TypeId, Cow<'static, str>);

impl<E> Topic<E> {
    /// Names a topic in a constant.
    pub const fn new(name: &'static str) -> Self {
        Self { name: Cow::Borrowed(name), events: PhantomData }
    }

    /// Names a topic by a text that is only known when the program runs.
    pub fn named(name: impl Into<String>) -> Self {
        Self { name: Cow::Owned(name.into()), events: PhantomData }
    }
}

impl<E: 'static> Topic<E> {
    pub(super) fn key(&self) -> TopicKey {
        (TypeId::of::<E>(), self.name.clone())
    }
}

impl<E> Clone for Topic<E> {
    fn clone(&self) -> Self {
        Self { name: self.name.clone(), events: PhantomData }
    }
}

impl<E> fmt::Debug for Topic<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Topic({})", self.name)
    }
}
