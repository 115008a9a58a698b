//! The statuses of one commit: mostly one or two, for each of thousands of commits.

use ci_domain::forge::StatusWrite;

/// Statuses in the order of their contexts, one of each; a map would keep room for eleven.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::reporter) struct Statuses(Vec<StatusWrite>);

impl Statuses {
    /// What the status of `context` says.
    pub(super) fn get(&self, context: &str) -> Option<&StatusWrite> {
        self.place(context).ok().and_then(|place| self.0.get(place))
    }

    /// Puts `status` in the place of the one of its context.
    pub(super) fn note(&mut self, status: StatusWrite) {
        match self.place(&status.context) {
            Ok(place) => self.0[place] = status,
            Err(place) => {
                self.0.reserve_exact(1);
                self.0.insert(place, status);
            }
        }
    }

    /// All of them.
    pub(in crate::reporter) fn iter(&self) -> impl Iterator<Item = &StatusWrite> {
        self.0.iter()
    }

    fn place(&self, context: &str) -> Result<usize, usize> {
        self.0.binary_search_by(|status| status.context.as_str().cmp(context))
    }
}

#[cfg(test)]
mod tests {
    use ci_domain::forge::StatusState;

    use super::*;

    #[test]
    fn there_is_one_of_each_context() {
        let mut statuses = Statuses::default();
        for (context, words) in [("b", "1"), ("a", "2"), ("c", "3"), ("b", "4")] {
            statuses.note(status(context, words));
        }
        let words = |context| statuses.get(context).map(|status| status.description.as_str());
        assert_eq!(["a", "b", "c", "d"].map(words), [Some("2"), Some("4"), Some("3"), None]);
        let contexts: Vec<&str> = statuses.iter().map(|status| status.context.as_str()).collect();
        assert_eq!(contexts, ["a", "b", "c"]);
    }

    fn status(context: &str, words: &str) -> StatusWrite {
        StatusWrite {
            context: context.to_owned(),
            state: StatusState::Pending,
            description: words.to_owned(),
            target_url: None,
        }
    }
}
