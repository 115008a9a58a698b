//! Plain actors of ractor's, seen through the spans that ractor makes around them.
//!
//! ractor can carry the span of who sends into the one who handles, so that spans lie within each
//! other on one thread: only the outermost is of the actor that runs.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::fmt::Debug;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id};
use tracing::{Metadata, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;

/// What the spans of actors are called, and where they are made.
const SPAN: &str = "Actor";
const TARGET: &str = "ractor";

/// A layer that sees the actors of ractor's that nobody else knows: those without a name, a group
/// and a supervisor of ours.
///
/// The subscriber has to let spans of `ractor` at the level `INFO` through. It costs two looks at the
/// clock for each time that an actor runs, those of the tree included.
///
/// ```no_run
/// use heights_supervisor::Hub;
/// use heights_vitals::{ActorSpans, Inspector};
/// use tracing_subscriber::layer::SubscriberExt;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let spans = ActorSpans::default();
/// tracing::subscriber::set_global_default(tracing_subscriber::registry().with(spans.clone()))?;
/// let inspector = Inspector::builder("shop", &Hub::new()).actor_spans(&spans).start()?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Default)]
pub struct ActorSpans(Arc<Mutex<HashMap<u64, Arc<Spanned>>>>);

/// What is seen of one actor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SeenActor {
    pub(crate) id: String,
    pub(crate) name: Option<String>,
    pub(crate) age: Duration,
    /// How long it has run, what it waits for not included.
    pub(crate) busy: Duration,
    pub(crate) runs: bool,
}

#[derive(Debug)]
struct Spanned {
    id: String,
    name: Option<String>,
    since: Instant,
    busy_ns: AtomicU64,
    /// When it began to run, in nanoseconds since the beginning, and one more; 0 if it does not.
    entered_ns: AtomicU64,
}

/// The spans of actors that a thread is in: how many, and the outermost.
#[derive(Default)]
struct Within {
    depth: usize,
    outermost: Option<Arc<Spanned>>,
}

thread_local! {
    static WITHIN: RefCell<Within> = RefCell::default();
}

impl ActorSpans {
    /// Returns the actors that live, but for those with these ids.
    pub(crate) fn seen_besides(&self, ours: &HashSet<String>) -> Vec<SeenActor> {
        let spans = self.spans();
        let others = spans.values().filter(|spanned| !ours.contains(&spanned.id));
        let mut seen: Vec<SeenActor> = others.map(|spanned| spanned.seen()).collect();
        seen.sort_by(|one, other| one.id.cmp(&other.id));
        seen
    }

    fn spans(&self) -> MutexGuard<'_, HashMap<u64, Arc<Spanned>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Spanned {
    fn now_ns(&self) -> u64 {
        u64::try_from(self.since.elapsed().as_nanos()).unwrap_or(u64::MAX - 1)
    }

    fn enter(&self) {
        self.entered_ns.store(self.now_ns() + 1, Ordering::Relaxed);
    }

    fn exit(&self) {
        let entered = self.entered_ns.swap(0, Ordering::Relaxed);
        if let Some(entered) = entered.checked_sub(1) {
            self.busy_ns.fetch_add(self.now_ns().saturating_sub(entered), Ordering::Relaxed);
        }
    }

    fn seen(&self) -> SeenActor {
        let entered = self.entered_ns.load(Ordering::Relaxed).checked_sub(1);
        let runs_ns = entered.map_or(0, |entered| self.now_ns().saturating_sub(entered));
        SeenActor {
            id: self.id.clone(),
            name: self.name.clone(),
            age: self.since.elapsed(),
            busy: Duration::from_nanos(self.busy_ns.load(Ordering::Relaxed) + runs_ns),
            runs: entered.is_some(),
        }
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for ActorSpans {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        if !is_of_an_actor(attributes.metadata()) {
            return;
        }
        let mut fields = Fields::default();
        attributes.record(&mut fields);
        let (Some(actor), Some(span)) = (fields.id, context.span(id)) else { return };
        let spanned = Arc::new(Spanned {
            id: actor,
            name: fields.name,
            since: Instant::now(),
            busy_ns: AtomicU64::new(0),
            entered_ns: AtomicU64::new(0),
        });
        span.extensions_mut().insert(Arc::clone(&spanned));
        self.spans().insert(id.into_u64(), spanned);
    }

    fn on_enter(&self, id: &Id, context: Context<'_, S>) {
        let Some(spanned) = spanned(id, &context) else { return };
        WITHIN.with_borrow_mut(|within| {
            within.depth += 1;
            if within.depth == 1 {
                spanned.enter();
                within.outermost = Some(spanned);
            }
        });
    }

    fn on_exit(&self, id: &Id, context: Context<'_, S>) {
        if spanned(id, &context).is_none() {
            return;
        }
        WITHIN.with_borrow_mut(|within| {
            within.depth = within.depth.saturating_sub(1);
            if within.depth == 0
                && let Some(outermost) = within.outermost.take()
            {
                outermost.exit();
            }
        });
    }

    fn on_close(&self, id: Id, _context: Context<'_, S>) {
        self.spans().remove(&id.into_u64());
    }
}

fn is_of_an_actor(metadata: &Metadata<'_>) -> bool {
    metadata.name() == SPAN && metadata.target().split("::").next() == Some(TARGET)
}

fn spanned<S: Subscriber + for<'a> LookupSpan<'a>>(
    id: &Id,
    context: &Context<'_, S>,
) -> Option<Arc<Spanned>> {
    context.span(id)?.extensions().get::<Arc<Spanned>>().cloned()
}

/// What a span says of its actor.
#[derive(Default)]
struct Fields {
    id: Option<String>,
    name: Option<String>,
}

impl Visit for Fields {
    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "id" => self.id = Some(value.to_owned()),
            "name" => self.name = Some(value.to_owned()),
            _ => {}
        }
    }

    fn record_debug(&mut self, _field: &Field, _value: &dyn Debug) {}
}

#[cfg(test)]
mod tests {
    use super::*;
    use tracing::{info_span, subscriber};
    use tracing_subscriber::layer::SubscriberExt;

    /// An actor that handles a message within the span of its sender, and another span between them.
    #[test]
    fn who_handles_a_message_runs_and_not_who_has_sent_it() {
        let spans = ActorSpans::default();
        let registry = tracing_subscriber::registry().with(spans.clone());
        subscriber::with_default(registry, || {
            let actor = |id| info_span!(target: "ractor::actor", "Actor", id, name = "x");
            let (sender, receiver) = (actor("0.1"), actor("0.2"));
            let other = info_span!(target: "shop", "Actor", id = "0.3");
            let seen = || spans.seen_besides(&HashSet::from(["0.9".to_owned()]));
            let runs = || seen().iter().map(|seen| seen.runs).collect::<Vec<_>>();
            receiver.in_scope(|| {
                other.in_scope(|| sender.in_scope(|| assert_eq!(runs(), [false, true])));
                assert_eq!(runs(), [false, true]);
            });
            assert_eq!(runs(), [false, false]);
            let [sent, handled] = &seen()[..] else { panic!("{:?}", seen()) };
            assert_eq!((sent.id.as_str(), sent.busy), ("0.1", Duration::ZERO));
            assert!(handled.busy > Duration::ZERO && handled.name.as_deref() == Some("x"));
            let ours = HashSet::from(["0.1".to_owned()]);
            assert_eq!(spans.seen_besides(&ours).len(), 1);
            drop(sender);
            assert_eq!(seen().len(), 1, "it has ended");
        });
    }
}
