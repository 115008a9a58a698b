//! Who may command, remembered for a moment: whoever floods a pull request with commands shall not have
//! the forge asked each time.

use std::collections::BTreeMap;

use ci_domain::forge::Timestamp;
use ci_domain::ids::Login;

/// How long an answer is believed, in seconds: someone who lost write access has it no longer than that.
const BELIEVED: u64 = 30;

/// What the forge said lately.
#[derive(Debug, Default)]
pub(super) struct Permissions(BTreeMap<Login, (Timestamp, bool)>);

impl Permissions {
    /// Whether `who` may command, where that was asked a moment before `now`.
    pub(super) fn of(&self, who: &Login, now: Timestamp) -> Option<bool> {
        self.0.get(who).filter(|(at, _)| is_believed(*at, now)).map(|(_, may)| *may)
    }

    /// Takes note of an answer, and forgets those that nobody believes any more.
    pub(super) fn note(&mut self, who: Login, may: bool, now: Timestamp) {
        self.0.retain(|_, (at, _)| is_believed(*at, now));
        self.0.entry(who).or_insert((now, may));
    }
}

/// A clock that went back makes no answer last.
fn is_believed(at: Timestamp, now: Timestamp) -> bool {
    now.0.checked_sub(at.0).is_some_and(|age| age < BELIEVED)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_believed_for_a_moment_and_not_renewed_by_being_used() {
        let (ada, mut permissions) = (Login::new("ada").unwrap(), Permissions::default());
        assert_eq!(permissions.of(&ada, Timestamp(100)), None);
        permissions.note(ada.clone(), true, Timestamp(100));
        permissions.note(ada.clone(), true, Timestamp(120));
        assert_eq!(permissions.of(&ada, Timestamp(129)), Some(true));
        assert_eq!(permissions.of(&ada, Timestamp(130)), None);
        assert_eq!(permissions.of(&ada, Timestamp(99)), None);
        permissions.note(ada.clone(), false, Timestamp(130));
        assert_eq!(permissions.of(&ada, Timestamp(131)), Some(false));
    }
}
