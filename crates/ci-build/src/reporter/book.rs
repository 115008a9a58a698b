//! What the forge should say and what it has been told: from the two follows what to write next.

mod checks;
mod statuses;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use ci_domain::forge::{CommentId, StatusState, StatusWrite};
use ci_domain::ids::CommitSha;
use ci_domain::report::{CommentContent, CommentWish, FailureEntry, Report, Topic};
use ci_domain::subject::Subject;
use ci_domain::wording;
use sha2::{Digest, Sha256};

use crate::reporter::write::Written;

pub(super) use checks::{CheckKey, DueCheck, ToldCheck, ToldChecks, reference};
pub(super) use statuses::Statuses;

/// How often it is tried to see what stands on a commit before it is written to all the same: words that
/// stand there twice harm less than a status that is missing.
const LOOKS: u8 = 3;
/// Comments that are remembered; whoever is forgotten was made thousands of heads ago.
const REMEMBERED_COMMENTS: usize = 5000;
/// Commits whose statuses are remembered, those that somebody speaks of among them: a pull request that is
/// reopened, or pushed back to where it was, has its statuses already.
const REMEMBERED_HEADS: usize = 2000;

/// One repository's wishes and deliveries.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Book {
    wishes: BTreeMap<Subject, Arc<Report>>,
    pub(super) told: Told,
    /// Commits of which it is not known whether a status was written that is not on record, and how
    /// often one may still look.
    doubts: BTreeMap<CommitSha, u8>,
    /// Check runs of which it is not known whether they were written as they are not on record.
    check_doubts: BTreeSet<CheckKey>,
}

/// What the forge has been told; survives a restart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Told {
    /// Statuses by commit and context; a commit is here as soon as one may have been written.
    pub(super) statuses: BTreeMap<CommitSha, Statuses>,
    /// These commits, the one that was let go of last at the end.
    pub(super) heads: VecDeque<CommitSha>,
    /// Comments by marker.
    pub(super) comments: BTreeMap<String, Posted>,
    /// Their markers, the oldest first.
    pub(super) order: VecDeque<String>,
    /// Markers of comments that may have been posted: the answer has not come, or was lost.
    pub(super) attempted: BTreeSet<String>,
    /// Commits on which a status may have been written that is not on record, for the same reason.
    pub(super) unanswered: BTreeSet<CommitSha>,
    /// Check runs.
    pub(super) checks: ToldChecks,
}

/// A comment that is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Posted {
    pub(super) id: CommentId,
    /// What it says, to know whether that is still right.
    pub(super) content: String,
}

/// A write that is due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Due {
    /// See which statuses stand on a commit, before another is written.
    Look { sha: CommitSha },
    /// Set a status.
    Status {
        sha: CommitSha,
        status: StatusWrite,
        /// Whether only the words change.
        words_only: bool,
    },
    /// Post or edit a comment.
    Comment { about: Subject, marker: String, content: CommentContent },
    /// See how a check run stands, before it is written.
    LookAtCheck(CheckKey),
    /// Add or change a check run.
    Check(DueCheck),
}

impl Book {
    /// Makes the book of a repository about which this has been told. The answer to the last write on
    /// each commit may have been lost since.
    pub(super) fn new(told: Told) -> Self {
        let doubts = told.statuses.keys().map(|sha| (sha.clone(), LOOKS)).collect();
        let check_doubts = told.checks.unanswered.clone();
        Self { wishes: BTreeMap::new(), told, doubts, check_doubts }
    }

    /// Notes that nobody knows whether a status was written on a commit.
    pub(super) fn doubt(&mut self, sha: &CommitSha) {
        self.doubts.entry(sha.clone()).or_insert(LOOKS);
    }

    /// Notes that one could not see what stands on a commit, and whether trying again may help. Where it
    /// does not, nothing is taken for told of which one cannot be sure.
    pub(super) fn looked_in_vain(&mut self, sha: &CommitSha, may_pass: bool) {
        match self.doubts.get_mut(sha) {
            Some(left) if *left > 1 && may_pass => *left -= 1,
            _ => {
                self.doubts.remove(sha);
                if self.told.unanswered.remove(sha) {
                    self.told.statuses.insert(sha.clone(), Statuses::default());
                }
            }
        }
    }

    /// Notes that a write was surely not carried out.
    pub(super) fn refused(&mut self, sha: &CommitSha) {
        self.told.unanswered.remove(sha);
    }

