//! `ci-policy.yaml`: what the repository wants.

use std::collections::{BTreeMap, BTreeSet};

use ci_domain::ids::JobId;
use ci_domain::nightly::{InvalidMention, Mention, Nightly};
use ci_domain::pipeline::{On, Pipeline};
use ci_domain::policy::{
    BaseMoved, Demand, Expose, Forks, Mergeable, Network, Policy, Sandbox, StaleApprovals, Unowned,
};

use jiff::tz::TimeZoneDatabase;

use crate::diagnostic::{At, Diagnostic, Problems};
use crate::document::Value;
use crate::environment::{NAME_HINT, check_name};
use crate::field::{Field, Fields};
use crate::keys;
use crate::patterns::{read_branches, read_patterns};
use crate::yaml;

/// The policy's path in the tip of the default branch.
pub const POLICY_FILE: &str = "ci-policy.yaml";

/// How a window is written.
const WINDOW_HINT: &str = "write two times of day, such as 22:30-04:00; it may be over midnight";
/// How a time zone is named.
const ZONE_HINT: &str = "write a name of the time zone database, such as Europe/Berlin or UTC";
/// How somebody is mentioned.
const MENTION_HINT: &str = "write one login or team, in quotes: YAML keeps @ for itself";

/// How a job is named.
const JOB_HINT: &str = "write COMPONENT:JOB, such as air:test; the root's jobs are root:JOB";

/// Reads a policy; what it leaves out has the defaults of a repository without one.
///
/// It cannot say whether a node grants the secrets that the policy names.
///
/// # Errors
/// All that is wrong with the file, in order of its lines.
pub fn parse_policy(bytes: &[u8]) -> Result<Policy, Vec<Diagnostic>> {
    parse(bytes, None)
}

/// Reads a policy for a node that has granted the secrets of these names to its repository.
///
/// # Errors
/// All that is wrong with the file, a secret that was not granted included.
pub fn parse_policy_granted(
    bytes: &[u8],
    granted: &BTreeSet<String>,
) -> Result<Policy, Vec<Diagnostic>> {
    parse(bytes, Some(granted))
}

/// All that is wrong with a policy, a job that it requires and no pull request of `pipeline` runs included.
#[must_use]
pub fn check_policy(bytes: &[u8], pipeline: &Pipeline) -> Vec<Diagnostic> {
    let mut problems = Problems::of(POLICY_FILE);
    let draft = read_policy(bytes, None, &mut problems);
    let runs = |id: &JobId| pipeline.job(id).is_some_and(|job| job.on.contains(&On::Pull));
    for (id, at) in draft.map(|draft| draft.required).unwrap_or_default() {
        if !runs(&id) {
            let message = format!("`{id}` is required, but no pull request of this tree runs it");
            problems.report(at, message, "define the job, or remove it from `required`");
        }
    }
    problems.into_sorted()
}

fn parse(bytes: &[u8], granted: Option<&BTreeSet<String>>) -> Result<Policy, Vec<Diagnostic>> {
    let mut problems = Problems::of(POLICY_FILE);
    match read_policy(bytes, granted, &mut problems) {
        Some(Draft { mut policy, required }) if problems.is_empty() => {
            policy.mergeable.required = required.into_iter().map(|(id, _)| id).collect();
            Ok(policy)
        }
        _ => Err(problems.into_sorted()),
    }
}

/// A policy as far as it could be read.
#[derive(Default)]
struct Draft {
    /// All but what it requires.
    policy: Policy,
    /// The jobs that it requires, and where.
    required: Vec<(JobId, At)>,
}

fn read_policy(
    bytes: &[u8],
    granted: Option<&BTreeSet<String>>,
    problems: &mut Problems,
) -> Option<Draft> {
    let Draft { mut policy, mut required } = Draft::default();
    let node = yaml::parse(bytes, problems)?;
    if matches!(node.value, Value::Null) {
        return Some(Draft { policy, required });
    }
    let fields = Field::root(&node).fields(keys::POLICY, problems)?;
    if let Some(field) = fields.get("mergeable") {
        required = read_mergeable(&field, &mut policy.mergeable, problems);
    }
    let base_moved = [("keep", BaseMoved::Keep), ("rerun", BaseMoved::Rerun)];
    set(&mut policy.base_moved, word(&fields, "base_moved", &base_moved, problems));
    let unowned = [("all", Unowned::All), ("none", Unowned::None)];
    set(&mut policy.unowned, word(&fields, "unowned", &unowned, problems));
    if let Some(field) = fields.get("branches") {
        set(&mut policy.branches, read_branches(&field, problems));
    }
    if let Some(field) = fields.get("ignore") {
        set(&mut policy.ignore, read_patterns("", &field, problems));
    }
    if let Some(field) = fields.get("forks") {
        let runs = [
            ("never", Forks::Never),
            ("after_approval", Forks::AfterApproval),
            ("always", Forks::Always),
        ];
        let fields = field.fields(keys::FORKS, problems);
        let run = fields.and_then(|fields| word(&fields, "run", &runs, problems));
        set(&mut policy.forks, run);
    }
    if let Some(field) = fields.get("secrets") {
        policy.secrets = read_secrets(&field, granted, problems);
    }
    if let Some(field) = fields.get("sandbox") {
        read_sandbox(&field, &mut policy.sandbox, problems);
    }
    if let Some(field) = fields.get("nightly") {
        read_nightly(&field, &mut policy.nightly, problems);
    }
    if let Some(field) = fields.get("notify") {
        let fields = field.fields(keys::NOTIFY, problems);
        let mention = fields.and_then(|fields| fields.get("mention_on_nightly_failure"));
        policy.mention_on_nightly_failure =
            mention.and_then(|field| field.parsed(mention_text, MENTION_HINT, problems));
    }
    Some(Draft { policy, required })
}

