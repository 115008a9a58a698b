//! What a specification must not say.

use std::collections::HashSet;
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
}

impl fmt::Display for SpecError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::EmptyId => f.write_str("a child has an empty id"),
            Self::DuplicateId(id) => write!(f, "two children have the id {id:?}"),
            Self::ZeroPeriod => f.write_str("the period of the restart intensity is zero"),
            Self::SignificantPermanent(id) => {
                write!(f, "bad combination for child {id:?}: restart permanent, significant true")
            }
            Self::SignificantNever(id) => {
                write!(f, "bad combination for child {id:?}: auto_shutdown never, significant true")
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
        if let Some(limit) = self.limit {
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
}

/// Checks a list of children as a supervisor with this `auto_shutdown` would at start.
pub fn check_child_plans(
    plans: &[ChildPlan],
    auto_shutdown: AutoShutdown,
) -> Result<(), SpecError> {
    let mut ids = HashSet::new();
    for plan in plans {
        plan.check(auto_shutdown)?;
        if !ids.insert(&plan.id) {
            return Err(SpecError::DuplicateId(plan.id.clone()));
        }
    }
    Ok(())
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
}
