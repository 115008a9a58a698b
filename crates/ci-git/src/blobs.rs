//! The contents of files, as many as are asked for from one `git cat-file`.

use std::fmt::Write as _;
use std::io;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};

use crate::command::CommandError;
use crate::process::Running;
use crate::repository::Repository;
use crate::tree::ObjectId;

/// The content of one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Blob {
    /// All of it.
    Content(Vec<u8>),
    /// It is larger than was asked for, and was not read.
    TooLarge {
        /// Its size in bytes.
        size: u64,
    },
    /// The repository has no file content of that name.
    Missing,
}

impl Repository {
    /// Reads `objects` in their order; those larger than `most` bytes are only measured.
    pub(crate) async fn read_blobs(
        &self,
        objects: &[ObjectId],
        most: u64,
    ) -> Result<Vec<Blob>, CommandError> {
        let mut blobs = Vec::with_capacity(objects.len());
        if objects.is_empty() {
            return Ok(blobs);
        }
        let command = self.command("cat-file").args(["--batch-command", "--buffer"]).input([]);
        command
            .converse(async |git| {
                let sizes = measure(git, objects).await?;
                let small = |size: &Option<u64>| size.is_some_and(|size| size <= most);
                let wanted = objects.iter().zip(&sizes).filter(|(_, size)| small(size));
                let mut contents = read(git, wanted).await?.into_iter();
                blobs.extend(sizes.iter().map(|size| match size {
                    None => Blob::Missing,
                    Some(size) if *size > most => Blob::TooLarge { size: *size },
                    Some(_) => contents.next().map_or(Blob::Missing, Blob::Content),
                }));
                git.finish(&[]).await
            })
            .await?;
        Ok(blobs)
    }
}

/// Asks for the size of each object; none for what is not a blob or not there.
async fn measure(git: &mut Running, objects: &[ObjectId]) -> io::Result<Vec<Option<u64>>> {
    ask(git, "info", objects.iter()).await?;
    let mut answers = BufReader::new(&mut git.stdout);
    let mut sizes = Vec::with_capacity(objects.len());
    for _ in objects {
        let mut answer = String::new();
        answers.read_line(&mut answer).await?;
        sizes.push(size_of_blob(&answer)?);
    }
    Ok(sizes)
}

/// Asks for the contents of objects whose sizes are known.
async fn read(
    git: &mut Running,
    wanted: impl Iterator<Item = (&ObjectId, &Option<u64>)>,
) -> io::Result<Vec<Vec<u8>>> {
    let objects: Vec<&ObjectId> = wanted.map(|(object, _)| object).collect();
    ask(git, "contents", objects.iter().copied()).await?;
    let mut answers = BufReader::new(&mut git.stdout);
    let mut contents = Vec::with_capacity(objects.len());
    for _ in &objects {
        let mut header = String::new();
        answers.read_line(&mut header).await?;
        let size = size_of_blob(&header)?.ok_or_else(|| io::Error::other(header))?;
        let mut content = vec![0; usize::try_from(size).map_err(io::Error::other)?];
        answers.read_exact(&mut content).await?;
        // A line end follows each content.
        answers.read_u8().await?;
        contents.push(content);
    }
    Ok(contents)
}

/// Git queues the questions and answers at the flush, so neither side waits for the other's pipe.
async fn ask(
    git: &mut Running,
    question: &str,
    objects: impl Iterator<Item = &ObjectId>,
) -> io::Result<()> {
    let mut questions = objects.fold(String::new(), |mut questions, object| {
        writeln!(questions, "{question} {object}").expect("a string takes all that is written");
        questions
    });
    questions.push_str("flush\n");
    let stdin = git.stdin.as_mut().ok_or_else(|| io::Error::other("its input is closed"))?;
    stdin.write_all(questions.as_bytes()).await?;
    stdin.flush().await
}

/// Reads `<object> blob <size>`; `<object> missing` and other types are none.
fn size_of_blob(answer: &str) -> io::Result<Option<u64>> {
    match answer.trim_end().split(' ').collect::<Vec<_>>()[..] {
        [_, "blob", size] => size.parse().map(Some).map_err(io::Error::other),
        [_, "missing"] | [_, "commit" | "tree" | "tag", _] => Ok(None),
        _ => Err(io::Error::other(format!("git cat-file answered {answer:?}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_of_cat_file_are_understood() {
        let check = |answer: &str, expected: Result<Option<u64>, ()>| {
            assert_eq!(size_of_blob(answer).map_err(drop), expected, "{answer:?}");
        };
        check("ce01 blob 12\n", Ok(Some(12)));
        check("ce01 missing\n", Ok(None));
        check("ce01 tree 33\n", Ok(None));
        check("ce01 blob many\n", Err(()));
        check("", Err(()));
    }
}
