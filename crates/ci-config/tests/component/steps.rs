//! Steps: what they are, and where in the tree of their job.

use std::collections::BTreeMap;
use std::time::Duration;

use ci_domain::step::Step;

use crate::{EXAMPLE, check, job, parse};

/// A tree as lines: each step's place, what it is, and what it says.
pub(crate) fn outline(steps: &[Step]) -> Vec<String> {
    let line = |step: &Step| {
        let own = match step {
            Step::Command(command) => format!("{} {}", command.id, command.run),
            Step::Sequence(group) => format!("{} sequence {:?}", group.id, group.name),
            Step::Parallel(group) => {
                format!(
                    "{} parallel {:?} {:?} {}",
                    group.id, group.name, group.limit, group.fail_fast
                )
            }
        };
        [vec![own], outline(step.children())].concat()
    };
    steps.iter().flat_map(line).collect()
}

#[test]
fn steps_are_numbered_where_they_are_used() {
    let component = parse(EXAMPLE).unwrap();
    let expected = [
        "0 sequence Some(\"warm\")",
        "0.0 sequence Some(\"deps\")",
        "0.0.0 mix deps.get",
        "0.1 mix compile",
        "1 parallel None None false",
        "1.0 mix format --check-formatted",
        "1.1 mix test",
        "1.2 sequence None",
        "1.2.0 mix dialyzer --plt",
        "1.2.1 mix dialyzer",
        "2 parallel Some(\"checks\") Some(2) true",
        "2.0 one",
        "2.1 two",
        "3 sequence Some(\"last\")",
        "3.0 three",
        "4 sequence None",
        "4.0 four",
        "4.1 five",
    ];
    assert_eq!(outline(&job(&component, "test").steps.steps), expected);
    assert_eq!(outline(&job(&component, "lint").steps.steps), ["0 make lint"]);
    assert_eq!(
        outline(&job(&component, "compliance").steps.steps),
        ["0 make compliance\nmake report\n"]
    );
}

#[test]
fn reads_all_that_a_command_can_say() {
    let component = parse(EXAMPLE).unwrap();
    let steps = &job(&component, "test").steps.steps;
    let Step::Command(command) = &steps[1].children()[1] else { panic!("a command") };
    assert_eq!(command.title(), "unit tests");
    assert_eq!((command.timeout, command.retry), (Some(Duration::from_secs(1200)), 1));
    assert_eq!(command.env, BTreeMap::from([("SEED".to_owned(), "0".to_owned())]));
    assert!(command.allow_failure && !command.always);
    assert_eq!(command.keeps.artifacts, ["cover/**", "!cover/tmp/", "/VERSION"]);
    assert_eq!(command.keeps.junit, ["_build/*.xml"]);
    let Step::Command(command) = &steps[0].children()[1] else { panic!("a command") };
    assert!(command.always && !command.allow_failure);
}

#[test]
fn steps_must_be_steps() {
    check(
        "jobs:\n  a: []\n  b: [\"\"]\n  c:\n  d: [{run: x, use: y}]\n  e: [{parallel: []}]\n  f: [{rnu: x}]\n",
        &[
            "2:6: `jobs.a`: there are no steps",
            "3:7: `jobs.b[0]`: the command is empty",
            "4:4: `jobs.c`: expected a command, a list of steps, or a map with run, use, parallel or sequence, \
                found nothing",
            "5:7: `jobs.d[0]`: a step is one of run, use, not all of them",
            "6:18: `jobs.e[0].parallel`: there are no steps",
            "7:7: `jobs.f[0]`: this is no step\n  hint: did you mean `run`?",
        ],
    );
    check(
        "jobs:\n  a:\n    - echo a: b\n    -\n  b: {timeout: 1h}\n",
        &[
            "3:7: `jobs.a[0]`: this is no step\n  hint: a command with ': ' in it must be quoted",
            "4:6: `jobs.a[1]`: expected a command, a list of steps, or a map with run, use, parallel or \
                sequence, found nothing",
            "5:6: `jobs.b.steps` is missing",
        ],
    );
    check(
        "jobs:\n  a:\n    - {parallel: {limit: 0, steps: [x]}, limit: 2}\n    - {sequence: {limit: 1, steps: [x]}}\n",
        &[
            "3:49: `jobs.a[0].limit`: stands both beside the group and in it",
            "4:19: unknown key `jobs.a[1].sequence.limit`\n  hint: the keys here are name, steps",
        ],
    );
}

#[test]
fn named_steps_exist_and_end() {
    check(
        "define: {deps: [x], a: [{use: b}], b: [{use: a}], unused: [{run: []}]}\njobs: {t: [{use: dep}, {use: zzz}]}",
        &[
            "1:31: `define.a[0].use`: steps use themselves: b → a → b",
            "1:46: `define.b[0].use`: steps use themselves: a → b → a",
            "1:66: `define.unused[0].run`: expected text, found a list",
            "2:18: `jobs.t[0].use`: no steps are defined as `dep`\n  hint: did you mean `deps`?",
            "2:30: `jobs.t[1].use`: no steps are defined as `zzz`\n  hint: name the steps under `define`",
        ],
    );
}

#[test]
fn a_few_lines_cannot_become_millions() {
    let mut text = "define:\n  a0: [x]\n".to_owned();
    for level in 1..30 {
        let last = level - 1;
        text += &format!("  a{level}: [{{use: a{last}}}, {{use: a{last}}}]\n");
    }
    let diagnostics = parse(&text).unwrap_err();
    assert_eq!(diagnostics.len(), 1, "{diagnostics:?}");
    assert!(diagnostics[0].message.contains("more than 10000 steps"), "{}", diagnostics[0]);
    let mut chain = "define:\n  a0: [x]\n".to_owned();
    for level in 1..2000 {
        chain += &format!("  a{level}: [use: a{}]\n", level - 1);
    }
    assert!(parse(&chain).unwrap_err()[0].message.contains("64 levels"));
}
