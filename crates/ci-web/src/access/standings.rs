//! What people may do in repositories, as the forge said a moment ago.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ci_domain::ids::RepoName;
use ci_github::Standing;
use tokio::time::Instant;

use super::Person;
use crate::problem::Problem;
use crate::site::Site;
use crate::wire::Role;

/// How long an answer is good for looking. A live page asks every second.
const GOOD_FOR_LOOKING: Duration = Duration::from_secs(5 * 60);
/// How long it is good for having something done.
const GOOD_FOR_DOING: Duration = Duration::from_secs(30);
/// How long it goes on to be good for looking while the forge does not answer.
const BETTER_THAN_NONE: Duration = Duration::from_secs(30 * 60);

/// What the forge said lately.
#[derive(Default)]
pub(crate) struct Standings(Mutex<HashMap<(RepoName, Person), Answer>>);

#[derive(Clone, Copy)]
struct Answer {
    role: Option<Role>,
    at: Instant,
}

impl Standings {
    /// The role of `person` in a repository, known well enough to do what `needed` may; none where they may
    /// not even look, or the node does not serve it.
    pub(super) async fn role(
        &self,
        person: &Person,
        repo: &RepoName,
        needed: Role,
        site: &Site,
    ) -> Result<Option<Role>, Problem> {
        if !site.node().repos().contains(repo) {
            return Ok(None);
        }
        let key = (repo.clone(), person.clone());
        let known = self.all().get(&key).copied();
        let good_for = if needed == Role::Read { GOOD_FOR_LOOKING } else { GOOD_FOR_DOING };
        if let Some(answer) = known.filter(|answer| answer.at.elapsed() < good_for) {
            return Ok(answer.role);
        }
        match site.node().standing(repo, (&person.login, person.id)).await {
            Ok(standing) => {
                let role = role(standing);
                let mut all = self.all();
                all.retain(|_, answer| answer.at.elapsed() < BETTER_THAN_NONE);
                all.insert(key, Answer { role, at: Instant::now() });
                Ok(role)
            }
            Err(error) => match known
                .filter(|answer| needed == Role::Read && answer.at.elapsed() < BETTER_THAN_NONE)
            {
                Some(answer) => Ok(answer.role),
                None => Err(Problem::unavailable("ask the forge who may do this", &error)),
            },
        }
    }

    fn all(&self) -> MutexGuard<'_, HashMap<(RepoName, Person), Answer>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn role(standing: Standing) -> Option<Role> {
    match standing {
        Standing::None => None,
        Standing::Read => Some(Role::Read),
        Standing::Write => Some(Role::Build),
        Standing::Admin => Some(Role::Admin),
    }
}
