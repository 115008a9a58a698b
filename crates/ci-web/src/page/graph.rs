//! The components that a change affects, what depends on what, and how far each is, as a drawing.

mod layout;

use std::collections::BTreeMap;

use self::layout::{Layout, NODE_HEIGHT, NODE_WIDTH};
use super::html::{Html, html};
use super::icon::Tone;
use super::part::urgency;
use crate::wire::{Job, JobState};

/// More than so many are a list: nobody reads such a drawing.
const MOST: usize = 60;
/// Columns where there is room, and on a phone.
const WIDE: usize = 5;
const NARROW: usize = 2;
/// Characters of a name that fit in a box.
const NAME: usize = 18;

/// Components with what they depend on.
pub(super) struct Graph<'a> {
    nodes: BTreeMap<&'a str, Node>,
    /// From what is depended on to what depends on it.
    edges: Vec<(&'a str, &'a str)>,
}

/// One component.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Node {
    is_affected: bool,
    ended: usize,
    jobs: usize,
    /// The worst of its jobs, or the one that is furthest from its end.
    worst: Option<JobState>,
}

impl<'a> Graph<'a> {
    /// The components `affected`, with what they depend on and how far their jobs are.
    pub(super) fn new(
        affected: &'a [String],
        depends: &'a BTreeMap<String, Vec<String>>,
        jobs: &[Job],
    ) -> Self {
        let mut nodes: BTreeMap<&str, Node> = BTreeMap::new();
        for name in affected {
            nodes.entry(name).or_default().is_affected = true;
        }
        let mut edges = Vec::new();
        for (name, on) in depends {
            for other in on {
                nodes.entry(other).or_default();
                edges.push((other.as_str(), name.as_str()));
            }
        }
        for job in jobs {
            let component = job.job.split_once(':').map_or(job.job.as_str(), |(name, _)| name);
            if let Some(node) = nodes.get_mut(component) {
                node.note(job.state);
            }
        }
        Self { nodes, edges }
    }
}

impl Node {
    fn note(&mut self, state: JobState) {
        self.jobs += 1;
        self.ended += usize::from(has_ended(state));
        if self.worst.is_none_or(|worst| urgency(state) > urgency(worst)) {
            self.worst = Some(state);
        }
    }

    fn tone(self) -> Tone {
        match self.worst {
            Some(state) => state.into(),
            None => Tone::Mute,
        }
    }

    fn words(self) -> String {
        match (self.is_affected, self.worst) {
            (false, _) => "not affected".to_owned(),
            (true, None) => "no jobs".to_owned(),
            (true, Some(state)) => format!("{}, {}/{} jobs", state.words(), self.ended, self.jobs),
        }
    }
}

fn has_ended(state: JobState) -> bool {
    use JobState::{Cancelled, Crashed, Failed, Passed};
    matches!(state, Passed | Failed | Crashed | Cancelled)
}

/// The drawing with its heading; nothing where nothing is affected.
pub(super) fn section(graph: &Graph<'_>) -> Html {
    let affected = graph.nodes.values().filter(|node| node.is_affected).count();
    if affected == 0 {
        return Html::default();
    }
    let drawing = match graph.nodes.len() {
        0..=MOST => {
            let [wide, narrow] = [("desk", WIDE), ("phone", NARROW)].map(|(class, columns)| {
                let layout = Layout::new(graph.nodes.keys().copied(), &graph.edges, columns);
                draw(graph, &layout, class)
            });
            html!("{}{}", wide, narrow)
        }
        _ => list(graph),
    };
    html!(
        r#"<h2>Affected components <span class="quiet">{}</span></h2><div class="sheet wide" tabindex="0">{}</div>"#,
        affected,
        drawing
    )
}

