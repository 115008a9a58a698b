//! `ci-policy.yaml`.

use ci_config::parse_policy;
use ci_config::schema::Format;

use crate::{Key, Sweep, key};

pub(crate) const VALUES: &[&str] = &[
    "",
    "~",
    "\"\"",
    "5",
    "-1",
    "99999999999999999999",
    "1.5",
    "true",
    "TRUE",
    "word",
    "two words",
    "[]",
    "[[]]",
    "[5]",
    "[~]",
    "[\"\"]",
    "{}",
    "{x: y}",
];
pub(crate) const A_MAP: &str = "expected a map, found a list";
pub(crate) const TEXT: &str = "expected text, found a list";
pub(crate) const A_TRUTH: &str = "expected true or false, found a list";
pub(crate) const FROM_0: &str = "expected a whole number from 0 on, found a list";

const KEYS: &[Key] = &[
    key("mergeable", "mergeable: @", A_MAP, &["{}"]),
    key("mergeable.approvals", "mergeable: {approvals: @}", FROM_0, &["5"]),
    key(
        "mergeable.block_on_changes_requested",
        "mergeable: {block_on_changes_requested: @}",
        A_TRUTH,
        &["true"],
    ),
    key(
        "mergeable.stale_approvals",
        "mergeable: {stale_approvals: @}",
        "expected one of keep, dismiss, found a list",
        &[],
    ),
    key("mergeable.code_owners", "mergeable: {code_owners: @}", A_TRUTH, &["true"]),
    key("mergeable.optional", "mergeable: {optional: @}", TEXT, &["[]"]),
    key("mergeable.required", "mergeable: {required: @}", TEXT, &["[]"]),
    key("base_moved", "base_moved: @", "expected one of keep, rerun, found a list", &[]),
    // Branches may be called whatever one likes, and numbers are taken as they are written.
    key(
        "branches",
        "branches: @",
        TEXT,
        &["5", "99999999999999999999", "1.5", "true", "TRUE", "word", "[5]"],
    ),
    key("ignore", "ignore: @", TEXT, &["word", "two words", "[]"]),
    key("unowned", "unowned: @", "expected one of all, none, found a list", &[]),
    key("forks", "forks: @", A_MAP, &["{}"]),
    key(
        "forks.run",
        "forks: {run: @}",
        "expected one of never, after_approval, always, found a list",
        &[],
    ),
    key("secrets", "secrets: @", A_MAP, &["{}"]),
    key("secrets.KEY", "secrets: {KEY: @}", A_MAP, &["{}"]),
    key(
        "secrets.KEY.expose",
        "secrets: {KEY: {expose: @}}",
        "expected one of branches, internal, found a list",
        &[],
    ),
    key("sandbox", "sandbox: @", A_MAP, &["{}"]),
    key(
        "sandbox.isolation",
        "sandbox: {isolation: @}",
        "expected one of namespaces, container, found a list",
        &[],
    ),
    key("sandbox.network", "sandbox: {network: @}", A_TRUTH, &["true"]),
    key("sandbox.forks_network", "sandbox: {forks_network: @}", A_TRUTH, &["true"]),
    key("nightly", "nightly: @", A_MAP, &["{}"]),
    key("nightly.between", "nightly: {between: @}", TEXT, &[]),
    key("nightly.timezone", "nightly: {timezone: @}", TEXT, &[]),
    key("notify", "notify: @", A_MAP, &["{}"]),
    key("notify.mention_on_nightly_failure", "notify: {mention_on_nightly_failure: @}", TEXT, &[]),
];

#[test]
fn every_key_of_the_policy_says_what_it_wants() {
    let read = |text: &str| parse_policy(text.as_bytes()).err().unwrap_or_default();
    Sweep { format: Format::Policy, keys: KEYS, values: VALUES, read }.run();
}
