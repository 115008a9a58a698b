//! When the lines of a log were printed, to the second.

use super::super::html::{Html, html};
use super::tail::Excerpt;
use crate::moment::clock;

/// What stands before each line.
pub(super) fn margin(excerpt: &Excerpt) -> impl Iterator<Item = Html> {
    let breaks = excerpt.bytes.iter().zip(1..).filter(|(byte, _)| **byte == b'\n');
    let starts = std::iter::once(0).chain(breaks.map(|(_, next)| next));
    starts.map(|start: u64| match printed_at(excerpt, excerpt.from + start) {
        Some(at_ms) => html!("<span class=\"time\">{}</span> ", clock(at_ms)),
        None => Html::default(),
    })
}

/// When the byte at `offset` was printed: at the time that was noted last before it.
fn printed_at(excerpt: &Excerpt, offset: u64) -> Option<u64> {
    let noted = excerpt.times.partition_point(|(noted, _)| *noted <= offset);
    excerpt.times.get(noted.checked_sub(1)?).map(|(_, at)| at.0)
}

#[cfg(test)]
mod tests {
    use ci_exec::UnixMillis;

    use super::super::super::ansi;
    use super::*;

    fn check(log: &str, from: u64, times: &[(u64, u64)], expected: &str) {
        let times = times.iter().map(|(offset, at)| (*offset, UnixMillis(*at))).collect();
        let excerpt = Excerpt { from, bytes: log.as_bytes().to_vec(), times };
        let page = ansi::render(&excerpt.bytes, margin(&excerpt));
        let page = page.as_str().replace("<span class=\"time\">", "[").replace("</span> ", "] ");
        assert_eq!(page, expected, "{log:?}");
    }

    #[test]
    fn each_line_has_the_time_at_which_it_began() {
        let (one, two) = (10 * 3_600_000, 10 * 3_600_000 + 61_000);
        check("a\nb\n", 0, &[(0, one), (2, two)], "[10:00:00] a\n[10:01:01] b\n");
        check("ab\nc", 7, &[(0, one), (8, two)], "[10:00:00] ab\n[10:01:01] c");
        check("a\n\nb", 0, &[(0, one)], "[10:00:00] a\n[10:00:00] \n[10:00:00] b");
        check("a\rb\nc", 0, &[(0, one)], "[10:00:00] b\n[10:00:00] c");
        check("a\n", 0, &[], "a\n");
        check("", 0, &[(0, one)], "");
    }

    #[test]
    fn times_stay_with_their_lines_whatever_a_program_prints() {
        let times = [(0, 0), (7, 1_000)];
        check("\u{1b}]0;ti\nb\n", 0, &times, "[00:00:00] \n[00:00:01] b\n");
        check(
            "\u{1b}[1\n3456\nb",
            0,
            &[(0, 0), (9, 1_000)],
            "[00:00:00] \n[00:00:00] 3456\n[00:00:01] b",
        );
    }
}
