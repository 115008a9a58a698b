//! What is different between two states of a page: one piece in the middle.

use serde::Serialize;

use super::shown::Shown;

/// What a script needs to show the newer one.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct Change<'a> {
    title: &'a str,
    tone: &'static str,
    /// How much of the older one stays at its beginning and at its end, in the units that scripts count in.
    #[serde(skip_serializing_if = "Option::is_none")]
    start: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    end: Option<usize>,
    html: &'a str,
}

impl<'a> Change<'a> {
    /// What makes `new` of `old`, or all of it where nothing is known of an older one.
    pub(super) fn between(old: Option<&Shown>, new: &'a Shown) -> Self {
        let Some(old) = old else { return Self::all(new) };
        let all = Self::all(new);
        let (old, new) = (old.main.as_str(), new.main.as_str());
        let start = common(old.chars(), new.chars());
        let end = common(old[start..].chars().rev(), new[start..].chars().rev());
        let units = |text: &str| text.encode_utf16().count();
        let stays = [&new[..start], &new[new.len() - end..]].map(|text| Some(units(text)));
        Self { start: stays[0], end: stays[1], html: &new[start..new.len() - end], ..all }
    }

    fn all(new: &'a Shown) -> Self {
        let (title, tone) = (new.title.as_str(), new.tone.class());
        Self { title, tone, start: None, end: None, html: &new.main }
    }
}

/// The bytes that two texts have in common.
fn common(old: impl Iterator<Item = char>, new: impl Iterator<Item = char>) -> usize {
    let same = old.zip(new).take_while(|(one, other)| one == other);
    same.map(|(char, _)| char.len_utf8()).sum()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::super::html::html;
    use super::super::super::icon::Tone;
    use super::*;

    fn shown(text: &str) -> Shown {
        Shown::new("t".to_owned(), Tone::Good, &html!("{}", text))
    }

    /// Does what the script does.
    fn put_together(old: &Shown, change: &Change<'_>) -> String {
        let (start, end) = (change.start.unwrap(), change.end.unwrap());
        let old: Vec<u16> = old.main.encode_utf16().collect();
        let mut units = old[..start].to_vec();
        units.extend(change.html.encode_utf16());
        units.extend(&old[old.len() - end..]);
        String::from_utf16(&units).unwrap()
    }

    #[test]
    fn only_what_is_different_is_sent() {
        let (old, new) = (shown("job a runs, 🚀"), shown("job a passed, 🚀"));
        let change = Change::between(Some(&old), &new);
        assert_eq!((change.html, put_together(&old, &change)), ("passed", new.main.clone()));
        let all = Change::between(None, &new);
        assert_eq!((all.html, all.start), (new.main.as_str(), None));
    }

    proptest! {
        #[test]
        fn the_newer_one_is_put_together_again(old in "[ab🚀é]{0,12}", new in "[ab🚀é]{0,12}") {
            let (old, new) = (shown(&old), shown(&new));
            prop_assert_eq!(put_together(&old, &Change::between(Some(&old), &new)), new.main.clone());
        }
    }
}
