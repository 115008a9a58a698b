//! Machines that are wrong on purpose: each breaks one promise, and must be found out.

mod mutant;

use heights_core::Strategy::{OneForAll, OneForOne, RestForOne};

use self::mutant::{Fault, Mutant};
use crate::explore::explore;
use crate::setups::Setup;
use crate::world::World;

/// Finds out about each fault in one of the setups, and checks what is said about it.
fn find_out(setups: impl IntoIterator<Item = Setup>, faults: &[(Fault, &str)]) {
    let setups: Vec<Setup> = setups.into_iter().collect();
    for (fault, expected) in faults {
        let caught = setups
            .iter()
            .find_map(|setup| explore(World::new(setup, Mutant::new(*fault, setup))).err());
        let violation = caught.unwrap_or_else(|| panic!("{fault:?} is not found out"));
        let what = violation.lines().next().unwrap_or_default();
        println!("{fault:?}: {what}");
        assert!(what.contains(expected), "{fault:?}: {violation}");
    }
}

#[test]
fn every_mutant_is_found_out() {
    let one_for_one = [
        (Fault::CountsOneTooFew, "does not end by Some(ReachedMaxIntensity)"),
        (Fault::StopsInStartOrder, "out of order"),
        (Fault::LeavesOneBehind, "behind"),
        (Fault::RestartsAfterStop, "after the end has begun"),
        (Fault::HonorsOldTimers, "old news"),
        (Fault::IgnoresEndsWhileRestarting, "it knows"),
        (Fault::TakesEveryEndForACrash, "which nobody asked for"),
        (Fault::KeepsWhatIsOver, "it knows"),
        (Fault::LosesAnswers, "answers None, not Some(Done)"),
    ];
    find_out(Setup::all_restart_types(OneForOne), &one_for_one);
    let rest_for_one = [
        (Fault::DoesNotWait, "while something is under way"),
        (Fault::RestartsElders, "which does not share that fate"),
    ];
    find_out(Setup::all_restart_types(RestForOne), &rest_for_one);
    let one_for_all = [
        (Fault::CountsTwice, "ends by ReachedMaxIntensity, not by None"),
        (Fault::HonorsOldEnds, "old news"),
    ];
    find_out(Setup::all_restart_types(OneForAll), &one_for_all);
}

#[test]
fn mutants_that_take_limits_wrong_are_found_out() {
    let faults = [
        (Fault::ForgetsFailuresAtStart, "which nobody asked for"),
        (Fault::EndsWithAChild, "which does not share that fate"),
    ];
    find_out(Setup::limited(OneForOne), &faults);
}

#[test]
fn mutants_that_take_new_specs_wrong_are_found_out() {
    let faults = [
        (Fault::StartsNewChildren, "which nobody asked for"),
        (Fault::StopsWhatHasNoSpec, "which does not share that fate"),
        (Fault::KeepsTheOrder, "it knows"),
        (Fault::KeepsOldSpecs, "it knows"),
        (Fault::ForgetsFailures, "which does not share that fate"),
        (Fault::TakesWrongSpecs, "answers Some(Done), not Some(Refused(Invalid(DuplicateId"),
    ];
    find_out([Setup::reconfigured(OneForOne)], &faults);
}

#[test]
fn mutants_that_take_bonds_wrong_are_found_out() {
    let faults = [
        (Fault::LeavesTheBound, "it knows"),
        (Fault::StartsWhatIsMissing, "which nobody asked for"),
        (Fault::BringsNobodyAlong, "does not bring"),
        (Fault::HoldsUpOthers, "holds up"),
    ];
    find_out(Setup::bound(OneForOne), &faults);
}
