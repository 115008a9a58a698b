//! Where a server shows its state to those who ask.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use super::shown::{Shown, show};
use super::{Inspect, View};
use crate::panic::shielded;

/// How many bytes a view takes at most, whatever is asked for.
const LARGEST: usize = 1024 * 1024;

/// What can be seen of a server's state; the value of [`Server::STATE`](crate::Server::STATE).
#[derive(Debug, Clone, Copy)]
pub struct StateView<S>(Option<Shows<S>>);

type Shows<S> = fn(&S, View<'_>);

impl<S> StateView<S> {
    /// Shows nothing.
    pub const fn hidden() -> Self {
        Self(None)
    }

    /// Shows what this writes.
    pub const fn written_by(shows: Shows<S>) -> Self {
        Self(Some(shows))
    }

    pub(crate) const fn shows(&self) -> Option<Shows<S>> {
        self.0
    }
}

impl<S: Inspect> StateView<S> {
    /// Shows what the server shows of itself.
    pub const fn inspect() -> Self {
        Self::written_by(<S as Inspect>::inspect)
    }
}

/// What was seen of a server's state.
#[derive(Clone, PartialEq)]
pub struct Seen {
    /// The state, as far as it is shown.
    pub view: Shown,
    /// Whether something was left out because it did not fit.
    pub cut: bool,
    /// When it was made.
    pub at: Instant,
}

impl fmt::Debug for Seen {
    /// Leaves the view out: whoever prints this did not ask for it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Seen").field("cut", &self.cut).field("at", &self.at).finish_non_exhaustive()
    }
}

/// What came of looking at a server's state.
#[derive(Debug, Clone)]
pub enum Sight {
    /// The server has answered.
    Fresh(Arc<Seen>),
    /// It has not answered in time; this is what it showed before.
    Stale(Arc<Seen>),
    /// It has not answered in time, and nobody had asked before.
    NotYet,
    /// Its type shows nothing.
    Hidden,
}

/// How a process shows its state.
#[derive(Clone)]
pub(crate) enum Exhibition {
    /// It is asked.
    OnRequest(Arc<Exhibit>),
    /// Whoever looks, sees.
    Open(Window),
}

/// Where one can look in, and need not ask.
#[derive(Clone)]
pub(crate) struct Window(Arc<dyn Fn(View<'_>) + Send + Sync>);

impl Window {
    pub(crate) fn new(shows: impl Fn(View<'_>) + Send + Sync + 'static) -> Self {
        Self(Arc::new(shows))
    }

    /// Looks in; a panic on the way is logged and harms nobody.
    pub(crate) fn look(&self, bytes: usize) -> Sight {
        let mut sight = Sight::NotYet;
        shielded("what shows a state", || {
            let (view, cut) = show(bytes.clamp(1, LARGEST), |view| (self.0)(view));
            sight = Sight::Fresh(Arc::new(Seen { view, cut, at: Instant::now() }));
        });
        sight
    }
}

/// Where a server puts what it shows.
pub(crate) struct Exhibit {
    /// How many bytes those who ask want to see at most; 0 if nobody asks.
    asked: AtomicUsize,
    latest: watch::Sender<Option<Arc<Seen>>>,
}

impl Exhibit {
    pub(crate) fn new() -> Self {
        Self { asked: AtomicUsize::new(0), latest: watch::Sender::new(None) }
    }

    /// Shows the state if somebody has asked since the last time. A panic on the way is logged and
    /// harms nobody.
    pub(crate) fn show_if_asked<S>(&self, server: &S, shows: Shows<S>) {
        if self.asked.load(Ordering::Relaxed) == 0 {
            return;
        }
        let bytes = self.asked.swap(0, Ordering::AcqRel);
        shielded("what shows a state", || {
            let (view, cut) = show(bytes, |view| shows(server, view));
            let seen = Seen { view, cut, at: Instant::now() };
            self.latest.send_replace(Some(Arc::new(seen)));
        });
    }

    /// Waits for the next view; `wake` makes a server that sleeps see that it is asked.
    pub(crate) async fn look(
        &self,
        bytes: usize,
        patience: Duration,
        wake: impl FnOnce(),
    ) -> Sight {
        // Before the question is asked, so that no answer is missed.
        let mut latest = self.latest.subscribe();
        self.asked.fetch_max(bytes.clamp(1, LARGEST), Ordering::AcqRel);
        wake();
        let answered = tokio::time::timeout(patience, latest.changed()).await;
        let seen = latest.borrow().clone();
        match (answered, seen) {
            (Ok(Ok(())), Some(seen)) => Sight::Fresh(seen),
            (_, Some(seen)) => Sight::Stale(seen),
            (_, None) => Sight::NotYet,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(bytes: usize, value: &impl Inspect) -> (Shown, bool) {
        show(bytes, |view| value.inspect(view))
    }

    #[test]
    fn a_view_is_no_larger_than_asked_for_and_says_what_is_missing() {
        let many: Vec<u64> = (0..1_000).collect();
        let (Shown::List(list), true) = seen(100, &many) else { panic!("it is a cut list") };
        assert!(list.len() < 12, "{}", list.len());
        assert_eq!(list.last(), Some(&Shown::Cut));
        let (Shown::Text(text), true) = seen(10_000, &"ü".repeat(1_000)) else {
            panic!("it is a cut text")
        };
        assert!(text.ends_with("ü…") && text.len() < 1_010, "{}", text.len());
        assert_eq!(seen(100, &Some("all")), (Shown::Text("all".to_owned()), false));
        assert_eq!(seen(100, &None::<u64>), (Shown::Nothing, false));
        assert_eq!(seen(100, &-7_i32), (Shown::Negative(-7), false));
    }

    #[test]
    fn what_is_nested_without_end_is_cut() {
        struct Onion;
        impl Inspect for Onion {
            fn inspect(&self, view: View<'_>) {
                view.list([Self].iter());
            }
        }
        let (mut shown, cut) = seen(LARGEST, &Onion);
        assert!(cut);
        let mut depth = 0;
        while let Shown::List(mut inner) = shown {
            shown = inner.remove(0);
            depth += 1;
        }
        assert_eq!((shown, depth), (Shown::Cut, 16));
    }
}
