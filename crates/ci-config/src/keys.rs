//! Every key of the three formats, once: what is read here is what the JSON Schemas offer.

use crate::field::Keys;

/// `ci.yaml`.
pub(crate) const COMPONENT: Keys =
    Keys { known: &["define", "depends_on", "inputs", "env", "image", "jobs", "nightly"] };
/// A job that is more than a list of steps.
pub(crate) const JOB: Keys = Keys { known: &["needs", "when", "on", "timeout", "steps"] };
/// A nightly job that is more than a list of steps.
pub(crate) const NIGHTLY_JOB: Keys = Keys { known: &["needs", "timeout", "steps"] };
/// A step that is one command.
pub(crate) const COMMAND: Keys = Keys {
    known: &[
        "run",
        "name",
        "timeout",
        "retry",
        "env",
        "allow_failure",
        "always",
        "artifacts",
        "reports",
    ],
};
/// `reports` of a command.
pub(crate) const REPORTS: Keys = Keys { known: &["junit"] };
/// A step that stands for defined ones.
pub(crate) const USE: Keys = Keys { known: &["use"] };
/// A step that is a parallel group.
pub(crate) const PARALLEL_STEP: Keys = Keys { known: &["parallel", "name", "limit", "fail_fast"] };
/// A step that is a sequence.
pub(crate) const SEQUENCE_STEP: Keys = Keys { known: &["sequence", "name"] };
/// A parallel group that is more than a list of steps.
pub(crate) const PARALLEL: Keys = Keys { known: &["name", "limit", "fail_fast", "steps"] };
/// A sequence that is more than a list of steps.
pub(crate) const SEQUENCE: Keys = Keys { known: &["name", "steps"] };

/// `ci-policy.yaml`.
pub(crate) const POLICY: Keys = Keys {
    known: &[
        "mergeable",
        "base_moved",
        "branches",
        "ignore",
        "unowned",
        "forks",
        "secrets",
        "sandbox",
        "nightly",
        "notify",
    ],
};
/// `mergeable` of the policy.
pub(crate) const MERGEABLE: Keys = Keys {
    known: &[
        "approvals",
        "block_on_changes_requested",
        "stale_approvals",
        "code_owners",
        "optional",
        "required",
    ],
};
/// `sandbox` of the policy.
pub(crate) const SANDBOX: Keys = Keys { known: &["isolation", "network", "forks_network"] };
/// `nightly` of the policy.
pub(crate) const NIGHTLY: Keys = Keys { known: &["between", "timezone"] };
/// `notify` of the policy.
pub(crate) const NOTIFY: Keys = Keys { known: &["mention_on_nightly_failure"] };
/// `forks` of the policy.
pub(crate) const FORKS: Keys = Keys { known: &["run"] };

/// A secret of the policy.
pub(crate) const EXPOSED: Keys = Keys { known: &["expose"] };

/// `ci-node.toml`.
pub(crate) const NODE: Keys = Keys {
    known: &[
        "name",
        "data_dir",
        "public_url",
        "http",
        "github",
        "repos",
        "queues",
        "runner",
        "artifacts",
        "vitals",
        "retention",
    ],
};
/// `[http]`.
pub(crate) const HTTP: Keys =
    Keys { known: &["listen", "read", "proxies", "requests", "failed_logins"] };
/// `[github]`.
pub(crate) const GITHUB: Keys = Keys {
    known: &[
        "api_url",
        "graphql_url",
        "webhook_secret",
        "token",
        "app",
        "sign_in",
        "poll_interval",
        "write",
    ],
};
/// `[github.sign_in]`.
pub(crate) const SIGN_IN: Keys = Keys { known: &["client_id", "client_secret", "administrators"] };
/// `[github.app]`.
pub(crate) const APP: Keys = Keys { known: &["id", "private_key"] };
/// `[[repos]]`.
pub(crate) const REPO: Keys = Keys { known: &["name", "clone_url", "local", "secrets"] };
/// Where a secret is.
pub(crate) const SECRET: Keys = Keys { known: &["file", "env"] };
/// A queue of `[queues]`.
pub(crate) const QUEUE: Keys = Keys { known: &["concurrency", "rate", "burst"] };
/// `[runner]`.
pub(crate) const RUNNER: Keys = Keys {
    known: &[
        "isolation",
        "visible",
        "job_timeout",
        "max_job_timeout",
        "grace",
        "orphan_limit",
        "memory",
        "pids",
        "cpus",
        "log_limit",
        "min_free",
    ],
};
/// `[artifacts]`.
pub(crate) const ARTIFACTS: Keys = Keys { known: &["file", "job", "files", "total"] };
/// `[vitals]`.
pub(crate) const VITALS: Keys = Keys { known: &["tier"] };
/// `[retention]`.
pub(crate) const RETENTION: Keys = Keys { known: &["logs", "builds", "workspaces"] };
