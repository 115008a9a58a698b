//! `vitals metrics`: all figures, for a collector that reads files or pipes.

use crate::command::Vitals;
use crate::failure::Failure;
use crate::output::Output;

pub async fn run(vitals: &Vitals, output: Output) -> Result<(), Failure> {
    let metrics = vitals.client().await?.metrics().await?;
    output.data(metrics.as_bytes())
}
