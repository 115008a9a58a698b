//! What a process is from birth, and what it has in common with the other lives of its child.

use std::sync::Arc;

use heights_core::ChildPlan;

use super::Process;
use crate::hub::Hub;
use crate::spec::{ChildSpec, Patience};

/// What a process is from birth.
pub(crate) struct Birth {
    pub(crate) incarnation: u32,
    pub(crate) hub: Hub,
    pub(crate) parent: Option<Process>,
    pub(crate) spec: Traits,
}

/// Names a type; takes half the room of the name.
pub(crate) type TypeName = fn() -> &'static str;

/// What all lives of a child have in common.
pub(crate) struct Traits {
    pub(super) plan: Arc<ChildPlan>,
    pub(super) type_name: TypeName,
    pub(super) patience: Patience,
}

impl From<&ChildSpec> for Traits {
    fn from(spec: &ChildSpec) -> Self {
        Self {
            plan: Arc::clone(&spec.plan),
            type_name: spec.type_name,
            patience: spec.patience.clone(),
        }
    }
}
