//! `ci-policy.yaml`: what it says, and what is said of its mistakes.
#![expect(clippy::unwrap_used, reason = "a test may fail loudly")]

#[path = "support/findings.rs"]
mod findings;

use ci_config::{FileContent, check_policy, parse_pipeline, parse_policy, parse_policy_granted};
use ci_domain::nightly::Nightly;
use ci_domain::policy::{
    BaseMoved, Demand, Expose, Forks, Mergeable, Network, Policy, Sandbox, StaleApprovals, Unowned,
};
use findings::assert_found;
use proptest::prelude::*;

const EXAMPLE: &str = include_str!("files/ci-policy.yaml");

#[test]
fn reads_all_that_a_policy_can_say() {
    let text = |list: &[&str]| list.iter().map(ToString::to_string).collect();
    let expected = Policy {
        mergeable: Mergeable {
            approvals: 2,
            block_on_changes_requested: false,
            stale_approvals: StaleApprovals::Dismiss,
            code_owners: true,
            optional: text(&["*:bench"]),
            required: vec!["air:test".parse().unwrap()],
        },
        base_moved: BaseMoved::Rerun,
        branches: text(&["main", "release/*"]),
        ignore: text(&["docs/**", "*.md"]),
        unowned: Unowned::None,
        forks: Forks::Never,
        sandbox: Sandbox {
            isolation: Some(Demand::Container),
            network: Network::None,
            forks_network: Network::Shared,
        },
        secrets: [
            ("HEX_KEY".to_owned(), Expose::Branches),
            ("NPM_TOKEN".to_owned(), Expose::Internal),
            ("OTHER".to_owned(), Expose::Branches),
        ]
        .into(),
        nightly: Nightly {
            between: "22:30-04:00".parse().unwrap(),
            timezone: "Europe/Berlin".to_owned(),
        },
        mention_on_nightly_failure: Some("@acme/dev".parse().unwrap()),
    };
    assert_eq!(parse_policy(EXAMPLE.as_bytes()), Ok(expected));
}

#[test]
fn what_is_left_out_has_its_default() {
    for text in ["", "# nothing\n", "{}", "mergeable: {}\nforks: {}\n", "mergeable: {approvals: 1}"]
    {
        assert_eq!(parse_policy(text.as_bytes()), Ok(Policy::default()), "{text:?}");
    }
    let policy = parse_policy(b"mergeable: {approvals: 0}\nbranches: main").unwrap();
    assert_eq!((policy.mergeable.approvals, policy.branches), (0, vec!["main".to_owned()]));
}

fn check(text: &str, expected: &[&str]) {
    let diagnostics = parse_policy(text.as_bytes()).map(|_| ()).unwrap_err();
    let found = diagnostics.iter().map(ToString::to_string);
    let found: Vec<String> =
        found.map(|text| text.strip_prefix("ci-policy.yaml:").unwrap().to_owned()).collect();
    assert_found(&found, expected, text);
}

#[test]
fn nights_have_a_window_a_time_zone_and_somebody_to_call() {
    check(
        "nightly: {between: 5, timezone: Middle/Earth}\nnotify: {mention_on_nightly_failure: acme}\n",
        &[
            "1:20: `nightly.between`: \"5\" is no time of day and another, such as 00:00-05:00",
            "1:33: `nightly.timezone`: there is no time zone \"Middle/Earth\"",
            "2:38: `notify.mention_on_nightly_failure`: \"acme\" is nobody who can be mentioned, such \
             as @ada or @acme/dev",
        ],
    );
    check(
        "nightly: {between: \"05:00-05:00\", at: x}",
        &[
            "1:20: `nightly.between`: \"05:00-05:00\" begins when it ends",
            "1:35: unknown key `nightly.at`",
        ],
    );
    let zone = |text: &str| parse_policy(text.as_bytes()).unwrap().nightly.timezone;
    assert_eq!(zone("nightly: {timezone: europe/berlin}"), "Europe/Berlin");
    assert_eq!(zone("nightly: {between: \"22:00-04:00\"}"), "UTC");
}

#[test]
fn isolation_is_demanded_here_and_never_let_go_of() {
    for word in ["none", "auto"] {
        check(
            &format!("sandbox: {{isolation: {word}}}"),
            &[&format!("1:22: `sandbox.isolation`: \"{word}\" is none of namespaces, container")],
        );
    }
    check(
        "sandbox: {network: maybe}",
        &["1:20: `sandbox.network`: expected true or false, found text"],
    );
}

