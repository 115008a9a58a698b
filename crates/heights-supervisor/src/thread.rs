//! Which thread runs the code of a process right now: a number, so that noting it costs nothing.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The names of all threads that ever ran a process; the first one has the number 1.
static NAMES: Mutex<Vec<Arc<str>>> = Mutex::new(Vec::new());

/// No thread.
const NOWHERE: u32 = 0;

thread_local! {
    static HERE: u32 = enroll();
}

/// Where the code of a process runs.
#[derive(Default)]
pub(crate) struct Site(AtomicU32);

impl Site {
    /// Notes that the code runs on this thread; returns what to come back to.
    pub(crate) fn enter(&self) -> u32 {
        // A thread that is ending has no storage any more.
        let here = HERE.try_with(|here| *here).unwrap_or(NOWHERE);
        self.0.swap(here, Ordering::Relaxed)
    }

    /// Notes that the code does not run here any more.
    pub(crate) fn leave(&self, before: u32) {
        self.0.store(before, Ordering::Relaxed);
    }

    /// Returns the name and the id of the thread that runs the code.
    pub(crate) fn thread(&self) -> Option<Arc<str>> {
        let number = self.0.load(Ordering::Relaxed).checked_sub(1)?;
        names().get(usize::try_from(number).ok()?).cloned()
    }
}

fn enroll() -> u32 {
    let thread = std::thread::current();
    let name = format!("{} {:?}", thread.name().unwrap_or("unnamed"), thread.id());
    let mut names = names();
    names.push(Arc::from(name));
    // Whoever has started four billion threads has other sorrows.
    u32::try_from(names.len()).unwrap_or(NOWHERE)
}

fn names() -> MutexGuard<'static, Vec<Arc<str>>> {
    NAMES.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn h73_a_site_knows_the_thread_and_comes_back_to_the_one_before() {
        let site = Site::default();
        assert_eq!(site.thread(), None);
        std::thread::scope(|scope| {
            let worker = std::thread::Builder::new().name("a worker".to_owned());
            let inner = worker.spawn_scoped(scope, || {
                let before = site.enter();
                assert!(site.thread().unwrap().starts_with("a worker ThreadId("));
                let again = site.enter();
                site.leave(again);
                assert!(site.thread().is_some());
                site.leave(before);
            });
            inner.unwrap().join().unwrap();
        });
        assert_eq!(site.thread(), None);
    }
}
