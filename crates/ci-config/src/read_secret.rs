//! Reading secrets: from a file or the environment, never from the configuration itself.

use std::path::Path;

use crate::diagnostic::Problems;
use crate::document::Value;
use crate::field::Field;
use crate::keys;
use crate::source::Source;
use ci_domain::secret::Secret;

const EXPECTED: &str = "a secret is { file = \"…\" } or { env = \"…\" }";
const WHY: &str = "secrets are never written into this file";

/// Reads the secret that `field` names; reports by its key, never by its value.
pub(crate) fn read_secret(
    field: &Field<'_>,
    source: &dyn Source,
    problems: &mut Problems,
) -> Option<Secret> {
    match field.node.value {
        Value::Map(_) => {}
        Value::Refused => return None,
        _ => {
            field.report(EXPECTED, WHY, problems);
            return None;
        }
    }
    let fields = field.fields(keys::SECRET, problems)?;
    let value = match (fields.get("file"), fields.get("env")) {
        (Some(file), None) => from_file(&file, source, problems)?,
        (None, Some(env)) => from_env(&env, source, problems)?,
        _ => {
            field.report(EXPECTED, "give one of file and env", problems);
            return None;
        }
    };
    if value.is_empty() {
        field.report("the secret is empty", "write the secret into what is named here", problems);
        return None;
    }
    Some(Secret::new(value))
}

/// The content of a file without the line break that editors put at its end.
fn from_file(field: &Field<'_>, source: &dyn Source, problems: &mut Problems) -> Option<String> {
    let path = path_text(field, problems)?;
    match source.file(Path::new(path)) {
        Ok(content) => {
            let line = content.strip_suffix('\n').unwrap_or(&content);
            Some(line.strip_suffix('\r').unwrap_or(line).to_owned())
        }
        Err(error) => {
            let hint =
                "the node's user must be able to read it; a relative path is beside this file";
            field.report(&format!("cannot read {path:?}: {error}"), hint, problems);
            None
        }
    }
}

fn from_env(field: &Field<'_>, source: &dyn Source, problems: &mut Problems) -> Option<String> {
    let name = field.text(problems)?;
    let value = source.env(name);
    if value.is_none() {
        let hint = "set it for the node, by EnvironmentFile in its unit for instance";
        field.report(&format!("the environment has no variable {name:?}"), hint, problems);
    }
    value
}

/// The path of a file, which is not empty.
pub(crate) fn path_text<'a>(field: &Field<'a>, problems: &mut Problems) -> Option<&'a str> {
    let path = field.text(problems)?;
    if path.is_empty() || path.contains('\0') {
        field.report("is no path", "write the path of a file or folder", problems);
        return None;
    }
    Some(path)
}
