//! As much of JSON Schema as the schemas here use; a keyword that it does not know fails the test.

use serde_json::{Map, Value};

type Outcome = Result<(), String>;

/// Checks `value` against `schema`; references are looked up in `root`.
pub(super) fn validate(root: &Value, schema: &Value, value: &Value) -> Outcome {
    let schema = schema.as_object().expect("a schema here is an object");
    schema.iter().try_for_each(|(keyword, rule)| {
        let outcome = match keyword.as_str() {
            "$schema" | "title" | "description" | "default" | "$defs" | "properties" => Ok(()),
            "$ref" => {
                let pointer = rule.as_str().unwrap().strip_prefix('#').unwrap();
                validate(root, root.pointer(pointer).expect("a reference leads somewhere"), value)
            }
            "anyOf" | "oneOf" | "not" => combine(root, keyword, rule, value),
            "type" => expect(types(rule).iter().any(|name| is_type(name, value))),
            "enum" => expect(rule.as_array().unwrap().contains(value)),
            "const" => expect(rule == value),
            _ => match value {
                Value::Object(map) => check_object(root, schema, (keyword, rule), map),
                Value::Array(items) => check_array(root, (keyword, rule), items),
                Value::String(text) => check_text((keyword, rule), text),
                Value::Number(number) => match keyword.as_str() {
                    "minimum" => expect(number.as_i64() >= rule.as_i64()),
                    _ => Ok(()),
                },
                _ => Ok(()),
            },
        };
        outcome.map_err(|why| format!("{keyword} {why}: {value}"))
    })?;
    match (schema.get("properties"), value) {
        (Some(properties), Value::Object(map)) => {
            properties.as_object().unwrap().iter().try_for_each(|(key, rule)| {
                map.get(key).map_or(Ok(()), |value| validate(root, rule, value))
            })
        }
        _ => Ok(()),
    }
}

fn combine(root: &Value, keyword: &str, rule: &Value, value: &Value) -> Outcome {
    if keyword == "not" {
        return expect(validate(root, rule, value).is_err());
    }
    let outcomes: Vec<Outcome> =
        rule.as_array().unwrap().iter().map(|schema| validate(root, schema, value)).collect();
    let valid = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
    match keyword {
        "oneOf" if valid == 1 => Ok(()),
        "anyOf" if valid > 0 => Ok(()),
        _ => Err(format!("{outcomes:?}")),
    }
}

fn check_object(
    root: &Value,
    schema: &Map<String, Value>,
    (keyword, rule): (&str, &Value),
    map: &Map<String, Value>,
) -> Outcome {
    let known =
        |key: &str| schema.get("properties").and_then(|properties| properties.get(key)).is_some();
    let has = |key: &Value| map.contains_key(key.as_str().unwrap());
    match keyword {
        "additionalProperties" => {
            map.iter().filter(|(key, _)| !known(key)).try_for_each(|(key, value)| match rule {
                Value::Bool(false) => Err(format!("key {key}")),
                schema => validate(root, schema, value),
            })
        }
        "propertyNames" => {
            map.keys().try_for_each(|key| validate(root, rule, &Value::String(key.clone())))
        }
        "required" => expect(rule.as_array().unwrap().iter().all(has)),
        "dependentRequired" => expect(rule.as_object().unwrap().iter().all(|(key, needs)| {
            !map.contains_key(key) || needs.as_array().unwrap().iter().all(has)
        })),
        "minProperties" => expect(map.len() as u64 >= rule.as_u64().unwrap()),
        "maxProperties" => expect(map.len() as u64 <= rule.as_u64().unwrap()),
        _ => unknown(keyword),
    }
}

fn check_array(root: &Value, (keyword, rule): (&str, &Value), items: &[Value]) -> Outcome {
    match keyword {
        "items" => items.iter().try_for_each(|item| validate(root, rule, item)),
        "minItems" => expect(items.len() as u64 >= rule.as_u64().unwrap()),
        _ => unknown(keyword),
    }
}

fn check_text((keyword, rule): (&str, &Value), text: &str) -> Outcome {
    match keyword {
        "pattern" => {
            let pattern = regex::Regex::new(rule.as_str().unwrap()).unwrap();
            expect(pattern.is_match(text))
        }
        "minLength" => expect(text.chars().count() as u64 >= rule.as_u64().unwrap()),
        _ => unknown(keyword),
    }
}

/// Keywords of other types say nothing of this one; what nobody knows is a mistake in the schema.
fn unknown(keyword: &str) -> Outcome {
    const KNOWN: [&str; 11] = [
        "additionalProperties",
        "propertyNames",
        "required",
        "dependentRequired",
        "minProperties",
        "maxProperties",
        "items",
        "minItems",
        "pattern",
        "minLength",
        "minimum",
    ];
    assert!(KNOWN.contains(&keyword), "the validator knows no {keyword}");
    Ok(())
}

fn types(rule: &Value) -> Vec<&str> {
    match rule {
        Value::Array(names) => names.iter().filter_map(Value::as_str).collect(),
        name => name.as_str().into_iter().collect(),
    }
}

fn is_type(name: &str, value: &Value) -> bool {
    match name {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        other => panic!("the validator knows no type {other}"),
    }
}

fn expect(holds: bool) -> Outcome {
    if holds { Ok(()) } else { Err("does not hold".to_owned()) }
}
