//! Answers that are owed, as stored.

use ci_domain::forge::CommentId;
use ci_domain::ids::PullNumber;
use serde::{Deserialize, Serialize};

use crate::watcher::answers::{Answer, Owed};

/// [`Owed`] as stored.
#[derive(Serialize, Deserialize)]
pub(super) struct StoredOwed {
    comment: u64,
    pull: u64,
    /// The only reaction that is ever given, or none.
    thumbs_up: bool,
    text: String,
}

impl StoredOwed {
    pub(super) fn new(comment: CommentId, owed: &Owed) -> Self {
        let (thumbs_up, text) = match &owed.answer {
            Answer::React(text) => (true, text.clone()),
            Answer::Say(text) => (false, text.clone()),
        };
        Self { comment: comment.0, pull: owed.pull.0, thumbs_up, text }
    }

    pub(super) fn read(self) -> (CommentId, Owed) {
        let answer = if self.thumbs_up { Answer::React(self.text) } else { Answer::Say(self.text) };
        (CommentId(self.comment), Owed { pull: PullNumber(self.pull), answer })
    }
}
