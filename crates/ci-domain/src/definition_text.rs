//! The definition of a job as a canonical text: two definitions have the same text exactly where
//! they say the same.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::pipeline::{Job, Needs, On, When};
use crate::step::{Command, Parallel, Sequence, Step};

/// A text of fields, each with its length in bytes, so that no value can pass for another field.
pub(crate) struct Text(String);

impl Text {
    pub(crate) fn new(version: &str) -> Self {
        Self(format!("{version}\n"))
    }

    pub(crate) fn field(&mut self, name: &str, value: &str) {
        writeln!(self.0, "{name} {}:{value}", value.len())
            .expect("a String takes all that is written");
    }

    pub(crate) fn map(&mut self, name: &str, entries: &BTreeMap<String, String>) {
        self.field(name, &entries.len().to_string());
        for (key, value) in entries {
            self.field("key", key);
            self.field("value", value);
        }
    }

    pub(crate) fn into_string(self) -> String {
        self.0
    }

    fn optional(&mut self, name: &str, value: Option<impl ToString>) {
        if let Some(value) = value {
            self.field(name, &value.to_string());
        }
    }
}

/// Writes all that the component's file says of a job, but for the name.
pub(crate) fn write_job(text: &mut Text, job: &Job) {
    match &job.needs {
        Needs::Default => text.field("needs", "default"),
        Needs::These(needs) => {
            text.field("needs", &needs.len().to_string());
            needs.iter().for_each(|need| text.field("need", &need.to_string()));
        }
    }
    text.field(
        "when",
        match job.when {
            When::Always => "always",
            When::Approved => "approved",
        },
    );
    for on in &job.on {
        text.field(
            "on",
            match on {
                On::Pull => "pull",
                On::Branch => "branch",
                On::Nightly => "nightly",
            },
        );
    }
    text.optional("timeout", job.timeout.map(|timeout| timeout.as_millis()));
    write_sequence(text, &job.steps);
}

fn write_step(text: &mut Text, step: &Step) {
    match step {
        Step::Command(command) => write_command(text, command),
        Step::Sequence(sequence) => write_sequence(text, sequence),
        Step::Parallel(parallel) => write_parallel(text, parallel),
    }
}

fn write_command(text: &mut Text, command: &Command) {
    text.field("run", &command.run);
    text.optional("name", command.name.as_ref());
    text.optional("timeout", command.timeout.map(|timeout| timeout.as_millis()));
    text.field("retry", &command.retry.to_string());
    text.map("env", &command.env);
    text.field("allow_failure", &command.allow_failure.to_string());
    text.field("always", &command.always.to_string());
    // Only where there are any: what says nothing of them has the text that it had before one could.
    for (name, patterns) in
        [("artifacts", &command.keeps.artifacts), ("junit", &command.keeps.junit)]
    {
        if !patterns.is_empty() {
            text.field(name, &patterns.len().to_string());
            patterns.iter().for_each(|pattern| text.field("pattern", pattern));
        }
    }
}

fn write_sequence(text: &mut Text, sequence: &Sequence) {
    text.field("sequence", &sequence.steps.len().to_string());
    text.optional("name", sequence.name.as_ref());
    sequence.steps.iter().for_each(|step| write_step(text, step));
}

fn write_parallel(text: &mut Text, parallel: &Parallel) {
    text.field("parallel", &parallel.steps.len().to_string());
    text.optional("name", parallel.name.as_ref());
    text.optional("limit", parallel.limit);
    text.field("fail_fast", &parallel.fail_fast.to_string());
    parallel.steps.iter().for_each(|step| write_step(text, step));
}
