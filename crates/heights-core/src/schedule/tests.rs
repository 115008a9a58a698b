//! Checks the table of the schedule by telling it the time.

use super::*;
use proptest::prelude::*;

const MINUTE: Duration = Duration::from_secs(60);

fn plan(timetable: Timetable) -> Plan {
    Plan {
        timetable,
        initial_delay: Duration::ZERO,
        jitter: Duration::ZERO,
        overlap: Overlap::default(),
        missed: Missed::default(),
    }
}

fn regular() -> Plan {
    plan(Timetable::Regular(10 * MINUTE))
}

fn start(plan: Plan) -> Schedule {
    Schedule::new(plan, Duration::ZERO, Dice::new(1))
}

/// A schedule that can be asked what it does at a minute, with short answers: `+1` starts the
/// first run, `-1` stops it, `o` is an overlap and `m3` three missed times.
struct Script(Schedule);

impl Script {
    fn at(&mut self, minute: u32) -> String {
        show(&self.0.wake(MINUTE * minute, || true))
    }

    fn end(&mut self, run: u64, minute: u32) -> String {
        show(&self.0.ended(RunId(run), MINUTE * minute, || true))
    }

    fn next(&self) -> Option<u64> {
        self.0.next_event().map(|at| at.as_secs() / 60)
    }
}

fn show(steps: &[Step]) -> String {
    let step = |step: &Step| match step {
        Step::Start(RunId(run)) => format!("+{run}"),
        Step::Stop(RunId(run)) => format!("-{run}"),
        Step::Overlapped => "o".to_owned(),
        Step::Missed(times) => format!("m{times}"),
    };
    steps.iter().map(step).collect::<Vec<_>>().join(" ")
}

#[test]
fn m111_regular_times_do_not_care_how_long_runs_take() {
    let mut script = Script(start(Plan { initial_delay: MINUTE, ..regular() }));
    assert_eq!((script.at(0), script.next()), (String::new(), Some(1)));
    assert_eq!((script.at(1), script.end(1, 9), script.next()), ("+1".into(), "".into(), Some(11)));
    assert_eq!((script.at(11), script.next()), ("+2".into(), Some(21)));
}

#[test]
fn m111_shifted_times_count_from_the_end_of_a_run() {
    let mut script = Script(start(plan(Timetable::Shifted(10 * MINUTE))));
    assert_eq!(script.at(0), "+1");
    assert_eq!((script.end(1, 25), script.next()), (String::new(), Some(35)));
    assert!(script.0.wake(35 * MINUTE, || false).is_empty());
    assert_eq!(script.next(), Some(45), "a time that the guard refused is a short run");
}

#[test]
fn m111_overlap_ignores_runs_or_stops_the_previous() {
    let check = |overlap, expected: [&str; 3]| {
        let mut script = Script(start(Plan { overlap, ..regular() }));
        assert_eq!([0, 10, 20].map(|minute| script.at(minute)), expected, "{overlap:?}");
    };
    check(Overlap::Ignore, ["+1", "o", "o"]);
    check(Overlap::Run, ["+1", "+2", "+3"]);
    check(Overlap::StopPrevious, ["+1", "-1 +2", "-2 +3"]);
}

#[test]
fn m111_the_guard_lets_a_time_pass_in_silence() {
    let mut schedule = start(regular());
    assert_eq!(schedule.wake(Duration::ZERO, || false), []);
    assert_eq!(schedule.next_event(), Some(10 * MINUTE));
    assert!(schedule.wake(MINUTE, || unreachable!("no time has come")).is_empty());
}

