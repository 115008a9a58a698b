//! Writes a condition in the words that it can be read from.

use std::fmt;

use super::{About, Claim, Condition, Figure, Node};

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All(parts) => joined(parts, " && ", f),
            Self::Any(parts) => joined(parts, " || ", f),
            Self::Not(part) => write!(f, "!{part}"),
            Self::Claim(claim) => claim.fmt(f),
        }
    }
}

/// Puts the parts into parentheses, so that it does not matter what is around them.
fn joined(parts: &[Node], sign: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    for (at, part) in parts.iter().enumerate() {
        write!(f, "{}{part}", if at == 0 { "(" } else { sign })?;
    }
    f.write_str(")")
}

impl fmt::Display for Claim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let pattern = self.pattern.text();
        match &self.about {
            About::Exists => write!(f, "exists({pattern})"),
            About::State(comparison, word) => {
                write!(f, "state({pattern}){}{word}", comparison.as_str())
            }
            About::Figure(figure, comparison, value) => {
                let (name, sign, unit) = (figure.as_str(), comparison.as_str(), figure.unit());
                write!(f, "{name}({pattern}){sign}{value}{unit}")
            }
        }
    }
}

impl Figure {
    pub(super) fn unit(self) -> &'static str {
        if self.is_time() { "ms" } else { "" }
    }
}
