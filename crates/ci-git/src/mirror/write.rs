//! Writing commits and references, by git processes that stay.

use std::io;

use ci_domain::ids::CommitSha;
use tokio::io::{AsyncBufReadExt as _, BufReader};

use super::Mirror;
use crate::command::CommandError;
use crate::process::Running;
use crate::sitting::{Question, Seat};
use crate::trash::unused_name;

/// The command that writes commits, as errors name it.
const HASH: &str = "git hash-object";

/// Those who write.
#[derive(Clone, Debug, Default)]
pub(super) struct Writers {
    commits: Seat,
    references: Seat,
}

/// A question in lines, and how many lines its answer has.
struct Lines {
    text: String,
    answers: usize,
}

impl Mirror {
    /// Writes a commit with exactly this content; the same content is the same commit.
    pub(super) async fn write_commit(&self, content: &str) -> Result<CommitSha, CommandError> {
        // Git takes the names of files to read. The name of this one is that of a lock, because locks that
        // a killed node has left are removed when the mirror is opened.
        let file = self.dir().join(format!("ci-node-commit-{}.lock", unused_name()));
        let broken = |source| CommandError::Broken { command: HASH.to_owned(), source };
        tokio::fs::write(&file, content).await.map_err(broken)?;
        let command = self.command("hash-object").args(["-w", "-t", "commit"]);
        let command = command.args(["--no-filters", "--stdin-paths"]);
        let question = Lines { text: format!("{}\n", file.display()), answers: 1 };
        let written = self.writers.commits.ask(command, &question).await;
        tokio::fs::remove_file(&file).await.map_err(broken)?;
        let answer = written?.concat();
        CommitSha::new(answer)
            .map_err(|invalid| CommandError::unexpected(HASH, invalid.text.as_bytes()))
    }

    /// Makes `reference` name `commit`, which must be there.
    pub(super) async fn write_reference(
        &self,
        reference: &str,
        commit: &CommitSha,
    ) -> Result<(), CommandError> {
        let text = format!("start\nupdate {reference} {commit}\ncommit\n");
        let command = self.command("update-ref").arg("--stdin");
        let answer = self.writers.references.ask(command, &Lines { text, answers: 2 }).await?;
        match answer == ["start: ok", "commit: ok"] {
            true => Ok(()),
            false => Err(CommandError::unexpected("git update-ref", answer.concat().as_bytes())),
        }
    }
}

impl Question for Lines {
    type Answer = Vec<String>;

    async fn ask(&self, git: &mut Running) -> io::Result<Self::Answer> {
        git.say(&self.text).await?;
        let mut said = BufReader::new(&mut git.stdout).lines();
        let mut answer = Vec::with_capacity(self.answers);
        while answer.len() < self.answers {
            answer.push(said.next_line().await?.ok_or(io::ErrorKind::UnexpectedEof)?);
        }
        Ok(answer)
    }
}