#[test]
fn m111_missed_times_are_skipped_or_run_once_or_all_up_to_a_number() {
    // Times 10 to 40 have come; the last is five minutes late.
    let check = |missed, expected: [&str; 4]| {
        let mut script = Script(start(Plan { missed, ..regular() }));
        assert_eq!((script.at(0), script.end(1, 1)), ("+1".into(), "".into()));
        let woken = script.at(45);
        let ends = [2, 3, 4].map(|run| script.end(run, 46));
        assert_eq!([&woken, &ends[0], &ends[1], &ends[2]], expected, "{missed:?}");
        assert_eq!(script.next(), Some(50));
    };
    check(Missed::Skip, ["m4", "", "", ""]);
    check(Missed::RunOnce, ["m3 +2", "", "", ""]);
    check(Missed::RunAll(3), ["m1 +2", "+3", "+4", ""]);
    check(Missed::RunAll(9), ["+2", "+3", "+4", "+5"]);
}

#[test]
fn m111_a_time_that_is_hardly_late_is_not_missed() {
    let mut script = Script(start(Plan { missed: Missed::Skip, ..regular() }));
    assert_eq!(
        (script.at(0), script.end(1, 1), script.at(21)),
        ("+1".into(), "".into(), "m1 +2".into())
    );
}

#[test]
fn m111_owed_runs_end_when_the_guard_says_no() {
    let mut schedule = start(Plan { missed: Missed::RunAll(9), ..regular() });
    schedule.wake(45 * MINUTE, || true);
    assert_eq!(schedule.ended(RunId(1), 46 * MINUTE, || false), []);
    assert_eq!(schedule.ended(RunId(1), 46 * MINUTE, || unreachable!("nothing is owed")), []);
}

#[test]
fn m111_a_calendar_is_asked_for_its_times() {
    // The fives and sevens, until the hour is over.
    let times = |after: Moment| {
        let minutes = (after.as_secs() / 60 + 1)..60;
        minutes.clone().find(|minute| minute % 5 == 0 || minute % 7 == 0).map(Duration::from_mins)
    };
    let calendar = || plan(Timetable::Calendar(Box::new(times)));
    let mut script = Script(start(Plan { missed: Missed::RunAll(2), ..calendar() }));
    assert_eq!((script.next(), script.at(5), script.end(1, 5)), (Some(5), "+1".into(), "".into()));
    assert_eq!((script.at(14), script.next()), ("m1 +2".into(), Some(15)));
    assert_eq!((script.end(2, 14), script.end(3, 14)), ("+3".into(), "".into()));
    assert_eq!((script.at(59), script.next()), ("m12 +4".into(), None));
}

/// Resumes a schedule whose latest time was at minute 0, at a later minute.
fn resume(plan: Plan, minute: u32) -> Script {
    Script(Schedule::resume(plan, Duration::ZERO, MINUTE * minute, Dice::new(1)))
}

#[test]
fn m111_times_between_two_lives_are_late_like_any_others() {
    let check = |missed, expected: [&str; 3]| {
        let mut script = resume(Plan { missed, ..regular() }, 35);
        assert_eq!(script.next(), Some(35), "it is woken at once");
        let woken = script.at(35);
        assert_eq!([woken, script.end(1, 36), script.end(2, 36)], expected, "{missed:?}");
        assert_eq!(script.next(), Some(40), "in step with the life before");
        assert_eq!(script.0.latest(), Some(30 * MINUTE));
    };
    check(Missed::Skip, ["m3", "", ""]);
    check(Missed::RunOnce, ["m2 +1", "", ""]);
    check(Missed::RunAll(2), ["m1 +1", "+2", ""]);
}

#[test]
fn m111_a_new_life_in_time_waits_for_the_next_time() {
    let mut script = resume(regular(), 4);
    assert_eq!((script.at(4), script.next(), script.at(10)), ("".into(), Some(10), "+1".into()));
    let script = resume(plan(Timetable::Shifted(10 * MINUTE)), 4);
    assert_eq!(script.next(), Some(10));
    let calendar = Timetable::Calendar(Box::new(|after| Some(after + 10 * MINUTE)));
    assert_eq!(resume(plan(calendar), 4).next(), Some(10));
    assert_eq!(resume(plan(Timetable::Manual), 4).next(), None);
}

