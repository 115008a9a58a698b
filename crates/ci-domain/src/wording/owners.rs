//! What is said of those who own changed paths, and of the file that names them.

use super::outside::quoted;
use crate::code_owners::PLACES;

/// What is said where the owners of code are to be asked and no file names any.
#[must_use]
pub fn no_code_owners() -> String {
    let places = PLACES.join(", ");
    format!("CODEOWNERS: the base branch has none ({places}), so nobody is asked")
}

/// What is said of a file of code owners that is not read.
#[must_use]
pub fn unread_code_owners(file: &str) -> String {
    format!("{file}: it is no regular file of at most 3 MB, so nobody is asked")
}

/// What is said of a line of that file.
#[must_use]
pub fn skipped_code_owners(file: &str, line: usize, why: &str) -> String {
    format!("{file}:{line}: {why}; the line is skipped")
}

/// What is said of what the owners of changed paths have not approved: of the first, and how many there
/// are besides.
#[must_use]
pub fn awaiting_owners(path: &str, more: u64) -> String {
    let rest = match more {
        0 => String::new(),
        1 => " and one more path".to_owned(),
        more => format!(" and {more} more paths"),
    };
    format!("awaiting approval by an owner of {}{rest}", quoted(path))
}

/// What meets that; nobody is called by being named.
#[must_use]
pub fn approval_by_owner(owners: &[String]) -> String {
    let owners: Vec<String> = owners.iter().map(|owner| quoted(owner)).collect();
    match owners.as_slice() {
        [owner] => format!("approval by {owner}, with write access"),
        owners => format!("approval by any of {}, with write access", owners.join(", ")),
    }
}
