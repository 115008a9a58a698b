//! What a change affects, as tables of changed paths and components.

use proptest::prelude::*;

use super::*;
use crate::sample::{component, components, pipeline};

/// The repository of the talk, with dependencies declared instead of hard-coded.
const AIRCLOAK: &str = "
    air: common bom
    bom: common
    central: common
    ci: common
    cloak: common bom
    common
    data_quality: common
    integration_tests: air central cloak
";

fn policy(ignore: &[&str], unowned: Unowned) -> Policy {
    let ignore = ignore.iter().map(ToString::to_string).collect();
    Policy { ignore, unowned, ..Policy::default() }
}

fn paths(paths: &str) -> BTreeSet<String> {
    paths.split_whitespace().map(str::to_owned).collect()
}

fn names(affected: &Affected) -> String {
    let names: Vec<&str> = affected.components().map(|(name, _)| name.as_str()).collect();
    names.join(" ")
}

fn between(base: &str, merge: &str, changed: &str, policy: &Policy) -> Affected {
    let (base, changed) = (pipeline(base), paths(changed));
    Affected::by(Change { base: &base, paths: &changed }, &pipeline(merge), policy)
}

fn check(tree: &str, changed: &str, expected: &str) {
    let policy = policy(&["docs/**", "*.md"], Unowned::All);
    assert_eq!(names(&between(tree, tree, changed, &policy)), expected, "{changed}");
}

#[test]
fn the_table_of_the_talk() {
    let everything = "air bom central ci cloak common data_quality integration_tests";
    check(AIRCLOAK, "air/lib/air.ex", "air integration_tests");
    check(AIRCLOAK, "cloak/mix.exs", "cloak integration_tests");
    check(AIRCLOAK, "central/mix.exs", "central integration_tests");
    check(AIRCLOAK, "bom/mix.exs", "air bom cloak integration_tests");
    check(AIRCLOAK, "ci/lib/ci.ex", "ci");
    check(AIRCLOAK, "integration_tests/a", "integration_tests");
    check(AIRCLOAK, "data_quality/a", "data_quality");
    check(AIRCLOAK, "common/lib/x.ex", everything);
    check(AIRCLOAK, "VERSION", everything);
    check(AIRCLOAK, "README.md docs/a/b", "");
    check(AIRCLOAK, "", "");
    check(AIRCLOAK, "ci/x data_quality/y", "ci data_quality");
}

#[test]
fn default_inputs_end_where_a_nested_component_begins() {
    let tree = "root\nlibs\nlibs/common\nair";
    check(tree, "libs/x", "libs");
    check(tree, "libs/common/x", "libs/common");
    check(tree, "libs/commons/x", "libs");
    check(tree, "air", "root");
    check(tree, "Makefile scripts/x", "root");
    check(tree, "root/x", "root");
}

#[test]
fn explicit_inputs_come_before_ignore_and_default_inputs() {
    let tree = "air = ** /VERSION\nweb = ** !** assets/** docs/*.md /docs/api.md\nroot";
    check(tree, "VERSION", "air");
    check(tree, "web/assets/x", "web");
    check(tree, "docs/api.md", "web");
    check(tree, "docs/other.md", "");
    check(tree, "web/lib/x", "air root web");
    check("air = ** /web/schema\nweb", "web/schema", "air");
}

#[test]
fn a_components_own_file_always_counts() {
    check("air = lib/**", "air/ci.yaml", "air");
    check("docs\nair", "docs/ci.yaml docs/x", "docs");
    check("root\nair", "ci.yaml", "root");
}

#[test]
fn unowned_paths_affect_all_or_nothing() {
    let check = |unowned, expected: &str| {
        let affected = between("air\nweb", "air\nweb", "VERSION", &policy(&[], unowned));
        assert_eq!(names(&affected), expected);
    };
    check(Unowned::All, "air web");
    check(Unowned::None, "");
}

#[test]
fn both_graphs_count_and_what_is_gone_is_dropped() {
    let all = policy(&[], Unowned::All);
    let check = |base, merge, changed, expected: &str| {
        assert_eq!(names(&between(base, merge, changed, &all)), expected, "{changed}");
    };
    // A new component, an abandoned one, and one whose dependant lets go of it.
    check("air\nweb", "air\nweb\nnew", "new/ci.yaml new/x", "new");
    check("air\nold\nweb", "air\nweb", "old/ci.yaml old/x", "");
    check("air: old\nold\nweb", "air\nweb", "old/x", "air");
    check("air: web\nweb", "air\nweb", "web/x air/ci.yaml", "air web");
    // A moved file counts where it was and where it is.
    check("air\nweb", "air\nweb", "air/x web/x", "air web");
    // Inputs that the change itself takes away still count once.
    check("air = ** /VERSION\nweb", "air\nweb", "VERSION air/ci.yaml", "air");
}

#[test]
fn what_cannot_be_computed_is_everything() {
    let all = policy(&[], Unowned::None);
    let why = |base, merge, policy: &Policy| {
        let affected = between(base, merge, "air/x", policy);
        assert_eq!(names(&affected), "air web");
        affected.why(&component("web")).unwrap().first.clone()
    };
    let unknown = |why: &str| vec![Reason::Unknown { why: why.to_owned() }];
    let tree = "air\nweb";
    assert_eq!(
        why("air: gone\nweb", tree, &all),
        unknown("the components of the base have no dependency order")
    );
    assert_eq!(
        why("air = a//b\nweb", tree, &all),
        unknown("the base has inputs of air that cannot be matched")
    );
    let bad_ignore = policy(&["a//b"], Unowned::None);
    assert!(matches!(&why(tree, tree, &bad_ignore)[..], [Reason::Unknown { .. }]));
}

