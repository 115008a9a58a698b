//! Jobs of a branch that somebody has run again.

use ci_domain::branch::{BranchEvent, BranchRefusal};
use ci_domain::forge::ForceTarget;
use ci_domain::ids::{JobId, Login};
use heights::{Context, Fault};
use tracing::info;

use crate::branch::{BranchActor, Msg};

/// The jobs that it concerns, or why not.
pub(crate) type Forced = Result<Vec<JobId>, BranchRefusal>;

/// Among which jobs the target is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Which {
    /// Those that run on a push.
    OnPush,
    /// Those that run at night.
    Nightly,
}

impl BranchActor {
    pub(super) async fn force(
        &mut self,
        which: Which,
        target: &ForceTarget,
        by: Login,
        cx: &mut Context<Msg>,
    ) -> Result<Forced, Fault> {
        let considered = match which {
            Which::OnPush => self.branch.consider(target),
            Which::Nightly => self.branch.consider_night(target),
        };
        let jobs = match considered {
            Ok(jobs) => jobs,
            Err(refusal) => return Ok(Err(refusal)),
        };
        info!(branch = %self.args.name, ?which, ?jobs, %by, "forced");
        let answer = jobs.iter().cloned().collect();
        let event = match which {
            Which::OnPush => BranchEvent::Forced { jobs, by },
            Which::Nightly => BranchEvent::NightForced { jobs, by },
        };
        self.apply(event, cx).await?;
        Ok(Ok(answer))
    }
}
