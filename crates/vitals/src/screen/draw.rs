//! Draws the model. Color only repeats what signs and words say already.

mod columns;
mod header;
mod window;

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line, Span, Text};

use self::columns::{line, widths};
use super::cells::{self, Column};
use super::model::{Model, Over, Page, View};
use super::page;

/// The rows above and below the list.
const AROUND: u16 = 4;

/// How many rows the list has on a screen of that height.
pub fn list_height(height: u16) -> usize {
    usize::from(height.saturating_sub(AROUND)).max(1)
}

pub fn draw(frame: &mut Frame<'_>, model: &Model) {
    let areas = Layout::vertical([
        Constraint::Length(1),
        Constraint::Length(1),
        Constraint::Min(0),
        Constraint::Length(1),
    ])
    .split(frame.area());
    let dim = if model.lost.is_some() { Modifier::DIM } else { Modifier::empty() };
    let header = header::line(model, usize::from(areas[0].width));
    frame.render_widget(Line::styled(header, Style::new().add_modifier(dim)), areas[0]);
    frame.render_widget(tabs(model, areas[1].width), areas[1]);
    match &model.page {
        Some(shown) => one(frame, model, shown, areas[2]),
        None => list(frame, model, areas[2]),
    }
    frame.render_widget(Line::from(footer(model)), areas[3]);
    window::over(frame, model);
    if !model.dress.unicode {
        for cell in &mut frame.buffer_mut().content {
            let plain: String = cell.symbol().chars().map(|sign| model.dress.sign(sign)).collect();
            cell.set_symbol(&plain);
        }
    }
}

fn tabs(model: &Model, width: u16) -> Line<'static> {
    /// Where there is less room only one of the views has its name.
    const NAMES_FROM: u16 = 56;
    let mut spans = Vec::new();
    for (at, (view, name)) in View::ALL.into_iter().enumerate() {
        let selected = view == model.view;
        let text = match (selected, width >= NAMES_FROM) {
            (true, _) => format!("[{} {name}]", at + 1),
            (false, true) => format!(" {} {name} ", at + 1),
            (false, false) => format!(" {} ", at + 1),
        };
        let style = if selected { Style::new().add_modifier(Modifier::BOLD) } else { Style::new() };
        spans.push(Span::styled(text, style));
    }
    if let Some(page) = &model.page {
        spans.push(Span::raw(format!("   {}", page::title(page))));
        return Line::from(spans);
    }
    if model.view == View::Top {
        let reversed = if model.reversed { ", least first" } else { "" };
        spans.push(Span::raw(format!("   by {}{reversed}", model.order.as_str())));
    }
    if !model.filter.is_empty() {
        spans.push(Span::raw(format!("   with {:?}", model.filter)));
    }
    Line::from(spans)
}

fn list(frame: &mut Frame<'_>, model: &Model, area: Rect) {
    let [head, body] = Layout::vertical([Constraint::Length(1), Constraint::Min(0)]).areas(area);
    let shown = cells::columns(model, area.width);
    let (rows, selected) = (model.listing.rows(), model.listing.at());
    let height = usize::from(body.height).max(1);
    // The selected row is kept in the middle, where there are rows on both sides of it.
    let first = selected.saturating_sub(height / 2).min(rows.len().saturating_sub(height));
    let of = |row: &usize| {
        let (cells, alarming) = cells::row(model, *row);
        let cell = |(cell, _): &(usize, Column)| cells.get(*cell).cloned().unwrap_or_default();
        (shown.iter().map(cell).collect::<Vec<String>>(), alarming)
    };
    let seen: Vec<_> = rows.iter().skip(first).take(height).map(of).collect();
    let widths = widths(model, &shown, seen.iter().map(|(cells, _)| cells), area.width);
    let heads: Vec<String> = shown.iter().map(|(_, column)| column.head.to_owned()).collect();
    let bold = Style::new().add_modifier(Modifier::BOLD);
    let heads = line(model, &heads, &shown, &widths);
    frame.render_widget(Line::styled(format!("  {heads}"), bold), head);
    if rows.is_empty() {
        frame.render_widget(Line::from(format!("  {}", nothing(model))), body);
        return;
    }
    let lines = (first..).zip(&seen).map(|(at, (cells, alarming))| {
        let mark = if at == selected { '>' } else { ' ' };
        let text = format!("{mark} {}", line(model, cells, &shown, &widths));
        Line::styled(text, style(model, *alarming, at == selected))
    });
    frame.render_widget(Text::from_iter(lines), body);
}

/// Says why a list is empty.
fn nothing(model: &Model) -> String {
    match (model.view, &model.tracing) {
        _ if !model.filter.is_empty() => format!("nothing with {:?}; Esc shows all", model.filter),
        (View::Queues, _) => "no messages wait".to_owned(),
        (View::Crashes, _) => "nothing has crashed".to_owned(),
        (View::Trace, None) => "nothing is traced: select an actor and press t".to_owned(),
        (View::Trace, Some(_)) => "no message has been handled yet".to_owned(),
        _ => "nothing".to_owned(),
    }
}

fn style(model: &Model, alarming: bool, selected: bool) -> Style {
    let mut style = Style::new();
    if model.dress.color && alarming {
        style = style.fg(Color::Yellow);
    }
    if selected { style.add_modifier(Modifier::REVERSED) } else { style }
}

/// Draws one thing, as much of it as fits.
fn one(frame: &mut Frame<'_>, model: &Model, shown: &Page, area: Rect) {
    let width = usize::from(area.width).max(1);
    let lines = page::lines(model, shown).into_iter().flat_map(|line| wrapped(&line, width));
    let lines: Vec<String> = lines.collect();
    let height = usize::from(area.height);
    let first = shown.scroll.min(lines.len().saturating_sub(height));
    let bold = Style::new().add_modifier(Modifier::BOLD);
    let is_head = |line: &str| matches!(line, "WHY" | "FIGURES" | "STATE");
    let seen = lines.into_iter().skip(first).take(height).map(|line| {
        let style = if is_head(&line) { bold } else { Style::new() };
        Line::styled(line, style)
    });
    frame.render_widget(Text::from_iter(seen), area);
}

/// Breaks a line where the screen ends.
fn wrapped(line: &str, width: usize) -> Vec<String> {
    let plain: Vec<char> = line.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    if plain.is_empty() {
        return vec![String::new()];
    }
    plain.chunks(width).map(|part| part.iter().collect()).collect()
}

fn footer(model: &Model) -> String {
    match (&model.message, &model.over) {
        (Some(message), _) => message.replace('\n', "  "),
        (None, Over::Filter) => {
            format!("/{}█   Enter keeps it, Esc drops it, ! first holds back", model.filter)
        }
        (None, Over::Command { typed }) => format!(":{typed}█   Enter does it, Esc leaves it"),
        (None, _) if model.page.is_some() => {
            "Esc back   ↑↓ scroll   t trace   x actions   y copy   ? keys   q leave".to_owned()
        }
        (None, _) => match (&model.tracing, model.view) {
            (Some(tracing), View::Trace) => {
                format!("t {}   {}", trace_key(tracing.is_running()), tracing.standing())
            }
            _ => "Enter info, why, state   t trace   x actions   / filter   ? keys   q leave"
                .to_owned(),
        },
    }
}

fn trace_key(running: bool) -> &'static str {
    if running { "stop" } else { "again" }
}
