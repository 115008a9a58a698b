//! REST: is a call described, and does its answer fit?

use std::collections::BTreeMap;

use ci_github::fake::{FakeRequest, FakeResponse};
use serde_json::{Value, json};

use super::schema::Schemas;

/// A description of REST calls.
pub struct OpenApi(Value);

/// A call that is described, and what stands in its path for each parameter.
struct Call<'a> {
    described: &'a Value,
    in_path: BTreeMap<String, String>,
}

impl OpenApi {
    pub fn read(text: &str) -> Self {
        Self(serde_json::from_str(text).unwrap())
    }

    pub fn faults_of_request(&self, request: &FakeRequest) -> Vec<String> {
        let what = format!("{} {}", request.method, request.path);
        let Some(call) = self.find(request) else {
            return vec![format!("{what} is not described")];
        };
        let mut faults = self.faults_of_parameters(&call, &request.query);
        faults.extend(self.faults_of_body(&call, &request.body));
        faults.iter().map(|fault| format!("{what}: {fault}")).collect()
    }

    pub fn faults_of_response(
        &self,
        request: &FakeRequest,
        response: &FakeResponse,
    ) -> Vec<String> {
        let what = format!("the answer {} to {} {}", response.status, request.method, request.path);
        if response.status == 304 && request.if_none_match.is_some() && response.body.is_empty() {
            return Vec::new();
        }
        let schemas = Schemas::of_responses(&self.0);
        let call = self.find(request);
        let described = call.map(|call| &call.described["responses"][response.status.to_string()]);
        let described = described.filter(|described| !described.is_null());
        let content = described.map(|found| &schemas.follow(found)["content"]["application/json"]);
        // Not every refusal is described for every call, and not each with what it says.
        let refusal = json!({ "type": "object", "required": ["message"] });
        let (schemas, schema) = match content {
            Some(content) if !content.is_null() => (schemas, &content["schema"]),
            _ if response.status >= 400 => (Schemas::of_responses(&refusal), &refusal),
            Some(_) if response.body.is_empty() => return Vec::new(),
            Some(_) => return vec![format!("{what} has a body")],
            None => return vec![format!("{what} is not described")],
        };
        match serde_json::from_slice(&response.body) {
            Ok(body) => schemas.faults(schema, &body, &what),
            Err(error) => vec![format!("{what} is not JSON: {error}")],
        }
    }

    /// The described call with the fewest parameters in its path that `request` fits.
    fn find(&self, request: &FakeRequest) -> Option<Call<'_>> {
        let method = request.method.to_lowercase();
        let places = self.0["paths"].as_object().unwrap().iter();
        let fitting = places.filter_map(|(place, methods)| {
            let in_path = parameters(place, &request.path)?;
            Some(Call { described: methods.get(&method)?, in_path })
        });
        fitting.min_by_key(|call| call.in_path.len())
    }

    fn faults_of_parameters(&self, call: &Call<'_>, query: &str) -> Vec<String> {
        let schemas = Schemas::of_requests(&self.0);
        let mut sent: BTreeMap<(&str, String), String> = BTreeMap::new();
        let in_query = form_urlencoded::parse(query.as_bytes()).into_owned();
        sent.extend(in_query.map(|(name, value)| (("query", name), value)));
        let in_path = call.in_path.iter();
        sent.extend(in_path.map(|(name, value)| (("path", name.clone()), value.clone())));
        let mut faults = Vec::new();
        for parameter in call.described["parameters"].as_array().into_iter().flatten() {
            let parameter = schemas.follow(parameter);
            let (place, name) =
                (parameter["in"].as_str().unwrap(), parameter["name"].as_str().unwrap());
            let schema = schemas.follow(&parameter["schema"]);
            match sent.remove(&(place, name.to_owned())) {
                Some(text) => faults.extend(schemas.faults(schema, &typed(schema, text), name)),
                None if parameter["required"] == true => faults.push(format!("{name} is missing")),
                None => {}
            }
        }
        faults.extend(sent.into_keys().map(|(_, name)| format!("{name} is not described")));
        faults
    }

    fn faults_of_body(&self, call: &Call<'_>, body: &[u8]) -> Vec<String> {
        let described = &call.described["requestBody"];
        match (described.is_null(), body.is_empty()) {
            (true, true) => Vec::new(),
            (true, false) => vec!["no body is described".to_owned()],
            (false, true) if described["required"] != true => Vec::new(),
            (false, true) => vec!["the body is missing".to_owned()],
            (false, false) => match serde_json::from_slice(body) {
                Ok(body) => {
                    let schema = &described["content"]["application/json"]["schema"];
                    Schemas::of_requests(&self.0).faults(schema, &body, "the body")
                }
                Err(error) => vec![format!("the body is not JSON: {error}")],
            },
        }
    }
}

/// What stands in `path` for the parameters of `place`, if it is such a path.
fn parameters(place: &str, path: &str) -> Option<BTreeMap<String, String>> {
    let (described, found) = (place.split('/'), path.split('/'));
    if described.clone().count() != found.clone().count() {
        return None;
    }
    let mut parameters = BTreeMap::new();
    for (described, found) in described.zip(found) {
        match described.strip_prefix('{').and_then(|name| name.strip_suffix('}')) {
            Some(_) if found.is_empty() => return None,
            Some(name) => drop(parameters.insert(name.to_owned(), found.to_owned())),
            None if described == found => {}
            None => return None,
        }
    }
    Some(parameters)
}

/// A parameter as a value of the type that it should have, where it can be read as one.
fn typed(schema: &Value, text: String) -> Value {
    let parsed = match schema["type"].as_str() {
        Some("integer" | "number" | "boolean") => serde_json::from_str(&text).ok(),
        _ => None,
    };
    parsed.unwrap_or(Value::String(text))
}
