//! Others, each through its own front door.

mod kameo;
mod ractor_supervisor;

pub use self::kameo::Kameo;
pub use self::ractor_supervisor::RactorSupervisor;
