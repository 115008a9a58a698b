//! As much of JSON Schema as the schema here uses; a keyword that it does not know fails the test.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

type Outcome = Result<(), String>;

/// Checks values, and remembers which types they were of.
pub struct Validator {
    root: Value,
    seen: BTreeSet<String>,
}

impl Validator {
    pub fn new(root: Value) -> Self {
        Self { root, seen: BTreeSet::new() }
    }

    /// Checks a value against the schema at a pointer.
    pub fn check(&mut self, pointer: &str, value: &Value) {
        let schema = self.root.pointer(pointer).unwrap_or_else(|| panic!("no schema at {pointer}"));
        let schema = schema.clone();
        if let Err(why) = self.validate(&schema, value) {
            panic!("{pointer}: {why}");
        }
    }

    /// Fails if there is a type of which nothing was seen: it could be anything.
    pub fn assert_all_was_seen(&self) {
        for place in ["$defs", "requests"] {
            for name in self.root[place].as_object().unwrap().keys() {
                let pointer = format!("#/{place}/{name}");
                assert!(self.seen.contains(&pointer), "nothing was of the type {pointer}");
            }
        }
    }

    fn validate(&mut self, schema: &Value, value: &Value) -> Outcome {
        let Some(schema) = schema.as_object() else { return Ok(()) };
        if let (Some(Value::String(pointer)), Some(Value::Object(more))) =
            (schema.get("$ref"), schema.get("properties"))
        {
            // A tag that stands among the fields of a type.
            let mut whole = self.target(pointer);
            whole["properties"].as_object_mut().unwrap().extend(more.clone());
            whole["required"].as_array_mut().unwrap().extend(more.keys().map(|name| json!(name)));
            self.validate(&whole, value)?;
            self.seen.insert(pointer.clone());
            return Ok(());
        }
        for (keyword, rule) in schema {
            self.keyword(keyword, rule, value)
                .map_err(|why| format!("{keyword} {why}: {value}"))?;
        }
        match (schema.get("properties"), value) {
            (Some(Value::Object(properties)), Value::Object(fields)) => {
                self.fields(properties, fields)
            }
            _ => Ok(()),
        }
    }

    /// What is sent is in the schema, all of it, although a reader ignores what it does not know.
    fn fields(&mut self, properties: &Map<String, Value>, fields: &Map<String, Value>) -> Outcome {
        for (name, value) in fields {
            let rule = properties.get(name).ok_or_else(|| format!("nothing is said of {name}"))?;
            self.validate(rule, value).map_err(|why| format!("{name}: {why}"))?;
        }
        Ok(())
    }

    fn target(&self, pointer: &str) -> Value {
        let target = self.root.pointer(pointer.trim_start_matches('#'));
        target.expect("a reference leads somewhere").clone()
    }

    fn keyword(&mut self, keyword: &str, rule: &Value, value: &Value) -> Outcome {
        match keyword {
            "title"
            | "description"
            | "default"
            | "format"
            | "properties"
            | "additionalProperties" => Ok(()),
            "$ref" => {
                let pointer = rule.as_str().unwrap();
                self.validate(&self.target(pointer), value)?;
                self.seen.insert(pointer.to_owned());
                Ok(())
            }
            "anyOf" | "oneOf" => {
                let mut outcomes = Vec::new();
                for schema in rule.as_array().unwrap() {
                    outcomes.push(self.validate(schema, value));
                }
                let valid = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
                let holds = if keyword == "oneOf" { valid == 1 } else { valid > 0 };
                if holds { Ok(()) } else { Err(format!("{outcomes:?}")) }
            }
            "type" => {
                let types = rule.as_array().cloned().unwrap_or_else(|| vec![rule.clone()]);
                expect(types.iter().any(|name| is_type(name.as_str().unwrap(), value)))
            }
            "enum" => expect(rule.as_array().unwrap().contains(value)),
            "const" => expect(rule == value),
            "minimum" => {
                expect(value.as_f64().is_none_or(|number| number >= rule.as_f64().unwrap()))
            }
            "maximum" => {
                expect(value.as_f64().is_none_or(|number| number <= rule.as_f64().unwrap()))
            }
            "required" => expect(value.as_object().is_none_or(|fields| {
                rule.as_array()
                    .unwrap()
                    .iter()
                    .all(|name| fields.contains_key(name.as_str().unwrap()))
            })),
            "items" => match value {
                Value::Array(items) => items.iter().try_for_each(|item| self.validate(rule, item)),
                _ => Ok(()),
            },
            other => panic!("the validator knows no {other}"),
        }
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
