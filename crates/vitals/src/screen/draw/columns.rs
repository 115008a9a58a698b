//! How wide the columns of a view are, and a line of them.

use crate::screen::cells::{Column, ROOMY};
use crate::screen::model::Model;

/// What a column leaves to others is left in steps, so that not every new name moves those behind it.
const STEP: usize = 8;

/// Tells how wide the columns are: one takes what room there is, and what it does not need for what
/// is to be seen goes to the one that grows; as much as that needs where it stands in between.
pub fn widths<'a>(
    model: &Model,
    shown: &[(usize, Column)],
    rows: impl Iterator<Item = &'a Vec<String>> + Clone,
    width: u16,
) -> Vec<usize> {
    let fixed: usize =
        shown.iter().filter_map(|(_, column)| column.width).map(|width| width + 1).sum();
    let room = usize::from(width).saturating_sub(fixed + 2).max(STEP);
    let room = if model.wide { room.max(ROOMY) } else { room };
    let mut widths: Vec<usize> =
        shown.iter().map(|(_, column)| column.width.unwrap_or(room)).collect();
    let takes = shown.iter().position(|(_, column)| column.width.is_none());
    let grows = shown.iter().position(|(_, column)| column.grows);
    if let (Some(takes), Some(grows)) = (takes, grows) {
        let longest = |column: usize| {
            let cells = rows.clone().filter_map(|cells| cells.get(column));
            cells.map(|cell| cell.chars().count()).max().unwrap_or(0).next_multiple_of(STEP)
        };
        let left = room - longest(takes).clamp(STEP, room);
        let wanted =
            if grows > takes { left } else { longest(grows).saturating_sub(widths[grows]) };
        let given = wanted.min(left);
        widths[takes] -= given;
        widths[grows] += given;
    }
    widths
}

/// Lines the cells up. Text from elsewhere may hold anything, and is shown on one line.
pub fn line(
    model: &Model,
    cells: &[String],
    shown: &[(usize, Column)],
    widths: &[usize],
) -> String {
    let mut text = String::new();
    for ((cell, (_, column)), width) in cells.iter().zip(shown).zip(widths) {
        let cell = fit(cell, *width, column.ends);
        text.push_str(&format!("{cell:<width$} "));
    }
    let skipped = if model.wide { model.left } else { 0 };
    text.trim_end().chars().skip(skipped).collect()
}

/// Cuts a cell to its width, at the beginning where the end says more.
fn fit(cell: &str, width: usize, ends: bool) -> String {
    let plain = cell.chars().map(|c| if c.is_control() { ' ' } else { c });
    let length = cell.chars().count();
    if length <= width {
        return plain.collect();
    }
    let kept = width.saturating_sub(1);
    if ends {
        let end: String = plain.skip(length - kept).collect();
        return format!("…{end}");
    }
    let beginning: String = plain.take(kept).collect();
    format!("{beginning}…")
}
