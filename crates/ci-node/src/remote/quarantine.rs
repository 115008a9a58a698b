//! `quarantine`: pull requests that were given up, and taking them up again.

use std::process::ExitCode;

use anyhow::Result;
use ci_web::wire::Quarantined;

use crate::args::{Format, PullArg, QuarantineArgs, QuarantineCommand};
use crate::output::table;
use crate::output::{Output, note};
use crate::remote::{connect, refusal, repo};

/// Does what was asked.
///
/// # Errors
/// There is no answer, or it is a refusal.
pub(crate) async fn run(args: &QuarantineArgs) -> Result<ExitCode> {
    let client = connect(&args.node).await?;
    match args.command {
        QuarantineCommand::List => {
            let all = client.quarantined(args.repo.as_ref()).await.map_err(refusal)?;
            let mut output = Output::new();
            match args.output {
                Format::Json => output.json(&all)?,
                Format::Text => {
                    let rows: Vec<_> = all.iter().map(row).collect();
                    output.line(&table(["REPOSITORY", "NUMBER", "REASON"], &rows))?;
                }
            }
        }
        QuarantineCommand::Lift(PullArg { number }) => {
            let repo = repo(&client, args.repo.as_ref()).await?;
            client.lift(&repo, number).await.map_err(refusal)?;
            note(&format!("{repo}#{number} is taken up again"));
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn row(each: &Quarantined) -> [String; 3] {
    [each.repo.clone(), each.number.to_string(), each.reason.clone()]
}
