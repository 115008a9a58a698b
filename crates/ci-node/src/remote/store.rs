//! `store`: what a node knows, verified, moved and made small.
//!
//! What can be asked of a running node is asked of it; the rest, and everything where none runs, is
//! done on the folder itself, which only one process can hold.

mod offline;

use std::process::ExitCode;

use anyhow::Result;
use ci_web::client::{AdminClient, ClientError};
use ci_web::wire::StoreAudit;

use crate::args::{Format, NodeArgs, StoreArgs, StoreCommand};
use crate::compose::Folders;
use crate::exit::Exit;
use crate::output::{Output, note};
use crate::remote::{config, refusal};

/// Does what was asked.
///
/// # Errors
/// It could not be done; the store is as it was.
pub(crate) async fn run(args: &StoreArgs) -> Result<ExitCode> {
    match &args.command {
        StoreCommand::Check => check(args).await,
        StoreCommand::Export => export(&args.node).await,
        StoreCommand::Import { file } => {
            let imported = offline::import(&folders(&args.node)?, file)?;
            note(&format!("{} streams, {} records restored", imported.streams, imported.records));
            Ok(ExitCode::SUCCESS)
        }
        StoreCommand::Compact => {
            let compacted = offline::compact(&folders(&args.node)?)?;
            note(&format!(
                "{} bytes were {} before",
                compacted.after_bytes, compacted.before_bytes
            ));
            Ok(ExitCode::SUCCESS)
        }
    }
}

async fn check(args: &StoreArgs) -> Result<ExitCode> {
    let audit = match running(&args.node).await? {
        Some(client) => client.check_store().await.map_err(refusal)?,
        None => offline::check(&folders(&args.node)?)?,
    };
    let mut output = Output::new();
    match args.output {
        Format::Json => output.json(&audit)?,
        Format::Text => print(&audit, &mut output)?,
    }
    Ok(if audit.findings.is_empty() { ExitCode::SUCCESS } else { Exit::Failed.into() })
}

fn print(audit: &StoreAudit, output: &mut Output) -> Result<()> {
    for finding in &audit.findings {
        let seq = finding.seq.map(|seq| format!(" record {seq}")).unwrap_or_default();
        output.line(&format!("{}{seq}: {}", finding.stream, finding.problem))?;
    }
    let StoreAudit { streams, snapshots, records, findings } = audit;
    let found = match findings.len() {
        0 => "nothing found".to_owned(),
        count => format!("{count} found"),
    };
    note(&format!("{streams} streams, {snapshots} snapshots, {records} records checked, {found}"));
    Ok(())
}

async fn export(args: &NodeArgs) -> Result<ExitCode> {
    let Some(client) = running(args).await? else {
        offline::export(&folders(args)?)?;
        return Ok(ExitCode::SUCCESS);
    };
    let mut stream = client.export_store().await.map_err(refusal)?;
    let mut output = Output::new();
    while let Some(chunk) = stream.chunk().await.map_err(refusal)? {
        output.write_bytes(&chunk)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// The running node, if one runs; one whose socket was named must.
async fn running(args: &NodeArgs) -> Result<Option<AdminClient>> {
    if let Some(socket) = &args.socket {
        return AdminClient::connect(socket).await.map(Some).map_err(refusal);
    }
    match AdminClient::connect(folders(args)?.admin_socket()).await {
        Ok(client) => Ok(Some(client)),
        Err(ClientError::NoServer { .. }) => Ok(None),
        Err(error) => Err(refusal(error)),
    }
}

fn folders(args: &NodeArgs) -> Result<Folders> {
    Ok(Folders::of(&config(args)?))
}
