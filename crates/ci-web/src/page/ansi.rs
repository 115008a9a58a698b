//! What a terminal would show, as HTML: colors and weights stay, everything else that a program tells its
//! terminal goes.
//!
//! Colors are classes, never inline styles: the policy of our pages forbids those. The 256 colors and the
//! true ones become the nearest of the sixteen that the stylesheet knows.

mod color;
mod parser;
mod style;

use self::parser::{Parser, Token};
use self::style::Style;
use super::html::{Html, html};

/// Renders the bytes of a log, each line behind its part of the margin.
///
/// Lines are what line feeds make of the bytes: none is swallowed by a sequence for the terminal.
pub(crate) fn render(log: &[u8], margin: impl Iterator<Item = Html>) -> Html {
    let text = String::from_utf8_lossy(log);
    let mut screen = Screen::new(margin);
    for token in Parser::new(&text) {
        match token {
            Token::Print(char) => screen.print(char),
            Token::NewLine => screen.end_line(),
            Token::Return => screen.returned = true,
            Token::Style(parameters) => screen.style.apply(&parameters),
        }
    }
    screen.finish()
}

/// The lines so far, and the one that is being written.
struct Screen<M> {
    margin: M,
    done: Html,
    line: Vec<(Style, String)>,
    style: Style,
    /// Whether what comes next writes over the line.
    returned: bool,
}

impl<M: Iterator<Item = Html>> Screen<M> {
    fn new(margin: M) -> Self {
        let (done, line, style) = (Html::default(), Vec::new(), Style::default());
        Self { margin, done, line, style, returned: false }
    }

    fn print(&mut self, char: char) {
        if std::mem::take(&mut self.returned) {
            self.line.clear();
        }
        match self.line.last_mut() {
            Some((style, text)) if *style == self.style => text.push(char),
            _ => self.line.push((self.style, char.to_string())),
        }
    }

    fn end_line(&mut self) {
        self.returned = false;
        self.flush();
        self.done.push(&html!("\n"));
    }

    fn flush(&mut self) {
        if let Some(margin) = self.margin.next() {
            self.done.push(&margin);
        }
        for (style, text) in self.line.drain(..) {
            let part = match style.classes() {
                classes if classes.is_empty() => html!("{}", text),
                classes => html!("<span class=\"{}\">{}</span>", classes, text),
            };
            self.done.push(&part);
        }
    }

    fn finish(mut self) -> Html {
        // What follows the last line feed is a line only if there is something.
        if !self.line.is_empty() {
            self.flush();
        }
        self.done
    }
}

#[cfg(test)]
mod tests;
