//! "Did you mean": the actors that are called nearly as somebody wrote.

use strsim::osa_distance;

use crate::wire::Actor;

/// How many actors are named at most.
const NAMED: usize = 3;

/// How many slips of the finger are believed at most, and on how many letters one.
const SLIPS: usize = 3;
const LETTERS_PER_SLIP: usize = 3;

/// Longer references are not compared: that takes their length times that of each name.
const LONGEST: usize = 64;

/// Finds the paths that end nearly as a reference says, the nearest first.
pub(super) fn alike(reference: &str, actors: &[Actor]) -> Vec<String> {
    let letters = reference.chars().count();
    let most = (letters / LETTERS_PER_SLIP).min(SLIPS);
    // A pid that is nearly another one is another one.
    let is_pid = reference.bytes().all(|byte| byte.is_ascii_digit());
    if most == 0 || letters > LONGEST || is_pid {
        return Vec::new();
    }
    let parts = reference.split('/').count();
    let near = actors.iter().filter_map(|actor| {
        let name = if parts == 1 { &*actor.id } else { end_of(&actor.path, parts) };
        let may_be = name.chars().count().abs_diff(letters) <= most;
        let slips = may_be.then(|| osa_distance(reference, name))?;
        (slips <= most).then_some((slips, actor))
    });
    let mut near: Vec<(usize, &Actor)> = near.collect();
    near.sort_by_key(|(slips, _)| *slips);
    near.into_iter().take(NAMED).map(|(_, actor)| actor.path.clone()).collect()
}

/// Returns so many parts of a path, from its end.
fn end_of(path: &str, parts: usize) -> &str {
    let before = path.rmatch_indices('/').nth(parts - 1);
    before.map_or(path, |(slash, _)| &path[slash + 1..])
}
