//! What is understood of reports, and what is not.

use std::fmt::Write as _;

use proptest::prelude::*;

use super::*;

/// Takes out one word.
struct NoSecret;

impl Censor for NoSecret {
    fn whole(&self, text: &str) -> String {
        text.replace("hunter2", "***")
    }

    fn beginning(&self, text: &str) -> String {
        self.whole(text)
    }
}

fn told(text: &str) -> String {
    let (report, error) = read(text, &NoSecret);
    let mut told = String::new();
    for name in &report.passed {
        let sign = if report.wavered.contains(name) { '~' } else { '+' };
        writeln!(told, "{sign} {name}").unwrap();
    }
    for (name, TestFailure { message, file, line }) in &report.failed {
        let place = match (file, line) {
            (Some(file), Some(line)) => format!(" at {file}:{line}"),
            (Some(file), None) => format!(" at {file}"),
            _ => String::new(),
        };
        writeln!(told, "- {name}{place}: {message:?}").unwrap();
    }
    report.skipped.iter().for_each(|name| writeln!(told, "o {name}").unwrap());
    if let Some(error) = error {
        writeln!(told, "! {error}").unwrap();
    }
    told
}

fn check(text: &str, expected: &str) {
    assert_eq!(told(text), expected, "{text}");
}

#[test]
fn suites_may_be_nested_alone_or_in_suites() {
    let case = r#"<testcase classname="c" name="a" time="0.1"/>"#;
    check(&format!("<testsuite name='s'>{case}</testsuite>"), "+ c › a\n");
    check(
        &format!("<?xml version='1.0'?><testsuites>\n<testsuite>{case}</testsuite></testsuites>"),
        "+ c › a\n",
    );
    let nested = "<testsuites><testsuite name='o'><testsuite name='i'><testcase name='x'/></testsuite>\
                  <testcase name='y'/></testsuite><testcase name='z'/></testsuites>";
    check(nested, "+ i › x\n+ o › y\n+ z\n");
    check("<testsuites/>", "! is no report of JUnit: there is nothing in it\n");
}

#[test]
fn a_failure_says_what_and_where() {
    let text = r#"<testsuite name="s"><testcase name="a" file="t/a_test.py" line="7">
        <failure message="expected &lt;1&gt; &amp; got &#50;" type="E">expected &lt;1&gt; &amp; got &#50;
  at t/a_test.py:9 <![CDATA[<raw> & ]]>end</failure><system-out>noise</system-out></testcase>
        <testcase name="b"><error>boom</error></testcase>
        <testcase name="c"><failure message="only this"/></testcase></testsuite>"#;
    check(
        text,
        "- s › a at t/a_test.py:7: \"expected <1> & got 2\\n  at t/a_test.py:9 <raw> & end\"\n\
         - s › b: \"boom\"\n- s › c: \"only this\"\n",
    );
}

#[test]
fn tries_of_one_test_add_up() {
    check(
        "<testsuite><testcase name='a'><flakyFailure message='x'>y</flakyFailure></testcase>\
         <testcase name='b'><failure>first</failure><rerunFailure>second</rerunFailure></testcase>\
         <testcase name='c'><skipped/></testcase><testcase name='d'/><testcase name='d'><failure/></testcase>\
         <testcase name='d'/></testsuite>",
        "~ a\n- b: \"first\"\n- d: \"\"\no c\n",
    );
}

#[test]
fn what_is_no_report_is_said_to_be_none() {
    check("<html><body/></html>", "! is no report of JUnit: it begins with <html>\n");
    check("", "! is no report of JUnit: there is nothing in it\n");
    check("{\"a\": 1}", "! is no report of JUnit: there is nothing in it\n");
    let cut = "<testsuite><testcase name='a'/><testcase name='b'><failure>x";
    check(cut, "+ a\n! ends in the middle of <failure>\n");
    let crossed = told("<testsuite><testcase name='a'/></testsuites>");
    assert!(crossed.starts_with("+ a\n! has an error at byte "), "{crossed}");
    let deep = "<testsuite>".repeat(100);
    check(&deep, "! has more than 64 levels\n");
}

#[test]
fn nothing_is_expanded_or_read_from_elsewhere() {
    let lol = "<!DOCTYPE t [<!ENTITY a 'haha'><!ENTITY b '&a;&a;&a;'><!ENTITY f SYSTEM 'file:///etc/passwd'>]>\
               <testsuite name='&b;'><testcase name='x &b;'><failure message='&f;m'>&b;&f;end</failure>\
               </testcase></testsuite>";
    check(lol, "- x: \"m\\nend\"\n");
}

#[test]
fn names_and_words_can_be_shown() {
    let text = "<testsuite><testcase classname='a\u{1b}[31mb' name='c&#10;d\u{202e} hunter2'>\
                <failure>one\u{1b}[0m hunter2\ntwo</failure></testcase></testsuite>";
    check(text, "- ab › c d ***: \"one ***\\ntwo\"\n");
    let long = format!("<testsuite><testcase name='{}'/></testsuite>", "ä".repeat(400));
    assert_eq!(told(&long).chars().count(), 300 + "+ …\n".chars().count());
    let said = format!(
        "<testsuite><testcase name='a'><failure>{}</failure></testcase></testsuite>",
        "x".repeat(1 << 20)
    );
    assert!(told(&said).len() < 5000);
}

#[test]
fn too_many_tests_are_left_out_and_said_so() {
    let mut text = String::from("<testsuite>");
    (0..MAX_TESTS + 1).for_each(|number| write!(text, "<testcase name='{number}'/>").unwrap());
    let (report, error) = read(&text, &NoSecret);
    assert_eq!((report.len(), error), (MAX_TESTS, Some(JunitError::Tests)));
}

proptest! {
    #[test]
    fn no_text_is_too_strange(text in r#"(<(/?(testsuites?|testcase|failure|a)( (name|message|line)=['"]?[&;#x0-9a-z]*['"]?)*/?>)?|&[#a-z0-9]*;|<!\[CDATA\[|\]\]>|<!DOCTYPE|.){0,60}"#) {
        let _told = read(&text, &NoSecret);
        let _told = read(&format!("<testsuite>{text}</testsuite>"), &NoSecret);
    }
}
