//! Reads a condition.

use super::pattern::Pattern;
use super::{About, COMPARISONS, Claim, Comparison, FIGURES, Figure, Node};
use crate::wire::State;

/// How deeply a condition may be nested; people need two or three.
const DEPTH: usize = 32;

/// How much of the rest of a text is shown where it is not understood.
const SHOWN: usize = 20;

/// The units of time, in milliseconds.
const UNITS: [(&str, u64); 6] =
    [("", 1), ("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000)];

/// Says where a condition stops making sense.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("at character {at}: expected {expected}, found {found}")]
pub struct ConditionError {
    /// The place, counted from one.
    pub at: usize,
    /// What could stand there.
    pub expected: String,
    /// What stands there.
    pub found: String,
}

pub(super) fn condition(text: &str) -> Result<Node, ConditionError> {
    let mut parser = Parser { text, at: 0 };
    let node = parser.any(0)?;
    parser.space();
    if parser.rest().is_empty() { Ok(node) } else { Err(parser.error("&&, || or the end")) }
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Parser<'a> {
    fn any(&mut self, depth: usize) -> Result<Node, ConditionError> {
        self.several("||", depth, Self::all, Node::Any)
    }

    fn all(&mut self, depth: usize) -> Result<Node, ConditionError> {
        self.several("&&", depth, Self::one, Node::All)
    }

    fn several(
        &mut self,
        sign: &str,
        depth: usize,
        mut part: impl FnMut(&mut Self, usize) -> Result<Node, ConditionError>,
        join: impl FnOnce(Vec<Node>) -> Node,
    ) -> Result<Node, ConditionError> {
        let first = part(self, depth)?;
        let mut parts = vec![first];
        while self.take(sign) {
            parts.push(part(self, depth)?);
        }
        Ok(if parts.len() == 1 { parts.remove(0) } else { join(parts) })
    }

    fn one(&mut self, depth: usize) -> Result<Node, ConditionError> {
        if depth == DEPTH {
            return Err(self.error(&format!("at most {DEPTH} levels")));
        }
        if self.take("!") {
            return Ok(Node::Not(Box::new(self.one(depth + 1)?)));
        }
        if self.take("(") {
            let node = self.any(depth + 1)?;
            return self.expect(")").map(|()| node);
        }
        self.claim().map(Node::Claim)
    }

    fn claim(&mut self) -> Result<Claim, ConditionError> {
        self.space();
        let start = self.at;
        let name = self.word();
        let figure = FIGURES.iter().find(|(known, _)| *known == name).map(|(_, figure)| *figure);
        if figure.is_none() && !["exists", "state"].contains(&name) {
            let names: Vec<&str> = FIGURES.iter().map(|(name, _)| *name).collect();
            return Err(self.error_from(start, &format!("exists, state, {}", names.join(", "))));
        }
        self.expect("(")?;
        let pattern = self.pattern()?;
        self.expect(")")?;
        let about = match (name, figure) {
            ("exists", _) => About::Exists,
            (_, Some(figure)) => {
                let comparison = self.comparison()?;
                About::Figure(figure, comparison, self.value(figure)?)
            }
            (_, None) => About::State(self.equality()?, self.state()?),
        };
        Ok(Claim { about, pattern })
    }

    fn pattern(&mut self) -> Result<Pattern, ConditionError> {
        self.space();
        let end = self.rest().find(')').unwrap_or(self.rest().len());
        let text = self.rest()[..end].trim_end();
        if text.is_empty() {
            return Err(self.error("a path"));
        }
        self.at += end;
        Ok(Pattern::new(text))
    }

    fn comparison(&mut self) -> Result<Comparison, ConditionError> {
        let found = COMPARISONS.into_iter().find(|(sign, _)| self.take(sign));
        found.map(|(_, comparison)| comparison).ok_or_else(|| self.error("one of = != < <= > >="))
    }

    fn equality(&mut self) -> Result<Comparison, ConditionError> {
        self.space();
        let start = self.at;
        match self.comparison()? {
            equality @ (Comparison::Equal | Comparison::Unequal) => Ok(equality),
            _ => Err(self.error_from(start, "= or !=")),
        }
    }

    fn state(&mut self) -> Result<String, ConditionError> {
        self.space();
        let start = self.at;
        let word = self.word();
        let mut names = State::NAMED.iter().map(|state| state.as_str());
        if names.any(|name| name == word) {
            return Ok(word.to_owned());
        }
        let names: Vec<&str> = State::NAMED.iter().map(|state| state.as_str()).collect();
        Err(self.error_from(start, &names.join(", ")))
    }

    fn value(&mut self, figure: Figure) -> Result<u64, ConditionError> {
        self.space();
        let start = self.at;
        let after = self.rest().trim_start_matches(|c: char| c.is_ascii_digit());
        let number = self.rest()[..self.rest().len() - after.len()].parse::<u64>();
        self.at = self.text.len() - after.len();
        let unit = self.word();
        let known = UNITS.iter().filter(|(name, _)| figure.is_time() || name.is_empty());
        let unit = known.into_iter().find(|(name, _)| *name == unit).map(|(_, millis)| *millis);
        match (number, unit) {
            (Ok(number), Some(unit)) => Ok(number.saturating_mul(unit)),
            _ if figure.is_time() => Err(self.error_from(start, "a time such as 250ms, 5s or 2m")),
            _ => Err(self.error_from(start, "a number")),
        }
    }

    fn word(&mut self) -> &'a str {
        let rest = self.rest();
        let end = rest.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(rest.len());
        self.at += end;
        &rest[..end]
    }

    fn take(&mut self, sign: &str) -> bool {
        self.space();
        let found = self.rest().starts_with(sign);
        if found {
            self.at += sign.len();
        }
        found
    }

    fn expect(&mut self, sign: &str) -> Result<(), ConditionError> {
        if self.take(sign) { Ok(()) } else { Err(self.error(sign)) }
    }

    fn space(&mut self) {
        self.at += self.rest().len() - self.rest().trim_start().len();
    }

    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn error(&self, expected: &str) -> ConditionError {
        self.error_from(self.at, expected)
    }

    fn error_from(&self, at: usize, expected: &str) -> ConditionError {
        let shown: String = self.text[at..].chars().take(SHOWN).collect();
        ConditionError {
            at: self.text[..at].chars().count() + 1,
            expected: expected.to_owned(),
            found: if shown.is_empty() { "the end".to_owned() } else { shown },
        }
    }
}
