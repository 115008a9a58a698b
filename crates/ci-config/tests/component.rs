//! `ci.yaml`: what it says, and what is said of its mistakes.
#![expect(clippy::unwrap_used, reason = "a test may fail loudly")]

#[path = "support/findings.rs"]
mod findings;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use ci_config::{Diagnostic, parse_component};
use ci_domain::pipeline::{Component, Image, Job, Needs, On, When};
use ci_domain::step::Step;
use findings::assert_found;
use proptest::prelude::*;

const EXAMPLE: &str = include_str!("files/component.yaml");

fn parse(text: &str) -> Result<Component, Vec<Diagnostic>> {
    parse_component("air/ci.yaml", text.as_bytes())
}

fn job<'a>(component: &'a Component, name: &str) -> &'a Job {
    &component.jobs[&name.parse().unwrap()]
}

/// A tree as lines: each step's place, what it is, and what it says.
fn outline(steps: &[Step]) -> Vec<String> {
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
fn reads_all_that_a_component_can_say() {
    let component = parse(EXAMPLE).unwrap();
    assert_eq!(component.name.as_str(), "air");
    assert_eq!(component.depends_on, BTreeSet::from(["common".parse().unwrap()]));
    assert_eq!(component.inputs.as_deref().unwrap(), ["**", "!docs/**", "/VERSION"]);
    let env = [("COUNT", "3"), ("EMPTY", ""), ("MIX_ENV", "test"), ("VERBOSE", "true")];
    let own = |(key, value): (&str, &str)| (key.to_owned(), value.to_owned());
    assert_eq!(component.env, BTreeMap::from(env.map(own)));
    let names: Vec<&str> = component.jobs.keys().map(|name| name.as_str()).collect();
    assert_eq!(names, ["compile", "compliance", "lint", "soak", "sweep", "test"]);
}

#[test]
fn reads_what_jobs_wait_for() {
    let component = parse(EXAMPLE).unwrap();
    let compliance = job(&component, "compliance");
    let needs = ["air:test", "common:test"].map(|need| need.parse().unwrap());
    assert_eq!(compliance.needs, Needs::These(BTreeSet::from(needs)));
    assert_eq!(compliance.when, When::Approved);
    assert_eq!(compliance.timeout, Some(Duration::from_secs(7200)));
    let test = job(&component, "test");
    assert_eq!((&test.needs, test.when, test.timeout), (&Needs::Default, When::Always, None));
    assert_eq!(test.on, BTreeSet::from([On::Pull]));
    assert_eq!(job(&component, "compile").on, BTreeSet::from([On::Pull, On::Branch]));
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
    let Step::Command(command) = &steps[0].children()[1] else { panic!("a command") };
    assert!(command.always && !command.allow_failure);
}

#[test]
fn scalars_are_taken_as_they_are_written() {
    let component =
        parse("env: {A: 1.10, B: yes, C: 0x1F, D: 'null'}\njobs: {t: [true, 7]}").unwrap();
    let values: Vec<&str> = component.env.values().map(String::as_str).collect();
    assert_eq!(values, ["1.10", "yes", "0x1F", "null"]);
    assert_eq!(outline(&job(&component, "t").steps.steps), ["0 true", "1 7"]);
}

#[test]
fn an_empty_file_is_a_component_without_jobs() {
    for text in ["", "# nothing yet\n", "{}", "---\n"] {
        assert!(parse(text).unwrap().jobs.is_empty(), "{text:?}");
    }
}

/// Checks all diagnostics of a file, without the path before each.
fn check(text: &str, expected: &[&str]) {
    let diagnostics = parse(text).map(|_| ()).unwrap_err();
    let found = diagnostics.iter().map(ToString::to_string);
    let found: Vec<String> =
        found.map(|text| text.strip_prefix("air/ci.yaml:").unwrap().to_owned()).collect();
    assert_found(&found, expected, text);
}

#[test]
fn reads_what_runs_at_night() {
    let component = parse(EXAMPLE).unwrap();
    let soak = job(&component, "soak");
    assert_eq!(soak.on, BTreeSet::from([On::Nightly]));
    assert_eq!(soak.timeout, Some(Duration::from_secs(4 * 3600)));
    let needs = ["air:test", "common:fuzz"].map(|need| need.parse().unwrap());
    assert_eq!(soak.needs, Needs::These(needs.into()));
    assert_eq!(job(&component, "sweep").needs, Needs::Default);
    check(
        "jobs: {test: [x]}\nnightly:\n  test: [x]\n  soak: {on: pull, steps: [x]}\n",
        &[
            "3:3: the component has a job `test` already\n  hint: give the nightly job a name of its own",
            "4:10: unknown key `nightly.soak.on`",
        ],
    );
}

#[test]
fn unknown_keys_are_named() {
    check(
        "depend_on: [x]\njobs:\n  test:\n    need: []\n    steps: [make]\nservices: {}\n",
        &[
            "1:1: unknown key `depend_on`\n  hint: did you mean `depends_on`?",
            "4:5: unknown key `jobs.test.need`\n  hint: did you mean `needs`?",
            "6:1: unknown key `services`\n  hint: the keys here are define, depends_on, inputs, env, image, jobs, nightly",
        ],
    );
}

#[test]
fn an_image_is_built_or_has_a_name() {
    let image = |text: &str| parse(text).unwrap().image;
    assert_eq!(image("jobs: {}"), None);
    assert_eq!(image("image: ci/Dockerfile"), Image::parse("ci/Dockerfile").ok());
    assert_eq!(image("image: rust:1.90"), Some(Image::Named("rust:1.90".to_owned())));
    let hint = "hint: write the path of a Dockerfile from the root, as ci/Dockerfile, or a name, as debian:12";
    check(
        "image: ../Dockerfile\n",
        &[&format!("1:8: `image`: no path from the root of the repository\n  {hint}")],
    );
    check(
        "jobs: {}\nimage: --privileged\n",
        &[&format!("2:8: `image`: no name of an image\n  {hint}")],
    );
}

#[test]
fn yaml_is_read_strictly() {
    check(
        "jobs:\n  test: &a [make]\n  lint: *a\n  x: !sh [make]\n  test: [again]\n",
        &[
            "2:9: anchors are not allowed\n  hint: name steps under `define` and `use` them",
            "3:9: aliases are not allowed\n  hint: quote text that starts with '*'; `use` named steps",
            "4:6: tags are not allowed\n  hint: quote text that starts with '!'",
            "5:3: the key `test` is there twice\n  hint: it is first on line 2",
        ],
    );
    check("a: 1\n---\nb: 2\n", &["2:1: a second document begins: one file is one document"]);
    check("[1]: x\n", &["1:1: a key must be text, not a list"]);
    check("- a\n", &["1:1: expected a map, found a list"]);
    check("jobs: {a: [b}\n", &["1:11: mismatched bracket '[' closed by '}'"]);
}

#[test]
fn files_beyond_all_measure_are_refused() {
    let big = format!("#{}", "x".repeat(256 * 1024));
    check(
        &big,
        &["1:1: the file has 262145 bytes, more than 262144\n  \
            hint: move long scripts into files of their own and call them"],
    );
    let deep =
        |levels: usize| format!("jobs: {{t: {}x{}}}", "[".repeat(levels), "]".repeat(levels));
    assert!(parse(&deep(62)).is_ok());
    check(&deep(63), &["1:73: the file is nested deeper than 64 levels"]);
    check(&deep(5000), &["1:265: the file is nested deeper than 64 levels"]);
    let bytes = parse_component("air/ci.yaml", b"jobs:\n  t: \xff").unwrap_err();
    assert_eq!(
        bytes[0].to_string(),
        "air/ci.yaml:2:6: the file is not UTF-8 from here on\n  hint: save the file as UTF-8"
    );
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
fn values_say_what_was_expected() {
    check(
        "jobs:\n  a:\n    when: aproved\n    on: [push]\n    timeout: 20\n    needs: [\"a b\", x:y:Z]\n    \
            steps:\n    - {run: x, retry: -1, always: yes, timeout: 0s, name: \"a\\nb\", env: [x]}\n",
        &[
            "3:11: `jobs.a.when`: \"aproved\" is none of always, approved\n  hint: did you mean `approved`?",
            "4:10: `jobs.a.on[0]`: \"push\" is none of pull, branch",
            "5:14: `jobs.a.timeout`: \"20\" is no duration such as 30s, 20m or 1h30m",
            "6:13: `jobs.a.needs[0]`: job \"a b\" is invalid: 1 to 100 characters of [a-z0-9_-]",
            "6:20: `jobs.a.needs[1]`: component \"x:y\" is invalid: 1 to 100 characters of [A-Za-z0-9._/-], \
                no empty, '.' or '..' part, and not 'mergeable'",
            "8:23: `jobs.a.steps[0].retry`: expected a whole number from 0 on, found text",
            "8:35: `jobs.a.steps[0].always`: expected true or false, found text",
            "8:49: `jobs.a.steps[0].timeout`: \"0s\" is no time at all",
            "8:59: `jobs.a.steps[0].name`: a name is one line of printable text",
            "8:72: `jobs.a.steps[0].env`: expected a map, found a list",
        ],
    );
    check(
        "jobs: {Test: [x], a: {on: [], steps: [x]}}\ninputs: [\"**\", \"../x\"]\n",
        &[
            "1:8: job \"Test\" is invalid: 1 to 100 characters of [a-z0-9_-]",
            "1:27: `jobs.a.on`: the job would never run",
            "2:16: `inputs[1]`: pattern \"../x\" has an empty, '.' or '..' part, which no path has",
        ],
    );
}

#[test]
fn variables_have_names_and_text() {
    check(
        "env: {1A: x, CI: x, CI_JOB: x, A: , B: [], C: \"\\0\"}",
        &[
            "1:7: \"1A\" is no name of a variable: letters, digits and '_', no digit first",
            "1:14: `CI` is reserved: the node sets variables that start with CI",
            "1:21: `CI_JOB` is reserved: the node sets variables that start with CI",
            "1:33: `env.A`: expected text, found nothing",
            "1:40: `env.B`: expected text, found a list",
            "1:47: `env.C`: has a NUL character",
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

#[test]
fn the_folder_is_the_name() {
    let check = |path: &str, expected: Result<&str, &str>| {
        let found = parse_component(path, b"").map(|component| component.name.to_string());
        let found = found.map_err(|diagnostics| diagnostics[0].to_string());
        let found = found.map_err(|text| text.lines().next().unwrap().to_owned());
        assert_eq!(found.as_deref().map_err(String::as_str), expected);
    };
    check("ci.yaml", Ok("root"));
    check("libs/common/ci.yaml", Ok("libs/common"));
    check(
        "root/ci.yaml",
        Err(
            "root/ci.yaml:1:1: component \"root\" is invalid: a folder that is not called 'root', which \
            names the repository's own",
        ),
    );
    assert!(parse_component("mergeable/ci.yaml", b"").is_err());
    assert!(parse_component("a b/ci.yaml", b"").is_err());
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = parse_component("air/ci.yaml", &bytes);
    }

    #[test]
    fn no_text_makes_it_panic(words in prop::collection::vec(word(), 0..40)) {
        let text = words.concat();
        if let Err(diagnostics) = parse_component("air/ci.yaml", text.as_bytes()) {
            prop_assert!(!diagnostics.is_empty());
            for diagnostic in diagnostics {
                prop_assert!(diagnostic.line > 0 && diagnostic.column > 0);
            }
        }
    }
}

/// The words of a component file, and what makes them trip.
fn word() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "jobs",
        "define",
        "use",
        "run",
        "parallel",
        "sequence",
        "steps",
        "env",
        "needs",
        "test",
        "compile",
        "a",
        ": ",
        ":",
        "\n",
        "\n  ",
        "\n    ",
        "\n    - ",
        "- ",
        "[",
        "]",
        "{",
        "}",
        ", ",
        "\"",
        "'",
        "&a ",
        "*a",
        "!t ",
        "|",
        ">",
        "#",
        "~",
        "---\n",
        "...\n",
        "%YAML 1.2\n",
        "? ",
        "\t",
        "é",
        "\u{feff}",
        "\0",
        "1h",
        "true",
        "<<: ",
        "\r\n",
        "\u{85}",
    ])
}
