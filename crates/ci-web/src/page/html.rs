//! HTML in which nothing from outside is markup.
//!
//! [`html!`] takes a literal and values. Values are escaped unless they are [`Html`] themselves, so that
//! the only markup on a page is what stands in the sources.

use std::fmt::{self, Display, Write};

/// Text that is safe to send as HTML.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Html(String);

/// Makes [`Html`] from a literal in which each `{}` stands for a value.
///
/// The literal must be one: `concat!` keeps it from naming variables, which would not be escaped.
macro_rules! html {
    ($template:literal $(, $value:expr)* $(,)?) => {
        $crate::page::html::Html::format(
            format_args!(concat!($template) $(, $crate::page::html::Shown(&$value))*)
        )
    };
}

pub(crate) use html;

/// What can stand for a `{}`.
pub(crate) trait Show {
    fn show(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result;
}

/// A value within [`html!`].
pub(crate) struct Shown<'a, T>(pub(crate) &'a T);

impl Html {
    /// For [`html!`] only.
    pub(crate) fn format(text: fmt::Arguments<'_>) -> Self {
        Self(text.to_string())
    }

    /// Adds more.
    pub(crate) fn push(&mut self, more: &Self) {
        self.0.push_str(&more.0);
    }

    /// The same with `more` at the place that `mark` marks.
    pub(crate) fn with(&self, mark: &'static str, more: &Self) -> Self {
        Self(self.0.replacen(mark, &more.0, 1))
    }

    /// What is there so far.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// The text to send.
    pub(crate) fn into_string(self) -> String {
        self.0
    }
}

impl FromIterator<Html> for Html {
    fn from_iter<I: IntoIterator<Item = Html>>(parts: I) -> Self {
        parts.into_iter().fold(Self::default(), |mut all, part| {
            all.push(&part);
            all
        })
    }
}

impl Show for Html {
    fn show(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<T: Display> Show for T {
    fn show(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(Escape(f), "{self}")
    }
}

impl<T: Show> Display for Shown<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.show(f)
    }
}

/// Passes text on without what could be markup, within an element or an attribute's quotes.
struct Escape<'a, 'b>(&'a mut fmt::Formatter<'b>);

impl Write for Escape<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        text.chars().try_for_each(|char| match char {
            '&' => self.0.write_str("&amp;"),
            '<' => self.0.write_str("&lt;"),
            '>' => self.0.write_str("&gt;"),
            '"' => self.0.write_str("&quot;"),
            '\'' => self.0.write_str("&#39;"),
            '\n' | '\t' => self.0.write_char(char),
            char if char.is_control() || is_direction(char) => {
                self.0.write_char(char::REPLACEMENT_CHARACTER)
            }
            char => self.0.write_char(char),
        })
    }
}

/// Whether a character turns the direction of what follows: it could make text read as what it is not.
fn is_direction(char: char) -> bool {
    matches!(char, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    #[test]
    fn values_are_escaped_and_html_is_not() {
        let title = "<script>alert('1 & \"2\"')</script>";
        let inner = html!("<b title=\"{}\">{}</b>", title, 3);
        let escaped = "&lt;script&gt;alert(&#39;1 &amp; &quot;2&quot;&#39;)&lt;/script&gt;";
        assert_eq!(inner.as_str(), format!("<b title=\"{escaped}\">3</b>"));
        assert_eq!(html!("{}{}", inner, html!("!")).as_str(), format!("{}!", inner.as_str()));
        assert_eq!(html!("{}", "a\0\u{1b}\u{202e}b\n").as_str(), "a\u{fffd}\u{fffd}\u{fffd}b\n");
    }

    proptest! {
        #[test]
        fn no_text_makes_markup(text in any::<String>()) {
            let shown = html!("{}", text);
            prop_assert!(!shown.as_str().contains(['<', '>', '"', '\'']));
        }
    }
}
