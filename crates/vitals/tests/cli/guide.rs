//! The guide: what it says that `vitals` prints of each illness is what it prints.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use heights::{ChildSpec, Hub, Supervisor};
use heights_vitals::{Inspector, Tier};
use tokio::runtime::{Builder, Runtime};

use crate::app::clinic::{Clerk, Clinic};
use crate::app::{CEILING, Place};

const GUIDE: &str = include_str!("../../../../docs/vitals.md");

/// As in the example.
const THINKS: Duration = Duration::from_millis(500);

/// The clinic, on a runtime of its own with one thread, which can be blocked.
struct Patient {
    place: Place,
    clinic: Clinic,
    inspector: Option<Inspector>,
    runtime: Option<Runtime>,
}

impl Patient {
    fn with(illness: &str) -> Self {
        let place = Place::new();
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let hub = Hub::new();
        let (front, front_ref) = ChildSpec::server::<Clerk>("front", || THINKS);
        let (back, back_ref) = ChildSpec::server::<Clerk>("back", || THINKS);
        let clinic = Supervisor::builder("clinic").hub(hub.clone()).child(back).child(front);
        let inspector = runtime.block_on(async {
            clinic.start().await.unwrap();
            let inspector = Inspector::builder("clinic", &hub).tier(Tier::Control);
            inspector.directory(place.directory()).start().unwrap()
        });
        let mut clinic = Clinic::new(front_ref, back_ref);
        assert!(clinic.fall_ill(illness).unwrap(), "nobody knows {illness}");
        Self { place, clinic, inspector: Some(inspector), runtime: Some(runtime) }
    }

    /// Runs a command of the guide, and returns all that a terminal shows of it.
    fn ask(&self, words: &[&str]) -> String {
        let vitals = self.place.vitals(words);
        let mut shell = Command::new("sh");
        shell.args(["-c", r#"exec "$0" "$@" 2>&1"#]).arg(vitals.get_program());
        shell.args(vitals.get_args());
        shell.envs(vitals.get_envs().filter_map(|(name, value)| Some((name, value?))));
        let text = String::from_utf8(shell.stdin(Stdio::null()).output().unwrap().stdout).unwrap();
        // Here the clerks belong to another program.
        text.replace("cli::app::clinic", "unwell::clinic")
    }

    fn until(&self, condition: &str) {
        let ceiling = format!("{}s", CEILING.as_secs());
        let said = self.ask(&["wait", condition, "--timeout", &ceiling]);
        assert_eq!(said, "", "{condition}");
    }
}

impl Drop for Patient {
    fn drop(&mut self) {
        // Otherwise the thread would never end.
        self.clinic.fall_ill("well").ok();
        drop(self.inspector.take());
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// A command of the guide, and what it prints.
struct Example {
    words: Vec<String>,
    printed: String,
}

/// Finds the examples below a heading.
fn examples(heading: &str) -> Vec<Example> {
    let start = GUIDE.find(&format!("\n{heading}\n")).unwrap_or_else(|| panic!("no {heading}"));
    let section = &GUIDE[start + heading.len()..];
    let section = &section[..section.find("\n##").unwrap_or(section.len())];
    let blocks = section.split("```console\n").skip(1);
    let blocks = blocks.filter_map(|block| block.split_once("```").map(|(block, _)| block));
    let mut examples: Vec<Example> = Vec::new();
    for line in blocks.flat_map(str::lines) {
        match (line.strip_prefix("$ vitals "), examples.last_mut()) {
            (Some(command), _) => {
                let words = command.split(' ').map(str::to_owned).collect();
                examples.push(Example { words, printed: String::new() });
            }
            (None, Some(example)) => example.printed.push_str(&format!("{line}\n")),
            (None, None) => {}
        }
    }
    examples
}

/// Forgets figures, fingerprints and the width of columns, which are never the same again.
fn shape(text: &str) -> Vec<String> {
    let word = |word: &str| {
        if is_fingerprint(word) {
            return "#".to_owned();
        }
        let is_digit = |c: char| c.is_ascii_digit() || c == '.';
        let (start, rest) = word.split_at(word.len() - word.trim_start_matches(is_digit).len());
        // A figure that stands alone has a unit, which changes with it.
        let rest =
            if start.is_empty() { rest } else { rest.trim_start_matches(char::is_alphabetic) };
        let mut shape = if start.is_empty() { String::new() } else { "#".to_owned() };
        for letter in rest.chars() {
            match letter {
                digit if digit.is_ascii_digit() && shape.ends_with('#') => {}
                digit if digit.is_ascii_digit() => shape.push('#'),
                letter => shape.push(letter),
            }
        }
        shape
    };
    let line = |line: &str| {
        let words: Vec<String> = line.split_whitespace().map(word).collect();
        words.join(" ").replace("# #", "#")
    };
    text.lines().map(line).collect()
}

fn is_fingerprint(word: &str) -> bool {
    word.len() == 6 && word.chars().all(|c| c.is_ascii_hexdigit())
}

/// Runs the examples below a heading against a clinic that has fallen ill.
fn check(heading: &str, illness: &str, condition: &str) {
    let patient = Patient::with(illness);
    patient.until(condition);
    let examples = examples(heading);
    assert!(!examples.is_empty(), "{heading} shows nothing");
    for Example { words, printed } in examples {
        let known = patient.ask(&["crashes", "-o", "name"]);
        let word = |word: &'_ String| match known.lines().next() {
            Some(fingerprint) if is_fingerprint(word) => fingerprint.to_owned(),
            _ => word.clone(),
        };
        let words: Vec<String> = words.iter().map(word).collect();
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let expected = shape(&printed);
        let start = Instant::now();
        loop {
            let said = patient.ask(&words);
            if shape(&said) == expected {
                break;
            }
            let late = start.elapsed() > CEILING;
            assert!(!late, "{words:?} prints\n{said}and the guide says\n{printed}");
        }
    }
}

#[test]
fn slow() {
    check("### Slow", "slow", "state(front)=waiting && state(back)=busy && busy(back)>1s");
}

#[test]
fn deadlock() {
    check("### Deadlock", "deadlock", "state(front)=waiting && state(back)=waiting");
}

#[test]
fn flood() {
    check("### Flood", "flood", "mailbox(back)>1000 && handled(back)>100 && state(front)=waiting");
}

#[test]
fn leak() {
    check("### Leak", "leak", "handled(back)>=20001 && state(**)=idle");
}

#[test]
fn blocked() {
    check("### Blocked", "block", "busy(back)>2s");
}

#[test]
fn crash() {
    check("### Crash", "crash", "crashes(back)=1 && restarts(back)=1 && state(**)=idle");
}
