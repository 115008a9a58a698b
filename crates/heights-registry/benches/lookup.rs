//! What a look-up costs, next to a bare `RwLock<HashMap>` of the same size in the same run.
//!
//! `cargo bench -p heights-registry` prints nanoseconds for each and the ratio; `-- --quick` is
//! enough to see the ratio. Rounds of both take turns, and the middle one of their ratios counts,
//! because the machine may have other company in each round.

#![expect(clippy::print_stdout, reason = "printing is what it is for")]
#![expect(clippy::unwrap_used, reason = "a bench may fail loudly")]

use std::collections::HashMap;
use std::hash::Hash;
use std::hint::black_box;
use std::sync::{Arc, RwLock};
use std::time::{Duration, Instant};

use heights_registry::{Owner, OwnerEnd, Registry};

/// Keys in the maps: more than fits into the fastest cache.
const KEYS: usize = 10_000;

/// Look-ups per round.
const LOOKUPS: usize = 200_000;

struct Pair<K> {
    keys: Vec<K>,
    bare: RwLock<HashMap<K, Arc<str>>>,
    names: Registry<K, Arc<str>>,
    _alive: Vec<OwnerEnd>,
}

impl<K: Clone + Eq + Hash + Send + Sync + 'static> Pair<K> {
    fn new(keys: Vec<K>, partitions: usize) -> Self {
        let bare = RwLock::new(HashMap::new());
        let names = Registry::builder().partitions(partitions).build();
        let mut alive = Vec::new();
        for key in &keys {
            let (owner, end) = Owner::new();
            let value: Arc<str> = "an address".into();
            bare.write().unwrap().insert(key.clone(), Arc::clone(&value));
            names.register(key.clone(), value, &owner).unwrap();
            alive.push(end);
        }
        Self { keys, bare, names, _alive: alive }
    }

    /// Returns the middle ratio of the rounds, and the fastest round of each.
    fn measure(&self, rounds: usize) -> (f64, Duration, Duration) {
        let (mut ratios, mut best) = (Vec::new(), (Duration::MAX, Duration::MAX));
        for _ in 0..rounds {
            let ours = self.round(|key| self.names.lookup(key));
            let theirs = self.round(|key| self.bare.read().unwrap().get(key).cloned());
            ratios.push(ours.as_secs_f64() / theirs.as_secs_f64());
            best = (best.0.min(ours), best.1.min(theirs));
        }
        ratios.sort_by(f64::total_cmp);
        (ratios[ratios.len() / 2], best.0, best.1)
    }

    fn round(&self, lookup: impl Fn(&K) -> Option<Arc<str>>) -> Duration {
        let begin = Instant::now();
        let mut at = 0;
        for _ in 0..LOOKUPS {
            // A stride that shares no factor with the number of keys reaches all of them.
            at = (at + 7_919) % self.keys.len();
            assert!(black_box(lookup(black_box(&self.keys[at]))).is_some());
        }
        begin.elapsed()
    }
}

fn report<K: Clone + Eq + Hash + Send + Sync + 'static>(what: &str, pair: &Pair<K>, rounds: usize) {
    let (ratio, ours, theirs) = pair.measure(rounds);
    let each = |round: Duration| round.as_secs_f64() * 1e9 / LOOKUPS as f64;
    println!("{what:<28} {:>6.0} ns  bare {:>6.0} ns  ratio {ratio:.2}", each(ours), each(theirs));
}

fn main() {
    let rounds = if std::env::args().any(|arg| arg == "--quick") { 9 } else { 51 };
    let numbers = || (0..KEYS as u64).collect();
    let texts = || (0..KEYS).map(|number| format!("repository/pull-{number}")).collect();
    report("number", &Pair::<u64>::new(numbers(), 1), rounds);
    report("text", &Pair::<String>::new(texts(), 1), rounds);
    report("text, 4 partitions", &Pair::<String>::new(texts(), 4), rounds);
}
