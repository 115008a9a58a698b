//! Secrets on their way from the client to the runner: by a file without a name that the runner
//! inherits, never by arguments, files with a name, or an environment of its own.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, Write};
use std::process::Stdio;

use ci_domain::secret::Secret;
use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, memfd_create};
use serde::{Deserialize, Serialize};

/// The version of the form in which they are handed over.
const VERSION: u32 = 1;

/// The secrets of one run: names of variables with their values, which nothing prints.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Secrets(BTreeMap<String, Secret>);

/// As they are handed over.
#[derive(Serialize, Deserialize)]
struct WireSecrets {
    version: u32,
    values: BTreeMap<String, String>,
}

impl Secrets {
    /// No secrets.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// Their names and values.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, secret)| (name.as_str(), secret.expose()))
    }

    pub(crate) fn values(&self) -> impl Iterator<Item = &Secret> {
        self.0.values()
    }

    /// The standard input of a runner that is to know them.
    ///
    /// It is complete before the runner starts, so no starter that dies can hand over a half.
    pub(crate) fn to_stdin(&self) -> io::Result<Stdio> {
        if self.0.is_empty() {
            return Ok(Stdio::null());
        }
        let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
        let mut file = File::from(memfd_create("ci-secrets", flags)?);
        let values = self.iter().map(|(name, value)| (name.to_owned(), value.to_owned()));
        let wire = WireSecrets { version: VERSION, values: values.collect() };
        file.write_all(&serde_json::to_vec(&wire)?)?;
        file.rewind()?;
        fcntl_add_seals(
            &file,
            SealFlags::WRITE | SealFlags::GROW | SealFlags::SHRINK | SealFlags::SEAL,
        )?;
        Ok(file.into())
    }

    /// Reads what the starter of this process handed over, and lets go of it.
    pub(crate) fn receive() -> io::Result<Self> {
        let mut bytes = Vec::new();
        io::stdin().lock().read_to_end(&mut bytes)?;
        rustix::stdio::dup2_stdin(OpenOptions::new().read(true).open("/dev/null")?)?;
        if bytes.is_empty() {
            return Ok(Self::none());
        }
        // An error of the parser could quote what it has read.
        let wire: WireSecrets = serde_json::from_slice(&bytes)
            .map_err(|_| io::Error::other("the secrets are not in a known form"))?;
        if wire.version > VERSION {
            return Err(io::Error::other("the secrets are of a later version"));
        }
        Ok(wire.values.into_iter().map(|(name, value)| (name, Secret::new(value))).collect())
    }
}

impl FromIterator<(String, Secret)> for Secrets {
    fn from_iter<I: IntoIterator<Item = (String, Secret)>>(secrets: I) -> Self {
        Self(secrets.into_iter().collect())
    }
}
