//! The heads that a pull request had, and what became of each.

use ci_build::PastBuild;

use super::super::html::{Html, html};
use super::super::part;
use crate::wire::PullDetail;

/// The history, the newest build first.
pub(super) fn section(page: &str, detail: &PullDetail, builds: &[PastBuild]) -> Html {
    if builds.is_empty() {
        return Html::default();
    }
    let row = |build: &PastBuild| {
        let is_now = detail.pull.head.as_deref() == Some(build.head.as_str());
        part::past(page, build, detail.build, if is_now { " of the present head" } else { "" })
    };
    let rows: Html = builds.iter().map(row).collect();
    html!(r#"<h2>History</h2><ul class="rows">{}</ul>"#, rows)
}
