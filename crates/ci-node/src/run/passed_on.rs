//! Variables of the developer's that commands see too.
//!
//! On a node, commands see nothing of its environment. On a laptop they see the little without which
//! toolchains do not work there, and what `--env` names: what passes here should pass on the node.

use std::collections::BTreeMap;
use std::str::FromStr;

/// What toolchains need on somebody's own machine: where programs, settings and temporary files are,
/// who asks, and how the network is reached. No terminal, since commands have none; no agent sockets
/// and tokens, since a node has none.
const USUAL: [&str; 16] = [
    "PATH",
    "HOME",
    "USER",
    "LOGNAME",
    "SHELL",
    "TMPDIR",
    "LANG",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "http_proxy",
    "https_proxy",
    "no_proxy",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "XDG_RUNTIME_DIR",
];

/// A variable that `--env` names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PassedOn {
    name: String,
    /// Its present one where none was given.
    value: Option<String>,
}

impl FromStr for PassedOn {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, value) = match text.split_once('=') {
            Some((name, value)) => (name, Some(value.to_owned())),
            None => (text, None),
        };
        if name.is_empty() {
            return Err("expected NAME or NAME=VALUE".to_owned());
        }
        if name == "CI" || name.starts_with("CI_") {
            return Err(format!("{name} is told by the runner"));
        }
        Ok(Self { name: name.to_owned(), value })
    }
}

impl PassedOn {
    /// What the variable is called.
    pub(super) fn name(&self) -> &str {
        &self.name
    }
}

/// What commands see of the environment that `present` tells of.
pub(super) fn surroundings(
    asked: &[PassedOn],
    present: impl Fn(&str) -> Option<String>,
) -> BTreeMap<String, String> {
    let mut env: BTreeMap<String, String> = BTreeMap::new();
    env.insert("LANG".to_owned(), "C.UTF-8".to_owned());
    env.insert("TMPDIR".to_owned(), std::env::temp_dir().to_string_lossy().into_owned());
    let usual = USUAL.iter().map(|name| (*name, None));
    let asked = asked.iter().map(|each| (each.name.as_str(), each.value.clone()));
    for (name, value) in usual.chain(asked) {
        if let Some(value) = value.or_else(|| present(name)) {
            env.insert(name.to_owned(), value);
        }
    }
    env
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_see_what_toolchains_need_and_what_was_asked_for() {
        let present = |name: &str| match name {
            "PATH" => Some("/bin".to_owned()),
            "LANG" => Some("de_DE.UTF-8".to_owned()),
            "TOKEN" | "SSH_AUTH_SOCK" | "GOPATH" => Some("present".to_owned()),
            _ => None,
        };
        let asked: Vec<PassedOn> = ["GOPATH", "A=b=c", "EMPTY=", "UNSET"]
            .iter()
            .map(|text| text.parse().unwrap())
            .collect();
        let env = surroundings(&asked, present);
        let names: Vec<&str> = env.keys().map(String::as_str).collect();
        assert_eq!(names, ["A", "EMPTY", "GOPATH", "LANG", "PATH", "TMPDIR"]);
        assert_eq!((env["A"].as_str(), env["LANG"].as_str()), ("b=c", "de_DE.UTF-8"));
        for bad in ["", "=x", "CI", "CI_JOB=x"] {
            assert!(bad.parse::<PassedOn>().is_err(), "{bad}");
        }
    }
}
