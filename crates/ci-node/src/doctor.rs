//! `doctor`: whether this machine, its configuration and GitHub let the node work, each with the remedy.

mod forge;
mod isolation;
mod local;
mod machine;
mod unit;
mod webhook;

use std::fmt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Result;
use ci_config::node::NodeConfig;
use serde::Serialize;

use crate::args::{DoctorArgs, Format};
use crate::config_file::{self, ConfigFileError};
use crate::exit::{Exit, failed_to};
use crate::output::{Output, table_within};
use crate::remote::USUAL_CONFIG;

/// How something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Level {
    /// As it should be.
    Ok,
    /// The node works; not as well as it could.
    Warn,
    /// The node does not work, or loses what it promises.
    Fail,
}

/// What was found out about one thing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Finding {
    level: Level,
    /// What was looked at.
    subject: String,
    /// How it is.
    words: String,
    /// What helps.
    remedy: Option<String>,
}

/// All findings, for programs.
#[derive(Debug, Serialize)]
struct WireReport<'a> {
    schema: &'static str,
    findings: &'a [Finding],
}

impl Finding {
    fn ok(subject: impl Into<String>, words: impl Into<String>) -> Self {
        Self { level: Level::Ok, subject: subject.into(), words: words.into(), remedy: None }
    }

    fn warn(
        subject: impl Into<String>,
        words: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self { level: Level::Warn, remedy: Some(remedy.into()), ..Self::ok(subject, words) }
    }

    fn fail(
        subject: impl Into<String>,
        words: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self { level: Level::Fail, ..Self::warn(subject, words, remedy) }
    }

    /// What went wrong while something was looked at.
    fn failed(
        subject: impl Into<String>,
        error: &dyn std::error::Error,
        remedy: impl Into<String>,
    ) -> Self {
        Self::fail(subject, failed_to(error), remedy)
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ok => "ok",
            Self::Warn => "warn",
            Self::Fail => "fail",
        })
    }
}

/// Looks at everything, prints a line for each, and fails where something does.
///
/// # Errors
/// The findings cannot be printed.
pub(crate) async fn run(args: &DoctorArgs) -> Result<ExitCode> {
    let findings = examine(args).await;
    let mut output = Output::new();
    match args.output {
        Format::Text => output.line(&text(&findings, output.width()))?,
        Format::Json => {
            output.json(&WireReport { schema: "ci-node.doctor/1", findings: &findings })?;
        }
    }
    let fails = findings.iter().any(|finding| finding.level == Level::Fail);
    Ok(if fails { Exit::Failed.into() } else { ExitCode::SUCCESS })
}

async fn examine(args: &DoctorArgs) -> Vec<Finding> {
    let mut findings = vec![machine::git().await, machine::cgroups()];
    findings.extend(unit::check(args.unit.as_deref()));
    let Some(path) = config_path(args.config.as_deref()) else {
        findings.push(Finding::warn(
            "configuration",
            "none was named, so only the machine was looked at",
            "say --config FILE",
        ));
        return findings;
    };
    match load(&path) {
        Ok(config) => {
            findings.push(Finding::ok("configuration", path.display().to_string()));
            findings.extend(check_node(&config).await);
        }
        Err(found) => findings.extend(found),
    }
    findings
}

async fn check_node(config: &NodeConfig) -> Vec<Finding> {
    let mut findings = vec![machine::disk(config), isolation::isolation(config).await];
    findings.extend(local::check(config));
    if let Some(settings) = &config.github {
        findings.extend(forge::check(config, settings).await);
        findings.extend(webhook::check(config, settings).await);
    }
    findings
}

fn config_path(named: Option<&Path>) -> Option<PathBuf> {
    let usual = || Some(PathBuf::from(USUAL_CONFIG)).filter(|path| path.exists());
    named.map(Path::to_owned).or_else(usual)
}

fn load(path: &Path) -> Result<NodeConfig, Vec<Finding>> {
    config_file::load(path).map_err(|error| match error {
        ConfigFileError::Invalid(found) => {
            let finding = |one: ci_config::Diagnostic| {
                let place = format!("{}:{}:{}", one.file, one.line, one.column);
                let remedy = one.hint.unwrap_or_else(|| "see `ci-node config schema node`".into());
                Finding::fail("configuration", format!("{place}: {}", one.message), remedy)
            };
            found.into_iter().map(finding).collect()
        }
        error @ ConfigFileError::Unreadable { .. } => {
            let remedy = "run this as the node's user, or name another file";
            vec![Finding::fail("configuration", chain(&error), remedy)]
        }
    })
}

/// An error whose text is a sentence, with its causes.
fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |error| error.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}

/// A line for each; on a terminal of a known width as many as it takes to read it.
fn text(findings: &[Finding], width: Option<usize>) -> String {
    let row = |finding: &Finding| {
        let Finding { level, subject, words, remedy } = finding;
        let remedy = remedy.as_ref().map(|remedy| format!("; {remedy}")).unwrap_or_default();
        [level.to_string(), subject.clone(), format!("{words}{remedy}")]
    };
    let rows: Vec<_> = findings.iter().map(row).collect();
    table_within(["", "WHAT", "HOW IT IS"], &rows, width)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_thing_has_a_line_with_its_remedy() {
        let findings =
            [Finding::ok("git", "2.47.3"), Finding::fail("unit", "there is none", "write one")];
        insta::assert_snapshot!(text(&findings, None), @r"
              WHAT  HOW IT IS
        ok    git   2.47.3
        fail  unit  there is none; write one
        ");
    }

    #[test]
    fn everything_that_is_wrong_with_a_configuration_is_a_finding() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ci-node.toml");
        std::fs::write(&path, "nam = 1\n[http]\nlisten = \"x\"\n").unwrap();
        let found = load(&path).unwrap_err();
        assert!(found.iter().all(|finding| finding.level == Level::Fail), "{found:?}");
        assert_eq!(found.len(), 2);
        assert!(found[0].words.contains("ci-node.toml:1:1: unknown key `nam`"), "{found:?}");
        assert_eq!(found[0].remedy.as_deref(), Some("did you mean `name`?"));
    }
}
