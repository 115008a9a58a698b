//! Does a JSON value fit a schema of OpenAPI 3.0? Which is not quite a JSON schema: it has `nullable`.
//!
//! What is not understood is a fault, so that nothing passes unchecked.

use serde_json::{Map, Value};

/// Schemas that refer to others of one document.
pub struct Schemas<'a> {
    document: &'a Value,
    /// Whether properties that are not described are faults.
    is_strict: bool,
}

impl<'a> Schemas<'a> {
    /// For what we send: what GitHub does not know is a mistake of ours.
    pub fn of_requests(document: &'a Value) -> Self {
        Self { document, is_strict: true }
    }

    /// For what GitHub sends, which may say more than is described.
    pub fn of_responses(document: &'a Value) -> Self {
        Self { document, is_strict: false }
    }

    /// What a reference leads to; anything else leads to itself.
    pub fn follow(&self, mut node: &'a Value) -> &'a Value {
        while let Some(reference) = node["$ref"].as_str() {
            node = self.document.pointer(reference.trim_start_matches('#')).unwrap();
        }
        node
    }

    /// What is wrong with `value`, each fault with its place below `place`.
    pub fn faults(&self, schema: &'a Value, value: &Value, place: &str) -> Vec<String> {
        let schema = self.follow(schema).as_object().unwrap();
        if value.is_null() && schema.get("nullable") == Some(&Value::Bool(true)) {
            return Vec::new();
        }
        let faults = schema.iter().flat_map(|rule| self.faults_by(rule, schema, value, place));
        faults.collect()
    }

    fn faults_by(
        &self,
        (keyword, rule): (&String, &'a Value),
        schema: &'a Map<String, Value>,
        value: &Value,
        place: &str,
    ) -> Vec<String> {
        let fault = |is_wrong: bool| -> Vec<String> {
            let words = || format!("{place} is {value}, which is not {keyword}: {rule}");
            is_wrong.then(words).into_iter().collect()
        };
        let length = || value.as_str().map_or(0, |text| text.chars().count() as u64);
        match keyword.as_str() {
            "nullable" | "default" | "discriminator" | "additionalProperties" => Vec::new(),
            "type" => fault(!has_type(value, rule.as_str().unwrap())),
            "format" => fault(!has_format(value, rule.as_str().unwrap())),
            "enum" => fault(!rule.as_array().unwrap().contains(value)),
            "minLength" => fault(length() < rule.as_u64().unwrap()),
            "maxLength" => fault(length() > rule.as_u64().unwrap()),
            "maxItems" => {
                fault(value.as_array().map_or(0, Vec::len) as u64 > rule.as_u64().unwrap())
            }
            "required" => self.missing(rule, value, place),
            "properties" => self.faults_of_properties(rule, schema, value, place),
            "items" => {
                let all = value.as_array().into_iter().flatten().enumerate();
                all.flat_map(|(n, item)| self.faults(rule, item, &format!("{place}/{n}"))).collect()
            }
            "allOf" => rule
                .as_array()
                .unwrap()
                .iter()
                .flat_map(|one| self.faults(one, value, place))
                .collect(),
            // `oneOf` is meant as `anyOf` where GitHub uses it: its alternatives overlap.
            "anyOf" | "oneOf" => {
                let fits = |one: &'a Value| self.faults(one, value, place).is_empty();
                fault(!rule.as_array().unwrap().iter().any(fits))
            }
            unknown => vec![format!("{place} is described by {unknown}, which is not understood")],
        }
    }

    fn missing(&self, rule: &Value, value: &Value, place: &str) -> Vec<String> {
        let Some(object) = value.as_object() else { return Vec::new() };
        let names = rule.as_array().unwrap().iter().filter_map(Value::as_str);
        let missing = names.filter(|name| !object.contains_key(*name));
        missing.map(|name| format!("{place}/{name} is missing")).collect()
    }

    fn faults_of_properties(
        &self,
        rule: &'a Value,
        schema: &'a Map<String, Value>,
        value: &Value,
        place: &str,
    ) -> Vec<String> {
        let others = schema.get("additionalProperties");
        let mut faults = Vec::new();
        for (name, found) in value.as_object().into_iter().flatten() {
            let place = format!("{place}/{name}");
            match (rule.get(name), others) {
                (Some(described), _) | (None, Some(described @ Value::Object(_))) => {
                    faults.extend(self.faults(described, found, &place));
                }
                (None, Some(Value::Bool(true))) => {}
                (None, None) if !self.is_strict => {}
                (None, _) => faults.push(format!("{place} is not described")),
            }
        }
        faults
    }
}

fn has_type(value: &Value, name: &str) -> bool {
    match name {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "number" => value.is_number(),
        "integer" => value.is_i64() || value.is_u64(),
        other => panic!("the type {other} is not understood"),
    }
}

/// The formats are hints; the one that is relied on is that of moments.
fn has_format(value: &Value, name: &str) -> bool {
    match (name, value.as_str()) {
        ("date-time", Some(text)) => ci_github::TimestampParser::parse(text).is_ok(),
        ("uri", Some(text)) => text.contains("://"),
        _ => true,
    }
}