fn list(graph: &Graph<'_>) -> Html {
    let affected = graph.nodes.iter().filter(|(_, node)| node.is_affected);
    let one = |(name, node): (&&str, &Node)| {
        html!(r#"<li><code>{}</code> <span class="quiet">{}</span></li>"#, name, node.words())
    };
    html!(r#"<ul class="inline">{}</ul>"#, affected.map(one).collect::<Html>())
}

fn draw(graph: &Graph<'_>, layout: &Layout<'_>, class: &'static str) -> Html {
    let lines: Html = graph.edges.iter().filter_map(|edge| line(layout, *edge)).collect();
    let boxes: Html =
        graph.nodes.iter().filter_map(|(name, node)| a_box(layout, name, *node)).collect();
    html!(
        r#"<svg class="draw graph {}" viewBox="0 0 {} {}" width="{}" height="{}" role="img" aria-labelledby="graph-{}-title graph-{}-desc"><title id="graph-{}-title">Affected components</title><desc id="graph-{}-desc">{}</desc>{}{}</svg>"#,
        class,
        layout.width,
        layout.height,
        layout.width,
        layout.height,
        class,
        class,
        class,
        class,
        description(graph),
        lines,
        boxes
    )
}

/// What the drawing says, in words.
fn description(graph: &Graph<'_>) -> String {
    let one = |(name, node): (&&str, &Node)| {
        let on: Vec<&str> =
            graph.edges.iter().filter(|(_, to)| to == name).map(|(from, _)| *from).collect();
        let on =
            if on.is_empty() { String::new() } else { format!(", depends on {}", on.join(", ")) };
        format!("{name}: {}{on}.", node.words())
    };
    graph.nodes.iter().map(one).collect::<Vec<_>>().join(" ")
}

/// A line from the bottom of what is depended on to the top of what depends on it.
fn line(layout: &Layout<'_>, (from, to): (&str, &str)) -> Option<Html> {
    let ((from_x, from_y), (to_x, to_y)) = (layout.place(from)?, layout.place(to)?);
    let (from_x, to_x) = (from_x + NODE_WIDTH / 2, to_x + NODE_WIDTH / 2);
    let from_y = from_y + NODE_HEIGHT;
    let middle = from_y.midpoint(to_y);
    Some(html!(
        r#"<path class="edge" d="M{} {}C{} {} {} {} {} {}"/><path class="tip" d="M{} {}l-4 -7h8z"/>"#,
        from_x,
        from_y,
        from_x,
        middle,
        to_x,
        middle,
        to_x,
        to_y.saturating_sub(5),
        to_x,
        to_y
    ))
}

fn a_box(layout: &Layout<'_>, name: &str, node: Node) -> Option<Html> {
    let (x, y) = layout.place(name)?;
    let class = if node.is_affected { node.tone().class() } else { "outside" };
    let ended = ((NODE_WIDTH - 20) * node.ended).checked_div(node.jobs).unwrap_or(0);
    let progress = match node.jobs {
        0 => Html::default(),
        _ => html!(
            r#"<rect class="rest" x="10" y="42" width="{}" height="4" rx="2"/><rect class="part" x="10" y="42" width="{}" height="4" rx="2"/>"#,
            NODE_WIDTH - 20,
            ended
        ),
    };
    Some(html!(
        r#"<g class="{}" transform="translate({} {})"><title>{}: {}</title><rect class="node" width="{}" height="{}" rx="6"/><text x="10" y="19" font-weight="600">{}</text><text class="faint" x="10" y="35" font-size="11">{}</text>{}</g>"#,
        class,
        x,
        y,
        name,
        node.words(),
        NODE_WIDTH,
        NODE_HEIGHT,
        shortened(name),
        node.words(),
        progress
    ))
}

/// A name that fits, with its end: that is where names in one place differ.
fn shortened(name: &str) -> String {
    let length = name.chars().count();
    if length <= NAME {
        return name.to_owned();
    }
    format!("…{}", name.chars().skip(length + 1 - NAME).collect::<String>())
}

#[cfg(test)]
mod tests;
