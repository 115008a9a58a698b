//! The liveness of whoever owns an entry: a token that knows when its owner's task has ended.
//!
//! A runtime makes one pair per process, hands out the [`Owner`] freely and ends the [`OwnerEnd`]
//! once the task of that process has been joined. Whatever was promised "until the owner is gone"
//! hangs on this, so nothing is freed while the old owner can still touch it.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

type EndHook = Box<dyn FnOnce() + Send>;

/// Names a callback registered with [`Owner::on_end`], so that it can be taken back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct EndHookId(u64);

/// Tells whether a process still exists, and calls back when it does no longer.
///
/// Clones are the same owner and compare equal.
///
/// ```
/// use std::sync::atomic::{AtomicBool, Ordering};
/// use std::sync::Arc;
/// use heights_registry::Owner;
///
/// let (owner, end) = Owner::new();
/// let told = Arc::new(AtomicBool::new(false));
/// let tell = Arc::clone(&told);
/// owner.on_end(move || tell.store(true, Ordering::SeqCst));
/// assert!(owner.is_alive() && !told.load(Ordering::SeqCst));
/// drop(end);
/// assert!(!owner.is_alive() && told.load(Ordering::SeqCst));
/// ```
#[derive(Clone)]
pub struct Owner(Arc<Shared>);

/// The ending side of an [`Owner`]: ending or dropping it ends the owner.
///
/// ```
/// use heights_registry::{Owner, Registry};
///
/// let names = Registry::unique();
/// let (somebody, lives) = Owner::new();
/// names.register("a", 1, &somebody)?;
/// // An owner that is no actor ends when this is dropped, and then its names are free.
/// drop(lives);
/// assert_eq!(names.lookup(&"a"), None);
/// # Ok::<(), heights_registry::AlreadyRegistered<i32>>(())
/// ```
#[derive(Debug)]
pub struct OwnerEnd(Owner);

struct Shared {
    number: u64,
    /// Set once, with the hooks locked; read at every look-up, and therefore without that lock.
    ended: AtomicBool,
    hooks: Mutex<Hooks>,
}

#[derive(Default)]
struct Hooks {
    next: u64,
    waiting: Vec<(EndHookId, EndHook)>,
}

impl Owner {
    /// Makes a living owner and the means to end it.
    pub fn new() -> (Self, OwnerEnd) {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let shared = Shared { number, ended: AtomicBool::new(false), hooks: Mutex::default() };
        let owner = Self(Arc::new(shared));
        (owner.clone(), OwnerEnd(owner))
    }

    /// Tells whether the owner has not ended yet.
    pub fn is_alive(&self) -> bool {
        !self.0.ended.load(Ordering::Acquire)
    }

    /// Runs `hook` once the owner has ended: later, or right now if it already has.
    ///
    /// Hooks run in the order of registration, on the thread that ends the owner.
    pub fn on_end(&self, hook: impl FnOnce() + Send + 'static) -> EndHookId {
        let mut hooks = self.hooks();
        let id = EndHookId(hooks.next);
        hooks.next += 1;
        if !self.is_alive() {
            drop(hooks);
            hook();
        } else {
            hooks.waiting.push((id, Box::new(hook)));
        }
        id
    }

    /// Takes a callback back; does nothing if it already ran.
    pub fn forget(&self, id: EndHookId) {
        let mut hooks = self.hooks();
        let position = hooks.waiting.iter().position(|(waiting, _)| *waiting == id);
        let taken = position.map(|at| hooks.waiting.remove(at));
        drop(hooks);
        drop(taken);
    }

    fn end(&self) {
        let mut hooks = self.hooks();
        self.0.ended.store(true, Ordering::Release);
        let waiting = std::mem::take(&mut hooks.waiting);
        drop(hooks);
        let mut panicked = None;
        for (_, hook) in waiting {
            // A hook that panics must not keep the others from running.
            if let Err(payload) = catch_unwind(AssertUnwindSafe(hook)) {
                panicked.get_or_insert(payload);
            }
        }
        if let Some(payload) = panicked.filter(|_| !std::thread::panicking()) {
            resume_unwind(payload);
        }
    }

    fn hooks(&self) -> MutexGuard<'_, Hooks> {
        self.0.hooks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl OwnerEnd {
    /// Ends the owner: hooks run before this returns.
    pub fn end(self) {
        drop(self);
    }
}

impl Drop for OwnerEnd {
    fn drop(&mut self) {
        self.0.end();
    }
}

impl PartialEq for Owner {
    fn eq(&self, other: &Self) -> bool {
        self.0.number == other.0.number
    }
}

impl Eq for Owner {}

impl std::hash::Hash for Owner {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.0.number.hash(state);
    }
}

impl fmt::Debug for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Owner({}, {})", self.0.number, if self.is_alive() { "alive" } else { "ended" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hooks_run_once_in_order_when_the_owner_ends() {
        let (owner, end) = Owner::new();
        let seen = Arc::new(Mutex::new(Vec::new()));
        for number in 1..=3 {
            let seen = Arc::clone(&seen);
            owner.on_end(move || seen.lock().unwrap().push(number));
        }
        assert!(owner.is_alive());
        end.end();
        assert!(!owner.is_alive());
        assert_eq!(*seen.lock().unwrap(), [1, 2, 3]);
    }

    #[test]
    fn a_hook_on_an_ended_owner_runs_at_once() {
        let (owner, end) = Owner::new();
        drop(end);
        let ran = Arc::new(Mutex::new(false));
        let flag = Arc::clone(&ran);
        owner.on_end(move || *flag.lock().unwrap() = true);
        assert!(*ran.lock().unwrap());
    }

    #[test]
    fn a_forgotten_hook_never_runs() {
        let (owner, end) = Owner::new();
        let hook = owner.on_end(|| unreachable!("it was taken back"));
        owner.forget(hook);
        end.end();
    }

    #[test]
    fn an_owner_may_be_looked_at_from_its_own_hook() {
        let (owner, end) = Owner::new();
        let inside = owner.clone();
        owner.on_end(move || assert!(!inside.is_alive()));
        end.end();
    }

    #[test]
    fn a_hook_that_panics_does_not_keep_the_others_from_running() {
        let (owner, end) = Owner::new();
        let ran = Arc::new(Mutex::new(false));
        let flag = Arc::clone(&ran);
        owner.on_end(|| panic!("a bad hook"));
        owner.on_end(move || *flag.lock().unwrap() = true);
        let ended = catch_unwind(AssertUnwindSafe(|| end.end()));
        assert!(ended.is_err() && *ran.lock().unwrap());
    }
}
