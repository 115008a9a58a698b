//! What a supervisor is told about itself: OTP's supervisor flags.

use crate::{Backoff, Intensity};

/// Whether a supervisor ends when a significant child has ended by itself and stays down.
///
/// | | one significant child ended, others live | the last one ended |
/// |---|---|---|
/// | never | goes on | goes on |
/// | any significant | ends | ends |
/// | all significant | goes on | ends |
///
/// A child that is restarted has not ended, and one that was stopped by request or together with
/// a sibling has not ended by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AutoShutdown {
    /// It does not; no child may be significant.
    #[default]
    Never,
    /// It does when the first of them has ended.
    AnySignificant,
    /// It does when the last of them has ended.
    AllSignificant,
}

/// What all kinds of supervisors are told about themselves.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Flags {
    /// How many restarts are too many.
    pub intensity: Intensity,
    /// Whether the end of significant children ends the supervisor.
    pub auto_shutdown: AutoShutdown,
    /// How long to wait before restarting a child that has no back-off of its own.
    pub backoff: Option<Backoff>,
}