#[test]
fn every_component_says_why() {
    let tree = "air: common\ncommon = ** /VERSION\nweb";
    let affected = between(
        tree,
        &format!("{tree}\nroot"),
        "common/x VERSION docs/a old/b",
        &policy(&["docs/**"], Unowned::All),
    );
    let why = |name: &str| affected.why(&component(name)).cloned().unwrap_or_default().first;
    let changed = |path: &str, claim| Reason::Changed { path: path.to_owned(), claim };
    assert_eq!(
        why("common"),
        [
            changed("VERSION", Claim::Input("/VERSION".to_owned())),
            changed("common/x", Claim::Input("**".to_owned())),
        ]
    );
    assert_eq!(why("air"), [Reason::DependsOn(component("common"))]);
    assert_eq!(why("root"), [changed("old/b", Claim::Folder)]);
    assert_eq!(why("web"), []);
    assert_eq!(affected.without_effect().first, [("docs/a".to_owned(), NoEffect::Ignored)]);
}

#[test]
fn a_path_is_without_effect_only_where_nobody_is_left_who_claims_it() {
    let without = |base, merge| {
        let affected = between(base, merge, "libs/old/x", &policy(&[], Unowned::All));
        (names(&affected), affected.without_effect().first.clone())
    };
    let gone = NoEffect::Gone(component("libs/old"));
    let path = "libs/old/x".to_owned();
    assert_eq!(without("air\nlibs/old", "air"), (String::new(), vec![(path, gone)]));
    // The component around it has it now.
    assert_eq!(without("libs\nlibs/old", "libs"), ("libs".to_owned(), Vec::new()));
}

#[test]
fn few_reasons_of_many_are_kept() {
    let changed: Vec<String> = (0..100).map(|number| format!("air/{number}")).collect();
    let affected = between("air", "air", &changed.join(" "), &policy(&[], Unowned::All));
    let why = affected.why(&component("air")).unwrap();
    assert_eq!((why.first.len(), why.more), (MAX_KEPT, true));
}

#[test]
fn requested_components_are_affected_by_request() {
    let affected = Affected::requested(components(["web", "air"]));
    assert_eq!(names(&affected), "air web");
    assert_eq!(affected.why(&component("air")).unwrap().first, [Reason::Requested]);
}

fn any_tree() -> impl Strategy<Value = String> {
    let line = prop_oneof![
        Just("air: common"),
        Just("air = lib/** /VERSION"),
        Just("common"),
        Just("libs/deep: common"),
        Just("libs"),
        Just("root"),
        Just("web: air libs"),
    ];
    prop::collection::vec(line, 0..6)
        .prop_map(|lines| format!("common\nair\nlibs\n{}", lines.join("\n")))
}

fn any_paths() -> impl Strategy<Value = BTreeSet<String>> {
    let path = prop_oneof![
        Just("air/lib/x"),
        Just("air/x"),
        Just("common/x"),
        Just("libs/x"),
        Just("libs/deep/x"),
        Just("web/ci.yaml"),
        Just("VERSION"),
        Just("docs/x"),
    ];
    prop::collection::btree_set(path.prop_map(str::to_owned), 0..6)
}

fn any_policy() -> impl Strategy<Value = Policy> {
    (any::<bool>(), any::<bool>()).prop_map(|(ignore, all)| {
        let ignored: &[&str] = if ignore { &["docs/**"] } else { &[] };
        policy(ignored, if all { Unowned::All } else { Unowned::None })
    })
}

proptest! {
    #[test]
    fn more_changes_never_affect_less(
        base in any_tree(), merge in any_tree(), few in any_paths(), more in any_paths(), policy in any_policy(),
    ) {
        let (base, merge) = (pipeline(&base), pipeline(&merge));
        let all: BTreeSet<String> = few.union(&more).cloned().collect();
        let few = Affected::by(Change { base: &base, paths: &few }, &merge, &policy);
        let all = Affected::by(Change { base: &base, paths: &all }, &merge, &policy);
        prop_assert!(few.components().all(|(name, _)| all.contains(name)));
    }

    #[test]
    fn all_that_is_affected_is_in_the_merge_and_brings_its_dependants(
        base in any_tree(), merge in any_tree(), changed in any_paths(), policy in any_policy(),
    ) {
        let (base, merge) = (pipeline(&base), pipeline(&merge));
        let affected = Affected::by(Change { base: &base, paths: &changed }, &merge, &policy);
        let graph = merge.component_graph().unwrap();
        for (name, why) in affected.components() {
            prop_assert!(merge.components.contains_key(name));
            prop_assert!(!why.first.is_empty());
        }
        let claims = Claims::new(&merge).unwrap();
        let ignore = PathPatterns::new("", &policy.ignore).unwrap();
        for path in &changed {
            let Claimants::Components(claimants) = claims.of(path, &ignore) else { continue };
            for (name, _) in claimants {
                prop_assert!(affected.contains(&name));
                prop_assert!(graph.all_dependants(&name).iter().all(|each| affected.contains(each)));
            }
        }
    }
}
