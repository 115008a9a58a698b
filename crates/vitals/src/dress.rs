//! How text looks on a terminal: whether it has colors, and more letters than ASCII.

use std::env;

use crate::command::Coloring;

const RED: &str = "31";
const YELLOW: &str = "33";
const GREEN: &str = "32";

/// What has a color. Colors only repeat what signs and words say already.
const COLORED: [(&str, &str); 6] =
    [("✖", RED), ("FAIL", RED), ("◄ cause", RED), ("◐", YELLOW), ("⏸", YELLOW), ("●", GREEN)];

/// What stands for signs where there are none.
const ASCII: [(char, &str); 19] = [
    ('●', "*"),
    ('○', "."),
    ('◐', "~"),
    ('✖', "x"),
    ('⏸', "="),
    ('◌', "o"),
    ('├', "|"),
    ('└', "`"),
    ('│', "|"),
    ('─', "-"),
    ('–', "-"),
    ('…', "~"),
    ('→', ">"),
    ('◄', "<"),
    ('▾', "v"),
    ('▸', ">"),
    ('█', "_"),
    ('┌', "+"),
    ('┐', "+"),
];

/// What a terminal can show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dress {
    pub color: bool,
    pub unicode: bool,
}

impl Dress {
    /// Everything.
    #[cfg(test)]
    pub const FULL: Self = Self { color: true, unicode: true };

    /// Finds out what is wanted of printed text, and can be shown.
    pub fn of_text(coloring: Coloring, is_terminal: bool) -> Self {
        let color = match coloring {
            Coloring::Always => true,
            Coloring::Never => false,
            Coloring::Auto => is_terminal && !is_plain(),
        };
        Self { color, unicode: is_unicode() }
    }

    /// Finds out what a screen can show.
    pub fn of_screen(coloring: Coloring) -> Self {
        Self::of_text(coloring, true)
    }

    /// Dresses text whose lines are already laid out.
    pub fn text(self, text: &str) -> String {
        let mut dressed = text.to_owned();
        if self.color {
            for (sign, color) in COLORED {
                if dressed.contains(sign) {
                    dressed = dressed.replace(sign, &format!("\x1b[{color}m{sign}\x1b[0m"));
                }
            }
        }
        if self.unicode { dressed } else { dressed.chars().map(|sign| self.sign(sign)).collect() }
    }

    /// Returns what is shown for a sign.
    pub fn sign(self, sign: char) -> String {
        let plain = ASCII.iter().find(|(known, _)| *known == sign).map(|(_, plain)| *plain);
        match plain {
            Some(plain) if !self.unicode => plain.to_owned(),
            None if !self.unicode && is_line(sign) => "-".to_owned(),
            _ => sign.to_string(),
        }
    }
}

/// Tells whether a sign belongs to the borders of windows or to the steps of a line.
fn is_line(sign: char) -> bool {
    ('\u{2500}'..='\u{259f}').contains(&sign)
}

fn is_plain() -> bool {
    env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
        || env::var_os("TERM").is_some_and(|term| term == "dumb")
}

/// Reads from the environment which letters are wanted; where it says nothing, all are.
fn is_unicode() -> bool {
    let said = ["LC_ALL", "LC_CTYPE", "LANG"].iter().filter_map(|name| env::var(name).ok());
    let locale = said.into_iter().find(|value| !value.is_empty());
    locale.is_none_or(|locale| {
        let locale = locale.to_lowercase();
        locale.contains("utf-8") || locale.contains("utf8")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_other_letters_signs_are_ascii_and_take_as_much_room() {
        let plain = Dress { color: false, unicode: false };
        let shown = plain.text("├─ ● store  –  ◐ waiting\n│  └─ ✖ x …");
        assert_eq!(shown, "|- * store  -  ~ waiting\n|  `- x x ~");
        assert!(ASCII.iter().all(|(_, plain)| plain.len() == 1));
    }

    #[test]
    fn colors_repeat_signs() {
        let colored = Dress::FULL.text("✖ restarting");
        assert_eq!(colored, "\x1b[31m✖\x1b[0m restarting");
        let plain = Dress { color: false, ..Dress::FULL };
        assert_eq!(plain.text("✖ restarting"), "✖ restarting");
    }
}
