//! Lines of a log as HTML: each has a number that one can point at, and the time at which it began.

use super::super::ansi;
use super::super::html::{Html, html};
use crate::log::Lines;
use crate::moment::clock;

/// How lines are shown.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::page) struct Look<'a> {
    /// What their ids begin with.
    pub(in crate::page) prefix: &'a str,
    /// Where their numbers lead: the page of the whole log; nothing where this is it.
    pub(in crate::page) page: &'a str,
    /// What is looked for.
    pub(in crate::page) find: Option<&'a str>,
}

/// Draws `lines`, each as an element of its own.
pub(in crate::page) fn draw(lines: &Lines, look: &Look<'_>) -> Html {
    let mut style = ansi::style_after(&lines.before);
    let shown = ansi::lines(&lines.bytes, &mut style);
    let mut offset = lines.from.offset;
    let mut raw = lines.bytes.split_inclusive(|byte| *byte == b'\n');
    let mut all = Html::default();
    for (text, number) in shown.iter().zip(lines.from.line..) {
        let bytes = raw.next().unwrap_or_default();
        let is_hit = look.find.is_some_and(|find| contains(&ansi::plain(bytes), find));
        all.push(&line(number, (text, at(&lines.times, offset)), is_hit, look));
        offset += bytes.len() as u64;
    }
    all
}

fn line(number: u64, (text, at): (&Html, Html), is_hit: bool, look: &Look<'_>) -> Html {
    let target = match look.page {
        "" => html!("#L{}", number),
        page => html!("{}?line={}#L{}", page, number, number),
    };
    html!(
        r#"<div class="l{}" id="{}L{}"><a href="{}">{}</a><span class="at">{}</span><span>{}</span></div>"#,
        if is_hit { " hit" } else { "" },
        look.prefix,
        number,
        target,
        number,
        at,
        *text
    )
}

/// When the byte at `offset` was printed: at the time that was noted last before it.
fn at(times: &[(u64, ci_exec::UnixMillis)], offset: u64) -> Html {
    let noted = times.partition_point(|(noted, _)| *noted <= offset);
    let time = noted.checked_sub(1).and_then(|last| times.get(last));
    time.map(|(_, at)| html!("{}", clock(at.0))).unwrap_or_default()
}

/// Whether a text contains another one, whatever the case of Latin letters.
pub(super) fn contains(text: &str, find: &str) -> bool {
    text.to_ascii_lowercase().contains(&find.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use ci_exec::UnixMillis;

    use super::*;
    use crate::log::Mark;

    fn check(log: &str, from: (u64, u64), times: &[(u64, u64)], expected: &str) {
        let times = times.iter().map(|(offset, at)| (*offset, UnixMillis(*at))).collect();
        let from = Mark { line: from.0, offset: from.1 };
        let lines = Lines { from, before: Vec::new(), bytes: log.as_bytes().to_vec(), times };
        let page = draw(&lines, &Look::default()).into_string();
        let page = page.replace("<div class=\"l\" id=\"", "").replace("\"><a href=\"#L", " ");
        let page = page.replace("</a><span class=\"at\">", " [").replace("</span><span>", "] ");
        assert_eq!(page.replace("</span></div>", "\n"), expected, "{log:?}");
    }

    #[test]
    fn each_line_has_its_number_and_the_time_at_which_it_began() {
        let (one, two) = (10 * 3_600_000, 10 * 3_600_000 + 61_000);
        let times = [(0, one), (2, two)];
        check("a\nb\n", (1, 0), &times, "L1 1\">1 [10:00:00] a\nL2 2\">2 [10:01:01] b\n");
        check(
            "ab\nc",
            (8, 7),
            &[(0, one), (8, two)],
            "L8 8\">8 [10:00:00] ab\nL9 9\">9 [10:01:01] c\n",
        );
        check("a\n\nb", (1, 0), &[], "L1 1\">1 [] a\nL2 2\">2 [] \nL3 3\">3 [] b\n");
        check("", (1, 0), &times, "");
    }

    #[test]
    fn numbers_stay_with_their_lines_whatever_a_program_prints() {
        let times = [(0, 0), (7, 1_000)];
        check("\u{1b}]0;ti\nb\n", (1, 0), &times, "L1 1\">1 [00:00:00] \nL2 2\">2 [00:00:01] b\n");
        check("\u{1b}[1\n34\u{1b}[", (1, 0), &[], "L1 1\">1 [] \nL2 2\">2 [] 34\n");
    }

    #[test]
    fn a_color_that_was_switched_on_before_is_on() {
        let (before, bytes) = (b"\x1b[31mred\n".to_vec(), b"too\n".to_vec());
        let lines = Lines { from: Mark { line: 2, offset: 9 }, before, bytes, times: Vec::new() };
        let look = Look { prefix: "0-1-", page: "/log", find: Some("TOO") };
        assert_eq!(
            draw(&lines, &look).as_str(),
            "<div class=\"l hit\" id=\"0-1-L2\"><a href=\"/log?line=2#L2\">2</a>\
             <span class=\"at\"></span><span><span class=\"f1\">too</span></span></div>"
        );
    }
}
