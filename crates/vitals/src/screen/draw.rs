//! Draws the model. Colour only repeats what signs and words say already.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line, Span, Text};
use ratatui::widgets::{Block, Clear, Paragraph, Wrap};

use super::model::{Model, Over, View};
use super::rows::{Column, Row, columns};
use crate::{act, info, why};

/// A runtime that is silent for longer is worth a word.
const SILENT_MS: u64 = 1_000;

const KEYS: &str = "\
1-5        tree, top, queues, crashes, system
↑ ↓ j k    select        PgUp PgDn Home End
Enter !    the selected actor, and why it does what it does
x          act on it     /  show only paths with a text
space      fold          c  fold all      e  unfold all
s          sort by the next figure        r  reverse
p          pause         - +  more, less often
g          look again    q  leave

any key closes this";

const ACTIONS: &str = "\
s  stop      in good order; its supervisor reacts by its rules
r  restart   end it in a way after which it is started again
k  kill      at once
p  suspend   let it leave its messages waiting
u  resume    let it go on

any other key does nothing";

pub fn draw(frame: &mut Frame<'_>, model: &Model) {
    let areas = Layout::vertical([
        Constraint::Length(1),
        Constraint::Length(1),
        Constraint::Length(1),
        Constraint::Min(0),
        Constraint::Length(1),
    ])
    .split(frame.area());
    frame.render_widget(Line::from(header(model)).style(dim(model)), areas[0]);
    frame.render_widget(tabs(model), areas[1]);
    list(frame, model, areas[2], areas[3]);
    frame.render_widget(Line::from(footer(model)), areas[4]);
    over(frame, model);
}

fn header(model: &Model) -> String {
    let (hello, tree) = (&model.picture.hello, &model.picture.tree);
    let runtime = match &model.picture.runtime {
        Some(runtime) if runtime.silent_ms > SILENT_MS => {
            format!("  RUNTIME SILENT {}", crate::text::span(runtime.silent_ms))
        }
        _ => String::new(),
    };
    let fresh = match (&model.lost, model.is_living(), model.is_paused()) {
        (Some(why), ..) => format!("  LOST: {why}"),
        (None, false, _) => "  snapshot".to_owned(),
        (None, true, true) => "  paused".to_owned(),
        (None, true, false) => format!("  every {:?}", model.interval()),
    };
    format!("vitals {} {}  {} actors{runtime}{fresh}", hello.os_pid, hello.name, tree.total)
}

fn tabs(model: &Model) -> Line<'static> {
    let mut spans = Vec::new();
    for (at, (view, name)) in View::ALL.into_iter().enumerate() {
        let selected = view == model.view;
        let text =
            if selected { format!("[{} {name}]", at + 1) } else { format!(" {} {name} ", at + 1) };
        let style = if selected { Style::new().add_modifier(Modifier::BOLD) } else { Style::new() };
        spans.push(Span::styled(text, style));
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

fn list(frame: &mut Frame<'_>, model: &Model, head: Rect, body: Rect) {
    let shown = columns(model.view, head.width);
    let heads: Vec<String> = shown.iter().map(|(_, (name, _))| (*name).to_owned()).collect();
    let bold = Style::new().add_modifier(Modifier::BOLD);
    frame
        .render_widget(Line::styled(format!("  {}", line(&heads, &shown, head.width)), bold), head);
    let (rows, selected) = model.rows();
    if rows.is_empty() {
        frame.render_widget(Line::from("  nothing"), body);
        return;
    }
    let height = usize::from(body.height).max(1);
    // The selected row is kept in the middle, where there are rows on both sides of it.
    let first = selected.saturating_sub(height / 2).min(rows.len().saturating_sub(height));
    let lines = rows.iter().enumerate().skip(first).take(height).map(|(at, row)| {
        let cells: Vec<String> = shown.iter().map(|(cell, _)| row.cells[*cell].clone()).collect();
        let mark = if at == selected { '>' } else { ' ' };
        let text = format!("{mark} {}", line(&cells, &shown, body.width));
        Line::styled(text, style(model, row, at == selected))
    });
    frame.render_widget(Text::from_iter(lines), body);
}

/// Lines the cells up. Text from elsewhere may hold anything, and is shown on one line.
fn line(cells: &[String], shown: &[(usize, Column)], width: u16) -> String {
    let fixed: u16 = shown.iter().filter_map(|(_, (_, width))| *width).map(|width| width + 1).sum();
    let rest = usize::from(width.saturating_sub(fixed + 2)).max(8);
    let mut text = String::new();
    for (cell, (_, (_, width))) in cells.iter().zip(shown) {
        let width = width.map_or(rest, usize::from);
        let plain = cell.chars().map(|c| if c.is_control() { ' ' } else { c });
        let cut: String = plain.take(width).collect();
        text.push_str(&format!("{cut:<width$} "));
    }
    text.trim_end().to_owned()
}

fn style(model: &Model, row: &Row, selected: bool) -> Style {
    let mut style = Style::new();
    if model.colour && row.alarming {
        style = style.fg(Color::Yellow);
    }
    if selected { style.add_modifier(Modifier::REVERSED) } else { style }
}

fn dim(model: &Model) -> Style {
    if model.lost.is_some() { Style::new().add_modifier(Modifier::DIM) } else { Style::new() }
}

fn footer(model: &Model) -> String {
    match (&model.message, &model.over) {
        (Some(message), _) => message.replace('\n', "  "),
        (None, Over::Filter) => format!("/{}█   Enter keeps it, Esc drops it", model.filter),
        (None, _) => "Enter info and why   x actions   / filter   ? keys   q leave".to_owned(),
    }
}

fn over(frame: &mut Frame<'_>, model: &Model) {
    match &model.over {
        Over::Nothing | Over::Filter => {}
        Over::Help => window(frame, "keys", KEYS.to_owned()),
        Over::Actions { path } => window(frame, &format!("act on {path}"), ACTIONS.to_owned()),
        Over::Actor { path } => window(frame, path, actor(model, path)),
        Over::Proposal { outcome, typed } => {
            let question = act::question(outcome);
            let text = format!("{}\n{question}{typed}█   Esc leaves it", act::foresee(outcome));
            window(frame, &outcome.action, text);
        }
    }
}

fn actor(model: &Model, path: &str) -> String {
    let text = |shown: Result<String, heights_vitals::ClientError>| {
        shown.unwrap_or_else(|error| format!("{error}\n"))
    };
    let described = model.picture.detail(path).map(|detail| info::describe(&detail));
    let reason = model.picture.why(path).map(|why| why::tell(&why));
    format!("{}\n{}\nx acts on it, any other key closes this", text(described), text(reason))
}

fn window(frame: &mut Frame<'_>, title: &str, text: String) {
    /// The rows and columns that the border takes.
    const BORDER: u16 = 2;
    let area = frame.area();
    let width = area.width.saturating_sub(4);
    let inside = usize::from(width.saturating_sub(BORDER)).max(1);
    let wrapped: usize =
        text.lines().map(|line| line.chars().count().div_ceil(inside).max(1)).sum();
    let height = u16::try_from(wrapped).unwrap_or(u16::MAX).saturating_add(BORDER);
    let place = Rect {
        x: area.x + area.width.min(2),
        y: area.y + area.height.min(3),
        width,
        height: height.min(area.height.saturating_sub(4)),
    };
    frame.render_widget(Clear, place);
    let block = Block::bordered().title(title.to_owned());
    let text = Paragraph::new(text).wrap(Wrap { trim: false }).block(block);
    frame.render_widget(text, place);
}
