//! Branches: what follows from what, as tables; and what a replay finds, whatever happened.

mod chance;
mod night;
mod queue;

use std::time::Duration;

use super::*;
use crate::forge::ForceTarget;
use crate::ids::{AttemptId, Login};
use crate::may_run::Head;
use crate::merge_queue::Queued;
use crate::outcome::JobResult;
use crate::policy::Policy;
use crate::report::{CommentContent, Voice};
use crate::world::{id, planned, sha};

const JOBS: &str = "air:compile air:bench<air:compile common:compile- lib:soak*";

fn config() -> BranchConfig {
    BranchConfig {
        repo: "acme/shop".parse().unwrap(),
        name: "main".parse().unwrap(),
        prefix: "shop-t1".to_owned(),
        isolation: Isolation::Namespaces,
        isolation_trouble: String::new(),
    }
}

/// A branch with all that it has recorded, and what it waits for.
struct Story {
    branch: Branch,
    record: Vec<BranchEvent>,
    asked: Option<Basis>,
}

impl Story {
    fn new() -> Self {
        Self { branch: Branch::new(config()), record: Vec::new(), asked: None }
    }

    /// Lets one thing happen and says what follows.
    fn tell(&mut self, word: &str) -> String {
        let step = match word {
            "restart" => {
                self.branch = self.replayed();
                self.asked = None;
                Ok(self.branch.resume())
            }
            "retry" => Ok(self.branch.retry_preparation()),
            "disk low" => Ok(self.branch.note_disk(Disk::Low)),
            "disk ok" => Ok(self.branch.note_disk(Disk::Ok)),
            _ if word.starts_with("night ") => Ok(self.branch.note_night(night::tonight(word))),
            _ => self.event(word).and_then(|event| {
                self.branch.apply(event).map_err(|unexpected| unexpected.0.to_owned())
            }),
        };
        let step = match step {
            Ok(step) => step,
            Err(reason) => return format!("no: {reason}"),
        };
        self.record.extend(step.record);
        let effects: Vec<String> = step.effects.iter().map(|effect| self.note(effect)).collect();
        self.check_replay();
        effects.join(", ")
    }

    fn event(&self, word: &str) -> Result<BranchEvent, String> {
        let (verb, rest) = word.split_once(' ').unwrap_or((word, ""));
        Ok(match verb {
            "push" | "old" => BranchEvent::Observed(Tip {
                commit: sha(rest.chars().next().unwrap()),
                policy: sha(rest.chars().last().unwrap()),
                preexisting: verb == "old",
                queued: None,
            }),
            "queue" | "queue-fork" => BranchEvent::Observed(Tip {
                commit: sha(rest.chars().next().unwrap()),
                policy: sha('d'),
                preexisting: false,
                queued: Some(Queued {
                    base: rest.chars().nth(2).map(sha),
                    head: if verb == "queue" { Head::Own } else { Head::ForkApproved },
                }),
            }),
            "gone" => BranchEvent::Gone,
            "plan" => self.prepared(if rest.is_empty() { JOBS } else { rest }),
            "invalid" => self.prepared("invalid"),
            "unplanned" => {
                let basis = self.asked.clone().ok_or("nothing is asked for")?;
                BranchEvent::PrepareFailed { basis, reason: "no git".to_owned() }
            }
            "resumed" => BranchEvent::BuildResumed(BuildNumber(rest.parse().unwrap())),
            "finished" => BranchEvent::BuildFinished(BuildNumber(rest.parse().unwrap())),
            "reseed" => BranchEvent::Reseed { by: Login::new("ada").unwrap() },
            "given-up" => BranchEvent::GivenUp,
            "tonight" => {
                let job = rest.parse();
                let target = job.map_or(ForceTarget::All, ForceTarget::Job);
                let jobs = self.branch.consider_night(&target);
                let jobs = jobs.map_err(|refusal| refusal.to_string())?;
                BranchEvent::NightForced { jobs, by: Login::new("ada").unwrap() }
            }
            "force" => {
                let job = rest.parse();
                let target = job.map_or(ForceTarget::All, ForceTarget::Job);
                let jobs = self.branch.consider(&target).map_err(|refusal| refusal.to_string())?;
                BranchEvent::Forced { jobs, by: Login::new("ada").unwrap() }
            }
            _ => {
                let build = self.branch.build().ok_or("no build runs")?.spec.clone();
                let result = match verb {
                    "passed" => JobResult::Passed,
                    "failed" => JobResult::Failed,
                    _ => JobResult::Crashed { reason: verb.to_owned() },
                };
                let attempt = AttemptId::new(format!("{}-1", build.prefix)).unwrap();
                let (digest, duration) = ("1".to_owned(), Duration::ZERO);
                let (build, head) = (build.number, build.head);
                let outcome = Outcome { result, attempt: Some(attempt), build, digest, duration };
                BranchEvent::JobFinished { head, job: id(rest), outcome }
            }
        })
    }

