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
                let mut value = serde_json::to_value(answer)?;
                if let Value::Object(fields) = &mut value {
                    fields.insert("schema".to_owned(), Value::from(schema));
                }
                let text = serde_json::to_string_pretty(&value)? + "\n";
                write(io::stdout(), text.as_bytes())
            }
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

fn write(mut to: impl Write, text: &[u8]) -> Result<(), Failure> {
    match to.write_all(text).and_then(|()| to.flush()) {
        // Whoever read has read enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written.map_err(Failure::Io),
    }
}
