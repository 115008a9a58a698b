//! What a page shows.

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use sha2::{Digest, Sha256};

use super::super::html::Html;
use super::super::icon::Tone;
use crate::tokens::hex;

/// What a page shows, less what changes by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::page) struct Shown {
    /// A digest of all of it.
    pub(in crate::page) id: String,
    /// What the window is called.
    pub(in crate::page) title: String,
    pub(in crate::page) tone: Tone,
    /// The content, in which the times that pass are empty: the script knows what time it is.
    pub(in crate::page) main: String,
}

/// Marks requests for what a page shows, which nobody wants the logs of.
#[derive(Clone, Copy, Debug)]
pub(in crate::page) struct Glimpse;

/// How much of a page is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::page) enum Extent {
    /// All of it.
    Whole,
    /// What may change.
    Glimpse,
}

impl<S: Send + Sync> FromRequestParts<S> for Extent {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let is_glimpse = parts.extensions.get::<Glimpse>().is_some();
        Ok(if is_glimpse { Self::Glimpse } else { Self::Whole })
    }
}

impl Shown {
    pub(in crate::page) fn new(title: String, tone: Tone, main: &Html) -> Self {
        let main = without_times(main.as_str());
        let mut digest = Sha256::new();
        digest.update(&title);
        digest.update(tone.class());
        digest.update(&main);
        Self { id: hex(&digest.finalize()[..12]), title, tone, main }
    }
}

/// Empties the times that pass.
fn without_times(html: &str) -> String {
    let mut text = String::with_capacity(html.len());
    let mut rest = html;
    while let Some(start) = rest.find("<time data-kind") {
        let (before, time) = rest.split_at(start);
        text.push_str(before);
        let (Some(open), Some(end)) = (time.find('>'), time.find("</time>")) else { break };
        text.push_str(&time[..=open]);
        rest = &time[end..];
    }
    text + rest
}

#[cfg(test)]
mod tests {
    use super::super::super::html::html;
    use super::*;

    #[test]
    fn a_page_is_the_same_while_only_time_passes() {
        let page = |passed: &str, job: &str| {
            let main =
                html!(r#"<p><time data-kind="for" datetime="x">{}</time> {}</p>"#, passed, job);
            Shown::new("t".to_owned(), Tone::Live, &main)
        };
        assert_eq!(page("1 s", "a"), page("2 s", "a"));
        assert_ne!(page("1 s", "a").id, page("1 s", "b").id);
        assert_eq!(page("1 s", "a").main, r#"<p><time data-kind="for" datetime="x"></time> a</p>"#);
        let hostile = page("1 s", "<time data-kind");
        assert!(hostile.main.ends_with("</time> &lt;time data-kind</p>"), "{hostile:?}");
    }
}
