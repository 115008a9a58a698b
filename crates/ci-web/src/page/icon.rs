//! How something stands, as a shape and a color: nobody has to tell colors apart.

use super::html::{Html, html};
use crate::wire::{JobState, VerdictState};

/// How something stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tone {
    /// As it should.
    Good,
    /// The change is at fault.
    Bad,
    /// The machinery is at fault.
    Broken,
    /// It waits.
    Wait,
    /// It is at work.
    Live,
    /// It is of no interest now.
    Mute,
}

/// All of them.
const ALL: [Tone; 6] = [Tone::Good, Tone::Bad, Tone::Broken, Tone::Wait, Tone::Live, Tone::Mute];

impl Tone {
    /// The class that gives it its color.
    pub(super) fn class(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Bad => "bad",
            Self::Broken => "broken",
            Self::Wait => "wait",
            Self::Live => "live",
            Self::Mute => "mute",
        }
    }

    /// The color of its picture, where no stylesheet is.
    fn color(self) -> &'static str {
        match self {
            Self::Good => "#2ea44f",
            Self::Bad => "#d73a49",
            Self::Broken => "#9a4bc7",
            Self::Wait => "#c58a10",
            Self::Live => "#2f81f7",
            Self::Mute => "#768090",
        }
    }

    /// Its shape in a square of sixteen.
    fn shape(self) -> Html {
        match self {
            Self::Good => html!(
                r#"<circle cx="8" cy="8" r="7.5" fill="currentColor"/><path d="M4.7 8.3l2.3 2.3 4.4-4.8" fill="none" stroke="white" stroke-width="1.8"/>"#
            ),
            Self::Bad => html!(
                r#"<circle cx="8" cy="8" r="7.5" fill="currentColor"/><path d="M5.3 5.3l5.4 5.4M10.7 5.3l-5.4 5.4" stroke="white" stroke-width="1.8"/>"#
            ),
            Self::Broken => html!(
                r#"<path d="M8 .8L15.6 14.6H.4z" fill="currentColor"/><path d="M8 5.4v4.4M8 11.2v1.7" stroke="white" stroke-width="1.7"/>"#
            ),
            Self::Wait => html!(
                r#"<circle cx="8" cy="8" r="6.6" fill="none" stroke="currentColor" stroke-width="1.8"/><path d="M8 4.4V8l2.5 1.6" fill="none" stroke="currentColor" stroke-width="1.6"/>"#
            ),
            Self::Live => html!(
                r#"<circle cx="8" cy="8" r="6.6" fill="none" stroke="currentColor" stroke-width="1.8" opacity=".3"/><path class="turn" d="M8 1.4a6.6 6.6 0 0 1 6.6 6.6" fill="none" stroke="currentColor" stroke-width="1.8"/><circle cx="8" cy="8" r="2.4" fill="currentColor"/>"#
            ),
            Self::Mute => html!(
                r#"<circle cx="8" cy="8" r="6.6" fill="none" stroke="currentColor" stroke-width="1.6" stroke-dasharray="2.6 2.2"/>"#
            ),
        }
    }
}

impl From<VerdictState> for Tone {
    fn from(state: VerdictState) -> Self {
        match state {
            VerdictState::Success => Self::Good,
            VerdictState::Pending => Self::Wait,
            VerdictState::Failure => Self::Bad,
            VerdictState::Error => Self::Broken,
            VerdictState::Unknown => Self::Mute,
        }
    }
}

impl From<JobState> for Tone {
    fn from(state: JobState) -> Self {
        match state {
            JobState::Passed => Self::Good,
            JobState::Failed => Self::Bad,
            JobState::Crashed => Self::Broken,
            JobState::Running | JobState::Cancelling => Self::Live,
            JobState::Waiting | JobState::AwaitingApproval | JobState::Pending => Self::Wait,
            JobState::Blocked | JobState::Cancelled => Self::Mute,
        }
    }
}

/// The shape, beside words that say the same.
pub(super) fn shape(tone: Tone) -> Html {
    html!(
        r#"<svg class="icon {}" viewBox="0 0 16 16" aria-hidden="true">{}</svg>"#,
        tone.class(),
        tone.shape()
    )
}

/// The shape where nothing beside it says the same.
pub(super) fn telling(tone: Tone, words: &str) -> Html {
    html!(
        r#"<svg class="icon {}" viewBox="0 0 16 16" role="img" aria-label="{}">{}</svg>"#,
        tone.class(),
        words,
        tone.shape()
    )
}

/// Shape and words.
pub(super) fn badge(tone: Tone, words: &str) -> Html {
    html!(r#"<span class="badge {}">{}{}</span>"#, tone.class(), shape(tone), words)
}

/// Where the picture for the window is.
pub(super) fn path(tone: Tone) -> String {
    format!("/assets/{}.svg", tone.class())
}

/// The picture at `path`.
pub(super) fn file(path: &str) -> Option<String> {
    let tone = ALL.into_iter().find(|tone| self::path(*tone) == path)?;
    let picture = html!(
        r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16" color="{}">{}</svg>"#,
        tone.color(),
        tone.shape()
    );
    Some(picture.into_string())
}
