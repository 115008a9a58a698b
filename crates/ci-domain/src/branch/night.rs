//! Nightly jobs of a branch: which one is due, and what is remembered of each.
//!
//! ```text
//! nothing of the tip runs or is owed ──► one nightly job, a build of its own ──► its run is on record
//!     somebody asked for it, or            │ a push, or a forced job: superseded, and so not run; it is due
//!     the window is open and the job       │ again once the tip is built
//!     has not run today nor on this tip
//! ```

use std::collections::{BTreeMap, BTreeSet};

use crate::branch::Branch;
use crate::build::JobRequest;
use crate::forge::ForceTarget;
use crate::ids::{CommitSha, JobId, Login};
use crate::nightly::{Day, Mention, Tonight, WindowState};
use crate::outcome::Outcome;
use crate::outline::Outline;

use super::{BranchRefusal, BranchStep};

/// The runs of one job that are remembered.
const REMEMBERED: usize = 30;

/// What is remembered of nightly jobs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Nights {
    /// The runs that came to an end, of each job the latest last.
    pub runs: BTreeMap<JobId, Vec<NightRun>>,
    /// Jobs that somebody asked for and that have not come to an end since, and who did.
    pub forced: BTreeMap<JobId, Login>,
}

/// A nightly job that came to an end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NightRun {
    /// When, why and for whom it ran.
    pub night: Night,
    /// The commit on which it ran.
    pub commit: CommitSha,
    /// How it ended.
    pub outcome: Outcome,
}

/// When, why and for whom a nightly job runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Night {
    /// The day on which the window opened; where somebody asked, the day on which they did.
    pub day: Day,
    /// Who asked for it.
    pub by: Option<Login>,
    /// Who is called if it fails.
    pub mention: Option<Mention>,
}

/// How a nightly job stands, for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NightStanding {
    /// It runs.
    UnderWay,
    /// It runs as soon as nothing else of the branch does.
    Due,
    /// These did not pass on the tip.
    Blocked(Vec<JobId>),
    /// It is due, and these nightly jobs have to run on the tip before.
    Awaits(Vec<JobId>),
    /// The tip has not been planned, or is not built to its end.
    AwaitsTip,
    /// It has run on this day already, and no job runs twice a day.
    RanToday,
    /// It has run on this very tip.
    RanOnTip,
    /// The window is shut.
    AwaitsWindow,
}

impl Nights {
    /// The latest run of a job.
    #[must_use]
    pub fn last(&self, job: &JobId) -> Option<&NightRun> {
        self.runs.get(job)?.last()
    }

    pub(super) fn note(&mut self, job: JobId, run: NightRun) {
        self.forced.remove(&job);
        let runs = self.runs.entry(job).or_default();
        runs.push(run);
        if runs.len() > REMEMBERED {
            runs.remove(0);
        }
    }

    pub(super) fn knows(&self, job: &JobId, outcome: &Outcome) -> bool {
        self.runs.get(job).is_some_and(|runs| runs.iter().any(|run| run.outcome == *outcome))
    }
}

impl Branch {
    /// Takes note of which night it is, which is not on record.
    #[must_use]
    pub fn note_night(&mut self, tonight: Tonight) -> BranchStep {
        self.tonight = Some(tonight);
        let mut step = BranchStep::default();
        self.decide(&mut step);
        step
    }

    /// Which night it is, as far as it was told.
    #[must_use]
    pub fn tonight(&self) -> Option<&Tonight> {
        self.tonight.as_ref()
    }

    /// What is remembered of nightly jobs.
    #[must_use]
    pub fn nights(&self) -> &Nights {
        &self.memory.nights
    }

    /// Says which nightly jobs are to be forced, before that becomes an event.
    ///
    /// # Errors
    /// The request cannot be met; nothing happens.
    pub fn consider_night(&self, target: &ForceTarget) -> Result<BTreeSet<JobId>, BranchRefusal> {
        let Some(outline) = self.outline() else {
            return Err(BranchRefusal::NotPlanned(self.standing().1));
        };
        let known = || outline.nightly.keys();
        let job = match target {
            ForceTarget::All => return Ok(known().cloned().collect()),
            ForceTarget::Job(job) => job.clone(),
        };
        if !outline.nightly.contains_key(&job) {
            let known: Vec<String> = known().map(ToString::to_string).collect();
            return Err(BranchRefusal::UnknownNightly { job, known: known.join(", ") });
        }
        let blockers = self.night_blockers(outline, &job);
        if blockers.is_empty() {
            return Ok(self.with_needs(outline, job));
        }
        let by: Vec<String> = blockers.iter().map(|id| format!("`{id}`")).collect();
        Err(BranchRefusal::Blocked { job, by: by.join(", ") })
    }

