//! Whom somebody means who names a supervisor: often the worker below it that does what the name
//! says.

use heights_vitals::wire::{ActorDetail, Kind};

/// Finds the child that a supervisor is named for: `pull` below `pull-7`, or an only one.
pub fn worker_below(detail: &ActorDetail) -> Option<&str> {
    if detail.actor.kind != Some(Kind::Supervisor) {
        return None;
    }
    let id = &detail.actor.id;
    let role = id.rsplit_once('-').map_or(id.as_str(), |(role, _number)| role);
    let named = |child: &&String| child.rsplit('/').next() == Some(role);
    let only = || detail.children.first().filter(|_| detail.children.len() == 1);
    detail.children.iter().find(named).or_else(only).map(String::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;
    use heights_vitals::wire::Actor;

    fn check(path: &str, kind: Kind, children: &[&str], expected: Option<&str>) {
        let actor = Actor { kind: Some(kind), ..Actor::at(path) };
        let children = children.iter().map(|child| format!("{path}/{child}")).collect();
        let detail = ActorDetail { actor, children, crashes: Vec::new() };
        let expected = expected.map(|child| format!("{path}/{child}"));
        assert_eq!(worker_below(&detail), expected.as_deref(), "{path}");
    }

    #[test]
    fn a_supervisor_stands_for_the_worker_that_it_is_named_for() {
        check("ci/pull-7", Kind::Supervisor, &["builds", "pull"], Some("pull"));
        check("ci/web", Kind::Supervisor, &["listener", "web"], Some("web"));
        check("ci/pulls", Kind::Supervisor, &["pull-7"], Some("pull-7"));
        check("ci/pulls", Kind::Supervisor, &["pull-7", "pull-8"], None);
        check("ci/pulls", Kind::Supervisor, &[], None);
        check("ci/ledger", Kind::Worker, &["ledger"], None);
    }
}
