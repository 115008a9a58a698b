//! Patterns of a `CODEOWNERS` file: those of `.gitignore`, without `!` and `[…]`, and with one difference:
//! `docs/*` does not reach into folders.
//!
//! Neither is the automaton of [`crate::paths`] used here, whose patterns mean other things, nor anything
//! that goes back more than one step: who writes the file decides on its shape.

/// Longer patterns are refused, in bytes.
const MAX_PATTERN: usize = 4096;

/// What a line is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pattern {
    /// What the parts of a path must be, from the root on.
    parts: Vec<Part>,
    /// What may come below.
    below: Below,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    /// Any number of folders, none included.
    AnyDepth,
    /// One folder or file, as characters.
    One(Vec<Sign>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sign {
    /// Any number of characters.
    Many,
    /// Any character.
    Any,
    /// This one.
    Just(char),
}

/// What may follow the parts in a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Below {
    /// Nothing.
    Nothing,
    /// Anything or nothing: a file, or all that is in the folder.
    Anything,
    /// Something: it must be a folder.
    Something,
}

impl Pattern {
    pub(super) fn new(text: &str) -> Result<Self, String> {
        check(text)?;
        let (body, is_folder) = match text.strip_suffix('/') {
            Some(body) => (body, true),
            None => (text, false),
        };
        let is_anchored = body.contains('/');
        let body = body.strip_prefix('/').unwrap_or(body);
        let mut parts: Vec<Part> = if is_anchored { Vec::new() } else { vec![Part::AnyDepth] };
        parts.extend(body.split('/').map(Part::new));
        let ends_in_any_depth = parts.len() > 1 && parts.last() == Some(&Part::AnyDepth);
        let is_star = text.ends_with("/*");
        let below = match (is_folder, is_star) {
            (true, _) => Below::Something,
            (false, true) => Below::Nothing,
            (false, false) if ends_in_any_depth => {
                parts.pop();
                Below::Something
            }
            (false, false) => Below::Anything,
        };
        Ok(Self { parts, below })
    }

    /// Whether a path of these parts is meant. Each pair of parts is looked at once.
    pub(super) fn matches(&self, path: &[&str]) -> bool {
        // Whether what was read of the pattern matches the first so many parts of the path.
        let mut reached = vec![false; path.len() + 1];
        reached[0] = true;
        for part in &self.parts {
            match part {
                Part::AnyDepth => {
                    let first = reached.iter().position(|reached| *reached);
                    (first.unwrap_or(reached.len())..reached.len())
                        .for_each(|at| reached[at] = true);
                }
                Part::One(signs) => {
                    for at in (0..path.len()).rev() {
                        reached[at + 1] = reached[at] && is_match(signs, path[at]);
                    }
                    reached[0] = false;
                }
            }
            if !reached.contains(&true) {
                return false;
            }
        }
        match self.below {
            Below::Nothing => reached[path.len()],
            Below::Anything => reached.contains(&true),
            Below::Something => reached[..path.len()].contains(&true),
        }
    }
}

impl Part {
    fn new(text: &str) -> Self {
        if text == "**" {
            return Self::AnyDepth;
        }
        let mut signs = Vec::new();
        let mut characters = text.chars();
        while let Some(character) = characters.next() {
            match character {
                '*' if signs.last() == Some(&Sign::Many) => {}
                '*' => signs.push(Sign::Many),
                '?' => signs.push(Sign::Any),
                '\\' => signs.extend(characters.next().map(Sign::Just)),
                other => signs.push(Sign::Just(other)),
            }
        }
        Self::One(signs)
    }
}

/// Refuses what GitHub does not take.
fn check(text: &str) -> Result<(), String> {
    if text.starts_with('[') {
        return Err("sections are not supported".to_owned());
    }
    if text.starts_with('!') {
        return Err("a pattern cannot be negated by !".to_owned());
    }
    if text.contains(['[', ']']) {
        return Err("a pattern cannot have a range of characters, […]".to_owned());
    }
    if text.starts_with("\\#") {
        return Err("a pattern cannot begin with #".to_owned());
    }
    if text.contains("//") || text == "/" {
        return Err("a pattern has an empty part".to_owned());
    }
    if text.len() > MAX_PATTERN {
        return Err(format!("a pattern is longer than {MAX_PATTERN} bytes"));
    }
    Ok(())
}

/// Whether the signs match all of `text`; of several stars only the last is gone back to.
fn is_match(signs: &[Sign], text: &str) -> bool {
    let text: Vec<char> = text.chars().collect();
    let (mut sign, mut at) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while at < text.len() {
        match signs.get(sign) {
            Some(Sign::Many) => {
                star = Some((sign, at));
                sign += 1;
            }
            Some(Sign::Any) => {
                sign += 1;
                at += 1;
            }
            Some(Sign::Just(expected)) if *expected == text[at] => {
                sign += 1;
                at += 1;
            }
            _ => {
                let Some((of_star, from)) = star else { return false };
                star = Some((of_star, from + 1));
                sign = of_star + 1;
                at = from + 1;
            }
        }
    }
    signs[sign..].iter().all(|sign| *sign == Sign::Many)
}
