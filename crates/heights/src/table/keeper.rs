//! The process of a table: it loads, expires and stores.
//!
//! Parent: whoever the table is to outlive the workers under. Children: none. Restart: permanent;
//! all it works on is in the table, so the next life goes on. Messages: that there is work.

use std::hash::Hash;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::PoisonError;
use std::sync::atomic::Ordering;

use heights_supervisor::{Context, Exit, Fault, Flow, Server, TimerId};
use tokio::task::spawn_blocking;
use tokio::time::Instant;

use super::Table;
use super::cells::Cells;
use super::store::{StoreError, Write};

pub(super) struct Keeper<K, V> {
    table: Table<K, V>,
    /// When the next entry expires.
    due: Option<(Instant, TimerId)>,
}

/// There is work: something changed, or something expires now.
pub(super) struct Work;

impl<K, V> Server for Keeper<K, V>
where
    K: Clone + Eq + Hash + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
{
    type Args = Table<K, V>;
    type Msg = Work;

    async fn init(table: Table<K, V>, cx: &mut Context<Work>) -> Result<Self, Fault> {
        table.load().await?;
        *table.keeper() = Some(cx.myself().recipient(|()| Work));
        table.0.told.store(true, Ordering::Release);
        // What changed while there was no process, or was not stored by the life before.
        cx.myself().cast(Work)?;
        Ok(Self { table, due: None })
    }

    async fn handle(&mut self, Work: Work, cx: &mut Context<Work>) -> Result<Flow, Fault> {
        // From here on what changes is told again.
        self.table.0.told.store(false, Ordering::Release);
        let next = self.table.change(Cells::expire);
        self.wake_at(next, cx);
        self.table.store().await?;
        Ok(Flow::Continue)
    }

    async fn terminate(&mut self, _exit: &Exit) {
        *self.table.keeper() = None;
        if let Err(error) = self.table.store().await {
            let error = error.as_ref() as &dyn std::error::Error;
            tracing::error!(table = &*self.table.0.name, error, "the table is not stored");
        }
    }

    fn label(Work: &Work) -> &'static str {
        "work"
    }
}

impl<K, V> Keeper<K, V> {
    fn wake_at(&mut self, next: Option<Instant>, cx: &mut Context<Work>) {
        if self.due.map(|(at, _)| at) == next {
            return;
        }
        if let Some((_, timer)) = self.due.take() {
            cx.cancel(timer);
        }
        self.due = next.map(|at| {
            let wait = at.saturating_duration_since(Instant::now());
            (at, cx.send_after(wait, Work))
        });
    }
}

impl<K, V> Table<K, V>
where
    K: Clone + Eq + Hash + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
{
    /// Takes in what the store holds, the first time that this is asked for.
    async fn load(&self) -> Result<(), Fault> {
        let Some(store) = self.0.store.clone().filter(|_| !self.read().is_loaded()) else {
            return Ok(());
        };
        let stored = spawn_blocking(move || store.load()).await??;
        self.write().load(stored);
        Ok(())
    }

    /// Writes what is not in the store yet.
    async fn store(&self) -> Result<(), Fault> {
        if self.0.store.is_none() {
            return Ok(());
        }
        let table = self.clone();
        Ok(spawn_blocking(move || table.store_now()).await??)
    }

    /// Does so here. It is done to its end even if the process is killed meanwhile, so the batch is
    /// taken only when it is its turn: an older write never comes after a newer one.
    fn store_now(&self) -> Result<(), StoreError> {
        let Some(store) = &self.0.store else { return Ok(()) };
        let _turn = self.0.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let batch = self.write().take_batch();
        if !batch.writes.is_empty() {
            let written = catch_unwind(AssertUnwindSafe(|| store.write(&batch.writes)));
            let written = written.unwrap_or_else(|_| Err(StoreError::write("it panicked")));
            if let Err(error) = written {
                let keys = batch.writes.iter().map(Write::key).cloned().collect();
                self.write().put_back(keys);
                return Err(error);
            }
        }
        self.0.stored.send_replace(batch.changes);
        Ok(())
    }
}
