//! Which process to ask.

use std::io::{self, BufRead};
use std::path::PathBuf;

use heights_vitals::{Client, Presence, known_directories, processes};

use crate::command::Vitals;
use crate::failure::Failure;
use crate::output::Output;

impl Vitals {
    /// Finds the process that is meant and checks that it speaks our protocol.
    pub async fn client(&self) -> Result<Client, Failure> {
        self.client_of(self.process.as_deref()).await
    }

    /// Finds a process and checks that it speaks our protocol.
    pub async fn client_of(&self, process: Option<&str>) -> Result<Client, Failure> {
        if self.from.is_some() {
            let reason = "a snapshot has no answer to this, only the process: leave --from out";
            return Err(Failure::Usage(reason.to_owned()));
        }
        let client = match &self.host {
            Some(host) => host.client(process),
            None => Client::new(self.meant(process)?),
        };
        let client = client.patience(self.patience());
        client.hello().await?;
        Ok(client)
    }

    /// Finds the socket of a process on this machine.
    pub fn meant(&self, process: Option<&str>) -> Result<PathBuf, Failure> {
        match &self.socket {
            Some(socket) => Ok(socket.clone()),
            None => pick(process, processes(known_directories())).map(|presence| presence.socket),
        }
    }

    /// Asks which process is meant, where there are several and somebody can answer.
    pub fn picked(&self, output: Output) -> Result<Option<String>, Failure> {
        let said = self.process.is_some() || self.socket.is_some();
        if said || self.from.is_some() || self.host.is_some() {
            return Ok(self.process.clone());
        }
        let found = processes(known_directories());
        if found.len() < 2 || !output.asks() {
            return Ok(None);
        }
        for (number, Presence { announcement, .. }) in (1..).zip(&found) {
            output.say(&format!("{number}  {}  {}\n", announcement.os_pid, announcement.name))?;
        }
        output.say("which one? ")?;
        let mut answer = String::new();
        io::stdin().lock().read_line(&mut answer).map_err(Failure::Io)?;
        let at = answer.trim().parse::<usize>().ok().and_then(|number| number.checked_sub(1));
        let picked = at.and_then(|at| found.get(at)).ok_or(Failure::Declined)?;
        Ok(Some(picked.announcement.os_pid.to_string()))
    }
}

/// Picks the process that was named, or the only one.
fn pick(wanted: Option<&str>, found: Vec<Presence>) -> Result<Presence, Failure> {
    let matches = |presence: &Presence| {
        let announcement = &presence.announcement;
        wanted.is_none_or(|wanted| {
            announcement.name == wanted || announcement.os_pid.to_string() == wanted
        })
    };
    let mut candidates: Vec<Presence> = found.into_iter().filter(matches).collect();
    match (candidates.len(), wanted) {
        (0, None) => Err(Failure::NoProcess("no process can be looked into".to_owned())),
        (0, Some(wanted)) => {
            Err(Failure::NoProcess(format!("no process {wanted} can be looked into")))
        }
        (1, _) => Ok(candidates.remove(0)),
        _ => Err(Failure::Usage(several(&candidates))),
    }
}

fn several(candidates: &[Presence]) -> String {
    let mut text =
        "several processes can be looked into; say which one with --process PID:".to_owned();
    for Presence { announcement, .. } in candidates {
        text.push_str(&format!("\n  {}  {}", announcement.os_pid, announcement.name));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use heights_vitals::Announcement;

    fn presence(os_pid: u32, name: &str) -> Presence {
        let announcement =
            Announcement { name: name.to_owned(), version: String::new(), os_pid, started_ms: 0 };
        Presence { announcement, socket: format!("/{os_pid}.sock").into() }
    }

    fn picked(wanted: Option<&str>, found: &[(u32, &str)]) -> Result<u32, String> {
        let found = found.iter().map(|(os_pid, name)| presence(*os_pid, name)).collect();
        pick(wanted, found)
            .map(|presence| presence.announcement.os_pid)
            .map_err(|failure| failure.to_string())
    }

    #[test]
    fn the_only_process_needs_no_name() {
        assert_eq!(picked(None, &[(7, "ci")]), Ok(7));
        assert_eq!(picked(None, &[]), Err("no process can be looked into".to_owned()));
    }

    #[test]
    fn of_several_one_is_picked_by_id_or_by_a_name_that_only_it_has() {
        let found = [(7, "ci"), (8, "ci"), (9, "worker")];
        assert_eq!(picked(Some("8"), &found), Ok(8));
        assert_eq!(picked(Some("worker"), &found), Ok(9));
        assert!(picked(Some("ci"), &found).unwrap_err().ends_with("\n  7  ci\n  8  ci"));
        assert!(picked(Some("10"), &found).is_err());
    }
}
