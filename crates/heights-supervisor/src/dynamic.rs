//! Supervisors whose children come and go.

mod builder;
mod handle;
mod office;
mod run;
mod state;
mod template;

pub use self::builder::{DynamicBuilder, DynamicSupervisor};
pub use self::handle::DynamicRef;
use self::office::Office;
use self::run::Msg;
pub use self::template::{TemplateBuilder, TemplateRef};
