//! `pr tests` and `pr artifacts`: how tests went, and what the jobs have left.

use std::fs::{DirBuilder, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Component, Path, PathBuf};

use anyhow::{Context as _, Result};
use ci_domain::ids::{PullNumber, RepoName};
use ci_web::client::AdminClient;
use ci_web::wire::{Artifact, Job, JobTests, JudgedTest, KeptNote};
use serde::Serialize;

use crate::args::Format;
use crate::exit::Exit;
use crate::output::{Output, note, table};
use crate::remote::refusal;

/// What the latest attempt at a job has left.
#[derive(Debug, Serialize)]
struct JobArtifacts {
    job: String,
    attempt: String,
    artifacts: Vec<Artifact>,
    notes: Vec<KeptNote>,
}

/// Prints how the tests of a pull request went.
pub(super) async fn tests(
    client: &AdminClient,
    repo: &RepoName,
    number: PullNumber,
    format: Format,
) -> Result<()> {
    let jobs = client.tests(repo, number).await.map_err(refusal)?;
    let mut output = Output::new();
    match format {
        Format::Json => output.json(&jobs),
        Format::Text => output.line(&tests_text(&jobs)),
    }
}

/// Prints what the jobs of a pull request have left, or fetches it into a new folder.
pub(super) async fn artifacts(
    client: &AdminClient,
    repo: &RepoName,
    number: PullNumber,
    folder: Option<&Path>,
    format: Format,
) -> Result<()> {
    let pull = client.pull(repo, number).await.map_err(refusal)?;
    let mut left = Vec::new();
    for job in &pull.jobs {
        left.extend(of_job(client, job).await?);
    }
    if let Some(folder) = folder {
        download(client, folder, &left).await?;
    }
    let mut output = Output::new();
    if format == Format::Json {
        return output.json(&left);
    }
    for each in left.iter().flat_map(|job| &job.notes) {
        note(&format!("{}: {}: {}", each.command, each.what, each.why));
    }
    output.line(&artifacts_text(&left))
}

/// What a job has left; nothing of one that has not run.
async fn of_job(client: &AdminClient, job: &Job) -> Result<Option<JobArtifacts>> {
    let Some(attempt) = &job.attempt else { return Ok(None) };
    let id = attempt.parse().context("failed to understand the answer")?;
    let left = client.artifacts(&id).await.map_err(refusal)?;
    Ok(Some(JobArtifacts {
        job: job.job.clone(),
        attempt: attempt.clone(),
        artifacts: left.artifacts,
        notes: left.notes,
    }))
}

/// Fetches all files. The folder is made, so nothing in it can lead elsewhere.
async fn download(client: &AdminClient, folder: &Path, left: &[JobArtifacts]) -> Result<()> {
    let files = left.iter().flat_map(|job| &job.artifacts);
    let places: Vec<_> = files.map(|file| Ok((file, place(file)?))).collect::<Result<_>>()?;
    if let Err(error) = DirBuilder::new().create(folder) {
        return Err(match error.kind() {
            io::ErrorKind::AlreadyExists => {
                Exit::Usage.because(format!("{} exists; name a new folder", folder.display()))
            }
            _ => anyhow::Error::new(error).context(format!("failed to make {}", folder.display())),
        });
    }
    for (file, place) in places {
        fetch(client, file, &folder.join(place)).await?;
    }
    Ok(())
}

async fn fetch(client: &AdminClient, file: &Artifact, path: &Path) -> Result<()> {
    let failed = || format!("failed to write {}", path.display());
    if let Some(parent) = path.parent() {
        DirBuilder::new().recursive(true).create(parent).with_context(failed)?;
    }
    let mut target =
        OpenOptions::new().write(true).create_new(true).open(path).with_context(failed)?;
    let mut content = client.download(file).await.map_err(refusal)?;
    while let Some(chunk) = content.chunk().await.map_err(refusal)? {
        target.write_all(&chunk).with_context(failed)?;
    }
    Ok(())
}

/// Where a file goes below the folder: several commands may leave one path. Jobs name the files, so a
/// name that would lead anywhere else is refused.
fn place(file: &Artifact) -> Result<PathBuf> {
    let place = Path::new(&file.command).join(&file.path);
    let below = |part: &str| {
        !part.is_empty()
            && Path::new(part).components().all(|each| matches!(each, Component::Normal(_)))
    };
    if below(&file.command) && below(&file.path) {
        return Ok(place);
    }
    Err(Exit::Failed.because(format!("{:?} would not be in the folder", place.display())))
}

/// How many of each job, and what is to be said of single tests.
fn tests_text(jobs: &[JobTests]) -> String {
    let row = |job: &JobTests| {
        [job.job.clone(), job.passed.to_string(), job.failed.to_string(), job.skipped.to_string()]
    };
    let rows: Vec<_> = jobs.iter().map(row).collect();
    let counts = table(["JOB", "PASSED", "FAILED", "SKIPPED"], &rows);
    let said = jobs.iter().flat_map(|job| job.tests.iter().map(|test| test_row(&job.job, test)));
    let said: Vec<_> = said.collect();
    if said.is_empty() {
        return counts;
    }
    format!("{counts}\n\n{}", table(["JOB", "", "TEST", "MESSAGE"], &said))
}

fn test_row(job: &str, test: &JudgedTest) -> [String; 4] {
    let message = test.message.as_deref().and_then(|text| text.lines().next());
    [
        job.to_owned(),
        test.judgement.words().to_owned(),
        test.name.clone(),
        message.unwrap_or_default().to_owned(),
    ]
}

fn artifacts_text(left: &[JobArtifacts]) -> String {
    let row = |job: &JobArtifacts, file: &Artifact| {
        [job.job.clone(), file.command.clone(), file.bytes.to_string(), file.path.clone()]
    };
    let rows = left.iter().flat_map(|job| job.artifacts.iter().map(move |file| row(job, file)));
    table(["JOB", "COMMAND", "BYTES", "PATH"], &rows.collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_leads_out_of_the_folder() {
        let check = |command: &str, path: &str, expected: Option<&str>| {
            let file = Artifact {
                command: command.to_owned(),
                path: path.to_owned(),
                bytes: 0,
                sha256: String::new(),
                url: String::new(),
            };
            assert_eq!(place(&file).ok(), expected.map(PathBuf::from), "{command:?} {path:?}");
        };
        check("7.1.a", "a/b.txt", Some("7.1.a/a/b.txt"));
        check("7.1.a", "a/..b", Some("7.1.a/a/..b"));
        check("7.1.a", "../b", None);
        check("7.1.a", "a/../../b", None);
        check("7.1.a", "/etc/b", None);
        check("7.1.a", "", None);
        check("..", "b", None);
        check("/tmp", "b", None);
    }
}
