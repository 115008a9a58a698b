//! Since when builds are there, and pull requests and branches are not, by the day: their own records
//! have no dates.
//!
//! A page says which builds were the newest when it was written, and which pull requests had ended. Once
//! a page is old enough, all that it names is, and all builds before.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

/// One day, as it is on record. The names of builds are those of their streams without their numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Page {
    /// Days since 1970.
    pub(super) day: u64,
    /// The newest build of each that had a new one since the page before.
    pub(super) newest: BTreeMap<String, u64>,
    /// The streams of pull requests and branches that have ended since.
    pub(super) ended: BTreeSet<String>,
    /// The streams of those that had ended, and were opened again since.
    pub(super) reopened: BTreeSet<String>,
}

/// The pages that are kept, the oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Calendar {
    pub(super) pages: Vec<Page>,
}

impl Calendar {
    /// What is new on `day`; `None` if nothing is.
    pub(super) fn news(
        &self,
        day: u64,
        newest: &BTreeMap<String, u64>,
        ended: &BTreeSet<String>,
    ) -> Option<Page> {
        let (known, had_ended) = self.known();
        let is_new = |(name, number): &(&String, &u64)| known.get(*name) < Some(*number);
        let newest = newest.iter().filter(is_new).map(|(name, number)| (name.clone(), *number));
        let page = Page {
            day,
            newest: newest.collect(),
            ended: ended.difference(&had_ended).cloned().collect(),
            reopened: had_ended.difference(ended).cloned().collect(),
        };
        let is_empty = page.newest.is_empty() && page.ended.is_empty() && page.reopened.is_empty();
        (!is_empty).then_some(page)
    }

    /// Takes out the pages up to `day`, and answers with the builds, each with all before it, and the
    /// ended pull requests that are that old.
    pub(super) fn tear_off(&mut self, day: u64) -> (BTreeMap<String, u64>, BTreeSet<String>) {
        let count = self.pages.partition_point(|page| page.day <= day);
        let old = Self { pages: self.pages.drain(..count).collect() };
        let (builds, mut ended) = old.known();
        ended.retain(|stream| !self.pages.iter().any(|page| page.reopened.contains(stream)));
        (builds, ended)
    }

    /// The newest builds and the ended pull requests, by all pages together.
    fn known(&self) -> (BTreeMap<String, u64>, BTreeSet<String>) {
        let (mut newest, mut ended) = (BTreeMap::new(), BTreeSet::new());
        for page in &self.pages {
            newest.extend(page.newest.clone());
            ended.extend(page.ended.clone());
            ended.retain(|stream| !page.reopened.contains(stream));
        }
        (newest, ended)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn builds(names: &[(&str, u64)]) -> BTreeMap<String, u64> {
        names.iter().map(|(name, number)| ((*name).to_owned(), *number)).collect()
    }

    fn streams(names: &[&str]) -> BTreeSet<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn a_build_is_as_old_as_the_first_page_that_knows_it() {
        let mut calendar = Calendar::default();
        let days = [(1, builds(&[("7", 2)])), (2, builds(&[("7", 2)])), (5, builds(&[("7", 4)]))];
        for (day, newest) in days {
            calendar.pages.extend(calendar.news(day, &newest, &streams(&[])));
        }
        assert_eq!(calendar.pages.len(), 2, "a day without news has no page");
        assert_eq!(calendar.tear_off(0), (builds(&[]), streams(&[])));
        assert_eq!(calendar.tear_off(4), (builds(&[("7", 2)]), streams(&[])));
        assert_eq!(calendar.tear_off(5), (builds(&[("7", 4)]), streams(&[])));
        assert_eq!(calendar, Calendar::default());
    }

    #[test]
    fn one_that_is_opened_again_has_not_ended() {
        let mut calendar = Calendar::default();
        for (day, ended) in [(1, &["7", "8"][..]), (3, &["8"]), (9, &["7", "8"])] {
            calendar.pages.extend(calendar.news(day, &builds(&[]), &streams(ended)));
        }
        assert_eq!(calendar.tear_off(2).1, streams(&["8"]));
        assert_eq!(calendar.tear_off(8).1, streams(&[]));
        assert_eq!(calendar.tear_off(9).1, streams(&["7"]));
    }
}
