//! A graph of what depends on what: components on components, jobs on jobs.
//!
//! A [`Graph`] exists only where every dependency is known and nothing depends on itself, so its
//! questions have answers.

use std::collections::{BTreeMap, BTreeSet};

/// A dependency graph without dangling dependencies and without cycles.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Graph<N> {
    dependencies: BTreeMap<N, BTreeSet<N>>,
    dependants: BTreeMap<N, BTreeSet<N>>,
    order: Vec<N>,
}

/// Why something is no [`Graph`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Flaw<N> {
    /// `from` depends on `to`, which there is not.
    Dangling {
        /// What depends.
        from: N,
        /// What it depends on.
        to: N,
    },
    /// Each depends on the next and the last on the first.
    Cycle(Vec<N>),
}

impl<N: Clone + Ord> Graph<N> {
    /// Builds the graph of nodes and what each depends on.
    ///
    /// # Errors
    /// Reports every dangling dependency and, where there are cycles, at least one of them.
    pub fn new(dependencies: BTreeMap<N, BTreeSet<N>>) -> Result<Self, Vec<Flaw<N>>> {
        let mut flaws = dangling(&dependencies);
        let (order, tangled) = sort(&dependencies);
        flaws.extend(cycles(tangled));
        if !flaws.is_empty() {
            return Err(flaws);
        }
        let mut dependants: BTreeMap<N, BTreeSet<N>> =
            dependencies.keys().map(|node| (node.clone(), BTreeSet::new())).collect();
        for (node, needed) in &dependencies {
            for need in needed {
                dependants.entry(need.clone()).or_default().insert(node.clone());
            }
        }
        Ok(Self { dependencies, dependants, order })
    }

    /// Every node after all that it depends on; nodes that are free to move are in their own order.
    #[must_use]
    pub fn order(&self) -> &[N] {
        &self.order
    }

    /// What depends directly on `node`.
    pub fn dependants(&self, node: &N) -> impl Iterator<Item = &N> {
        self.dependants.get(node).into_iter().flatten()
    }

    /// What `node` depends on, directly and through others, without itself.
    #[must_use]
    pub fn all_dependencies(&self, node: &N) -> BTreeSet<N> {
        reach(&self.dependencies, node)
    }

    /// What depends on `node`, directly and through others, without itself.
    #[must_use]
    pub fn all_dependants(&self, node: &N) -> BTreeSet<N> {
        reach(&self.dependants, node)
    }
}

fn dangling<N: Clone + Ord>(dependencies: &BTreeMap<N, BTreeSet<N>>) -> Vec<Flaw<N>> {
    let pairs =
        dependencies.iter().flat_map(|(from, needed)| needed.iter().map(move |to| (from, to)));
    pairs
        .filter(|(_, to)| !dependencies.contains_key(to))
        .map(|(from, to)| Flaw::Dangling { from: from.clone(), to: to.clone() })
        .collect()
}

/// Kahn's sort: what can be ordered, and what is left because of cycles.
fn sort<N: Clone + Ord>(
    dependencies: &BTreeMap<N, BTreeSet<N>>,
) -> (Vec<N>, BTreeMap<N, BTreeSet<N>>) {
    let mut waiting: BTreeMap<&N, usize> = BTreeMap::new();
    let mut dependants: BTreeMap<&N, Vec<&N>> = BTreeMap::new();
    for (node, needed) in dependencies {
        let known = needed.iter().filter(|need| dependencies.contains_key(need));
        waiting.insert(node, known.clone().count());
        known.for_each(|need| dependants.entry(need).or_default().push(node));
    }
    let mut ready: BTreeSet<&N> =
        waiting.iter().filter(|(_, count)| **count == 0).map(|(node, _)| *node).collect();
    let mut order = Vec::with_capacity(dependencies.len());
    while let Some(node) = ready.pop_first() {
        order.push(node.clone());
        waiting.remove(node);
        for dependant in dependants.get(node).into_iter().flatten() {
            let count =
                waiting.get_mut(dependant).expect("a node waits until its needs are sorted");
            *count -= 1;
            if *count == 0 {
                ready.insert(dependant);
            }
        }
    }
    let tangled = waiting
        .keys()
        .map(|node| {
            let held = dependencies[*node].iter().filter(|need| waiting.contains_key(need));
            ((*node).clone(), held.cloned().collect())
        })
        .collect();
    (order, tangled)
}

