use super::*;

/// What `lines` say, each as `file:line:column level [title] message`.
#[track_caller]
fn check(lines: &str, expected: &[&str]) {
    let mut compiler = Compiler::default();
    let shown = |finding: Finding| {
        let level = finding.level.map_or("-", Level::as_str);
        let column = finding.column.map_or(String::new(), |column| format!(":{column}"));
        let title = finding.title.map_or(String::new(), |title| format!("[{title}] "));
        format!("{}:{}{column} {level} {title}{}", finding.file, finding.line, finding.message)
    };
    let found: Vec<String> =
        lines.lines().filter_map(|line| compiler.read(line)).map(shown).collect();
    assert_eq!(found, expected);
}

#[test]
fn compilers_that_say_all_on_one_line() {
    check(
        "src/a.c: In function 'main':\n\
         src/a.c:3:5: error: expected ';' before 'return'\n    3 |     x\n      |     ^\n\
         src/a.c:9: warning: unused variable 'y' [-Wunused]\n\
         In file included from src/b.c:1:\n\
         ./cmd/x.go:12:3: undefined: frob\n\
         app/x.py:7: error: Incompatible types  [assignment]\n\
         tests/test_x.py:12: AssertionError\n\
         ** (CompileError) lib/x.ex:3: undefined function foo/0\n",
        &[
            "src/a.c:3:5 failure expected ';' before 'return'",
            "src/a.c:9 warning unused variable 'y' [-Wunused]",
            "./cmd/x.go:12:3 - undefined: frob",
            "app/x.py:7 failure Incompatible types  [assignment]",
            "tests/test_x.py:12 - AssertionError",
            "lib/x.ex:3 - undefined function foo/0",
        ],
    );
}

#[test]
fn compilers_that_point_at_the_place() {
    check(
        "   Compiling shop v0.1.0 (/w/shop)\n\
         error[E0425]: cannot find value `x` in this scope\n --> src/main.rs:2:5\n  |\n\
         2 |     x;\n  |     ^ not found in this scope\n\n\
         warning: unused variable: `y`\n  --> crates/b/src/lib.rs:10:9\n   |\n\
         error: aborting due to 1 previous error; 1 warning emitted\n\
         warning: variable \"z\" is unused\n    │\n  3 │   z = 1\n    │   ~\n    │\n    \
         └─ lib/z.ex:3:3: Z.run/0\n",
        &[
            "src/main.rs:2:5 failure [E0425] cannot find value `x` in this scope",
            "crates/b/src/lib.rs:10:9 warning unused variable: `y`",
            "lib/z.ex:3:3 warning variable \"z\" is unused",
        ],
    );
}

#[test]
fn tests_that_panic() {
    check(
        "thread 'cart::adds' panicked at src/cart.rs:31:9:\nassertion `left == right` failed\n  left: 1\n",
        &["src/cart.rs:31:9 failure assertion `left == right` failed"],
    );
}

#[test]
fn typescript_dotnet_and_eslint() {
    check(
        "src/a.ts(12,5): error TS2322: Type 'string' is not assignable to type 'number'.\n\
         src/b.ts:3:7 - error TS2304: Cannot find name 'foo'.\n\
         /w/shop/src/c.js\n   1:10  error    'x' is defined but never used  no-unused-vars\n   \
         7:3   warning  Unexpected console statement   no-console\n\n\
         ✖ 2 problems (1 error, 1 warning)\n",
        &[
            "src/a.ts:12:5 failure [TS2322] Type 'string' is not assignable to type 'number'.",
            "src/b.ts:3:7 failure [TS2304] Cannot find name 'foo'.",
            "/w/shop/src/c.js:1:10 failure [no-unused-vars] 'x' is defined but never used",
            "/w/shop/src/c.js:7:3 warning [no-console] Unexpected console statement",
        ],
    );
}

#[test]
fn what_is_about_no_line_of_code_is_passed_over() {
    check(
        "12:30:45: started\n2026-11-23T10:10:10.5: late\nhttp://127.0.0.1:8080: refused\n\
         https://x.example/a.c:1:2: error: no\nerror: no such file\nlisten on 0.0.0.0:80\n\
         a.c:0:1: error: there is no line 0\na.c:99999999: error: nor this\n\
         see the file a.c:\nDone in 1.2s.\n3 passed: 0 failed: 1 skipped\n\
         \u{1f600}:1:1: error: x\n:1:1: error: x\n: : :\n",
        &[],
    );
}

#[test]
fn names_of_files_never_lead_out_of_the_repository() {
    let candidates = |file: &str| {
        let finding = Finding {
            file: file.to_owned(),
            line: 1,
            column: None,
            level: None,
            title: None,
            message: String::new(),
        };
        finding.candidates("/data/w/p1/source", "libs/cart")
    };
    for (file, expected) in [
        ("src/a.c", &["libs/cart/src/a.c", "src/a.c"][..]),
        ("./a.c", &["libs/cart/a.c", "a.c"]),
        ("../tax/a.c", &["libs/tax/a.c"]),
        ("/data/w/p1/source/libs/x.c", &["libs/x.c"]),
        ("../../../a.c", &[]),
        ("/data/w/p1/source/../secret.c", &[]),
        ("/data/w/p1/source2/a.c", &[]),
        ("/etc/passwd.d/a.c", &[]),
        (".git/a.c", &[]),
        (".GIT/config.c", &[]),
        ("a//b/./c.c", &["libs/cart/a/b/c.c", "a/b/c.c"]),
    ] {
        assert_eq!(candidates(file), expected, "{file}");
    }
}

#[test]
fn nothing_in_a_mark_acts_on_whoever_shows_it() {
    let finding = Finding {
        file: "a.c".to_owned(),
        line: 1,
        column: None,
        level: None,
        title: Some("t\u{202e}\nx".to_owned()),
        message: format!("a\u{1b}[31mb\u{202e}c\u{0}\nd{}", "x".repeat(5000)),
    };
    let mark = finding.at("a.c".to_owned(), Level::Warning);
    assert_eq!(mark.title.as_deref(), Some("t"));
    assert!(mark.message.starts_with("abc\nd") && mark.message.ends_with(" …"), "{mark:?}");
    assert!(mark.message.chars().count() < 4010);
}