#[test]
fn m111_a_new_life_keeps_its_initial_delay() {
    let mut script = resume(Plan { initial_delay: 8 * MINUTE, ..regular() }, 35);
    assert_eq!((script.next(), script.at(42)), (Some(43), "".into()));
    assert_eq!((script.at(43), script.next()), ("m3 +1".into(), Some(50)));
}

#[test]
fn m111_a_latest_time_in_the_future_counts_as_now() {
    let far = MINUTE * 1_000_000;
    let schedule = Schedule::resume(regular(), far, MINUTE, Dice::new(1));
    assert_eq!(schedule.next_event(), Some(11 * MINUTE));
}

#[test]
fn m111_what_was_dealt_with_is_the_time_that_came_not_the_one_it_was_noticed_at() {
    let mut script = Script(start(regular()));
    assert_eq!(script.0.latest(), None);
    script.at(1);
    assert_eq!(script.0.latest(), Some(Duration::ZERO));
    script.0.wake(29 * MINUTE, || false);
    assert_eq!(script.0.latest(), Some(20 * MINUTE), "also where the guard said no");
    let mut shifted = Script(start(plan(Timetable::Shifted(10 * MINUTE))));
    shifted.at(0);
    shifted.end(1, 25);
    assert_eq!(shifted.0.latest(), Some(25 * MINUTE), "an interval counts from the end");
}

#[test]
fn m111_a_manual_schedule_runs_only_when_asked() {
    let mut script = Script(start(plan(Timetable::Manual)));
    assert_eq!((script.next(), script.at(1000)), (None, String::new()));
    assert_eq!((show(&script.0.ask()), show(&script.0.ask())), ("+1".into(), "o".into()));
}

proptest! {
    /// Jitter puts a time off by less than itself, and the times behind it stay where they are.
    #[test]
    fn m111_jitter_does_not_add_up(seed: u64, jitter in 0u64..600) {
        let jitter = Duration::from_secs(jitter);
        let mut schedule =
            Schedule::new(Plan { jitter, ..regular() }, Duration::ZERO, Dice::new(seed));
        for turn in 0..100 {
            let planned = 10 * MINUTE * turn;
            let starts = schedule.next_event().unwrap();
            prop_assert!(starts >= planned && starts <= planned + jitter);
            let steps = schedule.wake(starts, || true);
            prop_assert_eq!(steps.len(), 1);
            let Step::Start(run) = steps[0] else { panic!("{steps:?}") };
            schedule.ended(run, starts, || true);
        }
    }

    /// However late it is woken: each time has come, has a run or is told as missed or overlapped.
    #[test]
    fn m111_every_time_is_accounted_for(
        pauses in prop::collection::vec((0u64..2000, any::<bool>()), 1..80),
        missed in prop_oneof![Just(Missed::Skip), Just(Missed::RunOnce), (1u32..5).prop_map(Missed::RunAll)],
    ) {
        let mut schedule = start(Plan { missed, overlap: Overlap::Run, ..regular() });
        let (mut now, mut accounted, mut running) = (Duration::ZERO, 0, Vec::new());
        for (pause, ends) in pauses {
            now += Duration::from_secs(pause);
            let mut steps = schedule.wake(now, || true);
            while let (true, Some(run)) = (ends, running.pop()) {
                steps.extend(schedule.ended(run, now, || true));
            }
            for step in steps {
                match step {
                    Step::Start(run) => { running.push(run); accounted += 1; }
                    Step::Missed(times) => accounted += times,
                    Step::Stop(_) | Step::Overlapped => {}
                }
            }
            prop_assert!(schedule.next_event().unwrap() > now);
        }
        let come = now.as_secs() / 600 + 1;
        prop_assert!(accounted <= come);
        if !matches!(missed, Missed::RunAll(_)) {
            prop_assert_eq!(accounted, come);
        }
    }
}