/// Cycles in nodes of which each depends on at least one other of them.
///
/// A walk along the dependencies must meet itself or an earlier walk, which met a cycle already; each
/// node is walked once, so of cycles that lead into each other only the first is reported.
fn cycles<N: Clone + Ord>(tangled: BTreeMap<N, BTreeSet<N>>) -> Vec<Flaw<N>> {
    let mut cycles = Vec::new();
    let mut visited: BTreeSet<&N> = BTreeSet::new();
    for start in tangled.keys() {
        let mut walk: Vec<&N> = Vec::new();
        let mut position: BTreeMap<&N, usize> = BTreeMap::new();
        let mut next = Some(start);
        while let Some(node) = next.filter(|node| !visited.contains(node)) {
            if let Some(met) = position.get(node) {
                cycles.push(Flaw::Cycle(from_the_smallest(&walk[*met..])));
                break;
            }
            position.insert(node, walk.len());
            walk.push(node);
            next = tangled.get(node).and_then(BTreeSet::first);
        }
        visited.extend(walk);
    }
    cycles
}

/// The cycle, turned so that the same cycle always reads the same.
fn from_the_smallest<N: Clone + Ord>(cycle: &[&N]) -> Vec<N> {
    let smallest = (0..cycle.len()).min_by_key(|position| cycle[*position]).unwrap_or(0);
    cycle[smallest..].iter().chain(&cycle[..smallest]).map(|node| (*node).clone()).collect()
}

fn reach<N: Clone + Ord>(edges: &BTreeMap<N, BTreeSet<N>>, from: &N) -> BTreeSet<N> {
    let mut reached = BTreeSet::new();
    let mut open: Vec<&N> = edges.get(from).into_iter().flatten().collect();
    while let Some(node) = open.pop() {
        if reached.insert(node.clone()) {
            open.extend(edges.get(node).into_iter().flatten());
        }
    }
    reached
}

#[cfg(test)]
mod tests {
    use super::*;

    type Edges<'a> = &'a [(&'a str, &'a [&'a str])];

    fn graph(edges: Edges<'_>) -> Result<Graph<String>, Vec<Flaw<String>>> {
        let own = |needs: &[&str]| needs.iter().map(ToString::to_string).collect();
        Graph::new(edges.iter().map(|(node, needs)| ((*node).to_owned(), own(needs))).collect())
    }

    fn names(nodes: impl IntoIterator<Item = String>) -> String {
        nodes.into_iter().collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn orders_dependencies_first() {
        let check = |edges: Edges<'_>, expected: &str| {
            assert_eq!(names(graph(edges).unwrap().order().to_vec()), expected);
        };
        check(&[("a", &["b"]), ("b", &["c"]), ("c", &[])], "c b a");
        check(&[("a", &["c"]), ("b", &[]), ("c", &[])], "b c a");
        check(&[], "");
    }

    #[test]
    fn closes_over_dependencies_and_dependants() {
        let graph =
            graph(&[("a", &["b"]), ("b", &["c"]), ("c", &[]), ("d", &["b"]), ("e", &[])]).unwrap();
        assert_eq!(names(graph.all_dependants(&"c".to_owned())), "a b d");
        assert_eq!(names(graph.all_dependencies(&"a".to_owned())), "b c");
        assert_eq!(names(graph.all_dependants(&"e".to_owned())), "");
    }

    fn flaws(edges: Edges<'_>, expected: &[&str]) {
        let found: Vec<String> = graph(edges)
            .unwrap_err()
            .into_iter()
            .map(|flaw| match flaw {
                Flaw::Dangling { from, to } => format!("{from} needs {to}"),
                Flaw::Cycle(cycle) => names(cycle),
            })
            .collect();
        assert_eq!(found, expected, "{edges:?}");
    }

    #[test]
    fn reports_every_flaw() {
        flaws(&[("a", &["x"]), ("b", &["y"])], &["a needs x", "b needs y"]);
        flaws(&[("a", &["a"])], &["a"]);
        flaws(&[("c", &["a"]), ("a", &["b"]), ("b", &["c"])], &["a b c"]);
        flaws(&[("a", &["b"]), ("b", &["a"]), ("c", &["d"]), ("d", &["c"])], &["a b", "c d"]);
        flaws(&[("a", &["b"]), ("b", &["c"]), ("c", &["b"])], &["b c"]);
        flaws(&[("a", &["a", "x"]), ("b", &["a"])], &["a needs x", "a"]);
    }

    #[test]
    fn a_long_chain_needs_no_deep_stack() {
        let node = |number: usize| format!("{number:06}");
        let edge = |number: usize| {
            (node(number), (number > 0).then(|| node(number - 1)).into_iter().collect())
        };
        let graph = Graph::new((0..20_000).map(edge).collect()).unwrap();
        assert_eq!(graph.all_dependants(&node(0)).len(), 19_999);
    }
}
