//! Splits what a program printed into text and the few things that are heeded.

use std::iter::Peekable;
use std::str::Chars;

/// The longest list of parameters that is read; longer ones are nobody's colors.
const MAX_PARAMETERS: usize = 64;

/// A part of a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Token {
    /// A character to show.
    Print(char),
    /// The end of a line.
    NewLine,
    /// Back to the start of the line.
    Return,
    /// Select graphic rendition, with its parameters.
    Style(Vec<u16>),
}

/// Reads a log character by character.
pub(super) struct Parser<'a> {
    chars: Peekable<Chars<'a>>,
}

impl<'a> Parser<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { chars: text.chars().peekable() }
    }

    /// What follows an escape character.
    fn escape(&mut self) -> Option<Token> {
        match self.chars.peek()? {
            '[' => {
                self.chars.next();
                self.control_sequence()
            }
            // A string for the terminal: a title, a link, a picture.
            ']' | 'P' | 'X' | '^' | '_' => {
                self.chars.next();
                self.skip_string();
                None
            }
            _ => {
                self.skip_plain_escape();
                None
            }
        }
    }

    /// Reads to the final character; only `m` without private marks means something to us.
    fn control_sequence(&mut self) -> Option<Token> {
        let mut text = String::new();
        loop {
            match self.chars.peek().copied()? {
                char @ '\x20'..='\x3f' => {
                    self.chars.next();
                    text.push(char);
                }
                'm' => {
                    self.chars.next();
                    return parameters(&text).map(Token::Style);
                }
                '\x40'..='\x7e' => {
                    self.chars.next();
                    return None;
                }
                // Broken off: what follows is text again.
                _ => return None,
            }
        }
    }

    /// Skips to the bell or the string terminator; a string that is never ended ends with its line.
    fn skip_string(&mut self) {
        while let Some(char) = self.chars.next_if(|char| *char != '\n') {
            let is_end = match char {
                '\x07' | '\u{9c}' => true,
                '\x1b' => self.chars.next_if_eq(&'\\').is_some(),
                _ => false,
            };
            if is_end {
                return;
            }
        }
    }

    /// Skips intermediate characters and the final one.
    fn skip_plain_escape(&mut self) {
        while self.chars.next_if(|char| matches!(char, '\x20'..='\x2f')).is_some() {}
        let _final = self.chars.next_if(|char| matches!(char, '\x30'..='\x7e'));
    }
}

impl Iterator for Parser<'_> {
    type Item = Token;

    fn next(&mut self) -> Option<Token> {
        loop {
            let token = match self.chars.next()? {
                '\x1b' => self.escape(),
                '\u{9b}' => self.control_sequence(),
                '\n' => Some(Token::NewLine),
                '\r' => Some(Token::Return),
                '\t' => Some(Token::Print('\t')),
                char if char.is_control() => None,
                char => Some(Token::Print(char)),
            };
            if token.is_some() {
                return token;
            }
        }
    }
}

/// Numbers between `;` and `:`; an absent one is zero.
fn parameters(text: &str) -> Option<Vec<u16>> {
    let numbers = text.split([';', ':']).take(MAX_PARAMETERS);
    let number = |part: &str| if part.is_empty() { Some(0) } else { part.parse().ok() };
    numbers.map(number).collect()
}
