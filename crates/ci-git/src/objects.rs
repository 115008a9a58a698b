//! The contents of objects, as many as are asked for at once, from a `git cat-file` that stays.
//!
//! It finds what has been fetched since, because git looks for new packs before it calls an object
//! missing.

use std::fmt::Write as _;
use std::io;

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader};

use crate::command::CommandError;
use crate::process::Running;
use crate::repository::Repository;
use crate::sitting::Question;

/// What an object has to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Blob,
    Commit,
    Tree,
}

/// An object that was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Object {
    /// All of it.
    Content(Vec<u8>),
    /// It is larger than was asked for, and was not read.
    TooLarge {
        /// Its size in bytes.
        size: u64,
    },
    /// The repository has no object of that name and kind.
    Missing,
}

impl Repository {
    /// Reads the objects called `names` in their order; those larger than `most` bytes are only
    /// measured.
    pub(crate) async fn read(
        &self,
        kind: Kind,
        names: &[&str],
        most: u64,
    ) -> Result<Vec<Object>, CommandError> {
        let sizes = self.measure(kind, names).await?;
        let small = |size: &Option<u64>| size.is_some_and(|size| size <= most);
        let wanted = names.iter().zip(&sizes).filter(|(_, size)| small(size));
        let wanted: Vec<&str> = wanted.map(|(name, _)| *name).collect();
        let mut contents = self.ask(Verb::Contents, kind, &wanted).await?.into_iter();
        let object = |size: Option<u64>| match size {
            None => Object::Missing,
            Some(size) if size > most => Object::TooLarge { size },
            // One that was there a moment ago and is not now is missing.
            Some(_) => contents
                .next()
                .flatten()
                .map_or(Object::Missing, |answer| Object::Content(answer.content)),
        };
        Ok(sizes.into_iter().map(object).collect())
    }

    /// Reads the objects called `names` in their order, however large they are.
    pub(crate) async fn read_all(
        &self,
        kind: Kind,
        names: &[&str],
    ) -> Result<Vec<Object>, CommandError> {
        let answers = self.ask(Verb::Contents, kind, names).await?;
        let object = |answer: Option<Answer>| {
            answer.map_or(Object::Missing, |answer| Object::Content(answer.content))
        };
        Ok(answers.into_iter().map(object).collect())
    }

    /// The sizes of the objects called `names`; none for what is not there, or is of another kind.
    pub(crate) async fn measure(
        &self,
        kind: Kind,
        names: &[&str],
    ) -> Result<Vec<Option<u64>>, CommandError> {
        let answers = self.ask(Verb::Info, kind, names).await?;
        Ok(answers.into_iter().map(|answer| Some(answer?.size)).collect())
    }

    async fn ask(
        &self,
        verb: Verb,
        kind: Kind,
        names: &[&str],
    ) -> Result<Vec<Option<Answer>>, CommandError> {
        if names.is_empty() {
            return Ok(Vec::new());
        }
        let command = self.command("cat-file").args(["--batch-command", "--buffer"]);
        self.reader.ask(command, &Objects { verb, kind, names }).await
    }
}

#[derive(Clone, Copy)]
enum Verb {
    Info,
    Contents,
}

/// Objects that are asked for at once.
struct Objects<'a> {
    verb: Verb,
    kind: Kind,
    names: &'a [&'a str],
}

struct Answer {
    size: u64,
    /// Empty where only the size was asked for.
    content: Vec<u8>,
}

impl Question for Objects<'_> {
    type Answer = Vec<Option<Answer>>;

    async fn ask(&self, git: &mut Running) -> io::Result<Self::Answer> {
        git.say(&self.text()).await?;
        let mut said = BufReader::new(&mut git.stdout);
        let mut answers = Vec::with_capacity(self.names.len());
        for _ in self.names {
            let mut header = String::new();
            said.read_line(&mut header).await?;
            let Some((found, size)) = parse(&header)? else {
                answers.push(None);
                continue;
            };
            let mut content = Vec::new();
            if let Verb::Contents = self.verb {
                content.resize(usize::try_from(size).map_err(io::Error::other)?, 0);
                said.read_exact(&mut content).await?;
                // A line end follows each content.
                said.read_u8().await?;
            }
            answers.push((found == Some(self.kind)).then_some(Answer { size, content }));
        }
        Ok(answers)
    }
}

impl Objects<'_> {
    /// Git queues the questions and answers at the flush, so neither side waits for the other's pipe.
    fn text(&self) -> String {
        let verb = match self.verb {
            Verb::Info => "info",
            Verb::Contents => "contents",
        };
        let mut text = self.names.iter().fold(String::new(), |mut text, name| {
            writeln!(text, "{verb} {name}").expect("a string takes all that is written");
            text
        });
        text.push_str("flush\n");
        text
    }
}

/// Reads `<object> <kind> <size>`, where the kind may be one that nobody asks for; `<object> missing`
/// is none.
fn parse(answer: &str) -> io::Result<Option<(Option<Kind>, u64)>> {
    let size = |size: &str| size.parse().map_err(io::Error::other);
    match answer.trim_end().split(' ').collect::<Vec<_>>()[..] {
        [_, "blob", bytes] => Ok(Some((Some(Kind::Blob), size(bytes)?))),
        [_, "commit", bytes] => Ok(Some((Some(Kind::Commit), size(bytes)?))),
        [_, "tree", bytes] => Ok(Some((Some(Kind::Tree), size(bytes)?))),
        [_, "tag", bytes] => Ok(Some((None, size(bytes)?))),
        [_, "missing"] => Ok(None),
        _ if answer.is_empty() => Err(io::ErrorKind::UnexpectedEof.into()),
        _ => Err(io::Error::other(format!("git cat-file answered {answer:?}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_of_cat_file_are_understood() {
        let check = |answer: &str, expected: Result<Option<(Option<Kind>, u64)>, ()>| {
            assert_eq!(parse(answer).map_err(drop), expected, "{answer:?}");
        };
        check("ce01 blob 12\n", Ok(Some((Some(Kind::Blob), 12))));
        check("ce01 commit 240\n", Ok(Some((Some(Kind::Commit), 240))));
        check("ce01 tree 33\n", Ok(Some((Some(Kind::Tree), 33))));
        check("ce01 tag 150\n", Ok(Some((None, 150))));
        check("ce01 missing\n", Ok(None));
        check("ce01 blob many\n", Err(()));
        check("", Err(()));
    }
}
