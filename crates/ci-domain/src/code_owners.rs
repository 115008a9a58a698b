//! Who owns which paths, as a `CODEOWNERS` file says: read as GitHub reads it.
//!
//! The file is the first that the base branch has of [`PLACES`]. Each line is a pattern and its owners;
//! of the lines that match a path the last decides, and a line without owners leaves its paths without.
//! A line that cannot be read is skipped and told.

mod pattern;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use crate::ids::Login;
use pattern::Pattern;

/// Where the file may be; the first that is there counts.
pub const PLACES: [&str; 3] = [".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS"];
/// A larger file, in bytes, counts as none.
pub const MAX_SIZE: u64 = 3 * 1024 * 1024;

/// Somebody who may own paths.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Owner {
    /// `@login`.
    Person(Login),
    /// `@organization/team`.
    Team {
        /// The organization.
        organization: String,
        /// The team, as it is written in addresses.
        team: String,
    },
    /// A person, by the address that the account shows.
    Email(String),
}

/// Paths that a change touches and whose owners are the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owned {
    /// Any of them may approve.
    pub owners: BTreeSet<Owner>,
    /// The first of the paths.
    pub path: String,
    /// How many more there are.
    pub more: u64,
}

/// A `CODEOWNERS` file.
#[derive(Clone, Debug, Default)]
pub struct CodeOwners {
    rules: Vec<Rule>,
    /// The lines that were skipped, with their number and why.
    pub skipped: Vec<(usize, String)>,
}

#[derive(Clone, Debug)]
struct Rule {
    pattern: Pattern,
    owners: BTreeSet<Owner>,
}

impl CodeOwners {
    /// Reads the file.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let mut found = Self::default();
        for (number, line) in (1..).zip(text.lines()) {
            match Rule::parse(line) {
                Ok(rule) => found.rules.extend(rule),
                Err(why) => found.skipped.push((number, why)),
            }
        }
        found
    }

    /// Those who own `path`; nobody where no line says so.
    #[must_use]
    pub fn of(&self, path: &str) -> Option<&BTreeSet<Owner>> {
        let parts: Vec<&str> = path.split('/').collect();
        let rule = self.rules.iter().rev().find(|rule| rule.pattern.matches(&parts))?;
        Some(&rule.owners).filter(|owners| !owners.is_empty())
    }

    /// The paths that have owners, by their owners.
    #[must_use]
    pub fn owned<'a>(&self, paths: impl IntoIterator<Item = &'a str>) -> Vec<Owned> {
        let mut groups: BTreeMap<&BTreeSet<Owner>, (&str, u64)> = BTreeMap::new();
        for path in paths {
            if let Some(owners) = self.of(path) {
                groups.entry(owners).and_modify(|(_, more)| *more += 1).or_insert((path, 0));
            }
        }
        let owned = groups.into_iter().map(|(owners, (path, more))| Owned {
            owners: owners.clone(),
            path: path.to_owned(),
            more,
        });
        owned.collect()
    }
}

impl Rule {
    /// Reads a line; `None` where nothing is on it but a comment.
    fn parse(line: &str) -> Result<Option<Self>, String> {
        let mut words = words(line);
        let Some(pattern) = words.next() else { return Ok(None) };
        let pattern = Pattern::new(&pattern)?;
        let owners = words.map(|word| Owner::parse(&word)).collect::<Result<_, _>>()?;
        Ok(Some(Self { pattern, owners }))
    }
}

impl Owner {
    /// Reads an owner as it is written in the file.
    ///
    /// # Errors
    /// It is neither a person, a team nor an address.
    pub fn parse(word: &str) -> Result<Self, String> {
        let is_name = |name: &str| {
            let is_allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
            !name.is_empty() && name.len() <= 100 && name.chars().all(is_allowed)
        };
        let invalid =
            || format!("{word:?} is no owner: expected @person, @organization/team or an address");
        let Some(name) = word.strip_prefix('@') else {
            let parts = word.split_once('@');
            let is_address = |(name, host): (&str, &str)| !name.is_empty() && host.contains('.');
            return if parts.is_some_and(is_address) && !word.chars().any(char::is_control) {
                Ok(Self::Email(word.to_owned()))
            } else {
                Err(invalid())
            };
        };
        match name.split_once('/') {
            Some((organization, team)) if is_name(organization) && is_name(team) => {
                Ok(Self::Team { organization: organization.to_owned(), team: team.to_owned() })
            }
            None if is_name(name) => Login::new(name).map(Self::Person).map_err(|_| invalid()),
            _ => Err(invalid()),
        }
    }

    /// Whether `login` is the owner, where that can be told without asking anybody.
    #[must_use]
    pub fn is(&self, login: &Login) -> Option<bool> {
        match self {
            Self::Person(owner) => Some(owner.as_str().eq_ignore_ascii_case(login.as_str())),
            Self::Team { .. } | Self::Email(_) => None,
        }
    }
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Person(login) => write!(f, "@{login}"),
            Self::Team { organization, team } => write!(f, "@{organization}/{team}"),
            Self::Email(address) => f.write_str(address),
        }
    }
}

/// The words before a comment; a backslash keeps a space within a word.
fn words(line: &str) -> impl Iterator<Item = String> {
    let mut words = vec![String::new()];
    let mut characters = line.chars().peekable();
    while let Some(character) = characters.next() {
        let word = words.last_mut().expect("there is always one");
        match character {
            '#' if word.is_empty() => break,
            '\\' => {
                word.push('\\');
                word.extend(characters.next());
            }
            space if space.is_whitespace() => words.push(String::new()),
            other => word.push(other),
        }
    }
    words.into_iter().filter(|word| !word.is_empty())
}

#[cfg(test)]
mod tests;
