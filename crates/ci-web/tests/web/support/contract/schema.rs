//! Does a JSON value fit a schema of OpenAPI 3.1, as far as ours go?
//!
//! A keyword that is not understood is a fault, and so is a property that is not described: nothing passes
//! unchecked, and the description cannot fall behind.

use regex::Regex;
use serde_json::{Map, Value};

/// The schemas of one document.
#[derive(Clone, Copy)]
pub struct Schemas(pub &'static Value);

impl Schemas {
    /// What a reference leads to; anything else leads to itself.
    pub fn follow(self, mut node: &'static Value) -> &'static Value {
        while let Some(reference) = node["$ref"].as_str() {
            let found = self.0.pointer(reference.trim_start_matches('#'));
            node = found.unwrap_or_else(|| panic!("{reference} leads nowhere"));
        }
        node
    }

    /// What is wrong with `value`, each fault with its place below `place`.
    pub fn faults(self, schema: &'static Value, value: &Value, place: &str) -> Vec<String> {
        let Some(schema) = self.follow(schema).as_object() else { return Vec::new() };
        let rules = schema.iter();
        rules.flat_map(|rule| self.faults_by(rule, schema, value, place)).collect()
    }

    fn faults_by(
        self,
        (keyword, rule): (&'static String, &'static Value),
        schema: &'static Map<String, Value>,
        value: &Value,
        place: &str,
    ) -> Vec<String> {
        let fault = |is_wrong: bool| -> Vec<String> {
            let words = || format!("{place} is {value}, which is not {keyword}: {rule}");
            is_wrong.then(words).into_iter().collect()
        };
        let number = value.as_number().and_then(serde_json::Number::as_i128);
        let bound = || rule.as_number().and_then(serde_json::Number::as_i128).unwrap();
        let length = value.as_str().map(|text| text.chars().count() as i128);
        match keyword.as_str() {
            "description" | "default" | "format" | "additionalProperties" => Vec::new(),
            "type" => fault(!names(rule).any(|name| has_type(value, name))),
            "enum" => fault(!rule.as_array().unwrap().contains(value)),
            "const" => fault(value != rule),
            "minimum" => fault(number.is_some_and(|number| number < bound())),
            "maximum" => fault(number.is_some_and(|number| number > bound())),
            "maxLength" => fault(length.is_some_and(|length| length > bound())),
            "pattern" => {
                fault(value.as_str().is_some_and(|text| {
                    !Regex::new(rule.as_str().unwrap()).unwrap().is_match(text)
                }))
            }
            "required" => self.missing(rule, value, place),
            "properties" => self.faults_of_properties(rule, schema, value, place),
            "items" => {
                let all = value.as_array().into_iter().flatten().enumerate();
                all.flat_map(|(n, item)| self.faults(rule, item, &format!("{place}/{n}"))).collect()
            }
            "anyOf" => fault(self.fitting(rule, value) == 0),
            "oneOf" => fault(self.fitting(rule, value) != 1),
            "not" => fault(self.faults(rule, value, place).is_empty()),
            unknown => vec![format!("{place} is described by {unknown}, which is not understood")],
        }
    }

    fn fitting(self, rule: &'static Value, value: &Value) -> usize {
        let alternatives = rule.as_array().unwrap().iter();
        alternatives.filter(|one| self.faults(one, value, "").is_empty()).count()
    }

    fn missing(self, rule: &Value, value: &Value, place: &str) -> Vec<String> {
        let Some(object) = value.as_object() else { return Vec::new() };
        let missing = names(rule).filter(|name| !object.contains_key(*name));
        missing.map(|name| format!("{place}/{name} is missing")).collect()
    }

    fn faults_of_properties(
        self,
        rule: &'static Value,
        schema: &'static Map<String, Value>,
        value: &Value,
        place: &str,
    ) -> Vec<String> {
        let others = schema.get("additionalProperties").filter(|others| others.is_object());
        let faults = |(name, found): (&String, &Value)| {
            let place = format!("{place}/{name}");
            match rule.get(name).or(others) {
                Some(described) => self.faults(described, found, &place),
                None => vec![format!("{place} is not described")],
            }
        };
        value.as_object().into_iter().flatten().flat_map(faults).collect()
    }
}

/// One text, or each of a list.
fn names(rule: &Value) -> impl Iterator<Item = &str> {
    let many = rule.as_array().into_iter().flatten();
    rule.as_str().into_iter().chain(many.filter_map(Value::as_str))
}

fn has_type(value: &Value, name: &str) -> bool {
    match name {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "null" => value.is_null(),
        other => panic!("the type {other} is not understood"),
    }
}