    /// Of the statuses that stand on a commit, those of ours that are not known.
    pub(super) fn news(
        &self,
        sha: &CommitSha,
        standing: Vec<StatusWrite>,
        node: &str,
    ) -> Vec<Written> {
        let Some(told) = self.told.statuses.get(sha) else { return Vec::new() };
        let is_news = |status: &StatusWrite| {
            wording::is_context_of(node, &status.context)
                && told.get(&status.context) != Some(status)
        };
        let written = |status| Written::Status { sha: sha.clone(), status };
        standing.into_iter().filter(is_news).map(written).collect()
    }

    /// Notes that these stand on a commit, and that nothing else about it is unknown.
    pub(super) fn saw(&mut self, sha: &CommitSha, news: Vec<Written>) {
        self.doubts.remove(sha);
        self.told.unanswered.remove(sha);
        news.into_iter().for_each(|written| self.told.note(written));
    }

    /// Takes the wishes of a pull request or branch in place of its earlier ones.
    pub(super) fn wish(&mut self, report: impl Into<Arc<Report>>) {
        let report = report.into();
        let earlier = self.wishes.insert(report.subject.clone(), report);
        self.let_go(earlier);
    }

    /// Forgets a pull request or branch.
    pub(super) fn forget(&mut self, subject: &Subject) {
        let last = self.wishes.remove(subject);
        self.let_go(last);
    }

    /// Where nobody speaks of a commit any more, what was told about it is remembered for a while; then
    /// the commit that nobody has spoken of for longest is forgotten.
    fn let_go(&mut self, gone: Option<Arc<Report>>) {
        let Some(gone) = gone.filter(|gone| self.wishes.values().all(|w| w.head != gone.head))
        else {
            return;
        };
        let spoken: BTreeSet<CommitSha> =
            self.wishes.values().map(|wish| wish.head.clone()).collect();
        self.told.put_last(&gone.head);
        if self.told.heads.len() > REMEMBERED_HEADS
            && let Some(at) = self.told.heads.iter().position(|head| !spoken.contains(head))
            && let Some(oldest) = self.told.heads.remove(at)
        {
            self.told.statuses.remove(&oldest);
            self.told.unanswered.remove(&oldest);
            self.doubts.remove(&oldest);
        }
        self.let_checks_go(&spoken);
    }

    /// The commit that a pull request or branch speaks of.
    pub(super) fn head_of(&self, subject: &Subject) -> Option<CommitSha> {
        self.wishes.get(subject).map(|report| report.head.clone())
    }

    /// Everything that is due about a commit, the umbrella first unless it is the good end. Where it is
    /// not known which statuses stand there, that is seen first; also where nothing else is due, if a write
    /// has had no answer: what stands there may be that, and not what was told before.
    pub(super) fn due(&self, head: &CommitSha, node: &str) -> Vec<Due> {
        let mut statuses = self.due_statuses(head, node);
        let may_stand =
            self.told.unanswered.contains(head) && !self.wanted_statuses(head, node).is_empty();
        if self.doubts.contains_key(head) && (may_stand || !statuses.is_empty()) {
            statuses = vec![Due::Look { sha: head.clone() }];
        }
        let sharing = self.wishes.values().filter(|report| report.head == *head);
        let comments = sharing.flat_map(|report| self.due_comments(report, node));
        statuses.into_iter().chain(comments).collect()
    }

    /// The statuses that are due about a commit.
    pub(super) fn due_statuses(&self, head: &CommitSha, node: &str) -> Vec<Due> {
        let told = self.told.statuses.get(head);
        let mut due: Vec<Due> = self
            .wanted_statuses(head, node)
            .into_iter()
            .filter_map(|status| {
                let known = told.and_then(|told| told.get(&status.context));
                let is_same = known == Some(&status);
                let words_only = known.is_some_and(|known| known.state == status.state);
                (!is_same).then(|| Due::Status { sha: head.clone(), status, words_only })
            })
            .collect();
        let umbrella = wording::umbrella_context(node);
        due.sort_by_key(|due| match due {
            Due::Status { status, .. } if status.context == umbrella => {
                if status.state == StatusState::Success { 2 } else { 0 }
            }
            _ => 1,
        });
        due
    }

