//! `vitals metrics` and `vitals schema`: for collectors, and for programs that read answers.

use crate::command::Vitals;
use crate::failure::Failure;
use crate::output::Output;

/// Prints all figures, for a collector that reads files or pipes.
pub async fn run(vitals: &Vitals, output: Output) -> Result<(), Failure> {
    let metrics = vitals.source().await?.metrics().await?;
    output.data(metrics.as_bytes())
}

/// Prints what a program may rely on in the answers of the process.
pub async fn schema(vitals: &Vitals, output: Output) -> Result<(), Failure> {
    let schema = vitals.client().await?.schema().await?;
    output.data(format!("{schema:#}\n").as_bytes())
}
