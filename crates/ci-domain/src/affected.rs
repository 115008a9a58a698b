//! The affected set: which components a change concerns, and why.

use std::collections::{BTreeMap, BTreeSet};

use crate::claims::{Claim, Claimants, Claims};
use crate::graph::Graph;
use crate::ids::ComponentName;
use crate::paths::PathPatterns;
use crate::pipeline::Pipeline;
use crate::policy::{Policy, Unowned};

/// Reasons kept for one component, and paths kept that affect nothing; people read no more.
const MAX_KEPT: usize = 20;

/// The components that a change concerns.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Affected {
    components: BTreeMap<ComponentName, Why>,
    without_effect: Kept<(String, NoEffect)>,
}

/// Why a component is affected.
pub type Why = Kept<Reason>;

/// The first of many, and whether there were more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept<T> {
    /// The first, in the order of the changed paths.
    pub first: Vec<T>,
    /// Whether there were more.
    pub more: bool,
}

/// One reason for which a component is affected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// It claims a changed path.
    Changed {
        /// The path.
        path: String,
        /// Through what it is claimed.
        claim: Claim,
    },
    /// It depends on a component that is affected.
    DependsOn(ComponentName),
    /// Nothing claims a changed path, and such paths affect everything.
    Unowned {
        /// The path.
        path: String,
    },
    /// What is affected could not be computed, so everything is.
    Unknown {
        /// Why it could not.
        why: String,
    },
    /// Someone asked for it.
    Requested,
}

/// Why a changed path affects nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoEffect {
    /// The policy's `ignore` matches it.
    Ignored,
    /// Nothing claims it, and such paths affect nothing.
    Unowned,
    /// Only components claimed it that the merge no longer has.
    Gone(ComponentName),
}

/// What changed, and from where.
#[derive(Clone, Copy, Debug)]
pub struct Change<'a> {
    /// The components before the change.
    pub base: &'a Pipeline,
    /// The changed paths; a renamed file under both of its names.
    pub paths: &'a BTreeSet<String>,
}

/// One of the two trees whose graphs are united.
struct Tree {
    claims: Claims,
    graph: Graph<ComponentName>,
    touched: BTreeSet<ComponentName>,
}

impl Affected {
    /// What `change` affects of `merge`: the union over the graphs of both trees, less what the merge
    /// no longer has. A path is unowned where neither tree has someone who claims it.
    ///
    /// Where it cannot be computed, everything is affected.
    #[must_use]
    pub fn by(change: Change<'_>, merge: &Pipeline, policy: &Policy) -> Self {
        match Self::compute(change, merge, policy) {
            Ok(affected) => affected,
            Err(why) => Self::everything(merge, &why),
        }
    }

    /// All components of `merge`, because what is affected cannot be known.
    #[must_use]
    pub fn everything(merge: &Pipeline, why: &str) -> Self {
        let mut affected = Self::default();
        for name in merge.components.keys() {
            affected.add(name, Reason::Unknown { why: why.to_owned() });
        }
        affected
    }

    /// These components, because someone asked for them.
    #[must_use]
    pub fn requested(components: impl IntoIterator<Item = ComponentName>) -> Self {
        let mut affected = Self::default();
        for name in components {
            affected.add(&name, Reason::Requested);
        }
        affected
    }

    /// The affected components, in the order of their names, each with the reasons.
    pub fn components(&self) -> impl Iterator<Item = (&ComponentName, &Why)> {
        self.components.iter()
    }

    /// Whether `component` is affected.
    #[must_use]
    pub fn contains(&self, component: &ComponentName) -> bool {
        self.components.contains_key(component)
    }

