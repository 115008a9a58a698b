//! What a registry knows beside its entries.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, PoisonError, RwLock};

use super::Registry;

/// At most one value of each type.
#[derive(Default)]
pub(super) struct Meta(RwLock<HashMap<TypeId, Arc<dyn Any + Send + Sync>>>);

impl<K, V> Registry<K, V>
where
    K: Clone + Eq + Hash + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
{
    /// Keeps a value beside the entries, one of each type; returns the one it replaces.
    pub fn put_meta<T: Send + Sync + 'static>(&self, value: T) -> Option<Arc<T>> {
        let mut meta = self.0.meta.0.write().unwrap_or_else(PoisonError::into_inner);
        meta.insert(TypeId::of::<T>(), Arc::new(value)).and_then(|old| old.downcast().ok())
    }

    /// Returns the value of a type that is kept beside the entries.
    pub fn meta<T: Send + Sync + 'static>(&self) -> Option<Arc<T>> {
        let meta = self.0.meta.0.read().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(meta.get(&TypeId::of::<T>())?).downcast().ok()
    }

    /// Removes the value of a type and returns it.
    pub fn delete_meta<T: Send + Sync + 'static>(&self) -> Option<Arc<T>> {
        let mut meta = self.0.meta.0.write().unwrap_or_else(PoisonError::into_inner);
        meta.remove(&TypeId::of::<T>())?.downcast().ok()
    }
}
