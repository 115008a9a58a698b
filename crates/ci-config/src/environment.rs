//! Variables that a file sets for commands.

use std::collections::BTreeMap;

use crate::diagnostic::Problems;
use crate::field::Field;

/// What to do about a name that cannot be one.
pub(crate) const NAME_HINT: &str = "choose another name, such as APP_KEY";
/// What to do about a NUL character.
pub(crate) const NUL_HINT: &str = "remove the NUL: no process can be given one";

/// Names with this prefix are set by the node alone.
const RESERVED: &str = "CI";

/// Reads a map of variables; their values are taken as they are written.
pub(crate) fn read_env(field: &Field<'_>, problems: &mut Problems) -> BTreeMap<String, String> {
    let mut env = BTreeMap::new();
    for (entry, value) in field.entries(problems).unwrap_or_default() {
        if let Err(message) = check_name(&entry.key) {
            problems.report(entry.at, message, NAME_HINT);
        }
        if let Some(text) = value.parsed(plain_text, NUL_HINT, problems) {
            env.insert(entry.key.clone(), text);
        }
    }
    env
}

/// Checks the name of a variable that someone other than the node sets.
pub(crate) fn check_name(name: &str) -> Result<(), String> {
    let is_letter = |byte: u8| byte.is_ascii_alphabetic() || byte == b'_';
    let starts_well = name.bytes().next().is_some_and(is_letter);
    if !starts_well || !name.bytes().all(|byte| is_letter(byte) || byte.is_ascii_digit()) {
        return Err(format!(
            "{name:?} is no name of a variable: letters, digits and '_', no digit first"
        ));
    }
    if name.starts_with(RESERVED) {
        return Err(format!(
            "`{name}` is reserved: the node sets variables that start with {RESERVED}"
        ));
    }
    Ok(())
}

/// Text that can be handed to a process.
pub(crate) fn plain_text(text: &str) -> Result<String, &'static str> {
    if text.contains('\0') { Err("has a NUL character") } else { Ok(text.to_owned()) }
}