    /// Whether nothing is affected.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.components.is_empty()
    }

    /// Why `component` is affected, if it is.
    #[must_use]
    pub fn why(&self, component: &ComponentName) -> Option<&Why> {
        self.components.get(component)
    }

    /// Changed paths that affect nothing.
    #[must_use]
    pub fn without_effect(&self) -> &Kept<(String, NoEffect)> {
        &self.without_effect
    }

    fn compute(change: Change<'_>, merge: &Pipeline, policy: &Policy) -> Result<Self, String> {
        let ignore = PathPatterns::new("", &policy.ignore)
            .map_err(|error| format!("the policy's ignore cannot be matched: {error}"))?;
        let mut trees = [Tree::read(change.base, "base")?, Tree::read(merge, "merge")?];
        let mut affected = Self::default();
        for path in change.paths {
            let claimants = trees.each_ref().map(|tree| tree.claims.of(path, &ignore));
            if claimants.iter().any(|each| matches!(each, Claimants::Components(_))) {
                let mut claimed = Vec::new();
                for (tree, claimants) in trees.iter_mut().zip(claimants) {
                    let names = affected.add_claims(path, claimants, merge);
                    tree.touched.extend(names.iter().cloned());
                    claimed.extend(names);
                }
                affected.add_gone(path, claimed, merge);
            } else if claimants.contains(&Claimants::Ignored) {
                affected.without_effect.keep((path.clone(), NoEffect::Ignored));
            } else {
                affected.add_unowned(path, policy.unowned, merge);
            }
        }
        for tree in &trees {
            affected.add_dependants(tree, merge);
        }
        Ok(affected)
    }

    /// Adds those who claim `path` as far as the merge has them, and returns them all.
    fn add_claims(
        &mut self,
        path: &str,
        claimants: Claimants,
        merge: &Pipeline,
    ) -> Vec<ComponentName> {
        let Claimants::Components(claimants) = claimants else { return Vec::new() };
        let mut names = Vec::with_capacity(claimants.len());
        for (name, claim) in claimants {
            if merge.components.contains_key(&name) {
                self.add(&name, Reason::Changed { path: path.to_owned(), claim });
            }
            names.push(name);
        }
        names
    }

    /// Takes note of a path that only such components claim as the merge no longer has.
    fn add_gone(&mut self, path: &str, claimed: Vec<ComponentName>, merge: &Pipeline) {
        if claimed.iter().any(|name| merge.components.contains_key(name)) {
            return;
        }
        for name in claimed {
            self.without_effect.keep((path.to_owned(), NoEffect::Gone(name)));
        }
    }

    fn add_unowned(&mut self, path: &str, unowned: Unowned, merge: &Pipeline) {
        match unowned {
            Unowned::None => self.without_effect.keep((path.to_owned(), NoEffect::Unowned)),
            Unowned::All => {
                for name in merge.components.keys() {
                    self.add(name, Reason::Unowned { path: path.to_owned() });
                }
            }
        }
    }

    fn add_dependants(&mut self, tree: &Tree, merge: &Pipeline) {
        let mut open: Vec<&ComponentName> = tree.touched.iter().collect();
        let mut seen: BTreeSet<&ComponentName> = tree.touched.iter().collect();
        while let Some(dependency) = open.pop() {
            for dependant in tree.graph.dependants(dependency) {
                if merge.components.contains_key(dependant) {
                    self.add(dependant, Reason::DependsOn(dependency.clone()));
                }
                if seen.insert(dependant) {
                    open.push(dependant);
                }
            }
        }
    }

    fn add(&mut self, name: &ComponentName, reason: Reason) {
        self.components.entry(name.clone()).or_default().keep(reason);
    }
}

impl Tree {
    fn read(pipeline: &Pipeline, what: &str) -> Result<Self, String> {
        let claims = Claims::new(pipeline)
            .map_err(|error| format!("the {what} has {error} that cannot be matched"))?;
        let graph = pipeline
            .component_graph()
            .map_err(|_| format!("the components of the {what} have no dependency order"))?;
        Ok(Self { claims, graph, touched: BTreeSet::new() })
    }
}

impl<T: PartialEq> Kept<T> {
    fn keep(&mut self, item: T) {
        if self.first.contains(&item) {
            return;
        }
        if self.first.len() < MAX_KEPT {
            self.first.push(item);
        } else {
            self.more = true;
        }
    }
}

impl<T> Default for Kept<T> {
    fn default() -> Self {
        Self { first: Vec::new(), more: false }
    }
}

#[cfg(test)]
mod tests;