    /// The statuses that a commit should have, by those who share it as their head. Pull requests run
    /// more jobs than branches, so they speak last where both speak of a component, and only they know
    /// what is affected no longer.
    fn wanted_statuses(&self, head: &CommitSha, node: &str) -> Vec<StatusWrite> {
        let speaks = |report: &&Arc<Report>| report.open && report.head == *head;
        let sharing: Vec<&Arc<Report>> = self.wishes.values().filter(speaks).collect();
        let (pulls, branches): (Vec<_>, Vec<_>) =
            sharing.into_iter().partition(|report| matches!(report.subject, Subject::Pull(_)));
        let umbrella = |report: &&Arc<Report>| match report.subject {
            Subject::Pull(number) => Some((number, report.umbrella.clone()?)),
            Subject::Branch(_) => None,
        };
        let open: Vec<_> = pulls.iter().filter_map(umbrella).collect();
        let mut wanted: BTreeMap<String, StatusWrite> = BTreeMap::new();
        for report in branches.iter().chain(&pulls) {
            let statuses = report.components.iter().flat_map(BTreeMap::values);
            wanted.extend(statuses.map(|status| (status.context.clone(), status.clone())));
        }
        for told in self.told.statuses.get(head).into_iter().flat_map(Statuses::iter) {
            let context = &told.context;
            let is_component = *context != wording::umbrella_context(node);
            let is_planned = !pulls.is_empty() && pulls.iter().all(|r| r.components.is_some());
            if is_component && is_planned && !wanted.contains_key(context) {
                wanted.insert(context.clone(), not_affected(told));
            }
        }
        // Heads of the merge queue have one, too.
        let queued = || branches.iter().find_map(|report| report.umbrella.clone());
        let umbrella = wording::shared_umbrella(&open).or_else(queued);
        wanted.into_values().chain(umbrella).collect()
    }

    fn due_comments(&self, report: &Report, node: &str) -> Vec<Due> {
        let due = |wish: &CommentWish| {
            let marker = wish.topic.marker(node, &report.subject, &report.head);
            let is_due = match (self.told.comments.get(&marker), &wish.content) {
                // What may have been posted is looked for, also where all is well by now.
                (None, CommentContent::Failures(failures)) => {
                    !failures.is_empty() || self.told.attempted.contains(&marker)
                }
                (None, CommentContent::Text(_) | CommentContent::Nightly { .. }) => true,
                (Some(posted), content) => {
                    let may_edit = report.subject.conversation().is_some();
                    let is_edited = may_edit && wish.topic == Topic::Failures;
                    is_edited && posted.content != fingerprint(content)
                }
            };
            let (about, content) = (report.subject.clone(), wish.content.clone());
            is_due.then_some(Due::Comment { about, marker, content })
        };
        report.comments.iter().filter_map(due).collect()
    }
}

impl Told {
    /// Notes that a status is about to be written on a commit.
    pub(super) fn begin(&mut self, sha: CommitSha) {
        self.unanswered.insert(sha.clone());
        self.know(sha);
    }

    /// Notes that statuses may have been written on a commit.
    pub(super) fn know(&mut self, sha: CommitSha) {
        if !self.statuses.contains_key(&sha) {
            self.heads.push_back(sha.clone());
            self.statuses.insert(sha, Statuses::default());
        }
    }

    /// Keeps a commit longest.
    fn put_last(&mut self, sha: &CommitSha) {
        if let Some(at) = self.heads.iter().rposition(|head| head == sha) {
            let head = self.heads.remove(at);
            self.heads.extend(head);
        }
    }

    /// Notes what was written.
    pub(super) fn note(&mut self, written: Written) {
        match written {
            Written::Status { sha, status } => {
                self.unanswered.remove(&sha);
                self.know(sha.clone());
                self.statuses.entry(sha).or_default().note(status);
            }
            Written::Check { key, told } => {
                self.know(key.0.clone());
                self.checks.note(key, told);
            }
            Written::Comment { marker, posted } => {
                self.attempted.remove(&marker);
                if self.comments.insert(marker.clone(), posted).is_none() {
                    self.order.push_back(marker);
                }
                if self.order.len() > REMEMBERED_COMMENTS
                    && let Some(oldest) = self.order.pop_front()
                {
                    self.comments.remove(&oldest);
                }
            }
        }
    }
}

/// What tells one content from another, in 64 digits: of its text, or of the jobs and attempts it lists.
pub(super) fn fingerprint(content: &CommentContent) -> String {
    let text = match content {
        CommentContent::Text(text) => text.clone(),
        CommentContent::Failures(failures) => {
            failures.iter().map(told_of).collect::<Vec<_>>().join("\n")
        }
        CommentContent::Nightly { day, entry, .. } => format!("{day} {}", told_of(entry)),
    };
    Sha256::digest(text).iter().fold(String::new(), |digits, byte| digits + &format!("{byte:02x}"))
}

fn told_of(failure: &FailureEntry) -> String {
    let attempt = failure.attempt.as_ref().map(ToString::to_string).unwrap_or_default();
    format!("{} {} {attempt}", failure.job, failure.result.word())
}

fn not_affected(told: &StatusWrite) -> StatusWrite {
    StatusWrite {
        state: StatusState::Success,
        description: wording::NOT_AFFECTED.to_owned(),
        ..told.clone()
    }
}

#[cfg(test)]
mod tests;
