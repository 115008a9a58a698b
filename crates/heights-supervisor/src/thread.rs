//! Which thread runs the code of which process right now: numbers, so that noting it costs nothing.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::process::ProcessId;

/// All threads that ever ran a process; the first one has the number 1.
static POSTS: Mutex<Vec<Arc<Post>>> = Mutex::new(Vec::new());

/// No thread, and no process.
const NOBODY: u32 = 0;

thread_local! {
    static HERE: (u32, Arc<Post>) = enroll();
}

/// What one thread does, noted by itself and read by anyone.
struct Post {
    name: Arc<str>,
    /// The number of the process whose code it runs.
    running: AtomicU64,
    /// How often it has begun to run one.
    turns: AtomicU64,
}

/// A thread that has run code of processes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ThreadInfo {
    /// Its name and its number.
    pub name: Arc<str>,
    /// The process whose code it runs right now.
    pub running: Option<ProcessId>,
    /// How often it has begun to run one. Where this has not changed since the last look, the
    /// process has not given the thread back meanwhile.
    pub turns: u64,
}

/// Returns all threads that have ever run code of a process, of whatever tree.
pub fn threads() -> Vec<ThreadInfo> {
    let posts = posts();
    let told = posts.iter().map(|post| ThreadInfo {
        name: Arc::clone(&post.name),
        // In this order: a turn that ends in between was a short one.
        turns: post.turns.load(Ordering::Relaxed),
        running: ProcessId::of_number(post.running.load(Ordering::Relaxed)),
    });
    told.collect()
}

/// Where the code of a process runs.
#[derive(Default)]
pub(crate) struct Site(AtomicU32);

/// What to come back to when the code of a process has run.
pub(crate) struct Before {
    site: u32,
    running: u64,
}

impl Site {
    /// Notes that the code of a process runs on this thread.
    pub(crate) fn enter(&self, process: ProcessId) -> Before {
        // A thread that is ending has no storage any more.
        let entered = HERE.try_with(|(here, post)| {
            post.turns.fetch_add(1, Ordering::Relaxed);
            (*here, post.running.swap(process.number(), Ordering::Relaxed))
        });
        let (here, running) = entered.unwrap_or_default();
        Before { site: self.0.swap(here, Ordering::Relaxed), running }
    }

    /// Notes that the code does not run here any more.
    pub(crate) fn leave(&self, before: Before) {
        self.0.store(before.site, Ordering::Relaxed);
        // Without storage there is nothing to note.
        let _ending =
            HERE.try_with(|(_, post)| post.running.store(before.running, Ordering::Relaxed));
    }

    /// Returns the name and the id of the thread that runs the code.
    pub(crate) fn thread(&self) -> Option<Arc<str>> {
        let number = self.0.load(Ordering::Relaxed).checked_sub(1)?;
        let posts = posts();
        Some(Arc::clone(&posts.get(usize::try_from(number).ok()?)?.name))
    }
}

fn enroll() -> (u32, Arc<Post>) {
    let thread = std::thread::current();
    let name = format!("{} {:?}", thread.name().unwrap_or("unnamed"), thread.id());
    let (running, turns) = (AtomicU64::new(0), AtomicU64::new(0));
    let post = Arc::new(Post { name: Arc::from(name), running, turns });
    let mut posts = posts();
    posts.push(Arc::clone(&post));
    // Whoever has started four billion threads has other sorrows.
    (u32::try_from(posts.len()).unwrap_or(NOBODY), post)
}

fn posts() -> MutexGuard<'static, Vec<Arc<Post>>> {
    POSTS.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn anybody() -> ProcessId {
        ProcessId::of_number(7).unwrap()
    }

    #[test]
    fn h73_a_site_knows_the_thread_and_comes_back_to_the_one_before() {
        let site = Site::default();
        assert_eq!(site.thread(), None);
        std::thread::scope(|scope| {
            let worker = std::thread::Builder::new().name("a worker".to_owned());
            let inner = worker.spawn_scoped(scope, || {
                let before = site.enter(anybody());
                assert!(site.thread().unwrap().starts_with("a worker ThreadId("));
                let again = site.enter(anybody());
                site.leave(again);
                assert!(site.thread().is_some());
                site.leave(before);
            });
            inner.unwrap().join().unwrap();
        });
        assert_eq!(site.thread(), None);
    }
}
