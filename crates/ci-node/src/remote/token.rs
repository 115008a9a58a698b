//! `token`: access to the HTTP side.

use std::process::ExitCode;

use anyhow::Result;
use ci_web::client::AdminClient;
use ci_web::wire::{Role, Token, TokenRequest};

use crate::args::{Format, TokenArgs, TokenCommand};
use crate::output::table;
use crate::output::{Output, note};
use crate::remote::{connect, refusal};

/// Does what was asked.
///
/// # Errors
/// There is no answer, or it is a refusal.
pub(crate) async fn run(args: &TokenArgs) -> Result<ExitCode> {
    let client = connect(&args.node).await?;
    match &args.command {
        TokenCommand::Create { role, label } => create(&client, *role, label, args.output).await?,
        TokenCommand::List => list(&client, args.output).await?,
        TokenCommand::Revoke { id } => {
            client.revoke_token(id).await.map_err(refusal)?;
            note(&format!("{id} is invalid from now on"));
        }
    }
    Ok(ExitCode::SUCCESS)
}

async fn create(client: &AdminClient, role: Role, label: &str, format: Format) -> Result<()> {
    let request = TokenRequest { role, label: label.to_owned() };
    let made = client.create_token(&request).await.map_err(refusal)?;
    let mut output = Output::new();
    match format {
        Format::Json => output.json(&made),
        Format::Text => {
            note(&format!("{} may {role}; its text is shown this once:", made.token.id));
            output.line(&made.text)
        }
    }
}

async fn list(client: &AdminClient, format: Format) -> Result<()> {
    let tokens = client.tokens().await.map_err(refusal)?;
    let mut output = Output::new();
    match format {
        Format::Json => output.json(&tokens),
        Format::Text => {
            let row =
                |token: &Token| [token.id.clone(), token.role.to_string(), token.label.clone()];
            let rows: Vec<_> = tokens.iter().map(row).collect();
            output.line(&table(["ID", "ROLE", "LABEL"], &rows))
        }
    }
}
