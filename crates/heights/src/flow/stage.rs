//! What a stage does with its items.

use std::collections::HashMap;
use std::future::Future;
use std::hash::Hash;
use std::sync::Arc;

use futures_util::future::{BoxFuture, ready};
use heights_supervisor::Fault;

/// Makes the work of one stage for one life.
pub(super) type MakeStage<T, R> = Arc<dyn Fn() -> Box<dyn Stage<T, R>> + Send + Sync>;

/// Turns items into results, one item after the other.
pub(super) trait Stage<T, R>: Send {
    /// Takes an item in; there may be a result.
    fn take(&mut self, item: T) -> BoxFuture<'_, Result<Option<R>, Fault>>;

    /// Returns what is left when there are no more items.
    fn end(&mut self) -> Vec<R>;
}

/// Items of one key in a row, folded.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Window<K, A> {
    /// The key.
    pub key: K,
    /// Which window of this key it is, from zero.
    pub number: u64,
    /// How many items are in it: fewer than asked for only where the source ended.
    pub items: usize,
    /// What became of them.
    pub value: A,
}

/// Does something with each item.
pub(super) struct Each<F>(pub(super) Arc<F>);

/// Folds items into windows.
pub(super) struct Windows<K, A, Key, Start, Fold> {
    count: usize,
    key: Key,
    start: Start,
    fold: Fold,
    open: HashMap<K, Open<A>>,
    opened: u64,
}

struct Open<A> {
    number: u64,
    /// When it was opened, among all windows of the stage.
    since: u64,
    items: usize,
    value: Option<A>,
}

impl<T, R, F, Fut> Stage<T, R> for Each<F>
where
    F: Fn(T) -> Fut + Send + Sync,
    Fut: Future<Output = Result<R, Fault>> + Send + 'static,
{
    fn take(&mut self, item: T) -> BoxFuture<'_, Result<Option<R>, Fault>> {
        let work = (self.0)(item);
        Box::pin(async { work.await.map(Some) })
    }

    fn end(&mut self) -> Vec<R> {
        Vec::new()
    }
}

impl<K, A, Key, Start, Fold> Windows<K, A, Key, Start, Fold> {
    pub(super) fn new(count: usize, key: Key, start: Start, fold: Fold) -> Self {
        Self { count: count.max(1), key, start, fold, open: HashMap::new(), opened: 0 }
    }
}

impl<T, K, A, Key, Start, Fold> Stage<T, Window<K, A>> for Windows<K, A, Key, Start, Fold>
where
    T: Send,
    K: Clone + Eq + Hash + Send,
    A: Send,
    Key: Fn(&T) -> K + Send,
    Start: Fn() -> A + Send,
    Fold: Fn(&mut A, T) + Send,
{
    fn take(&mut self, item: T) -> BoxFuture<'_, Result<Option<Window<K, A>>, Fault>> {
        let key = (self.key)(&item);
        let open = self.open.entry(key.clone()).or_default();
        if open.value.is_none() {
            self.opened += 1;
            open.since = self.opened;
        }
        (self.fold)(open.value.get_or_insert_with(&self.start), item);
        open.items += 1;
        let full = open.items == self.count;
        Box::pin(ready(Ok(if full { open.close(key) } else { None })))
    }

    fn end(&mut self) -> Vec<Window<K, A>> {
        let mut open: Vec<_> = std::mem::take(&mut self.open).into_iter().collect();
        open.sort_by_key(|(_, open)| open.since);
        open.into_iter().filter_map(|(key, mut open)| open.close(key)).collect()
    }
}

impl<A> Open<A> {
    /// Makes a window of what is in it, if anything is, and begins the next.
    fn close<K>(&mut self, key: K) -> Option<Window<K, A>> {
        let value = self.value.take()?;
        let window = Window { key, number: self.number, items: self.items, value };
        self.number += 1;
        self.items = 0;
        Some(window)
    }
}

impl<A> Default for Open<A> {
    fn default() -> Self {
        Self { number: 0, since: 0, items: 0, value: None }
    }
}