/// Isolation is only demanded here, never let go of: that is up to the node.
fn read_sandbox(field: &Field<'_>, sandbox: &mut Sandbox, problems: &mut Problems) {
    let Some(fields) = field.fields(keys::SANDBOX, problems) else { return };
    let demands =
        [("namespaces", Some(Demand::Namespaces)), ("container", Some(Demand::Container))];
    set(&mut sandbox.isolation, word(&fields, "isolation", &demands, problems));
    let mut network = |key: &str| {
        let is_shared = fields.get(key)?.boolean(problems)?;
        Some(if is_shared { Network::Shared } else { Network::None })
    };
    set(&mut sandbox.network, network("network"));
    set(&mut sandbox.forks_network, network("forks_network"));
}

fn read_nightly(field: &Field<'_>, nightly: &mut Nightly, problems: &mut Problems) {
    let Some(fields) = field.fields(keys::NIGHTLY, problems) else { return };
    let between = fields.get("between");
    let between = between.and_then(|field| field.parsed(str::parse, WINDOW_HINT, problems));
    set(&mut nightly.between, between);
    let timezone = fields.get("timezone");
    let timezone = timezone.and_then(|field| field.parsed(timezone_name, ZONE_HINT, problems));
    set(&mut nightly.timezone, timezone);
}

/// The name of a time zone that every node knows: their own databases may know more.
fn timezone_name(text: &str) -> Result<String, String> {
    let zones = TimeZoneDatabase::bundled();
    let found = zones.available().map(|name| name.to_string());
    let mut found = found.filter(|name| name.eq_ignore_ascii_case(text));
    // Written as it is in the database: not every system finds it otherwise.
    found.next().ok_or_else(|| format!("there is no time zone {text:?}"))
}

fn read_secrets(
    field: &Field<'_>,
    granted: Option<&BTreeSet<String>>,
    problems: &mut Problems,
) -> BTreeMap<String, Expose> {
    let words = [("branches", Expose::Branches), ("internal", Expose::Internal)];
    let mut secrets = BTreeMap::new();
    for (entry, field) in field.entries(problems).unwrap_or_default() {
        let name = &entry.key;
        if let Err(message) = check_name(name) {
            problems.report(entry.at, message, NAME_HINT);
        } else if granted.is_some_and(|granted| !granted.contains(name)) {
            let hint = "add it to `secrets` of this repository in ci-node.toml, or remove it here";
            problems.report(entry.at, format!("the node grants no secret `{name}`"), hint);
        }
        let Some(fields) = field.fields(keys::EXPOSED, problems) else { continue };
        let expose = word(&fields, "expose", &words, problems).unwrap_or(Expose::Branches);
        secrets.insert(name.clone(), expose);
    }
    secrets
}

/// Reads the gate; what it requires is returned, with the places.
fn read_mergeable(
    field: &Field<'_>,
    mergeable: &mut Mergeable,
    problems: &mut Problems,
) -> Vec<(JobId, At)> {
    let Some(fields) = field.fields(keys::MERGEABLE, problems) else { return Vec::new() };
    let approvals = fields.get("approvals").and_then(|field| field.number(0, problems));
    set(&mut mergeable.approvals, approvals);
    let blocks = fields.get("block_on_changes_requested");
    set(
        &mut mergeable.block_on_changes_requested,
        blocks.and_then(|field| field.boolean(problems)),
    );
    let stale = [("keep", StaleApprovals::Keep), ("dismiss", StaleApprovals::Dismiss)];
    set(&mut mergeable.stale_approvals, word(&fields, "stale_approvals", &stale, problems));
    let code_owners = fields.get("code_owners");
    set(&mut mergeable.code_owners, code_owners.and_then(|field| field.boolean(problems)));
    if let Some(field) = fields.get("optional") {
        let items = field.one_or_many(problems).unwrap_or_default();
        mergeable.optional =
            items.iter().filter_map(|item| item.parsed(job_pattern, JOB_HINT, problems)).collect();
    }
    let required = fields.get("required").and_then(|field| field.one_or_many(problems));
    let read =
        |item: &Field<'_>| Some((item.parsed(str::parse::<JobId>, JOB_HINT, problems)?, item.at()));
    required.unwrap_or_default().iter().filter_map(read).collect()
}

/// Who is called; not the words that stand for somebody in instructions.
fn mention_text(text: &str) -> Result<Mention, String> {
    if text.starts_with("@OWNER") {
        return Err(format!("{text:?} stands for somebody and is nobody"));
    }
    text.parse().map_err(|error: InvalidMention| error.to_string())
}

/// Checks that a pattern of jobs could match one: `*` is the only sign that no job has.
fn job_pattern(text: &str) -> Result<String, String> {
    let example = text.replace('*', "x");
    match example.parse::<JobId>() {
        Ok(_) => Ok(text.to_owned()),
        Err(_) => Err(format!("{text:?} is no pattern <component>:<job>, such as *:bench")),
    }
}

fn word<T: Copy>(
    fields: &Fields<'_>,
    key: &str,
    words: &[(&str, T)],
    problems: &mut Problems,
) -> Option<T> {
    fields.get(key)?.word(words, problems)
}

fn set<T>(place: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *place = value;
    }
}
