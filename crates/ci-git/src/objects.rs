//! The contents of objects, as many as are asked for at once, from a `git cat-file` that stays.
//!
//! Starting git takes longer than answering does, so the process is kept for the next question. It
//! finds what has been fetched since, because git looks for new packs before it calls an object missing.

use std::fmt::Write as _;
use std::io;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};

use crate::command::CommandError;
use crate::process::Running;
use crate::repository::Repository;
use crate::sitting::Sitting;

/// A process that has answered this often gives way to a new one, which holds neither the packs that
/// were deleted meanwhile nor an ever longer list of complaints.
const MOST_ANSWERS: u32 = 1000;

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
        let mut contents = self.ask(Question::Contents, kind, &wanted).await?.into_iter();
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
        let answers = self.ask(Question::Contents, kind, names).await?;
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
        let answers = self.ask(Question::Info, kind, names).await?;
        Ok(answers.into_iter().map(|answer| Some(answer?.size)).collect())
    }

    /// Lets go of the process that answers; the next question starts another.
    pub(crate) async fn rest(&self) {
        self.reader.lock().await.take();
    }

    async fn ask(
        &self,
        question: Question,
        kind: Kind,
        names: &[&str],
    ) -> Result<Vec<Option<Answer>>, CommandError> {
        if names.is_empty() {
            return Ok(Vec::new());
        }
        let talk = async |git: &mut Running| converse(git, question, kind, names).await;
        let mut reader = self.reader.lock().await;
        // It is not in its place while it is asked: a question that is given up half-way takes git with
        // it, and the answers that nobody has read.
        let seated = reader.take().filter(|git| git.answers() < MOST_ANSWERS);
        if let Some(mut git) = seated {
            match git.exchange(talk).await {
                Ok(answers) => {
                    *reader = Some(git);
                    return Ok(answers);
                }
                Err(error @ CommandError::TimedOut { .. }) => return Err(error),
                Err(error) => tracing::warn!(%error, "starts git cat-file again"),
            }
        }
        let command = self.command("cat-file").args(["--batch-command", "--buffer"]);
        let mut git = Sitting::start(command)?;
        let answers = git.exchange(talk).await?;
        *reader = Some(git);
        Ok(answers)
    }
}

#[derive(Clone, Copy)]
enum Question {
    Info,
    Contents,
}

struct Answer {
    size: u64,
    /// Empty where only the size was asked for.
    content: Vec<u8>,
}

/// Git queues the questions and answers at the flush, so neither side waits for the other's pipe.
async fn converse(
    git: &mut Running,
    question: Question,
    kind: Kind,
    names: &[&str],
) -> io::Result<Vec<Option<Answer>>> {
    let verb = match question {
        Question::Info => "info",
        Question::Contents => "contents",
    };
    let mut questions = names.iter().fold(String::new(), |mut questions, name| {
        writeln!(questions, "{verb} {name}").expect("a string takes all that is written");
        questions
    });
    questions.push_str("flush\n");
    let stdin = git.stdin.as_mut().ok_or_else(|| io::Error::other("its input is closed"))?;
    stdin.write_all(questions.as_bytes()).await?;
    stdin.flush().await?;
    let mut said = BufReader::new(&mut git.stdout);
    let mut answers = Vec::with_capacity(names.len());
    for _ in names {
        let mut header = String::new();
        said.read_line(&mut header).await?;
        let Some((found, size)) = parse(&header)? else {
            answers.push(None);
            continue;
        };
        let mut content = Vec::new();
        if let Question::Contents = question {
            content.resize(usize::try_from(size).map_err(io::Error::other)?, 0);
            said.read_exact(&mut content).await?;
            // A line end follows each content.
            said.read_u8().await?;
        }
        answers.push((found == Some(kind)).then_some(Answer { size, content }));
    }
    Ok(answers)
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
