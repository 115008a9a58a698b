//! What most programs need, in one `use`.

pub use heights_registry::Registry;
pub use heights_supervisor::{
    Backoff, CallError, ChildRef, ChildSpec, ChildTemplate, Context, DynamicRef, DynamicSupervisor,
    Exit, Fault, Flow, Process, Recipient, Ref, Reply, Restart, Server, Shutdown, Strategy,
    Supervisor, SupervisorRef, TaskContext, TaskSupervisor, TaskSupervisorRef, TemplateRef,
};

pub use crate::app::App;
pub use crate::periodic::every;
pub use crate::regulator::Regulator;
