//! Data on stdout, all else on stderr, and not a word about a reader that has left.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::Value;

use crate::command::Format;
use crate::failure::Failure;

/// Prints in the form that was asked for.
#[derive(Debug, Clone, Copy)]
pub struct Output {
    format: Format,
}

impl Output {
    pub fn new(format: Format) -> Self {
        Self { format }
    }

    /// Prints an answer: as JSON marked with a schema, or as text.
    pub fn print<T: Serialize>(
        self,
        schema: &str,
        answer: &T,
        text: impl FnOnce(&T) -> String,
    ) -> Result<(), Failure> {
        match self.format {
            Format::Table => write(io::stdout(), text(answer).as_bytes()),
            Format::Json => {
                let value = marked(schema, answer)?;
                let text = serde_json::to_string_pretty(&value)? + "\n";
                write(io::stdout(), text.as_bytes())
            }
        }
    }

    /// Prints one of many answers at once, as one line of JSON or as text; `false` if nobody reads.
    pub fn event<T: Serialize>(
        self,
        schema: &str,
        event: &T,
        text: impl FnOnce(&T) -> String,
    ) -> Result<bool, Failure> {
        let text = match self.format {
            Format::Table => text(event),
            Format::Json => format!("{}\n", marked(schema, event)?),
        };
        let mut out = io::stdout();
        match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(false),
            Err(error) => Err(Failure::Io(error)),
        }
    }

    /// Prints what is the same in any form.
    pub fn data(self, bytes: &[u8]) -> Result<(), Failure> {
        write(io::stdout(), bytes)
    }

    /// Says something that is not data.
    pub fn note(self, text: &str) -> Result<(), Failure> {
        write(io::stderr(), text.as_bytes())
    }
}

/// Turns an answer into JSON that names its schema.
fn marked<T: Serialize>(schema: &str, answer: &T) -> Result<Value, Failure> {
    let mut value = serde_json::to_value(answer)?;
    if let Value::Object(fields) = &mut value {
        fields.insert("schema".to_owned(), Value::from(schema));
    }
    Ok(value)
}

fn write(mut to: impl Write, text: &[u8]) -> Result<(), Failure> {
    match to.write_all(text).and_then(|()| to.flush()) {
        // Whoever read has read enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written.map_err(Failure::Io),
    }
}
