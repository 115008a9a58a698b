//! What is shown, and the pen that writes it within a limit.

use std::borrow::Cow;
use std::fmt::{self, Write};

use super::Inspect;

/// How many bytes of one text are shown: enough to recognize it.
const LONGEST_TEXT: usize = 1_000;

/// How deep values may be nested; what is deeper is left out.
const DEEPEST: usize = 16;

/// What an element costs beside its text: its quotes, commas and brackets.
const PUNCTUATION: usize = 4;

/// A value as it was shown.
#[derive(Debug, Clone, PartialEq)]
pub enum Shown {
    /// Nothing is there.
    Nothing,
    /// Yes or no.
    Flag(bool),
    /// A number from 0 up.
    Count(u64),
    /// A number below 0.
    Negative(i64),
    /// A number with a fraction.
    Fraction(f64),
    /// A text; a long one is cut and ends in `…`.
    Text(String),
    /// Values in order.
    List(Vec<Self>),
    /// Values with names, in order.
    Record(Vec<(Cow<'static, str>, Self)>),
    /// Something for which there was no room left.
    Cut,
}

/// Where one value is shown.
///
/// Dropping it without a word shows nothing.
#[derive(Debug)]
pub struct View<'a> {
    paper: &'a mut Paper,
    place: &'a mut Shown,
    depth: usize,
}

/// Where the fields of one value are shown.
#[derive(Debug)]
pub struct Record<'a> {
    paper: &'a mut Paper,
    fields: Vec<(Cow<'static, str>, Shown)>,
    depth: usize,
}

/// How much room is left.
#[derive(Debug)]
struct Paper {
    room: usize,
    cut: bool,
}

/// Shows a value within so many bytes; the second is whether something was left out.
pub(super) fn show(bytes: usize, inspect: impl FnOnce(View<'_>)) -> (Shown, bool) {
    let mut paper = Paper { room: bytes, cut: false };
    let mut place = Shown::Nothing;
    inspect(View { paper: &mut paper, place: &mut place, depth: 0 });
    (place, paper.cut)
}

impl View<'_> {
    /// Shows yes or no.
    pub fn flag(self, flag: bool) {
        self.put(Shown::Flag(flag), 5);
    }

    /// Shows a number.
    pub fn count(self, count: u64) {
        self.put(Shown::Count(count), 8);
    }

    /// Shows a number that may be negative.
    pub fn number(self, number: i64) {
        let shown = u64::try_from(number).map_or(Shown::Negative(number), Shown::Count);
        self.put(shown, 8);
    }

    /// Shows a number with a fraction; what is no number is shown as text.
    pub fn fraction(self, fraction: f64) {
        if fraction.is_finite() {
            self.put(Shown::Fraction(fraction), 8);
        } else {
            self.text(fraction);
        }
    }

    /// Shows that nothing is there.
    pub fn nothing(self) {
        self.put(Shown::Nothing, 4);
    }

    /// Shows what a value displays as.
    pub fn text(self, text: impl fmt::Display) {
        let mut line = Line { text: String::new(), room: self.paper.room.min(LONGEST_TEXT) };
        // A line that is full ends the writing early, and says so by its last character.
        let cut = write!(line, "{text}").is_err();
        self.paper.cut |= cut;
        let length = line.text.len();
        self.put(Shown::Text(line.text), length);
    }

    /// Shows values in order.
    pub fn list<'i, I: Inspect + ?Sized + 'i>(self, items: impl IntoIterator<Item = &'i I>) {
        let Some(Self { paper, place, depth }) = self.deeper() else { return };
        let mut list = Vec::new();
        for item in items {
            let full = !paper.has_room();
            list.push(paper.show(item, depth));
            if full {
                break;
            }
        }
        *place = Shown::List(list);
    }

    /// Shows values with names that are known only now.
    pub fn map<'i, K: fmt::Display, I: Inspect + ?Sized + 'i>(
        self,
        entries: impl IntoIterator<Item = (K, &'i I)>,
    ) {
        let Some(Self { paper, place, depth }) = self.deeper() else { return };
        let mut record = Record { paper, fields: Vec::new(), depth };
        for (key, value) in entries {
            if !record.paper.has_room() {
                record.paper.cut = true;
                break;
            }
            record.put(Cow::Owned(key.to_string()), value);
        }
        *place = Shown::Record(record.fields);
    }

    /// Shows the fields of a value.
    pub fn record(self, fields: impl FnOnce(Record<'_>) -> Record<'_>) {
        let Some(Self { paper, place, depth }) = self.deeper() else { return };
        let record = fields(Record { paper, fields: Vec::new(), depth });
        *place = Shown::Record(record.fields);
    }

    fn put(self, shown: Shown, length: usize) {
        self.paper.spend(length + PUNCTUATION);
        *self.place = shown;
    }

    /// Goes one level down; too deep, and this place is cut.
    fn deeper(self) -> Option<Self> {
        self.paper.spend(PUNCTUATION);
        if self.depth < DEEPEST {
            return Some(Self { depth: self.depth + 1, ..self });
        }
        self.paper.cut = true;
        *self.place = Shown::Cut;
        None
    }
}

impl Record<'_> {
    /// Shows a field.
    #[must_use]
    pub fn field(mut self, name: &'static str, value: &(impl Inspect + ?Sized)) -> Self {
        self.put(Cow::Borrowed(name), value);
        self
    }

    /// Shows what a value displays as.
    #[must_use]
    pub fn text(mut self, name: &'static str, value: impl fmt::Display) -> Self {
        self.put(Cow::Borrowed(name), &Displayed(value));
        self
    }

    fn put(&mut self, name: Cow<'static, str>, value: &(impl Inspect + ?Sized)) {
        self.paper.spend(name.len() + PUNCTUATION);
        let shown = self.paper.show(value, self.depth);
        self.fields.push((name, shown));
    }
}

/// Shows what it displays as.
struct Displayed<D>(D);

impl<D: fmt::Display> Inspect for Displayed<D> {
    fn inspect(&self, view: View<'_>) {
        view.text(&self.0);
    }
}

impl Paper {
    fn has_room(&self) -> bool {
        self.room > 0
    }

    fn spend(&mut self, bytes: usize) {
        self.room = self.room.saturating_sub(bytes);
    }

    fn show(&mut self, value: &(impl Inspect + ?Sized), depth: usize) -> Shown {
        if !self.has_room() {
            self.cut = true;
            return Shown::Cut;
        }
        let mut shown = Shown::Nothing;
        value.inspect(View { paper: self, place: &mut shown, depth });
        shown
    }
}

/// A text that takes no more than fits.
struct Line {
    text: String,
    room: usize,
}

impl Write for Line {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let room = self.room.saturating_sub(self.text.len());
        self.text.push_str(&text[..text.floor_char_boundary(room)]);
        if text.len() <= room {
            return Ok(());
        }
        self.text.push('…');
        Err(fmt::Error)
    }
}
