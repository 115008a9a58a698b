//! What a terminal would show, as HTML: colors and weights stay, everything else that a program tells its
//! terminal goes.
//!
//! Colors are classes, never inline styles: the policy of our pages forbids those. The 256 colors and the
//! true ones become the nearest of the sixteen that the stylesheet knows.

mod color;
mod parser;
mod style;

use self::parser::{Parser, Token};
pub(crate) use self::style::Style;
use super::html::{Html, html};

/// Renders the bytes of a log, line by line. What was switched on before them is in `style`, and what is
/// on at their end will be.
///
/// Lines are what line feeds make of the bytes: none is swallowed by a sequence for the terminal.
pub(crate) fn lines(log: &[u8], style: &mut Style) -> Vec<Html> {
    let text = String::from_utf8_lossy(log);
    let mut screen = Screen::new(*style);
    for token in Parser::new(&text) {
        match token {
            Token::Print(char) => screen.print(char),
            Token::NewLine => screen.end_line(),
            Token::Return => screen.returned = true,
            Token::Style(parameters) => screen.style.apply(&parameters),
        }
    }
    *style = screen.style;
    screen.finish()
}

/// What is on after these bytes of a log.
pub(crate) fn style_after(log: &[u8]) -> Style {
    let mut style = Style::default();
    let text = String::from_utf8_lossy(log);
    for token in Parser::new(&text) {
        if let Token::Style(parameters) = token {
            style.apply(&parameters);
        }
    }
    style
}

/// The text of a line, as it is shown.
pub(crate) fn plain(line: &[u8]) -> String {
    let text = String::from_utf8_lossy(line);
    let (mut shown, mut returned) = (String::new(), false);
    for token in Parser::new(&text) {
        match token {
            Token::Print(char) => {
                if std::mem::take(&mut returned) {
                    shown.clear();
                }
                shown.push(char);
            }
            Token::Return => returned = true,
            Token::NewLine | Token::Style(_) => {}
        }
    }
    shown
}

/// The lines so far, and the one that is being written.
struct Screen {
    done: Vec<Html>,
    line: Vec<(Style, String)>,
    style: Style,
    /// Whether what comes next writes over the line.
    returned: bool,
}

impl Screen {
    fn new(style: Style) -> Self {
        Self { done: Vec::new(), line: Vec::new(), style, returned: false }
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
        let parts = self.line.drain(..);
        self.done.push(parts.map(|(style, text)| part(style, &text)).collect());
    }

    fn finish(mut self) -> Vec<Html> {
        // What follows the last line feed is a line only if there is something.
        if !self.line.is_empty() {
            self.end_line();
        }
        self.done
    }
}

fn part(style: Style, text: &str) -> Html {
    match style.classes() {
        classes if classes.is_empty() => html!("{}", text),
        classes => html!("<span class=\"{}\">{}</span>", classes, text),
    }
}

#[cfg(test)]
mod tests;
