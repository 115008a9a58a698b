//! Which of our repositories a delivery is about: the name says so, and when that changes, the number.

use std::collections::BTreeMap;

use ci_domain::forge::ForgeEvent;
use ci_domain::ids::RepoName;
use ci_github::webhook::Delivery;
use tracing::warn;

/// What deliveries have told of the numbers of repositories. It is learned anew in each life: what is not
/// known costs a poll.
#[derive(Debug, Default)]
pub(super) struct Names(BTreeMap<u64, Known>);

/// A repository of ours.
#[derive(Debug)]
struct Known {
    /// As the configuration calls it.
    ours: RepoName,
    /// As the forge called it last.
    theirs: RepoName,
}

impl Names {
    /// The repository among `ours` that a delivery is about, as the configuration calls it. The forge may
    /// write the name in another case.
    pub(super) fn ours(&mut self, delivery: &Delivery, ours: &[RepoName]) -> Option<RepoName> {
        let theirs = delivery.repo.as_ref()?;
        let named = |name: &RepoName| ours.iter().find(|ours| is_same(ours, name));
        let known = delivery.repo_id.and_then(|id| self.0.get(&id)).map(|known| &known.ours);
        let known = known.filter(|known| ours.contains(known));
        let former = match &delivery.event {
            ForgeEvent::RepositoryChanged { was: Some(was) } => named(was),
            _ => None,
        };
        let found = match (known.or(former), named(theirs)) {
            (Some(known), _) => known,
            // The name is ours, but what it named before goes by another.
            (None, Some(named)) if delivery.repo_id.is_some() && self.has_moved_on(named) => {
                warn!(repo = %theirs, "another repository goes by a name that is in the configuration");
                return None;
            }
            (None, named) => named?,
        };
        let found = found.clone();
        self.note(delivery.repo_id, &found, theirs);
        Some(found)
    }

    /// Whether the repository that we know by this name is called otherwise now.
    fn has_moved_on(&self, ours: &RepoName) -> bool {
        self.0.values().any(|known| known.ours == *ours && !is_same(&known.theirs, ours))
    }

    fn note(&mut self, id: Option<u64>, ours: &RepoName, theirs: &RepoName) {
        let Some(id) = id else { return };
        let before = self.0.get(&id).map(|known| &known.theirs);
        if !is_same(ours, theirs) && before != Some(theirs) {
            warn!(repo = %ours, now = %theirs, "the repository has another name now: set its clone_url to the new address");
        }
        // One that was made anew under the old name has another number.
        self.0.retain(|number, known| *number == id || known.ours != *ours);
        self.0.insert(id, Known { ours: ours.clone(), theirs: theirs.clone() });
    }
}

fn is_same(one: &RepoName, other: &RepoName) -> bool {
    one.as_str().eq_ignore_ascii_case(other.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(name: &str) -> RepoName {
        RepoName::new(name).unwrap()
    }

    /// For each delivery, as `name id` or `new<old id`, what it is about.
    fn check(deliveries: &[(&str, &str)]) {
        let ours = [name("acme/shop"), name("acme/other")];
        let mut names = Names::default();
        for (number, (delivery, expected)) in deliveries.iter().enumerate() {
            let (repo, id) = delivery.split_once(' ').unwrap_or((delivery, ""));
            let (repo, was) = repo.split_once('<').unwrap_or((repo, ""));
            let was = (!was.is_empty()).then(|| name(was));
            let delivery = Delivery {
                id: number.to_string(),
                name: "repository".to_owned(),
                repo: Some(name(repo)),
                repo_id: id.parse().ok(),
                event: ForgeEvent::RepositoryChanged { was },
            };
            let found = names.ours(&delivery, &ours);
            let found = found.as_ref().map_or("-", RepoName::as_str);
            assert_eq!(found, *expected, "{number}: {deliveries:?}");
        }
    }

    #[test]
    fn a_name_is_known_in_any_case_and_a_strange_one_is_not() {
        check(&[("Acme/Shop 1", "acme/shop"), ("acme/shop", "acme/shop"), ("acme/x 2", "-")]);
    }

    #[test]
    fn a_renamed_repository_is_known_by_its_number() {
        check(&[("acme/shop 1", "acme/shop"), ("new/store 1", "acme/shop"), ("new/store", "-")]);
    }

    #[test]
    fn a_renaming_tells_the_number() {
        check(&[("acme/store<acme/shop 1", "acme/shop"), ("acme/store 1", "acme/shop")]);
        check(&[("acme/store<acme/shop", "acme/shop"), ("acme/store 1", "-")]);
    }

    #[test]
    fn who_takes_the_old_name_of_a_repository_is_not_it() {
        check(&[
            ("acme/store<acme/shop 1", "acme/shop"),
            ("acme/shop 2", "-"),
            ("acme/store 1", "acme/shop"),
            ("acme/shop<acme/store 1", "acme/shop"),
            ("acme/shop 2", "acme/shop"),
        ]);
    }

    #[test]
    fn one_that_was_made_anew_is_known_by_its_new_number() {
        check(&[("acme/shop 1", "acme/shop"), ("acme/shop 2", "acme/shop"), ("x/y 1", "-")]);
    }
}
