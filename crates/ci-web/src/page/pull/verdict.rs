//! The verdict as a sentence.

use crate::wire::{PullEnd, VerdictState};

/// Says whether a pull request can be merged, and why not, around the words of its status.
pub(super) fn sentence(state: VerdictState, description: &str, ended: Option<PullEnd>) -> String {
    match ended {
        Some(PullEnd::Merged) => return "It was merged.".to_owned(),
        Some(PullEnd::Closed) => return "It was closed, and not merged.".to_owned(),
        None => {}
    }
    let begins = match state {
        VerdictState::Success => return "This pull request can be merged.".to_owned(),
        VerdictState::Pending => "Not yet",
        VerdictState::Failure => "It cannot be merged",
        VerdictState::Error => "It cannot be judged",
        VerdictState::Unknown => "It is not known whether it can be merged",
    };
    let ends = if description.ends_with(['.', '…']) { "" } else { "." };
    format!("{begins}: {description}{ends}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_verdict_is_a_sentence() {
        let check = |state, words, expected| assert_eq!(sentence(state, words, None), expected);
        check(
            VerdictState::Success,
            "pull request can be merged",
            "This pull request can be merged.",
        );
        check(VerdictState::Pending, "awaiting a:test", "Not yet: awaiting a:test.");
        check(VerdictState::Failure, "a:test, … …", "It cannot be merged: a:test, … …");
        check(VerdictState::Error, "a:test crashed", "It cannot be judged: a:test crashed.");
        let merged = Some(PullEnd::Merged);
        assert_eq!(sentence(VerdictState::Failure, "a:test failed", merged), "It was merged.");
    }
}
