//! Keys and values that are wrong.

use ci_config::parse_component;

use crate::check;

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
            "8:23: `jobs.a.steps[0].retry`: expected a whole number from 0 on, found -1\n  hint: write 0 or more",
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
fn what_is_kept_is_named_by_patterns_of_files() {
    check(
        "jobs:\n  a:\n    - {run: x, artifacts: [dist/, ../up, \"\", \"a[b\"], reports: {junit: []}}\n    \
            - {run: x, artifacts: [], reports: {xunit: a.xml}}\n    - {run: x, artifacts: \"!a\", reports: a.xml}\n",
        &[
            "3:35: `jobs.a[0].artifacts[1]`: pattern \"../up\" has an empty, '.' or '..' part, which no path has",
            "3:42: `jobs.a[0].artifacts[2]`: pattern \"\" is empty",
            "3:46: `jobs.a[0].artifacts[3]`: pattern \"a[b\" unclosed character class; missing ']'",
            "3:71: `jobs.a[0].reports.junit`: there is no file in it",
            "4:27: `jobs.a[1].artifacts`: there is no file in it",
            "4:41: unknown key `jobs.a[1].reports.xunit`",
            "5:27: `jobs.a[2].artifacts`: pattern \"!a\" takes back from nothing: put the pattern that claims before it",
            "5:42: `jobs.a[2].reports`: expected a map, found text",
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
fn no_mistake_hides_another() {
    check(
        "image: 3\ninputs: [a//b, 5, \"ok\", ../c]\nenv: 1\ndepends_on: [\"a b\", c//d]\njobs:\n  a: {timeout: 5, when: no}\n  \
            B: [x]\n  c: [{run: \"\", retry: -1}, {use: nothing}, {parallel: 1, limit: 0}]\n",
        &[
            "1:8: `image`: expected text, found a number",
            "2:10: `inputs[0]`: pattern \"a//b\" has an empty, '.' or '..' part, which no path has",
            "2:16: `inputs[1]`: expected text, found a number",
            "2:25: `inputs[3]`: pattern \"../c\" has an empty, '.' or '..' part, which no path has",
            "3:6: `env`: expected a map, found a number",
            "4:14: `depends_on[0]`: component \"a b\" is invalid: 1 to 100 characters of [A-Za-z0-9._/-], \
                no empty, '.' or '..' part, and not 'mergeable'",
            "4:21: `depends_on[1]`: component \"c//d\" is invalid: 1 to 100 characters of [A-Za-z0-9._/-], \
                no empty, '.' or '..' part, and not 'mergeable'",
            "6:6: `jobs.a.steps` is missing",
            "6:16: `jobs.a.timeout`: \"5\" is no duration such as 30s, 20m or 1h30m",
            "6:25: `jobs.a.when`: \"no\" is none of always, approved",
            "7:3: job \"B\" is invalid: 1 to 100 characters of [a-z0-9_-]",
            "8:13: `jobs.c[0].run`: the command is empty",
            "8:24: `jobs.c[0].retry`: expected a whole number from 0 on, found -1",
            "8:35: `jobs.c[1].use`: no steps are defined as `nothing`",
            "8:56: `jobs.c[2].parallel`: expected a list, found a number",
            "8:66: `jobs.c[2].limit`: expected a whole number from 1 on, found 0",
        ],
    );
}

#[test]
fn a_misspelled_key_is_one_mistake() {
    check(
        "jobs:\n  test:\n    step: [make]\n",
        &["3:5: unknown key `jobs.test.step`\n  hint: did you mean `steps`?"],
    );
    check(
        "jobs:\n  test:\n    when: always\n    image: x\n",
        &["3:5: `jobs.test.steps` is missing", "4:5: unknown key `jobs.test.image`"],
    );
}

#[test]
fn a_job_that_cannot_be_called_so_is_read_all_the_same() {
    check(
        "jobs:\n  Unit tests:\n    timeout: 5\n    needs: [nowhere]\n    steps: [\"\", {use: nothing}]\n",
        &[
            "2:3: job \"Unit tests\" is invalid: 1 to 100 characters of [a-z0-9_-]",
            "3:14: `jobs.Unit tests.timeout`: \"5\" is no duration such as 30s, 20m or 1h30m",
            "5:13: `jobs.Unit tests.steps[0]`: the command is empty",
            "5:23: `jobs.Unit tests.steps[1].use`: no steps are defined as `nothing`",
        ],
    );
}

#[test]
fn a_step_is_no_job() {
    check(
        "jobs:\n  test:\n    run: npm test\n    retries: 2\n  all: {parallel: [x]}\n",
        &[
            "3:5: `jobs.test`: a map with `run` is a step and no job\n  \
                hint: write `test: [{run: …}]`, or put it under `steps`",
            "4:5: unknown key `jobs.test.retries`",
            "5:8: `jobs.all`: a map with `parallel` is a step and no job",
        ],
    );
}

#[test]
fn a_folder_that_can_be_no_component_hides_nothing() {
    let found = parse_component("mergeable/ci.yaml", b"jobs: 1\n").unwrap_err();
    let messages: Vec<&str> = found.iter().map(|finding| finding.message.as_str()).collect();
    assert!(messages[0].starts_with("component \"mergeable\" is invalid"), "{messages:?}");
    assert_eq!(messages[1..], ["`jobs`: expected a map, found a number"]);
}
