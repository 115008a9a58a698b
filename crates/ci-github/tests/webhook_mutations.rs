//! Deliveries that GitHub never sent: recorded ones, damaged at random. They are understood or refused, in
//! bounded time, and never crash anything.

#![expect(clippy::unwrap_used, reason = "a test may fail loudly")]

#[path = "support/recorded.rs"]
mod recorded;

use std::sync::LazyLock;

use ci_github::webhook::{Delivery, Headers};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;
use recorded::{Recorded, payloads, published};
use serde_json::{Value, json};

static ALL: LazyLock<Vec<Recorded>> =
    LazyLock::new(|| payloads().into_iter().chain(published()).collect());

/// One thing that is done to a payload.
#[derive(Clone, Debug)]
enum Damage {
    /// The value is not there any more.
    Drop,
    /// Another value is in its place.
    Replace(Value),
    /// It is inside so many lists.
    Bury(usize),
}

fn values() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,40}".prop_map(Value::from),
        Just(Value::from("x".repeat(100_000))),
        Just(json!([])),
        Just(json!({})),
        Just(Value::from("\u{0}\u{202e}\u{fffd}🚀")),
        Just(Value::from("refs/heads/--upload-pack=x")),
        Just(Value::from("0".repeat(41))),
    ]
}

fn damages() -> impl Strategy<Value = Damage> {
    prop_oneof![
        Just(Damage::Drop),
        values().prop_map(Damage::Replace),
        (1..200_usize).prop_map(Damage::Bury),
    ]
}

/// Does `damage` to the value that `way` leads to: at each level a step, until there is none, or nothing
/// deeper.
fn damaged(value: &mut Value, way: &[Index], damage: Damage) {
    let length = match value {
        Value::Object(fields) => fields.len(),
        Value::Array(items) => items.len(),
        _ => 0,
    };
    let ([step, rest @ ..], true) = (way, length > 0) else {
        *value = match damage {
            Damage::Drop => Value::Null,
            Damage::Replace(new) => new,
            Damage::Bury(depth) => (0..depth).fold(value.take(), |value, _| json!([value])),
        };
        return;
    };
    let at = step.index(length);
    match (value, &damage) {
        (Value::Object(fields), Damage::Drop) if rest.is_empty() => {
            let name = fields.keys().nth(at).unwrap().clone();
            fields.remove(&name);
        }
        (Value::Object(fields), _) => damaged(fields.values_mut().nth(at).unwrap(), rest, damage),
        (Value::Array(items), _) => damaged(&mut items[at], rest, damage),
        _ => unreachable!("only these have a length"),
    }
}

/// Reads a delivery as JSON and as a form: both are the same, or both are refused.
fn read(what: &str, event: &str, body: &[u8]) {
    let headers = |content_type| Headers {
        event: Some(event),
        delivery: Some("00000000-0000-0000-0000-000000000001"),
        content_type: Some(content_type),
    };
    let plain = Delivery::parse(headers("application/json"), body);
    let hexed: String = body.iter().map(|byte| format!("%{byte:02X}")).collect();
    let form = format!("payload={hexed}");
    let form = Delivery::parse(headers("application/x-www-form-urlencoded"), form.as_bytes());
    match (plain, form) {
        (Ok(plain), form) => assert_eq!(plain, form.unwrap(), "{what}"),
        // A form's text has no bytes that are no text: they have been replaced.
        (Err(_), Ok(_)) => assert!(std::str::from_utf8(body).is_err(), "{what}"),
        (Err(error), Err(_)) => assert!(error.to_string().len() < 1000, "{what}: {error}"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn a_recorded_payload_with_other_fields_is_understood_or_refused(
        which in any::<Index>(),
        damages in vec((vec(any::<Index>(), 0..6), damages()), 1..5),
    ) {
        let recorded = &ALL[which.index(ALL.len())];
        let mut payload = recorded.payload.clone();
        for (way, damage) in damages {
            damaged(&mut payload, &way, damage);
        }
        read(&recorded.variant, &recorded.event, payload.to_string().as_bytes());
    }

    #[test]
    fn a_recorded_payload_with_other_bytes_is_understood_or_refused(
        which in any::<Index>(),
        bytes in vec((any::<Index>(), any::<u8>()), 0..8),
        cut in proptest::option::of(any::<Index>()),
    ) {
        let recorded = &ALL[which.index(ALL.len())];
        let mut body = recorded.payload.to_string().into_bytes();
        for (at, byte) in bytes {
            let at = at.index(body.len());
            body[at] = byte;
        }
        if let Some(cut) = cut {
            body.truncate(cut.index(body.len()));
        }
        read(&recorded.variant, &recorded.event, &body);
    }

    #[test]
    fn any_headers_and_any_body_are_understood_or_refused(
        texts in vec(proptest::option::of("\\PC{0,120}"), 3),
        event in proptest::sample::select(vec![
            "push", "pull_request", "issue_comment", "merge_group", "check_suite", "repository",
        ]),
        body in vec(any::<u8>(), 0..200),
    ) {
        let [name, delivery, content_type] = [0, 1, 2].map(|at: usize| texts[at].as_deref());
        let _refused = Delivery::parse(Headers { event: name, delivery, content_type }, &body);
        read("any", event, &body);
    }
}

#[test]
fn nesting_and_numbers_have_bounds() {
    for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
        for depth in [100, 127, 128, 100_000] {
            let value = format!("{}1{}", open.repeat(depth), close.repeat(depth));
            read("whole", "push", value.as_bytes());
            read("open", "push", open.repeat(depth).as_bytes());
        }
    }
    for number in ["1e400", "-1e400", "18446744073709551616", "1e-400", "007", "0x7", "NaN"] {
        let body = format!("{{\"action\":\"opened\",\"pull_request\":{{\"number\":{number}}}}}");
        read(number, "pull_request", body.as_bytes());
    }
}
