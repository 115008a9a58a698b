//! What the policy says of sandboxes, as stored.

use ci_domain::policy::{Demand, Network, Sandbox};
use serde::{Deserialize, Serialize};

/// [`Sandbox`] as stored.
#[derive(Serialize, Deserialize)]
pub(super) struct StoredSandbox {
    isolation: Option<StoredDemand>,
    network: bool,
    forks_network: bool,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum StoredDemand {
    Namespaces,
    Container,
}

impl From<Sandbox> for StoredSandbox {
    fn from(sandbox: Sandbox) -> Self {
        Self {
            isolation: sandbox.isolation.map(|demand| match demand {
                Demand::Namespaces => StoredDemand::Namespaces,
                Demand::Container => StoredDemand::Container,
            }),
            network: sandbox.network == Network::Shared,
            forks_network: sandbox.forks_network == Network::Shared,
        }
    }
}

impl From<StoredSandbox> for Sandbox {
    fn from(stored: StoredSandbox) -> Self {
        let network = |is_shared| if is_shared { Network::Shared } else { Network::None };
        Self {
            isolation: stored.isolation.map(|demand| match demand {
                StoredDemand::Namespaces => Demand::Namespaces,
                StoredDemand::Container => Demand::Container,
            }),
            network: network(stored.network),
            forks_network: network(stored.forks_network),
        }
    }
}