    fn prepared(&self, jobs: &str) -> BranchEvent {
        let basis = self.asked.clone().unwrap();
        let result = match jobs {
            "invalid" => crate::outline::Preparation::Invalid {
                first: "air/ci.yaml:3: no such job".to_owned(),
                findings: vec!["air/ci.yaml:3:1: no such job".to_owned()],
            },
            jobs => planned(&basis, jobs),
        };
        let (policy, policy_error) = (Policy::default(), None);
        BranchEvent::Prepared(Box::new(Prepared { basis, policy, policy_error, result }))
    }

    fn note(&mut self, effect: &BranchEffect) -> String {
        match effect {
            BranchEffect::Prepare(basis) => {
                self.asked = Some(basis.clone());
                let digit = |sha: &CommitSha| sha.as_str()[..1].to_owned();
                format!("prepare {} since {}", digit(&basis.head), digit(&basis.base))
            }
            BranchEffect::StartBuild(spec) => {
                let jobs: Vec<String> = spec.jobs.keys().map(ToString::to_string).collect();
                format!("build {}: {}", spec.number, jobs.join(" "))
            }
            BranchEffect::Supersede => "supersede".to_owned(),
            BranchEffect::AbandonBuild(number) => format!("abandon {number}"),
            BranchEffect::EndBuild(number) => format!("end {number}"),
            BranchEffect::Close => "close".to_owned(),
        }
    }

    fn replayed(&self) -> Branch {
        let mut branch = Branch::new(config());
        self.record.iter().for_each(|event| branch.replay(event.clone()));
        branch
    }

    fn check_replay(&self) {
        assert_eq!(self.replayed().memory(), self.branch.memory());
    }
}

/// Tells a branch one thing after the other, each with the effects that it shall have.
#[track_caller]
fn check(story: &[(&str, &str)]) -> Branch {
    let mut told = Story::new();
    for (word, expected) in story {
        assert_eq!(told.tell(word), *expected, "after `{word}` of {story:#?}");
    }
    told.branch
}

#[test]
fn a_first_push_builds_everything_and_the_next_what_changed_since() {
    check(&[
        ("push a", "prepare a since a"),
        ("push a", ""),
        ("plan", "build 1: air:bench air:compile"),
        ("passed air:compile", ""),
        ("failed air:bench", ""),
        ("finished 1", "end 1"),
        ("push b", "prepare b since a"),
        ("plan air:compile-", ""),
        ("push c", "prepare c since b"),
    ]);
}

#[test]
fn a_newer_push_waits_until_the_older_build_is_gone_and_builds_its_part_too() {
    check(&[
        ("push a", "prepare a since a"),
        ("plan air:compile-", ""),
        ("push b", "prepare b since a"),
        ("plan", "build 1: air:bench air:compile"),
        ("push c", "prepare c since a, supersede"),
        ("resumed 1", "supersede"),
        ("plan", ""),
        ("passed air:compile", ""),
        ("restart", "build 1: air:bench air:compile, supersede"),
        ("finished 1", "end 1, build 2: air:bench air:compile"),
        ("passed air:compile", ""),
        ("finished 1", "no: that build is not running"),
        ("finished 2", "end 2, build 3: air:bench"),
    ]);
}

#[test]
fn a_tip_that_broke_down_is_part_of_the_next_push() {
    check(&[
        ("push a", "prepare a since a"),
        ("plan", "build 1: air:bench air:compile"),
        ("crashed air:compile", ""),
        ("finished 1", "end 1"),
        ("push b", "prepare b since b"),
        ("plan", "build 2: air:bench air:compile"),
        ("passed air:compile", ""),
        ("passed air:bench", ""),
        ("finished 2", "end 2"),
        ("push c", "prepare c since b"),
    ]);
}

#[test]
fn a_preparation_is_tried_again_and_an_invalid_tip_by_another_policy_or_another_life() {
    check(&[
        ("push a", "prepare a since a"),
        ("unplanned", ""),
        ("push a", ""),
        ("retry", "prepare a since a"),
        ("push b", "prepare b since b"),
        ("invalid", ""),
        ("push bc", "prepare b since b"),
        ("invalid", ""),
        ("restart", "prepare b since b"),
        ("plan air:compile", "build 1: air:compile"),
        ("push bd", ""),
    ]);
}

#[test]
fn a_branch_that_is_gone_is_closed_when_nothing_of_it_runs() {
    check(&[
        ("push a", "prepare a since a"),
        ("plan", "build 1: air:bench air:compile"),
        ("gone", "supersede"),
        ("restart", "build 1: air:bench air:compile, supersede"),
        ("finished 1", "end 1, close"),
        ("push a", "prepare a since a"),
        ("plan", "build 2: air:bench air:compile"),
    ]);
}

