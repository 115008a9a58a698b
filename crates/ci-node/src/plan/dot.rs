//! A plan as a drawing, for Graphviz.

use std::fmt::Write as _;

use ci_domain::pipeline::When;
use ci_domain::plan::Plan;

/// Draws the jobs, each pointing at what it needs; dashed is what waits for approval.
pub(super) fn draw(plan: &Plan) -> String {
    let mut text = String::from("digraph plan {\n  rankdir=RL;\n  node [shape=box];\n");
    for (index, (component, _)) in plan.affected.components().enumerate() {
        let label = quoted(component.as_str());
        let _infallible = writeln!(text, "  subgraph cluster_{index} {{\n    label={label};");
        for job in plan.jobs_of(component) {
            let style = match job.definition.when {
                When::Always => "solid",
                When::Approved => "dashed",
            };
            let (id, label) = (quoted(&job.id.to_string()), quoted(job.id.job.as_str()));
            let _infallible = writeln!(text, "    {id} [label={label}, style={style}];");
        }
        text.push_str("  }\n");
    }
    for job in plan.jobs() {
        for need in &job.needs {
            let (from, to) = (quoted(&job.id.to_string()), quoted(&need.to_string()));
            let _infallible = writeln!(text, "  {from} -> {to};");
        }
    }
    text.push_str("}\n");
    text
}

/// Names have no character that would have to be escaped.
fn quoted(name: &str) -> String {
    format!("\"{name}\"")
}
