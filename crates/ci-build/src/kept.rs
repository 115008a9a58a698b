//! What attempts have left: files that are kept, and how their tests went.

use std::collections::BTreeMap;
use std::fs::File;

use ci_domain::ids::AttemptId;
use ci_domain::step::NodeId;
use ci_domain::test_report::TestReport;
use ci_exec::{Artifact, CommandId, Kept, OpenError, RunDir};
use heights::Fault;

use crate::runs::Runs;

/// A file that was kept once.
#[derive(Debug)]
pub enum KeptFile {
    /// It is there.
    There(Artifact, File),
    /// It was removed since.
    Removed(Artifact),
}

/// What is known of the tests of one attempt.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AttemptTests {
    /// How they went: of each command the last try counts.
    pub last: Option<TestReport>,
    /// How they went in tries that were followed by others.
    pub earlier: Vec<TestReport>,
}

impl Runs {
    /// What each execution of an attempt has left, in the order they started; nothing where there is no
    /// such attempt.
    ///
    /// # Errors
    /// Its files cannot be read.
    pub fn kept(&self, attempt: &AttemptId) -> Result<Vec<(CommandId, Kept)>, OpenError> {
        let Some((dir, commands)) = self.executions(attempt)? else { return Ok(Vec::new()) };
        let kept = commands.into_iter().map(|command| Ok((dir.kept(&command)?, command)));
        let kept: Vec<_> = kept.collect::<Result<_, OpenError>>()?;
        Ok(kept.into_iter().filter_map(|(kept, command)| Some((command, kept?))).collect())
    }

    /// The file that a command has left at `path`; `None` where nothing was kept of it.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn kept_file(
        &self,
        (attempt, command): (&AttemptId, &CommandId),
        path: &str,
    ) -> Result<Option<KeptFile>, Fault> {
        let dir = match RunDir::open(self.path(attempt)) {
            Err(OpenError::Missing(_)) => return Ok(None),
            opened => opened?,
        };
        let Some(kept) = dir.kept(command)? else { return Ok(None) };
        let artifact = kept.artifacts.into_iter().find(|artifact| artifact.path == path);
        let Some(artifact) = artifact else { return Ok(None) };
        Ok(Some(match dir.artifact(&artifact.digest)? {
            Some(file) => KeptFile::There(artifact, file),
            None => KeptFile::Removed(artifact),
        }))
    }

    /// Whether an attempt has said how its tests went.
    pub(crate) fn has_tests(&self, attempt: &AttemptId) -> bool {
        RunDir::open(self.path(attempt)).is_ok_and(|dir| dir.has_tests())
    }

    /// How the tests of an attempt went, as far as it is known.
    ///
    /// # Errors
    /// Its files cannot be read.
    pub fn tests(&self, attempt: &AttemptId) -> Result<AttemptTests, OpenError> {
        let mut tests = AttemptTests::default();
        let Some((dir, commands)) = self.executions(attempt)? else { return Ok(tests) };
        let mut last: BTreeMap<NodeId, TestReport> = BTreeMap::new();
        for command in commands {
            if let Some(report) = dir.tests(&command)? {
                tests.earlier.extend(last.insert(command.node, report));
            }
        }
        for report in last.into_values() {
            tests.last.get_or_insert_default().absorb(report);
        }
        Ok(tests)
    }

    fn executions(
        &self,
        attempt: &AttemptId,
    ) -> Result<Option<(RunDir, Vec<CommandId>)>, OpenError> {
        let Some(view) = self.view(attempt)? else { return Ok(None) };
        let commands = view.commands.into_iter().map(|command| command.command).collect();
        Ok(Some((RunDir::open(self.path(attempt))?, commands)))
    }
}
