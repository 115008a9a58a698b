//! `config schema`: the JSON Schemas, for editors.

use std::process::ExitCode;

use anyhow::Result;
use ci_config::schema::{Format, schema};

use crate::args::SchemaFormat;
use crate::output::Output;

/// Prints the schema of a format.
///
/// # Errors
/// It cannot be written.
pub(crate) fn run(format: SchemaFormat) -> Result<ExitCode> {
    let format = match format {
        SchemaFormat::Component => Format::Component,
        SchemaFormat::Policy => Format::Policy,
        SchemaFormat::Node => Format::Node,
    };
    Output::new().write(schema(format))?;
    Ok(ExitCode::SUCCESS)
}
