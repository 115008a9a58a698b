//! What the page of a log shows of it: one block or two, and what was looked for.

use super::super::html::{Html, html};
use super::super::job::local_id;
use super::{Look, Wanted, blocking, draw, reader, search};
use crate::log::{BLOCK, Lines, Mark};
use crate::problem::Problem;
use crate::site::Site;
use crate::wire::{Command, CommandRef};

/// With fewer lines in the last block than this, the one before is shown, too.
const ENOUGH: u64 = 200;

/// What is shown of a log.
pub(super) struct Excerpt {
    /// Blocks with their numbers, the first one is 0.
    blocks: Vec<(u64, Lines)>,
    total: u64,
    rest: Mark,
    found: Option<search::Found>,
}

/// Reads what is shown, and looks for what is to be found.
pub(super) async fn read(
    site: &Site,
    reference: &CommandRef,
    command: &Command,
    (wanted, is_live): (&Wanted, bool),
) -> Result<Excerpt, Problem> {
    let reader = reader(site, reference)?;
    let (shelf, reference) = (site.logs().clone(), reference.clone());
    let has_passed = command.end.is_some_and(|end| end.is_success());
    let (line, find) = (wanted.line, wanted.find.clone());
    let read = move || {
        shelf.with_index(&reference, reader, |index| {
            let rest = index.rest();
            // What is live has its unfinished line told as it grows.
            let total = if is_live { rest.line - 1 } else { index.lines() };
            let last = total.saturating_sub(1) / BLOCK;
            let block = match line {
                Some(line) => (line.max(1) - 1) / BLOCK,
                None if has_passed => 0,
                None => last,
            };
            let block = block.min(last);
            let is_short = block == last && block > 0 && total - block * BLOCK < ENOUGH;
            let first = block - u64::from(is_short);
            let mut blocks = Vec::new();
            for number in first..=block {
                let from = number * BLOCK + 1;
                blocks.push((number, index.lines_from(from, BLOCK.min(total + 1 - from))?));
            }
            let found = match find.as_str() {
                "" => None,
                find => Some(search::search(index.reader(), find)?),
            };
            Ok(Excerpt { blocks, total, rest, found })
        })
    };
    blocking(read).await
}

/// The log with what was found in it and the ways to its other parts.
pub(super) fn draw_all(
    command: &Command,
    excerpt: &Excerpt,
    wanted: &Wanted,
    is_live: bool,
) -> Html {
    let find = Some(wanted.find.as_str()).filter(|find| !find.is_empty());
    let look = Look { find, ..Look::default() };
    let block = |(number, lines): &(u64, Lines)| {
        html!(r#"<div class="block" data-block="{}">{}</div>"#, number, draw(lines, &look))
    };
    let next =
        is_live.then(|| html!(r#" data-next="{}.{}""#, excerpt.rest.offset, excerpt.rest.line));
    let has_passed = command.end.is_some_and(|end| end.is_success());
    let is_end = wanted.line.is_none() && find.is_none() && !has_passed;
    let nothing = match excerpt.total {
        0 if !is_live => html!("<p>It has printed nothing.</p>"),
        _ => Html::default(),
    };
    html!(
        r#"<div id="kept" data-kept>{}{}{}<div id="log" class="log" role="region" aria-label="Log of {}" tabindex="0" data-log="/logs/{}" data-lines="{}" data-find="{}"{}{}>{}</div></div>"#,
        excerpt
            .found
            .as_ref()
            .map(|found| search::section(found, &wanted.find))
            .unwrap_or_default(),
        nothing,
        pager(excerpt),
        local_id(command),
        command.id,
        excerpt.total,
        wanted.find,
        next.unwrap_or_default(),
        if is_end { html!(" data-end") } else { Html::default() },
        excerpt.blocks.iter().map(block).collect::<Html>()
    )
}

/// The ways to the other blocks, where no script loads them.
fn pager(excerpt: &Excerpt) -> Html {
    let (Some((first, _)), Some((last, _))) = (excerpt.blocks.first(), excerpt.blocks.last())
    else {
        return Html::default();
    };
    let end = excerpt.total.saturating_sub(1) / BLOCK;
    if end == 0 {
        return Html::default();
    }
    let link = |block: u64, words: &str| {
        html!(r##"<a href="?line={}#L{}">{}</a>"##, block * BLOCK + 1, block * BLOCK + 1, words)
    };
    let before = (*first > 0).then(|| html!("{}{}", link(0, "First"), link(first - 1, "Before")));
    let after = (*last < end).then(|| html!("{}{}", link(last + 1, "After"), link(end, "Last")));
    html!(
        r#"<nav class="pager" aria-label="Parts of the log">{}<span class="quiet">lines {} to {} of {}</span>{}</nav>"#,
        before.unwrap_or_default(),
        first * BLOCK + 1,
        excerpt.total.min((last + 1) * BLOCK),
        excerpt.total,
        after.unwrap_or_default()
    )
}
