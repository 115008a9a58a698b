//! What a person's rights go by: whose an attempt is, and what its forge says of them.

use ci_domain::ids::{AttemptId, Login, RepoName};
use ci_github::Standing;
use heights::Fault;

use super::NodeHandle;

impl NodeHandle {
    /// The repositories that an attempt may be of, by how its id begins; more than one only by a chance of one
    /// in millions.
    #[must_use]
    pub fn repos_of(&self, attempt: &AttemptId) -> Vec<RepoName> {
        let slug = attempt.as_str().split('-').next();
        let all = self.inner.repos.all().into_iter();
        let own = all.filter(|repo| Some(repo.elders.slug.as_str()) == slug);
        own.map(|repo| repo.elders.repo.clone()).collect()
    }

    /// What somebody may do in a repository by the word of its forge, which is asked now.
    ///
    /// # Errors
    /// The node does not serve the repository, or the forge does not answer.
    pub async fn standing(
        &self,
        repo: &RepoName,
        (login, id): (&Login, u64),
    ) -> Result<Standing, Fault> {
        let Some(served) = self.inner.repos.get(repo) else {
            return Err(format!("find repository {repo}").into());
        };
        Ok(served.elders.forge.standing(repo, login, id).await?)
    }
}
