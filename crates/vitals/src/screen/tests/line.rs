//! What a frame costs on a slow line.

use std::cell::RefCell;
use std::io::{self, Write};
use std::rc::Rc;

use ratatui::backend::CrosstermBackend;
use ratatui::layout::Rect;
use ratatui::{Terminal, TerminalOptions, Viewport};

use super::fixture::{crowd, model, press, sick, sick_model};
use crate::screen::draw::draw;
use crate::screen::model::Model;

/// Counts what is sent.
#[derive(Debug, Clone, Default)]
struct Line(Rc<RefCell<usize>>);

impl Write for Line {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        *self.0.borrow_mut() += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

struct Screen {
    line: Line,
    terminal: Terminal<CrosstermBackend<Line>>,
}

impl Screen {
    fn new() -> Self {
        let line = Line::default();
        let viewport = Viewport::Fixed(Rect::new(0, 0, 80, 24));
        let backend = CrosstermBackend::new(line.clone());
        let terminal = Terminal::with_options(backend, TerminalOptions { viewport }).unwrap();
        Self { line, terminal }
    }

    /// Draws a frame and returns how many bytes that took.
    fn bytes(&mut self, model: &Model) -> usize {
        let before = *self.line.0.borrow();
        self.terminal.draw(|frame| draw(frame, model)).unwrap();
        *self.line.0.borrow() - before
    }
}

#[test]
fn a_frame_takes_no_more_than_what_has_changed() {
    let mut screen = Screen::new();
    let mut model = sick_model();
    press(&mut model, "2");
    let first = screen.bytes(&model);
    assert!(first < 2_000, "all of it takes {first} bytes");
    let again = screen.bytes(&model);
    assert!(again < 40, "nothing new takes {again} bytes");
    let mut later = sick();
    later.tree.taken_ms += 2_000;
    later.tree.actors[2].mailbox = Some(10_512);
    model.see(later);
    let news = screen.bytes(&model);
    assert!(news < 300, "some new figures take {news} bytes");
    press(&mut model, "↓");
    let step = screen.bytes(&model);
    assert!(step < 400, "another selection takes {step} bytes");
}

#[test]
fn a_hundred_thousand_actors_take_no_more_than_twenty() {
    let mut screen = Screen::new();
    let mut model = model(crowd());
    assert!(screen.bytes(&model) < 2_500);
    press(&mut model, "↓");
    assert!(screen.bytes(&model) < 400);
}
