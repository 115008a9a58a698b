//! Supervisors whose children come and go.

mod builder;
mod handle;
mod run;
mod state;
mod template;

pub use self::builder::{DynamicBuilder, DynamicSupervisor};
pub use self::handle::DynamicRef;
use self::run::Msg;
pub use self::template::{TemplateBuilder, TemplateRef};