#[test]
fn mistakes_are_named() {
    check(
        "mergable: {}\nmergeable:\n  approvals: two\n  stale_approvals: drop\n  optional: [bench]\n  \
            required: [\"air\"]\nignore: [\"a//b\"]\nunowned: some\nforks: always\n",
        &[
            "1:1: unknown key `mergable`\n  hint: did you mean `mergeable`?",
            "3:14: `mergeable.approvals`: expected a whole number from 0 on, found text",
            "4:20: `mergeable.stale_approvals`: \"drop\" is none of keep, dismiss",
            "5:14: `mergeable.optional[0]`: \"bench\" is no pattern <component>:<job>, such as *:bench",
            "6:14: `mergeable.required[0]`: job \"air\" is invalid: <component>:<job>",
            "7:10: `ignore[0]`: pattern \"a//b\" has an empty, '.' or '..' part, which no path has",
            "8:10: `unowned`: \"some\" is none of all, none",
            "9:8: `forks`: expected a map, found text\n  hint: write `forks: {run: …}`",
        ],
    );
}

#[test]
fn no_mistake_hides_another() {
    check(
        "mergeable: 1\nbranches: [\"rel ease\", \"a..b\", [], main]\nignore: [a//b, ../c, 5]\nforks: always\n\
            secrets: {KEY: internal}\nsandbox: none\nnightly: 3\nnotify: \"@acme/dev\"\nunknown: 1\n",
        &[
            "1:12: `mergeable`: expected a map, found a number",
            "2:12: `branches[0]`: no branch can be called \"rel ease\"\n  \
                hint: write it as git branch has it, such as main; * stands for anything but '/'",
            "2:24: `branches[1]`: no branch can be called \"a..b\"",
            "2:32: `branches[2]`: expected text, found a list",
            "3:10: `ignore[0]`: pattern \"a//b\" has an empty, '.' or '..' part, which no path has",
            "3:16: `ignore[1]`: pattern \"../c\" has an empty, '.' or '..' part, which no path has",
            "3:22: `ignore[2]`: expected text, found a number\n  hint: quote it, if it is meant as text",
            "4:8: `forks`: expected a map, found text",
            "5:16: `secrets.KEY`: expected a map, found text\n  hint: write `KEY: {expose: …}`",
            "6:10: `sandbox`: expected a map, found text",
            "7:10: `nightly`: expected a map, found a number",
            "8:9: `notify`: expected a map, found text\n  \
                hint: write `notify: {mention_on_nightly_failure: …}`",
            "9:1: unknown key `unknown`",
        ],
    );
}

#[test]
fn a_list_of_patterns_is_wrong_alone_or_together() {
    check(
        "ignore: [\"!a\"]",
        &["1:10: `ignore[0]`: pattern \"!a\" takes back from nothing: put the pattern \
        that claims before it"],
    );
    let many = vec!["a"; 101].join(", ");
    check(
        &format!("ignore: [{many}]"),
        &["1:310: `ignore[100]`: pattern \"a\" is one too many: a list may have 100"],
    );
    check("branches: []", &["1:11: `branches`: there is no branch in it"]);
}

#[test]
fn what_stands_for_somebody_is_nobody() {
    check(
        "notify: {mention_on_nightly_failure: \"@OWNER/TEAM\"}",
        &[
            "1:38: `notify.mention_on_nightly_failure`: \"@OWNER/TEAM\" stands for somebody and is nobody",
        ],
    );
}

#[test]
fn what_is_required_is_looked_for_beside_other_mistakes() {
    let file = ("air/ci.yaml".to_owned(), FileContent::Bytes(b"jobs: {test: [x]}".to_vec()));
    let pipeline = parse_pipeline([file]).unwrap();
    let text = "mergeable:\n  required: [\"air:test\", \"air:lint\"]\nunownd: all\n";
    let found = check_policy(text.as_bytes(), &pipeline);
    let found: Vec<String> = found.iter().map(ToString::to_string).collect();
    assert_found(
        &found,
        &[
            "ci-policy.yaml:2:26: `air:lint` is required, but no pull request of this tree runs it",
            "ci-policy.yaml:3:1: unknown key `unownd`",
        ],
        text,
    );
}

#[test]
fn a_secret_that_the_node_does_not_grant_is_an_error() {
    let granted = ["HEX_KEY".to_owned()].into();
    let text = b"secrets:\n  HEX_KEY: {}\n  OTHER: {expose: internal}\n";
    let found = parse_policy_granted(text, &granted).unwrap_err();
    let found: Vec<String> = found.iter().map(ToString::to_string).collect();
    assert_eq!(
        found,
        [
            "ci-policy.yaml:3:3: the node grants no secret `OTHER`\n  hint: add it to `secrets` of this \
            repository in ci-node.toml, or remove it here"
        ],
    );
    let policy = parse_policy_granted(b"secrets: {HEX_KEY: {}}", &granted).unwrap();
    assert_eq!(policy.secrets["HEX_KEY"], Expose::Branches);
}

#[test]
fn secrets_are_exposed_to_few() {
    check(
        "secrets:\n  CI_KEY: {}\n  KEY: {expose: forks}\n  OTHER: internal\n",
        &[
            "2:3: `CI_KEY` is reserved: the node sets variables that start with CI",
            "3:17: `secrets.KEY.expose`: \"forks\" is none of branches, internal",
            "4:10: `secrets.OTHER`: expected a map, found text",
        ],
    );
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = parse_policy(&bytes);
    }
}
