//! The permissions that the node needs.

use std::fmt;

/// What the node needs to be allowed, in the words of GitHub's settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Permission {
    /// Who may write, and where things are.
    Metadata,
    /// Clone and fetch.
    Contents,
    /// Heads, bases and reviews.
    Pulls,
    /// Comments and their reactions.
    Comments,
    /// Statuses as they stand.
    Statuses,
    /// Setting statuses.
    SetStatuses,
    /// Writing comments.
    WriteComments,
}

impl Permission {
    /// All of them, the ones that others rest on first.
    pub const ALL: [Self; 7] = [
        Self::Metadata,
        Self::Contents,
        Self::Pulls,
        Self::Comments,
        Self::Statuses,
        Self::SetStatuses,
        Self::WriteComments,
    ];

    /// The key under which an installation lists it, and whether it must be `write`.
    pub(super) fn in_installation(self) -> (&'static str, bool) {
        match self {
            Self::Metadata => ("metadata", false),
            Self::Contents => ("contents", false),
            Self::Pulls => ("pull_requests", false),
            Self::Comments => ("issues", false),
            Self::Statuses => ("statuses", false),
            Self::SetStatuses => ("statuses", true),
            Self::WriteComments => ("issues", true),
        }
    }
}

impl fmt::Display for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Metadata => "Metadata: read",
            Self::Contents => "Contents: read",
            Self::Pulls => "Pull requests: read",
            Self::Comments => "Issues: read",
            Self::Statuses => "Commit statuses: read",
            Self::SetStatuses => "Commit statuses: write",
            Self::WriteComments => "Issues: write",
        })
    }
}