#[test]
fn what_is_forced_runs_again_when_the_build_has_ended() {
    check(&[
        ("push a", "prepare a since a"),
        ("force all", "no: the branch has no plan yet: initializing"),
        ("plan", "build 1: air:bench air:compile"),
        (
            "force air:gone",
            "no: there is no job `air:gone` that runs on branches; there are: air:bench, air:compile, common:compile",
        ),
        ("failed air:compile", ""),
        ("force air:bench", "no: `air:bench` is blocked by `air:compile`; force that first"),
        ("force air:compile", ""),
        ("failed air:compile", "no: its outcome was discarded"),
        ("force common:compile", ""),
        ("finished 1", "end 1, build 2: air:bench air:compile common:compile"),
        ("force air:compile", ""),
        ("passed air:compile", ""),
        ("passed air:bench", ""),
        ("passed common:compile", ""),
        ("finished 2", "end 2"),
        ("force air:bench", "build 3: air:bench"),
        ("passed air:bench", ""),
        ("finished 3", "end 3"),
    ]);
}

#[test]
fn a_fresh_workspace_is_for_the_next_build_alone() {
    let mut story = vec![
        ("push a", "prepare a since a"),
        ("plan", "build 1: air:bench air:compile"),
        ("passed air:compile", ""),
        ("passed air:bench", ""),
        ("reseed", ""),
        ("force air:bench", ""),
    ];
    let is_fresh = |branch: &Branch| branch.build().unwrap().spec.reseed;
    assert!(!is_fresh(&check(&story)));
    story.push(("finished 1", "end 1, build 2: air:bench"));
    assert!(is_fresh(&check(&story)));
    story.extend([("passed air:bench", ""), ("force air:bench", "")]);
    story.push(("finished 2", "end 2, build 3: air:bench"));
    assert!(!is_fresh(&check(&story)));
}

#[test]
fn a_branch_that_was_given_up_begins_anew_once_its_build_is_swept_away() {
    let mut told = Story::new();
    for word in ["push a", "plan", "passed air:compile", "given-up"] {
        told.tell(word);
    }
    assert_eq!(told.tell("restart"), "abandon 1, prepare a since a");
    assert_eq!(told.tell("plan"), "");
    assert_eq!(told.tell("finished 1"), "end 1, build 2: air:bench air:compile");
}

#[test]
fn nothing_starts_while_the_disk_is_full() {
    let branch =
        check(&[("push a", "prepare a since a"), ("disk low", ""), ("plan air:compile", "")]);
    assert_eq!(branch.standing().1, "waiting for disk");
    check(&[
        ("push a", "prepare a since a"),
        ("disk low", ""),
        ("plan air:compile", ""),
        ("disk ok", "build 1: air:compile"),
    ]);
}

/// What is said at the end of a story: `component state: words`, and the failures in the comment.
#[track_caller]
fn check_report(words: &[&str], statuses: &[&str], comment: Option<&str>) {
    let mut told = Story::new();
    words.iter().for_each(|word| {
        told.tell(word);
    });
    let url = "https://ci.example.com".to_owned();
    let report = told.branch.report(&Voice { node: "ci".to_owned(), public_url: url }).unwrap();
    let said = report.components.iter().flatten();
    let said: Vec<String> = said
        .map(|(name, status)| format!("{name} {}: {}", status.state.as_str(), status.description))
        .collect();
    assert_eq!(said, statuses, "{words:?}");
    let failures = report.comments.first().map(|wish| match &wish.content {
        CommentContent::Failures(entries) => {
            entries.iter().map(|e| format!("{} {}", e.job, e.log_url)).collect::<Vec<_>>().join(" ")
        }
        CommentContent::Nightly { day, entry, .. } => {
            format!("{day} {} {}", entry.job, entry.log_url)
        }
        CommentContent::Text(text) => text.clone(),
    });
    assert_eq!(failures.as_deref(), comment, "{words:?}");
}

#[test]
fn components_say_how_they_stand_and_failures_are_told_at_the_end() {
    check_report(&["push a"], &[], None);
    check_report(
        &["push a", "plan", "passed air:compile"],
        &["air pending: awaiting air:bench"],
        None,
    );
    let failed = ["push a", "plan", "failed air:compile"];
    let said = ["air failure: air:compile failed"];
    check_report(&failed, &said, None);
    check_report(
        &[&failed[..], &["finished 1"]].concat(),
        &said,
        Some("air:compile https://ci.example.com/acme/shop/branch/main/jobs/shop-t1-b1-1"),
    );
}

#[test]
fn nothing_is_commented_on_a_tip_that_is_older_than_the_node() {
    let words = ["old a", "plan", "failed air:compile", "push a", "finished 1"];
    check_report(&words, &["air failure: air:compile failed"], None);
}
