//! What somebody may do in a repository, by the forge's own rules.

/// What somebody may do in a repository; each may do what those before may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// Not even look.
    None,
    /// Look.
    Read,
    /// Push.
    Write,
    /// Everything.
    Admin,
}
