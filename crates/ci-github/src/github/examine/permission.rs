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
    /// Writing comments on commits.
    CommitComments,
    /// Writing check runs, which only apps may.
    Checks,
    /// Looking at webhooks, and having deliveries made again.
    Webhooks,
}

impl Permission {
    /// All of them, the ones that others rest on first.
    pub const ALL: [Self; 10] = [
        Self::Metadata,
        Self::Contents,
        Self::Pulls,
        Self::Comments,
        Self::Statuses,
        Self::SetStatuses,
        Self::WriteComments,
        Self::CommitComments,
        Self::Checks,
        Self::Webhooks,
    ];

    /// What does not work without it, where the node does without.
    #[must_use]
    pub fn without(self) -> Option<&'static str> {
        match self {
            Self::CommitComments => Some("failures of branches are not told in comments"),
            Self::Checks => Some("there are no check runs"),
            Self::Webhooks => {
                Some("failed deliveries are not made again, and the webhook is not looked at")
            }
            _ => None,
        }
    }

    /// Whether it is of use to an app, or to a token.
    pub(super) fn is_for(self, an_app: bool) -> bool {
        match self {
            Self::Checks => an_app,
            // An app has a webhook of its own.
            Self::Webhooks => !an_app,
            _ => true,
        }
    }

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
            Self::CommitComments => ("contents", true),
            Self::Checks => ("checks", true),
            Self::Webhooks => ("repository_hooks", true),
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
            Self::CommitComments => "Contents: write",
            Self::Checks => "Checks: write",
            Self::Webhooks => "Webhooks: write",
        })
    }
}
