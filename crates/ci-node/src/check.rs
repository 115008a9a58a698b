//! `check`: everything that is wrong with pipelines, policy and configuration, each with its place.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Result;
use ci_config::{Diagnostic, POLICY_FILE, check_policy, parse_policy};
use ci_domain::claims::COMPONENT_FILE;
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
    let mut report = Report::default();
    if let Some(config) = args.path.as_deref().filter(|path| is_configuration(path)) {
        report.check_config(config)?;
        return report.end(args.output);
    }
    let path = args.path.as_deref().unwrap_or(Path::new("."));
    let config = config_of(args, path);
    match sources::open(path).await {
        Ok(copy) => report.check_copy(&copy, config.is_some()).await?,
        // On a server there is a configuration and no working copy.
        Err(_) if args.path.is_none() && config.is_some() => {}
        Err(error) => return Err(error),
    }
    if let Some(config) = config {
        report.check_config(&config)?;
    }
    report.end(args.output)
}

/// Whether what was given instead of a repository is the configuration of a node.
fn is_configuration(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "toml") && path.is_file()
}

impl Report {
    async fn check_copy(&mut self, copy: &WorkingCopy, has_config: bool) -> Result<()> {
        let Present { files, misnamed } = sources::present(copy).await?;
        self.warnings = misnamed;
        self.checked.extend(files.iter().map(|(path, _)| path.clone()));
        let is_empty = files.is_empty();
        let pipeline = match sources::pipeline(copy, files) {
            Ok(pipeline) => Some(pipeline),
            Err(found) => {
                self.found.extend(found);
                None
            }
        };
        let read = |bytes: &[u8]| match pipeline {
            Some(pipeline) => Ok(check_policy(bytes, &pipeline)),
            // What a policy requires may be in a file that cannot be read.
            None => parse_policy(bytes).map(|_| Vec::new()),
        };
        if let Some(found) = sources::present_policy(copy, read)? {
            self.checked.push(POLICY_FILE.to_owned());
            self.found.extend(found.unwrap_or_else(|found| found));
        }
        if is_empty {
            self.nothing_is_built(has_config);
        }
        Ok(())
    }

    /// A repository without components is no mistake where it is the configuration that is checked.
    fn nothing_is_built(&mut self, has_config: bool) {
        let message = "there is no component: no folder has a ci.yaml, so nothing is built";
        let hint = "write `jobs: {test: [make test]}` into the ci.yaml of a folder, for instance";
        let diagnostic = |message: String| Diagnostic {
            file: COMPONENT_FILE.to_owned(),
            line: 1,
            column: 1,
            message,
            hint: Some(hint.to_owned()),
        };
        if has_config {
            self.warnings.push(diagnostic(format!("warning: {message}")));
        } else {
            self.found.push(diagnostic(message.to_owned()));
        }
    }

    fn check_config(&mut self, path: &Path) -> Result<()> {
        self.checked.push(path.display().to_string());
        match config_file::load_strictly(path) {
            Ok(_) => Ok(()),
            Err(ConfigFileError::Invalid(found)) => {
                self.found.extend(found);
                Ok(())
            }
            Err(error) => Err(error.into()),
        }
    }

    fn end(&self, format: Format) -> Result<ExitCode> {
        self.print(format)?;
        Ok(if self.found.is_empty() { ExitCode::SUCCESS } else { Exit::Failed.into() })
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

fn counted(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}