    /// A nightly job with those that have to run before.
    fn with_needs(&self, outline: &Outline, job: JobId) -> BTreeSet<JobId> {
        let (mut all, mut front) = (BTreeSet::new(), vec![job]);
        while let Some(next) = front.pop() {
            front.extend(self.night_needs(outline, &next).filter(|need| !all.contains(need)));
            all.insert(next);
        }
        all
    }

    /// The nightly jobs that a nightly job needs and that have not run on the tip.
    fn night_needs(&self, outline: &Outline, job: &JobId) -> impl Iterator<Item = JobId> {
        let needs = outline.nightly.get(job).into_iter().flat_map(|job| &job.needs);
        let has_to_run = |need: &&JobId| {
            outline.nightly.contains_key(*need) && self.need_of_night(outline, need).is_none()
        };
        needs.filter(has_to_run).cloned().collect::<Vec<_>>().into_iter()
    }

    /// How each nightly job of the tip stands.
    #[must_use]
    pub fn night_standings(&self) -> BTreeMap<JobId, NightStanding> {
        let Some(outline) = self.outline() else { return BTreeMap::new() };
        let standing = |id: &JobId| (id.clone(), self.night_standing(outline, id));
        outline.nightly.keys().map(standing).collect()
    }

    fn night_standing(&self, outline: &Outline, job: &JobId) -> NightStanding {
        let build = self.memory.build.as_ref();
        let is_at_it = build.is_some_and(|build| {
            build.night.is_some() && !build.superseded && build.spec.jobs.contains_key(job)
        });
        let blockers = self.night_blockers(outline, job);
        if is_at_it {
            return NightStanding::UnderWay;
        } else if !blockers.is_empty() {
            return NightStanding::Blocked(blockers);
        } else if !self.is_built() {
            return NightStanding::AwaitsTip;
        }
        let is_forced = self.memory.nights.forced.contains_key(job);
        let standing = if is_forced { NightStanding::Due } else { self.automatic_standing(job) };
        let needs: Vec<JobId> = self.night_needs(outline, job).collect();
        match standing {
            NightStanding::Due if !needs.is_empty() => NightStanding::Awaits(needs),
            standing => standing,
        }
    }

    /// How a job stands that nobody has asked for.
    fn automatic_standing(&self, job: &JobId) -> NightStanding {
        let Some(tonight) = &self.tonight else { return NightStanding::AwaitsWindow };
        let last = self.memory.nights.last(job);
        if last.is_some_and(|run| self.is_tip(&run.commit)) {
            NightStanding::RanOnTip
        } else if last.is_some_and(|run| run.night.day == tonight.day) {
            NightStanding::RanToday
        } else if tonight.window == WindowState::Shut {
            NightStanding::AwaitsWindow
        } else {
            NightStanding::Due
        }
    }

    /// Whether the tip's own jobs have run: nights begin with what they leave.
    pub(super) fn is_built(&self) -> bool {
        let is_at_work = self.memory.build.as_ref().is_some_and(|build| build.night.is_none());
        !is_at_work && self.owed().is_empty()
    }

    /// The needs of a nightly job that ended otherwise than passed, on this tip.
    fn night_blockers(&self, outline: &Outline, job: &JobId) -> Vec<JobId> {
        let needs = outline.nightly.get(job).into_iter().flat_map(|job| &job.needs);
        let has_failed = |need: &&JobId| {
            let outcome = self.need_of_night(outline, need);
            outcome.is_some_and(|outcome| !outcome.result.is_passed())
                || outline.is_blocked(need, &self.memory.outcomes)
        };
        needs.filter(has_failed).cloned().collect()
    }

    fn need_of_night(&self, outline: &Outline, need: &JobId) -> Option<&Outcome> {
        if outline.nightly.contains_key(need) {
            let last = self.memory.nights.last(need);
            return last.filter(|run| self.is_tip(&run.commit)).map(|run| &run.outcome);
        }
        self.memory.outcomes.get(need)
    }

    /// The nightly job that runs next, now that nothing else does: what somebody asked for comes first.
    pub(super) fn next_night(&self) -> Option<(JobId, JobRequest, Night)> {
        let (outline, tonight) = (self.outline()?, self.tonight.as_ref()?);
        let is_due = |id: &&JobId| self.night_standing(outline, id) == NightStanding::Due;
        let is_forced = |id: &&JobId| self.memory.nights.forced.contains_key(*id);
        let due: Vec<&JobId> = outline.nightly.keys().filter(is_due).collect();
        let job = due.iter().copied().find(|id| is_forced(id)).or_else(|| due.first().copied())?;
        let by = self.memory.nights.forced.get(job).cloned();
        let night = Night { day: tonight.day, by, mention: tonight.mention.clone() };
        let digest = outline.nightly[job].digest.clone();
        Some((job.clone(), JobRequest { needs: [].into(), digest }, night))
    }
}
