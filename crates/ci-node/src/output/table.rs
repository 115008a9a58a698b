//! Columns for people.

/// The last column is broken into lines where at least so much is left for it.
const LEAST_ROOM: usize = 30;
/// What is between columns.
const GAP: &str = "  ";

/// Rows below a heading, each column as wide as its widest cell.
pub(crate) fn table<const N: usize>(heading: [&str; N], rows: &[[String; N]]) -> String {
    table_within(heading, rows, None)
}

/// The same within so many characters, where that is known: what does not fit of the last column goes on below it.
pub(crate) fn table_within<const N: usize>(
    heading: [&str; N],
    rows: &[[String; N]],
    width: Option<usize>,
) -> String {
    let heading = heading.map(str::to_owned);
    let all = || std::iter::once(&heading).chain(rows);
    let widths: [usize; N] = std::array::from_fn(|column| {
        all().map(|row| row[column].chars().count()).max().unwrap_or(0)
    });
    let indent: usize = widths.iter().rev().skip(1).map(|width| width + GAP.len()).sum();
    let room = width.map(|width| width.saturating_sub(indent)).filter(|room| *room >= LEAST_ROOM);
    let line = |row: &[String; N]| {
        let cells = row.iter().zip(widths).map(|(cell, width)| format!("{cell:<width$}"));
        let mut cells: Vec<String> = cells.collect();
        if let (Some(room), Some(last)) = (room, cells.last_mut()) {
            *last = broken(last, room).join(&format!("\n{:indent$}", ""));
        }
        cells.join(GAP).trim_end().to_owned()
    };
    all().map(line).collect::<Vec<_>>().join("\n")
}

/// The words of a text in lines of so many characters; a longer word has a line of its own.
fn broken(text: &str, room: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        let length = word.chars().count();
        match lines.last_mut().filter(|line| line.chars().count() + 1 + length <= room) {
            Some(line) => {
                line.push(' ');
                line.push_str(word);
            }
            None => lines.push(word.to_owned()),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_they_must_be() {
        let rows = [["1".to_owned(), "größer".to_owned(), String::new()]];
        let text = table(["NUMBER", "TITLE", "STATE"], &rows);
        assert_eq!(text, "NUMBER  TITLE   STATE\n1       größer");
    }

    #[test]
    fn what_does_not_fit_goes_on_below() {
        let words = "one two three four five six seven eight".to_owned();
        let rows = [["isolation".to_owned(), words], ["git".to_owned(), "2.47".to_owned()]];
        insta::assert_snapshot!(table_within(["WHAT", "HOW"], &rows, Some(45)), @r"
        WHAT       HOW
        isolation  one two three four five six seven
                   eight
        git        2.47
        ");
        let whole = table(["WHAT", "HOW"], &rows);
        assert_eq!(table_within(["WHAT", "HOW"], &rows, Some(40)), whole, "there is no room");
    }
}
