//! What survives of what programs tell their terminals.

use proptest::prelude::*;

use super::Style;
use crate::page::html::Html;

fn render(log: &[u8]) -> String {
    let lines = super::lines(log, &mut Style::default());
    let lines: Vec<&str> = lines.iter().map(Html::as_str).collect();
    lines.join("\n")
}

fn check(log: &str, expected: &str) {
    assert_eq!(render(log.as_bytes()), expected, "{log:?}");
}

#[test]
fn what_is_switched_on_goes_over_to_the_next_part() {
    let mut style = super::style_after(b"a\x1b[31mb\n\x1b[1mc");
    let lines = super::lines(b"d\x1b[0m\ne", &mut style);
    let lines: Vec<&str> = lines.iter().map(Html::as_str).collect();
    assert_eq!(lines, ["<span class=\"f1 bold\">d</span>", "e"]);
    assert_eq!(style, Style::default());
}

#[test]
fn the_text_of_a_line_is_without_what_is_for_the_terminal() {
    assert_eq!(super::plain(b"\x1b[31mred\x1b[0m \x1b]0;t\x07<b>"), "red <b>");
}

#[test]
fn colors_and_weights_become_classes() {
    check("a\x1b[31mb\x1b[0mc", "a<span class=\"f1\">b</span>c");
    check("\x1b[1;92;44mok\x1b[m\n", "<span class=\"f10 b4 bold\">ok</span>");
    check("\x1b[2mx\x1b[22my", "<span class=\"dim\">x</span>y");
    check("\x1b[38;5;196mx\x1b[39my", "<span class=\"f9\">x</span>y");
    check("\x1b[48;2;0;0;230mx", "<span class=\"b4\">x</span>");
    check("\u{9b}32mx", "<span class=\"f2\">x</span>");
}

#[test]
fn a_style_goes_on_over_lines() {
    check("\x1b[31ma\nb\x1b[0m", "<span class=\"f1\">a</span>\n<span class=\"f1\">b</span>");
}

#[test]
fn everything_else_is_stripped() {
    for stripped in [
        "\x1b[2J",
        "\x1b[10;20H",
        "\x1b[?25l",
        "\x1b[?31m",
        "\x1b[99999999m",
        "\x1b]0;title\x07",
        "\x1b]8;;http://example.com\x1b\\",
        "\x1bPq#0\x1b\\",
        "\x1b(B",
        "\x1bc",
        "\x07\x08\x00\x7f",
        "\u{85}\u{9c}",
        "\x1b",
    ] {
        check(&format!("a{stripped}"), "a");
        check(&format!("{stripped}\nb"), "\nb");
    }
    check("a\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\b", "alinkb");
}

#[test]
fn a_line_that_is_written_over_shows_its_last_state() {
    check("10%\r20%\rdone\nnext", "done\nnext");
    check("windows\r\nlines\r\n", "windows\nlines");
    check("kept\r", "kept");
}

#[test]
fn markup_is_text() {
    check(
        "<b>&\"'\x1b[31m</pre>",
        "&lt;b&gt;&amp;&quot;&#39;<span class=\"f1\">&lt;/pre&gt;</span>",
    );
}

#[test]
fn bytes_that_are_no_text_are_replaced() {
    assert_eq!(render(b"a\xff\xfeb"), "a\u{fffd}\u{fffd}b");
}

/// Pieces that logs which mean harm are made of.
fn hostile() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        Just(b"\x1b[".to_vec()),
        Just(b"\x1b]".to_vec()),
        Just(b"m".to_vec()),
        Just(b"\r".to_vec()),
        Just(b"\n".to_vec()),
        Just(b"<script>".to_vec()),
        Just(b"\" onload='x".to_vec()),
        "[0-9;:]{0,12}".prop_map(String::into_bytes),
        prop::collection::vec(any::<u8>(), 0..8),
    ];
    prop::collection::vec(piece, 0..16).prop_map(|pieces| pieces.concat())
}

/// What is left of a rendered page when the span that it begins with is taken away, if it is one of ours.
fn after_span(html: &str) -> Option<&str> {
    let (classes, rest) = html.strip_prefix("<span class=\"")?.split_once("\">")?;
    let is_ours = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b' ';
    (!classes.is_empty() && classes.bytes().all(is_ours)).then_some(rest)
}

/// Whether a text between spans is text alone.
fn is_text(text: &str) -> bool {
    let is_entity = |after: &str| {
        let entity = after.split_once(';').map(|(entity, _)| entity);
        entity.is_some_and(|entity| ["lt", "gt", "amp", "quot", "#39"].contains(&entity))
    };
    !text.contains(['>', '"', '\''])
        && text.chars().all(|char| !char.is_control() || matches!(char, '\n' | '\t'))
        && text.split('&').skip(1).all(is_entity)
}

/// Whether a page has no markup but our spans, none within another, each closed.
fn is_harmless(html: &str) -> bool {
    let (mut rest, mut is_open) = (html, false);
    while let Some(at) = rest.find('<') {
        let (text, tag) = rest.split_at(at);
        let after = if is_open { tag.strip_prefix("</span>") } else { after_span(tag) };
        let Some(after) = after.filter(|_| is_text(text)) else { return false };
        (rest, is_open) = (after, !is_open);
    }
    is_text(rest) && !is_open
}

#[test]
fn markup_of_others_is_told_from_ours() {
    for (html, expected) in [
        ("a <span class=\"f1 bold\">b</span>\n&amp;", true),
        ("<b>", false),
        ("<span class=\"f1\">", false),
        ("</span>", false),
        ("<span class=\"f1\"><span class=\"f2\"></span></span>", false),
        ("<span class=\"f1\" onload=\"x\">a</span>", false),
        ("&bogus;", false),
        ("\u{1b}", false),
    ] {
        assert_eq!(is_harmless(html), expected, "{html}");
    }
}

proptest! {
    // What the fuzz target of the same page does, wherever the tests run.
    #![proptest_config(ProptestConfig::with_cases(20_000))]

    #[test]
    fn a_hostile_log_never_yields_markup(log in hostile()) {
        let mut style = super::style_after(&log[..log.len() / 2]);
        let lines = super::lines(&log, &mut style);
        let breaks = log.iter().filter(|byte| **byte == b'\n').count();
        prop_assert!((breaks..=breaks + 1).contains(&lines.len()), "a line for each line");
        for line in lines {
            prop_assert!(is_harmless(line.as_str()), "{}", line.as_str());
        }
    }
}
