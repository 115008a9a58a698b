//! Groups of steps: a list, or a map with a list and options; an option may also stand beside the group.

use crate::diagnostic::Problems;
use crate::document::Value;
use crate::field::{Field, Fields, Keys};

/// The fields of a group that is a map; none where it is just a list.
pub(crate) fn group_fields<'a>(
    group: &Field<'a>,
    keys: Keys,
    problems: &mut Problems,
) -> Option<Fields<'a>> {
    let is_map = matches!(group.node.value, Value::Map(_));
    if is_map { group.fields(keys, problems) } else { None }
}

/// The list of a group's steps.
pub(crate) fn group_steps<'a>(
    group: Field<'a>,
    inner: Option<&Fields<'a>>,
    problems: &mut Problems,
) -> Option<Field<'a>> {
    match inner {
        Some(fields) => fields.require("steps", problems),
        None => Some(group),
    }
}

/// An option of a group, which may stand beside the group or in it.
pub(crate) fn either<'a>(
    key: &str,
    outer: &Fields<'a>,
    inner: Option<&Fields<'a>>,
    problems: &mut Problems,
) -> Option<Field<'a>> {
    match (outer.get(key), inner.and_then(|inner| inner.get(key))) {
        (Some(field), Some(_)) => {
            field.report("stands both beside the group and in it", "keep one of them", problems);
            None
        }
        (outer, inner) => outer.or(inner),
    }
}
