//! How people come in by their account on GitHub, from what the configuration says.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use ci_config::node::NodeConfig;
use ci_github::{SignIn, SignInConfig};
use ci_web::Gate;

/// How long a call may take while somebody waits for their page.
const PATIENCE: Duration = Duration::from_secs(10);

/// The way in that `config` describes, if it does; nothing is sent yet.
///
/// # Errors
/// Names the part of the configuration that cannot be used.
pub(crate) fn gate(config: &NodeConfig) -> Result<Option<Gate>> {
    let Some(github) = &config.github else { return Ok(None) };
    let Some(settings) = &github.sign_in else { return Ok(None) };
    let sign_in = SignIn::new(SignInConfig {
        web_url: github.web_url.clone(),
        api_url: github.api_url.clone(),
        client_id: settings.client_id.clone(),
        client_secret: settings.client_secret.clone(),
        timeout: PATIENCE,
    })?;
    let administrators = settings.administrators.clone();
    Ok(Some(Gate { sign_in: Arc::new(sign_in), administrators }))
}
