//! How text is set.

use super::color::Color;

/// How text is set at one place.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Style {
    foreground: Option<Color>,
    background: Option<Color>,
    bold: bool,
    dim: bool,
    italic: bool,
    underline: bool,
    inverse: bool,
    strike: bool,
}

impl Style {
    /// Takes the parameters of a sequence into account; what is not known is passed over.
    pub(super) fn apply(&mut self, parameters: &[u16]) {
        let mut rest = parameters.iter().copied();
        while let Some(parameter) = rest.next() {
            match parameter {
                0 => *self = Self::default(),
                1 => self.bold = true,
                2 => self.dim = true,
                3 => self.italic = true,
                4 | 21 => self.underline = true,
                7 => self.inverse = true,
                9 => self.strike = true,
                22 => (self.bold, self.dim) = (false, false),
                23 => self.italic = false,
                24 => self.underline = false,
                27 => self.inverse = false,
                29 => self.strike = false,
                30..=37 => self.foreground = Color::basic(parameter - 30),
                38 => self.foreground = Color::extended(&mut rest).or(self.foreground),
                39 => self.foreground = None,
                40..=47 => self.background = Color::basic(parameter - 40),
                48 => self.background = Color::extended(&mut rest).or(self.background),
                49 => self.background = None,
                90..=97 => self.foreground = Color::basic(parameter - 90 + 8),
                100..=107 => self.background = Color::basic(parameter - 100 + 8),
                _ => {}
            }
        }
    }

    /// The classes that set text so; none for plain text.
    pub(super) fn classes(self) -> String {
        let colors = [("f", self.foreground), ("b", self.background)];
        let colors = colors
            .into_iter()
            .filter_map(|(kind, color)| color.map(|color| format!("{kind}{}", color.number())));
        let flags = [
            ("bold", self.bold),
            ("dim", self.dim),
            ("italic", self.italic),
            ("underline", self.underline),
            ("inverse", self.inverse),
            ("strike", self.strike),
        ];
        let flags = flags.into_iter().filter(|(_, is_on)| *is_on).map(|(name, _)| name.to_owned());
        colors.chain(flags).collect::<Vec<_>>().join(" ")
    }
}
