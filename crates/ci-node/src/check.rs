//! `check`: everything that is wrong with pipelines, policy and configuration, each with its place.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Result;
use ci_config::{Diagnostic, POLICY_FILE};
use ci_domain::pipeline::{On, Pipeline};
use ci_domain::policy::Policy;
use ci_git::WorkingCopy;
use serde::Serialize;

use crate::args::{CheckArgs, Format};
use crate::config_file::{self, CONFIG_FILE, ConfigFileError};
use crate::exit::Exit;
use crate::output::{Output, note};
use crate::sources::{self, Present};

/// What was checked, and what was found.
#[derive(Debug, Default)]
struct Report {
    checked: Vec<String>,
    found: Vec<Diagnostic>,
    /// What is no mistake for certain.
    warnings: Vec<Diagnostic>,
}

/// A diagnostic for programs.
#[derive(Debug, Serialize)]
struct WireDiagnostic<'a> {
    file: &'a str,
    line: usize,
    column: usize,
    message: &'a str,
    hint: Option<&'a str>,
}

/// What was found, for programs.
#[derive(Debug, Serialize)]
struct WireReport<'a> {
    schema: &'static str,
    checked: &'a [String],
    findings: Vec<WireDiagnostic<'a>>,
    warnings: Vec<WireDiagnostic<'a>>,
}

/// Checks, prints, and fails where something was found.
///
/// # Errors
/// There is nothing to check, or it cannot be read.
pub(crate) async fn run(args: &CheckArgs) -> Result<ExitCode> {
    let path = args.path.as_deref().unwrap_or(Path::new("."));
    let config = config_of(args, path);
    let mut report = Report::default();
    match sources::open(path).await {
        Ok(copy) => report.check_copy(&copy).await?,
        // On a server there is a configuration and no working copy.
        Err(_) if args.path.is_none() && config.is_some() => {}
        Err(error) => return Err(error),
    }
    if let Some(config) = config {
        report.check_config(&config)?;
    }
    report.print(args.output)?;
    Ok(if report.found.is_empty() { ExitCode::SUCCESS } else { Exit::Failed.into() })
}

impl Report {
    async fn check_copy(&mut self, copy: &WorkingCopy) -> Result<()> {
        let Present { files, misnamed } = sources::present(copy).await?;
        self.warnings = misnamed;
        self.checked.extend(files.iter().map(|(path, _)| path.clone()));
        let pipeline = match sources::pipeline(copy, files) {
            Ok(pipeline) => Some(pipeline),
            Err(found) => {
                self.found.extend(found);
                None
            }
        };
        let Some(policy) = sources::present_policy(copy)? else { return Ok(()) };
        self.checked.push(POLICY_FILE.to_owned());
        match (policy, pipeline) {
            (Err(found), _) => self.found.extend(found),
            (Ok(policy), Some(pipeline)) => {
                let text = std::fs::read_to_string(copy.root().join(POLICY_FILE))?;
                self.found.extend(missing(&policy, &text, &pipeline));
            }
            (Ok(_), None) => {}
        }
        Ok(())
    }

    fn check_config(&mut self, path: &Path) -> Result<()> {
        self.checked.push(path.display().to_string());
        match config_file::load(path) {
            Ok(_) => Ok(()),
            Err(ConfigFileError::Invalid(found)) => {
                self.found.extend(found);
                Ok(())
            }
            Err(error) => Err(error.into()),
        }
    }

    fn print(&self, format: Format) -> Result<()> {
        let mut output = Output::new();
        if format == Format::Json {
            let findings = self.found.iter().map(WireDiagnostic::from).collect();
            let warnings = self.warnings.iter().map(WireDiagnostic::from).collect();
            let (schema, checked) = ("ci-node.check/1", self.checked.as_slice());
            return output.json(&WireReport { schema, checked, findings, warnings });
        }
        for diagnostic in self.found.iter().chain(&self.warnings) {
            output.line(&diagnostic.to_string())?;
        }
        let files = counted(self.checked.len(), "file", "files");
        match self.found.len() {
            0 => note(&format!("{files} checked, nothing found")),
            count => note(&format!("{files} checked, {} found", counted(count, "error", "errors"))),
        }
        Ok(())
    }
}

impl<'a> From<&'a Diagnostic> for WireDiagnostic<'a> {
    fn from(diagnostic: &'a Diagnostic) -> Self {
        Self {
            file: &diagnostic.file,
            line: diagnostic.line,
            column: diagnostic.column,
            message: &diagnostic.message,
            hint: diagnostic.hint.as_deref(),
        }
    }
}

/// The configuration that was named, or the one that lies there.
fn config_of(args: &CheckArgs, path: &Path) -> Option<PathBuf> {
    let beside = || {
        let config = path.join(CONFIG_FILE);
        let config = config.strip_prefix(".").map_or(config.clone(), Path::to_owned);
        Some(config).filter(|config| config.exists())
    };
    args.config.clone().or_else(beside)
}

/// Jobs that the policy requires and that no pull request of this tree would run.
fn missing(policy: &Policy, text: &str, pipeline: &Pipeline) -> Vec<Diagnostic> {
    let runs = |id| pipeline.job(id).is_some_and(|job| job.on.contains(&On::Pull));
    let required = policy.mergeable.required.iter().filter(|id| !runs(id));
    required
        .map(|id| {
            let (line, column) = place(text, &id.to_string());
            Diagnostic {
                file: POLICY_FILE.to_owned(),
                line,
                column,
                message: format!("`{id}` is required, but no pull request of this tree runs it"),
                hint: Some("define the job, or remove it from `required`".to_owned()),
            }
        })
        .collect()
}

/// Where `needle` first stands in `text`, counted from 1.
fn place(text: &str, needle: &str) -> (usize, usize) {
    let found = text.lines().enumerate().find_map(|(line, text)| {
        text.find(needle).map(|byte| (line + 1, text[..byte].chars().count() + 1))
    });
    found.unwrap_or((1, 1))
}

fn counted(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}
