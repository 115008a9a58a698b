//! The end of a log, as people are shown it.

use std::io;

use ci_exec::LogReader;

use crate::output::plain;

/// Lines that are shown.
const LINES: usize = 50;
/// Bytes that are looked at for them.
const BYTES: u64 = 64 * 1024;

/// The last lines of a log, and whether there are more before them.
pub(super) fn tail(log: &LogReader) -> io::Result<(Vec<String>, bool)> {
    let length = log.length()?;
    let from = length.saturating_sub(BYTES);
    let piece = log.read_at(from, usize::try_from(BYTES).unwrap_or(usize::MAX))?;
    let (lines, is_cut) = last_lines(&piece.bytes);
    Ok((lines, is_cut || from > 0))
}

fn last_lines(bytes: &[u8]) -> (Vec<String>, bool) {
    let text = String::from_utf8_lossy(bytes);
    let lines: Vec<&str> = text.lines().collect();
    let skipped = lines.len().saturating_sub(LINES);
    let shown = lines[skipped..].iter().map(|line| plain(overwritten(line))).collect();
    (shown, skipped > 0)
}

/// What a terminal shows of a line in which the cursor went back to its beginning: the end.
fn overwritten(line: &str) -> &str {
    line.trim_end_matches('\r').rsplit('\r').next().unwrap_or(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_lines_are_shown_as_a_terminal_would_leave_them() {
        let check = |text: &str, expected: &[&str]| {
            assert_eq!(last_lines(text.as_bytes()).0, expected, "{text:?}");
        };
        check("a\nb\r\n", &["a", "b"]);
        check("10%\r50%\r100%\nend", &["100%", "end"]);
        check("\u{1b}[31mred\u{1b}[0m\n", &["red"]);
        check("", &[]);
        let many: String = (0..60).map(|line| format!("{line}\n")).collect();
        let (lines, is_cut) = last_lines(many.as_bytes());
        assert_eq!((lines.len(), lines[0].as_str(), is_cut), (LINES, "10", true));
    }
}
