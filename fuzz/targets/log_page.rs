//! A log of any bytes on a page: no markup but our own spans, closed as often as opened, and nothing that
//! a terminal would heed.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../crates/ci-web/src/page"]
mod page {
    pub mod ansi;
    pub mod html;
}

const SPAN: &str = "<span class=\"";

fuzz_target!(|log: &[u8]| {
    let mut style = page::ansi::style_after(&log[..log.len() / 2]);
    let lines = page::ansi::lines(log, &mut style);
    let breaks = log.iter().filter(|byte| **byte == b'\n').count();
    assert!((breaks..=breaks + 1).contains(&lines.len()), "a line for each line");
    let lines: Vec<String> = lines.into_iter().map(page::html::Html::into_string).collect();
    let page = lines.join("\n");
    let mut rest = page.as_str();
    let mut is_open = false;
    while let Some(at) = rest.find('<') {
        check_text(&rest[..at]);
        rest = &rest[at..];
        if let Some(after) = rest.strip_prefix(SPAN) {
            let (classes, after) = after.split_once("\">").expect("a tag that ends");
            let is_class =
                |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b' ';
            assert!(!classes.is_empty() && classes.bytes().all(is_class), "{classes:?}");
            assert!(!std::mem::replace(&mut is_open, true), "a span within a span");
            rest = after;
        } else {
            rest = rest.strip_prefix("</span>").expect("a tag of ours");
            assert!(std::mem::replace(&mut is_open, false), "a span that nobody opened");
        }
    }
    check_text(rest);
    assert!(!is_open, "a span that nobody closes");
});

fn check_text(text: &str) {
    assert!(!text.contains(['>', '"', '\'']), "{text:?}");
    assert!(text.chars().all(|char| !char.is_control() || matches!(char, '\n' | '\t')), "{text:?}");
    for after in text.split('&').skip(1) {
        let (entity, _) = after.split_once(';').expect("an entity that ends");
        assert!(["lt", "gt", "amp", "quot", "#39"].contains(&entity), "{entity:?}");
    }
}
