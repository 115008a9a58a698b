//! What keeps commands from the rest of the machine, as it is told and as it is stored.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::container::{Container, WireContainer};

/// What keeps commands from the rest of the machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Isolation {
    /// Nothing: commands can do what the runner's user can do.
    None,
    /// A sandbox of their own for all commands of the job.
    Namespaces(Namespaces),
    /// A container of their own for all commands of the job, with the files of an image.
    Container(Box<Container>),
}

/// A sandbox made of Linux namespaces: processes, mounts, IPC and host name of its own.
///
/// Commands see the system, read-only, and of everything else what is named here. All paths are
/// absolute, and the same inside as outside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Namespaces {
    /// The program that makes it: bubblewrap, 0.8 or later.
    pub bubblewrap: PathBuf,
    /// What of the machine commands may read besides the system: where its programs are.
    pub visible: Vec<PathBuf>,
    /// What they don't see although it lies in something that they do.
    pub hidden: Vec<PathBuf>,
    /// What is theirs to read, wherever it lies; a part of what they may write for instance.
    pub readable: Vec<PathBuf>,
    /// What is theirs to write, wherever it lies.
    pub writable: Vec<PathBuf>,
    /// What they reach of the network.
    pub network: Network,
    /// How many processes they may be at once, where the kernel counts them: those of root it does not.
    pub pids: u32,
}

/// What commands reach of the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Network {
    /// In a sandbox what the machine reaches, and the machine: its loopback addresses and abstract
    /// sockets. In a container what the engine lets through, which is the world and not the machine.
    Shared,
    /// Nothing but each other, on a loopback of their own.
    Own,
}

/// An [`Isolation`] as it is stored.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum WireIsolation {
    None,
    Namespaces(WireNamespaces),
    Container(Box<WireContainer>),
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct WireNamespaces {
    bubblewrap: PathBuf,
    visible: Vec<PathBuf>,
    hidden: Vec<PathBuf>,
    readable: Vec<PathBuf>,
    writable: Vec<PathBuf>,
    network: WireNetwork,
    pids: u32,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum WireNetwork {
    Shared,
    Own,
}

impl From<Network> for WireNetwork {
    fn from(network: Network) -> Self {
        match network {
            Network::Shared => Self::Shared,
            Network::Own => Self::Own,
        }
    }
}

impl From<WireNetwork> for Network {
    fn from(wire: WireNetwork) -> Self {
        match wire {
            WireNetwork::Shared => Self::Shared,
            WireNetwork::Own => Self::Own,
        }
    }
}

impl From<&Isolation> for WireIsolation {
    fn from(isolation: &Isolation) -> Self {
        match isolation {
            Isolation::None => Self::None,
            Isolation::Namespaces(namespaces) => {
                let Namespaces { bubblewrap, visible, hidden, readable, writable, network, pids } =
                    namespaces.clone();
                Self::Namespaces(WireNamespaces {
                    bubblewrap,
                    visible,
                    hidden,
                    readable,
                    writable,
                    network: network.into(),
                    pids,
                })
            }
            Isolation::Container(container) => {
                Self::Container(Box::new(WireContainer::from(container.as_ref())))
            }
        }
    }
}

impl From<WireIsolation> for Isolation {
    fn from(wire: WireIsolation) -> Self {
        match wire {
            WireIsolation::None => Self::None,
            WireIsolation::Namespaces(wire) => Self::Namespaces(Namespaces {
                bubblewrap: wire.bubblewrap,
                visible: wire.visible,
                hidden: wire.hidden,
                readable: wire.readable,
                writable: wire.writable,
                network: wire.network.into(),
                pids: wire.pids,
            }),
            WireIsolation::Container(wire) => Self::Container(Box::new((*wire).into())),
        }
    }
}
