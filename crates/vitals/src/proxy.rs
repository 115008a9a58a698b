//! `--host`: asks a process on another machine by a `vitals` there, over ssh.

use std::process::Stdio;

use heights_vitals::Client;
use tokio::io::{copy_bidirectional, join, stdin, stdout};
use tokio::net::UnixStream;
use tokio::process::Command;

use crate::command::{Format, Vitals};
use crate::failure::Failure;

/// Another machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Host {
    /// As ssh takes it: with the user, if one is given.
    name: String,
    port: Option<u16>,
}

impl Host {
    /// Reads `ssh://[USER@]HOST[:PORT]`.
    pub fn parse(text: &str) -> Result<Self, String> {
        let wrong = || "expected ssh://[USER@]HOST[:PORT]".to_owned();
        let rest = text.strip_prefix("ssh://").ok_or_else(wrong)?;
        let (name, port) = match rest.rsplit_once(':') {
            Some((name, port)) if !port.ends_with(']') => {
                (name, Some(port.parse().map_err(|_| wrong())?))
            }
            _ => (rest, None),
        };
        // ssh would take a name that begins with a dash for an option.
        if name.is_empty() || name.starts_with('-') || name.contains(char::is_whitespace) {
            return Err(wrong());
        }
        Ok(Self { name: name.to_owned(), port })
    }

    fn command(&self, words: &[&str]) -> Vec<String> {
        let port = self.port.map(|port| ["-p".to_owned(), port.to_string()]);
        // Pictures are long, and much in them is the same: they are sent compressed.
        let mut command = vec!["ssh".to_owned(), "-C".to_owned()];
        command.extend(port.into_iter().flatten());
        command.extend(["--".to_owned(), self.name.clone()]);
        command.extend(words.iter().map(|word| quoted(word)));
        command
    }

    /// Makes a client that speaks to the process there, the one that is named or the only one.
    pub fn client(&self, process: Option<&str>) -> Client {
        let mut words = vec!["vitals", "proxy"];
        words.extend(process.iter().flat_map(|process| ["--process", process]));
        Client::over(self.command(&words))
    }

    /// Lists the processes there, as the program there prints them.
    pub async fn list(&self, output: Format) -> Result<(), Failure> {
        let command = self.command(&["vitals", "ls", "--output", output.as_str()]);
        let mut child = Command::new(&command[0]);
        let status = child.args(&command[1..]).stdin(Stdio::null()).status().await;
        let status = status.map_err(Failure::Io)?;
        if status.success() {
            return Ok(());
        }
        Err(Failure::NoProcess(format!("{} failed with {status}", command.join(" "))))
    }
}

/// Quotes a word for the shell on the other machine.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./@".contains(c);
    if word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

/// Connects standard input and output to the process that is meant.
pub async fn run(vitals: &Vitals) -> Result<(), Failure> {
    let socket = vitals.meant(vitals.process.as_deref())?;
    let mut stream = UnixStream::connect(&socket).await.map_err(Failure::Io)?;
    let mut here = join(stdin(), stdout());
    copy_bidirectional(&mut here, &mut stream).await.map(|_copied| ()).map_err(Failure::Io)
}
