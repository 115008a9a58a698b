//! The stored form of records and snapshots: JSON, within limits that make sure it can be read back.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::Record;

/// The most bytes of one record or snapshot: larger things are files, and a record names them.
const MAX_BYTES: usize = 4 << 20;
/// The deepest body: the JSON reader gives up at 128 levels, and an export adds some of its own.
const MAX_DEPTH: usize = 120;

#[derive(Serialize, Deserialize)]
struct StoredRecord<'a> {
    kind: Cow<'a, str>,
    version: u16,
    body: Cow<'a, Value>,
}

/// The stored form of `record`, or why it has none.
pub(crate) fn encode_record(record: &Record) -> Result<Vec<u8>, String> {
    check_depth(&record.body)?;
    encode(&StoredRecord {
        kind: Cow::Borrowed(&record.kind),
        version: record.version,
        body: Cow::Borrowed(&record.body),
    })
}

/// The stored form of a snapshot's body, or why it has none.
pub(crate) fn encode_body(body: &Value) -> Result<Vec<u8>, String> {
    check_depth(body)?;
    encode(body)
}

pub(crate) fn decode_record(stored: &[u8]) -> Result<Record, String> {
    match serde_json::from_slice(stored) {
        Ok(StoredRecord { kind, version, body }) => {
            Ok(Record { kind: kind.into_owned(), version, body: body.into_owned() })
        }
        Err(error) => Err(format!("not a record: {error}")),
    }
}

pub(crate) fn decode_body(stored: &[u8]) -> Result<Value, String> {
    serde_json::from_slice(stored).map_err(|error| format!("not a snapshot: {error}"))
}

fn encode(value: &impl Serialize) -> Result<Vec<u8>, String> {
    let json = serde_json::to_vec(value).expect("a JSON value always has a text");
    match json.len() {
        0..=MAX_BYTES => Ok(json),
        bytes => Err(format!("{bytes} bytes are above the limit of {MAX_BYTES}")),
    }
}

fn check_depth(body: &Value) -> Result<(), String> {
    match deeper_than(body, MAX_DEPTH) {
        false => Ok(()),
        true => Err(format!("nested deeper than {MAX_DEPTH} levels")),
    }
}

fn deeper_than(value: &Value, levels: usize) -> bool {
    let below = |inner: &Value| levels == 0 || deeper_than(inner, levels - 1);
    match value {
        Value::Array(items) if levels > 0 => items.iter().any(below),
        Value::Object(fields) if levels > 0 => fields.values().any(below),
        Value::Array(_) | Value::Object(_) => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn nested(levels: usize) -> Value {
        (0..levels).fold(json!(1), |inner, _| json!([inner]))
    }

    #[test]
    fn takes_what_can_be_read_back_and_nothing_deeper() {
        let deepest = Record { kind: "deep".into(), version: 1, body: nested(MAX_DEPTH) };
        assert_eq!(encode_record(&deepest).and_then(|stored| decode_record(&stored)), Ok(deepest));
        assert!(encode_body(&nested(MAX_DEPTH + 1)).is_err());
    }

    #[test]
    fn refuses_what_should_be_a_file() {
        assert!(encode_body(&json!("x".repeat(MAX_BYTES - 2))).is_ok());
        assert!(encode_body(&json!("x".repeat(MAX_BYTES - 1))).is_err());
    }

    #[test]
    fn numbers_come_back_as_they_went() {
        for number in [json!(u64::MAX), json!(i64::MIN), json!(0.1), json!(1e-308), json!(-0.0)] {
            assert_eq!(encode_body(&number).and_then(|stored| decode_body(&stored)), Ok(number));
        }
    }
}
