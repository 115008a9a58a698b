//! What is kept of the files that a command leaves.

use ci_domain::step::Keeps;

use crate::diagnostic::Problems;
use crate::document::Value;
use crate::field::{Field, Fields};
use crate::keys;
use crate::patterns::read_patterns;

const EMPTY_HINT: &str = "name the files that are kept, or leave it out";

/// Reads `artifacts` and `reports` of a command.
pub(crate) fn read_keeps(fields: &Fields<'_>, problems: &mut Problems) -> Keeps {
    let artifacts = fields.get("artifacts").map(|field| read_files(&field, problems));
    let reports = fields.get("reports").and_then(|field| field.fields(keys::REPORTS, problems));
    let junit = reports.and_then(|reports| reports.require("junit", problems));
    let junit = junit.map(|field| read_files(&field, problems));
    Keeps { artifacts: artifacts.unwrap_or_default(), junit: junit.unwrap_or_default() }
}

/// Patterns of files. The folder does not change which of them are good.
fn read_files(field: &Field<'_>, problems: &mut Problems) -> Vec<String> {
    let patterns = read_patterns("", field, problems).unwrap_or_default();
    if patterns.is_empty() && matches!(&field.node.value, Value::List(items) if items.is_empty()) {
        field.report("there is no file in it", EMPTY_HINT, problems);
    }
    patterns
}
