//! What lies over the list.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::widgets::{Block, Clear, Paragraph, Wrap};

use super::super::model::{Model, Over};
use crate::act;

const KEYS: &str = "\
1-6        tree, top, queues, crashes, trace, system
↑ ↓ j k    select      PgUp PgDn Home End     w ← →  all columns
Enter !    the selected actor: why, figures, state
t          tell of its messages   x  act on it   y  copy its path
/          show only paths with a text; !text those without it
:          a command: top, sort rate, why ci/queue, kill 7, q
space      fold        c  fold all     e  unfold all
s          sort by the next figure     r  reverse
p          pause       - +  more, less often     g  look again
Esc        back        q  leave

any key closes this";

const ACTIONS: &str = "\
s  stop      in good order; its supervisor reacts by its rules
d  drain     stop once it has handled what waits
r  restart   end it in a way after which it is started again
k  kill      at once
p  suspend   let it leave its messages waiting
u  resume    let it go on

you are shown what it means before it is done
any other key does nothing";

pub fn over(frame: &mut Frame<'_>, model: &Model) {
    match &model.over {
        Over::Nothing | Over::Filter | Over::Command { .. } => {}
        Over::Help => window(frame, "keys", KEYS.to_owned()),
        Over::Actions { path } => window(frame, &format!("act on {path}"), ACTIONS.to_owned()),
        Over::Proposal { outcome, typed } => {
            let question = act::question(outcome);
            let text = format!("{}\n{question}{typed}█   Esc leaves it", act::foresee(outcome));
            window(frame, &outcome.action, text);
        }
    }
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
