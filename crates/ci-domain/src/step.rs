//! The command tree of a job: what runs after what, and what runs beside it.

use std::collections::BTreeMap;
use std::fmt;
use std::num::NonZeroU32;
use std::time::Duration;

/// The place of a step in its job's tree: the positions on the way from the root, such as `0.2.1`.
///
/// The root is the empty path. Two readings of the same definition give each step the same id.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(String);

/// A step of a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// One shell command.
    Command(Command),
    /// Steps that run one after another; the first failure ends it, but `always` steps still run.
    Sequence(Sequence),
    /// Steps that run at once; every one runs to its end and every failure is reported.
    Parallel(Parallel),
}

/// One shell command, run by `sh -c`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    /// Its place in the tree.
    pub id: NodeId,
    /// The text for the shell, never changed on its way there.
    pub run: String,
    /// What people call it; the first line of `run` where it has none.
    pub name: Option<String>,
    /// How long it may take; no limit of its own where there is none.
    pub timeout: Option<Duration>,
    /// How many more times it is tried after a failure.
    pub retry: u32,
    /// Variables set for this command alone.
    pub env: BTreeMap<String, String>,
    /// Its failure is shown but does not fail its group.
    pub allow_failure: bool,
    /// It runs although an earlier step of its sequence failed.
    pub always: bool,
    /// What is kept of what it leaves.
    pub keeps: Keeps,
}

/// What is kept of the files that a command leaves, by [patterns](crate::paths) of its component's folder.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Keeps {
    /// Files that people download.
    pub artifacts: Vec<String>,
    /// Results of tests in the format of JUnit.
    pub junit: Vec<String>,
}

/// Steps that run one after another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sequence {
    /// Its place in the tree.
    pub id: NodeId,
    /// What people call it.
    pub name: Option<String>,
    /// The steps, in order.
    pub steps: Vec<Step>,
}

/// Steps that run at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parallel {
    /// Its place in the tree.
    pub id: NodeId,
    /// What people call it.
    pub name: Option<String>,
    /// How many may run at the same time; all of them where there is none.
    pub limit: Option<NonZeroU32>,
    /// Whether the first failure cancels the rest.
    pub fail_fast: bool,
    /// The steps.
    pub steps: Vec<Step>,
}

impl NodeId {
    /// The root of a tree.
    #[must_use]
    pub fn root() -> Self {
        Self::default()
    }

    /// The id of the child at `position`, counted from 0.
    #[must_use]
    pub fn child(&self, position: usize) -> Self {
        if self.0.is_empty() {
            Self(position.to_string())
        } else {
            Self(format!("{}.{position}", self.0))
        }
    }

    /// Reads an id as it was displayed; `None` where it is no path of positions.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let is_position =
            |part: &str| part.parse::<usize>().is_ok_and(|position| position.to_string() == part);
        (text.is_empty() || text.split('.').all(is_position)).then(|| Self(text.to_owned()))
    }

    /// The path as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Command {
    /// A command with nothing but its text.
    #[must_use]
    pub fn new(id: NodeId, run: impl Into<String>) -> Self {
        Self {
            id,
            run: run.into(),
            name: None,
            timeout: None,
            retry: 0,
            env: BTreeMap::new(),
            allow_failure: false,
            always: false,
            keeps: Keeps::default(),
        }
    }

    /// What people call it.
    #[must_use]
    pub fn title(&self) -> &str {
        self.name.as_deref().unwrap_or_else(|| self.first_line())
    }

    /// What stands above its log: of one with a name also what it runs.
    #[must_use]
    pub fn heading(&self) -> String {
        match &self.name {
            Some(name) => format!("{name} ({})", self.first_line()),
            None => self.first_line().to_owned(),
        }
    }

    fn first_line(&self) -> &str {
        self.run.trim().lines().next().unwrap_or_default()
    }
}

impl Step {
    /// Its place in the tree.
    #[must_use]
    pub fn id(&self) -> &NodeId {
        match self {
            Self::Command(command) => &command.id,
            Self::Sequence(sequence) => &sequence.id,
            Self::Parallel(parallel) => &parallel.id,
        }
    }

    /// The steps directly below.
    #[must_use]
    pub fn children(&self) -> &[Self] {
        match self {
            Self::Command(_) => &[],
            Self::Sequence(sequence) => &sequence.steps,
            Self::Parallel(parallel) => &parallel.steps,
        }
    }

    /// All commands of the tree, in the order of their definition.
    #[must_use]
    pub fn commands(&self) -> Vec<&Command> {
        match self {
            Self::Command(command) => vec![command],
            _ => self.children().iter().flat_map(Self::commands).collect(),
        }
    }
}

impl Keeps {
    /// Whether nothing is kept.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        self.artifacts.is_empty() && self.junit.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_id_is_a_path_of_positions() {
        let id = NodeId::root().child(0).child(12).child(1);
        assert_eq!(id.as_str(), "0.12.1");
        assert_eq!(NodeId::parse("0.12.1"), Some(id));
        assert_eq!(NodeId::parse(""), Some(NodeId::root()));
        for bad in ["a", "1.", "01", "-1", "1..2"] {
            assert_eq!(NodeId::parse(bad), None, "{bad}");
        }
    }
}
