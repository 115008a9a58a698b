//! What a specification must not say.

use std::borrow::Borrow;
use std::collections::{HashMap, HashSet};
use std::fmt;

use crate::{AutoShutdown, ChildId, ChildPlan, Restart};

/// Why a specification is not accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SpecError {
    /// A child has an empty id.
    EmptyId,
    /// Two children have the same id.
    DuplicateId(ChildId),
    /// The period of a restart intensity is zero.
    ZeroPeriod,
    /// A significant child is permanent: it never ends by itself, so its end can mean nothing.
    SignificantPermanent(ChildId),
    /// A child is significant to a supervisor that never shuts down because of one.
    SignificantNever(ChildId),
    /// A child is bound to a sibling that nobody knows; children of a dynamic supervisor know none.
    UnknownDependency {
        /// The child that is bound.
        id: ChildId,
        /// What it is bound to.
        on: ChildId,
    },
    /// A child is bound to a sibling that is started later.
    LaterDependency {
        /// The child that is bound.
        id: ChildId,
        /// What it is bound to.
        on: ChildId,
    },
    /// A child is bound to itself, or to a sibling that is bound to it.
    CyclicDependency {
        /// The child that is bound.
        id: ChildId,
        /// What it is bound to.
        on: ChildId,
    },
}

impl fmt::Display for SpecError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::EmptyId => f.write_str("a child has an empty id"),
            Self::DuplicateId(id) => write!(f, "duplicate child name {id:?}"),
            Self::ZeroPeriod => f.write_str("invalid period: zero counts no restarts"),
            Self::SignificantPermanent(id) => {
                write!(f, "bad combination for child {id:?}: restart permanent, significant true")
            }
            Self::SignificantNever(id) => {
                write!(f, "bad combination for child {id:?}: auto_shutdown never, significant true")
            }
            Self::UnknownDependency { id, on } => {
                write!(f, "child {id:?} is bound to {on:?}, which is not known")
            }
            Self::LaterDependency { id, on } => {
                write!(f, "child {id:?} is bound to {on:?}, which is started later")
            }
            Self::CyclicDependency { id, on } => {
                write!(f, "child {id:?} is bound to {on:?}, which is bound to it")
            }
        }
    }
}

impl std::error::Error for SpecError {}

impl ChildPlan {
    /// Checks what can be checked of one child, as a supervisor with this `auto_shutdown` would.
    pub fn check(&self, auto_shutdown: AutoShutdown) -> Result<(), SpecError> {
        if self.id.as_str().is_empty() {
            return Err(SpecError::EmptyId);
        }
        if let Some(limit) = &self.limit {
            limit.intensity.validate()?;
        }
        // In OTP's order: the supervisor's side first.
        if self.significant && auto_shutdown == AutoShutdown::Never {
            return Err(SpecError::SignificantNever(self.id.clone()));
        }
        if self.significant && self.restart == Restart::Permanent {
            return Err(SpecError::SignificantPermanent(self.id.clone()));
        }
        Ok(())
    }

    /// Checks that what it is bound to is started before it.
    pub(crate) fn check_bonds(
        &self,
        is_earlier: impl Fn(&ChildId) -> bool,
    ) -> Result<(), SpecError> {
        let Some(on) = self.binds_to.iter().find(|on| !is_earlier(on)) else { return Ok(()) };
        let (id, on) = (self.id.clone(), on.clone());
        if id == on {
            return Err(SpecError::CyclicDependency { id, on });
        }
        Err(SpecError::UnknownDependency { id, on })
    }
}

/// Checks a list of children as a supervisor with this `auto_shutdown` would at start.
pub fn check_child_plans<P: Borrow<ChildPlan>>(
    plans: &[P],
    auto_shutdown: AutoShutdown,
) -> Result<(), SpecError> {
    let mut ids = HashSet::new();
    for plan in plans {
        let plan = plan.borrow();
        plan.check(auto_shutdown)?;
        plan.check_bonds(|id| ids.contains(id)).map_err(|error| explain(error, plans))?;
        if !ids.insert(&plan.id) {
            return Err(SpecError::DuplicateId(plan.id.clone()));
        }
    }
    Ok(())
}

/// Tells a dependency that comes too late from one that does not come at all.
fn explain<P: Borrow<ChildPlan>>(error: SpecError, plans: &[P]) -> SpecError {
    let SpecError::UnknownDependency { id, on } = error else { return error };
    let plans = plans.iter().map(Borrow::borrow);
    let bonds: HashMap<_, _> = plans.map(|plan| (&plan.id, &plan.binds_to)).collect();
    if !bonds.contains_key(&on) {
        return SpecError::UnknownDependency { id, on };
    }
    let (mut open, mut seen) = (vec![&on], HashSet::from([&on]));
    while let Some(next) = open.pop() {
        let further = bonds.get(next).into_iter().flat_map(|on| on.iter());
        open.extend(further.filter(|on| seen.insert(on)));
    }
    if seen.contains(&id) {
        return SpecError::CyclicDependency { id, on };
    }
    SpecError::LaterDependency { id, on }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn b19_significant_goes_with_neither_permanent_nor_never() {
        use AutoShutdown::{AllSignificant, AnySignificant, Never};
        let check = |significant, restart, auto_shutdown, expected: &str| {
            let plan = ChildPlan { significant, restart, ..ChildPlan::worker("a") };
            let outcome = check_child_plans(&[plan], auto_shutdown);
            let said = outcome.err().map(|error| error.to_string()).unwrap_or_default();
            assert_eq!(said, expected, "{significant} {restart:?} {auto_shutdown:?}");
        };
        for restart in [Restart::Permanent, Restart::Transient, Restart::Temporary] {
            for auto_shutdown in [Never, AnySignificant, AllSignificant] {
                check(false, restart, auto_shutdown, "");
            }
            let never = r#"bad combination for child "a": auto_shutdown never, significant true"#;
            check(true, restart, Never, never);
        }
        for auto_shutdown in [AnySignificant, AllSignificant] {
            let both = r#"bad combination for child "a": restart permanent, significant true"#;
            check(true, Restart::Permanent, auto_shutdown, both);
            check(true, Restart::Transient, auto_shutdown, "");
            check(true, Restart::Temporary, auto_shutdown, "");
        }
    }

    #[test]
    fn k94_a_child_is_bound_to_earlier_siblings_only() {
        let check = |children: &[(&str, &[&str])], expected: &str| {
            let plan = |(id, on): &(&str, &[&str])| {
                let binds_to = on.iter().map(|on| ChildId::from(*on)).collect();
                ChildPlan { binds_to, ..ChildPlan::worker(*id) }
            };
            let plans: Vec<_> = children.iter().map(plan).collect();
            let outcome = check_child_plans(&plans, AutoShutdown::Never);
            let said = outcome.err().map(|error| error.to_string()).unwrap_or_default();
            assert_eq!(said, expected, "{children:?}");
        };
        check(&[("a", &[]), ("b", &["a"]), ("c", &["a", "b"])], "");
        check(&[("a", &["x"])], r#"child "a" is bound to "x", which is not known"#);
        check(&[("a", &["b"]), ("b", &[])], r#"child "a" is bound to "b", which is started later"#);
        check(&[("a", &["a"])], r#"child "a" is bound to "a", which is bound to it"#);
        let cycle = r#"child "a" is bound to "c", which is bound to it"#;
        check(&[("a", &["c"]), ("b", &["a"]), ("c", &["b"])], cycle);
    }
}
