//! Somebody wants the checks of a commit again: the same as `/ci retry` on each pull request whose head it is.

use ci_domain::ids::{CommitSha, Login, PullNumber};
use ci_domain::pull::Request;
use ci_github::ForgeError;
use heights::{Fault, Recipient};
use tracing::{info, warn};

use crate::errand::errand;
use crate::pull::PullHandle;
use crate::queues::FORGE_READ;
use crate::watcher::Watcher;
use crate::watcher::comments::may_command;
use crate::watcher::reads::{lost, refused};

impl Watcher {
    /// Asks whether who wants it may command, and has run again what did not pass. Where the forge does not
    /// answer, nothing is told: the delivery stays pending and comes again.
    pub(super) async fn rerequest(
        &self,
        sha: CommitSha,
        by: Login,
        done: Vec<Recipient<()>>,
    ) -> Result<(), Fault> {
        if self.known.policy_tip().is_none() {
            // Nothing is known before the first poll: it comes again.
            return Ok(());
        }
        let pulls = self.pulls_at(&sha);
        if pulls.is_empty() {
            done.iter().for_each(|done| done.tell(()));
            return Ok(());
        }
        let (forge, repo) = (self.args.elders.forge.clone(), self.args.elders.repo.clone());
        let queue = self.args.elders.queues.required(FORGE_READ).clone();
        let who = by.clone();
        let retry = async move {
            let permit = queue.acquire().await.map_err(refused)?;
            let may = may_command(&forge, &repo, &who).await?;
            drop(permit);
            if !may {
                info!(%repo, %who, "checks wanted again by someone without write access");
                return Ok(());
            }
            for (number, pull) in pulls {
                retry(number, &pull, &who).await?;
            }
            Ok(())
        };
        let repo = self.args.elders.repo.clone();
        let tell = move |result: Result<Result<(), ForgeError>, _>| {
            match result.unwrap_or_else(|error| Err(lost(error))) {
                Err(error) if error.is_passing() => {
                    warn!(%repo, %by, %error, "failed to ask who wants checks again; it is asked again");
                    return;
                }
                Err(error) => warn!(%repo, %by, %error, "failed to ask who wants checks again"),
                Ok(()) => {}
            }
            done.iter().for_each(|done| done.tell(()));
        };
        errand(&self.args.elders.errands, "rerequest", retry, tell).await
    }

    fn pulls_at(&self, sha: &CommitSha) -> Vec<(PullNumber, PullHandle)> {
        let facts = self.known.facts_of(|facts| facts.head.sha == *sha);
        let handle = |number| Some((number, self.args.registry.lookup(&number)?));
        facts.iter().filter_map(|facts| handle(facts.number)).collect()
    }
}

/// Twice the same is once: what runs already, or has passed, is not run again.
async fn retry(number: PullNumber, pull: &PullHandle, by: &Login) -> Result<(), ForgeError> {
    match pull.request(Request::Retry(None), by.clone(), None).await {
        Ok(Ok(jobs)) => info!(pull = %number, %by, ?jobs, "checks run again"),
        Ok(Err(refusal)) => info!(pull = %number, %by, %refusal, "no checks to run again"),
        // It is being restarted.
        Err(error) => {
            return Err(ForgeError::Transient { reason: error.to_string(), retry_after: None });
        }
    }
    Ok(())
}
