//! Who owns what a change touches, by the `CODEOWNERS` file of the base branch.

use std::collections::BTreeSet;

use ci_domain::code_owners::{CodeOwners, MAX_SIZE, Owned, PLACES};
use ci_domain::ids::CommitSha;
use ci_domain::wording;
use ci_git::{CommandError, Content, Mirror};

/// Lines that were skipped and are told; nobody reads more.
const MOST: usize = 20;

/// The changed paths that have owners, and what is wrong with the file, for people.
///
/// # Errors
/// The file cannot be read.
pub(super) async fn owned(
    git: &Mirror,
    base: &CommitSha,
    paths: &BTreeSet<String>,
) -> Result<(Vec<Owned>, Vec<String>), CommandError> {
    let tree = git.tree(base).await?;
    let files = git.read_files(&tree, |path| PLACES.contains(&path), MAX_SIZE).await?;
    let rank = |path: &str| PLACES.iter().position(|place| *place == path);
    let Some((path, content)) = files.into_iter().min_by_key(|(path, _)| rank(path.as_str()))
    else {
        return Ok((Vec::new(), vec![wording::no_code_owners()]));
    };
    let file = path.as_str();
    let Content::Bytes(bytes) = content else {
        return Ok((Vec::new(), vec![wording::unread_code_owners(file)]));
    };
    let owners = CodeOwners::parse(&String::from_utf8_lossy(&bytes));
    let skipped = owners.skipped.iter().take(MOST);
    let mut told: Vec<String> =
        skipped.map(|(line, why)| wording::skipped_code_owners(file, *line, why)).collect();
    if let Some(more) = owners.skipped.len().checked_sub(MOST).filter(|more| *more > 0) {
        told.push(wording::more_hints(more));
    }
    Ok((owners.owned(paths.iter().map(String::as_str)), told))
}
