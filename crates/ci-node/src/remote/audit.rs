//! `audit`: who did what, when and from where.

use std::process::ExitCode;

use anyhow::Result;
use ci_domain::forge::Timestamp;
use ci_github::TimestampParser;
use ci_web::wire::{ActorKind, AuditEntry};

use crate::args::{AuditArgs, Format};
use crate::output::{Output, table};
use crate::remote::{connect, refusal};

/// Prints the record, the newest last.
///
/// # Errors
/// There is no answer, or it is a refusal.
pub(crate) async fn run(args: &AuditArgs) -> Result<ExitCode> {
    let client = connect(&args.node).await?;
    let found = client.audit(args.before, usize::from(args.limit)).await;
    let mut entries = found.map_err(refusal)?;
    entries.reverse();
    let mut output = Output::new();
    match args.output {
        Format::Json => output.json(&entries)?,
        Format::Text => {
            let rows: Vec<_> = entries.iter().map(row).collect();
            output.line(&table(["ID", "WHEN", "WHO", "FROM", "STATUS", "WHAT"], &rows))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn row(entry: &AuditEntry) -> [String; 6] {
    let who = match entry.kind {
        ActorKind::Token => format!("token {}", entry.who),
        ActorKind::Operator | ActorKind::Person | ActorKind::Nobody => entry.who.clone(),
    };
    [
        entry.id.to_string(),
        TimestampParser::format(Timestamp(entry.at_ms / 1000)),
        who,
        entry.from.clone(),
        entry.status.to_string(),
        format!("{} {}", entry.action, entry.path),
    ]
}
