//! `init`: a configuration and a systemd unit to begin with, and what to set up on GitHub.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use ci_github::webhook::EVENTS;

use crate::config_file::CONFIG_FILE;
use crate::exit::Exit;
use crate::output::{Output, note};

/// What the unit is called.
const UNIT_FILE: &str = "ci-node.service";

const CONFIG: &str = include_str!("init/ci-node.toml");
const UNIT: &str = include_str!("init/ci-node.service");
const SETTINGS: &str = include_str!("init/settings.txt");

/// Writes both files into this folder.
///
/// # Errors
/// One is there already, in which case neither is written.
pub(crate) fn run() -> Result<ExitCode> {
    let files = [(CONFIG_FILE, CONFIG), (UNIT_FILE, UNIT)];
    if let Some((name, _)) = files.iter().find(|(name, _)| Path::new(name).exists()) {
        return Err(Exit::Usage.because(format!("{name} exists here; it is left as it is")));
    }
    for (name, text) in files {
        write(name, text).with_context(|| format!("failed to write {name}"))?;
        note(&format!("wrote {name}"));
    }
    Output::new().line(settings().trim_end())?;
    Ok(ExitCode::SUCCESS)
}

/// What to set on GitHub, with the events that the node wants to hear of.
fn settings() -> String {
    let events: Vec<&str> = EVENTS.iter().map(|(_, setting)| *setting).collect();
    SETTINGS.replace("{events}", &events.join(", "))
}

fn write(name: &str, text: &str) -> io::Result<()> {
    OpenOptions::new().write(true).create_new(true).open(name)?.write_all(text.as_bytes())
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use ci_config::source::Source;

    use super::*;

    /// A machine on which every secret is there.
    struct Secrets;

    impl Source for Secrets {
        fn env(&self, _name: &str) -> Option<String> {
            Some("secret".to_owned())
        }

        fn file(&self, _path: &Path) -> io::Result<String> {
            Ok("secret".to_owned())
        }
    }

    #[test]
    fn the_configuration_is_valid() {
        let parsed = ci_config::parse_node(CONFIG_FILE, &edited(CONFIG), &Secrets);
        let config = parsed.unwrap_or_else(|found| panic!("{found:?}"));
        assert_eq!(config.repos.len(), 1);
        let found = ci_config::parse_node(CONFIG_FILE, CONFIG, &Secrets).unwrap_err();
        assert_eq!(found.len(), 1, "all but what has to be edited: {found:?}");
    }

    /// A configuration with a repository in the place of the words that stand for one.
    fn edited(config: &str) -> String {
        config.replace("OWNER/NAME", "acme/shop")
    }

    #[test]
    fn the_events_are_the_same_wherever_people_read_of_them() {
        let guide = include_str!("../../../docs/operating.md");
        let row = guide.lines().find(|line| line.starts_with("| Settings, Webhooks |"));
        let row = row.expect("a line about the webhook");
        for (name, setting) in EVENTS {
            assert!(settings().contains(setting), "init does not say {setting}");
            assert!(row.contains(&format!("*{setting}* (`{name}`")), "{setting} in: {row}");
        }
        assert!(!settings().contains('{'));
    }

    #[test]
    fn what_is_commented_out_is_valid_too() {
        let uncommented: String = CONFIG
            .lines()
            .map(|line| format!("{}\n", line.strip_prefix("#=").unwrap_or(line)))
            .collect();
        assert_ne!(uncommented, CONFIG);
        let parsed = ci_config::parse_node(CONFIG_FILE, &edited(&uncommented), &Secrets);
        parsed.unwrap_or_else(|found| panic!("{found:?}"));
    }

    #[test]
    fn signing_in_as_it_is_shown_is_valid() {
        let shown = CONFIG.lines().skip_while(|line| *line != "#   [github.sign_in]");
        let section = shown.map_while(|line| line.strip_prefix("#   "));
        let section: String = section.map(|line| format!("{line}\n")).collect();
        let config = format!("{}\n{section}", edited(CONFIG));
        let parsed = ci_config::parse_node(CONFIG_FILE, &config, &Secrets);
        let config = parsed.unwrap_or_else(|found| panic!("{found:?}"));
        assert!(config.github.and_then(|github| github.sign_in).is_some());
    }

    #[test]
    fn a_stopped_unit_leaves_the_runners_alone() {
        for line in [
            "KillMode=process",
            "Delegate=yes",
            "OOMPolicy=continue",
            "User=ci-node",
            "StateDirectory=ci-node",
            "RuntimeDirectory=ci-node",
        ] {
            assert!(UNIT.lines().any(|each| each == line), "{line}");
        }
    }

    #[test]
    fn systemd_finds_nothing_wrong_with_the_unit() {
        let folder = tempfile::tempdir().unwrap();
        let unit = folder.path().join(UNIT_FILE);
        // A program that is not there would be found wrong.
        std::fs::write(&unit, UNIT.replace("/usr/local/bin/ci-node", "/bin/true")).unwrap();
        let verify =
            Command::new("systemd-analyze").args(["verify", "--man=no"]).arg(&unit).output();
        let Ok(verify) = verify else {
            return eprintln!("SKIPPED (needs systemd-analyze: apt-get install systemd)");
        };
        // It reads the units that this one names, too, and has its opinion on those.
        let said = String::from_utf8_lossy(&verify.stderr);
        let of_ours: Vec<&str> = said.lines().filter(|line| line.contains(UNIT_FILE)).collect();
        assert_eq!(of_ours, Vec::<&str>::new());
    }
}
