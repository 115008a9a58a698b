//! Is an answer of the API what its description says?
//!
//! Every answer that a test gets is held against it, whatever the test is about.

mod schema;

use std::collections::BTreeSet;
use std::sync::{LazyLock, Mutex};

use hyper::header::HeaderMap;
use hyper::{Method, StatusCode};
use serde_json::Value;

use self::schema::Schemas;

/// What any operation may be answered, without its description saying so.
const ANY: [u16; 8] = [401, 403, 405, 408, 413, 429, 431, 503];

static DESCRIPTION: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(include_str!("../../../src/api/openapi.json")).unwrap());
/// The operations that have succeeded.
static DONE: Mutex<BTreeSet<(String, String)>> = Mutex::new(BTreeSet::new());

/// An answer and what it is to.
pub struct Exchange<'a> {
    pub method: &'a Method,
    pub path: &'a str,
    pub status: StatusCode,
    pub headers: &'a HeaderMap,
    /// Nothing where it is a stream.
    pub body: Option<&'a [u8]>,
}

/// Every operation, as its method and the path that it is described by.
pub fn operations() -> BTreeSet<(String, String)> {
    let paths = DESCRIPTION["paths"].as_object().unwrap().iter();
    let methods = |item: &Value| -> Vec<String> {
        let methods = item.as_object().unwrap().keys().filter(|key| *key != "parameters");
        methods.map(|method| method.to_uppercase()).collect()
    };
    paths
        .flat_map(|(path, item)| methods(item).into_iter().map(|method| (method, path.clone())))
        .collect()
}

/// The operations that have succeeded in this process.
pub fn done() -> BTreeSet<(String, String)> {
    DONE.lock().unwrap().clone()
}

/// The parameters that a path is described with.
pub fn parameters(path: &str, method: &str) -> Vec<(&'static str, &'static str)> {
    let schemas = Schemas(&DESCRIPTION);
    let item = &DESCRIPTION["paths"][path];
    let operation = &item[method.to_lowercase()];
    let lists = [&item["parameters"], &operation["parameters"]];
    let all = lists.into_iter().filter_map(Value::as_array).flatten();
    let parameter = |one: &'static Value| {
        let one = schemas.follow(one);
        (one["in"].as_str().unwrap(), one["name"].as_str().unwrap())
    };
    all.map(parameter).collect()
}

/// Fails where an answer of the API is not what is described.
pub fn check(exchange: &Exchange<'_>) {
    let path = exchange.path.split('?').next().unwrap_or_default();
    if !path.starts_with("/api/v1/") {
        return;
    }
    let faults = faults(exchange, path);
    let said = exchange.body.map(String::from_utf8_lossy).unwrap_or_default();
    let Exchange { method, status, headers, .. } = exchange;
    assert!(faults.is_empty(), "{method} {path}: {status}, {faults:#?}\n{headers:?}\n{said}");
}

fn faults(exchange: &Exchange<'_>, path: &str) -> Vec<String> {
    let status = exchange.status.as_u16();
    let Some((place, item)) = find(path) else {
        let mut faults = faults_of_problem(exchange);
        faults.extend((status != 404).then(|| "there is no such path".to_owned()));
        return faults;
    };
    let method = if *exchange.method == Method::HEAD { "GET" } else { exchange.method.as_str() };
    let operation = &item[method.to_lowercase()];
    if operation.is_null() {
        return faults_of_refused_method(exchange, item);
    }
    if exchange.status.is_success() {
        DONE.lock().unwrap().insert((method.to_owned(), place.clone()));
    }
    let described = &operation["responses"][status.to_string()];
    if described.is_null() {
        let mut faults = faults_of_problem(exchange);
        faults.extend((!ANY.contains(&status)).then(|| "the status is not described".to_owned()));
        return faults;
    }
    faults_of_answer(exchange, described)
}

/// The path of the description that `path` is; one without parameters goes before others.
fn find(path: &str) -> Option<(&'static String, &'static Value)> {
    let is_it = |place: &str| {
        let (described, found) = (place.split('/'), path.split('/'));
        described.clone().count() == found.clone().count()
            && described.zip(found).all(|(described, found)| {
                described == found || described.starts_with('{') && !found.is_empty()
            })
    };
    let places = DESCRIPTION["paths"].as_object().unwrap().iter();
    places.filter(|(place, _)| is_it(place)).min_by_key(|(place, _)| place.matches('{').count())
}

fn faults_of_refused_method(exchange: &Exchange<'_>, item: &Value) -> Vec<String> {
    let mut faults = faults_of_problem(exchange);
    let allowed = exchange.headers.get("allow").map_or("", |value| value.to_str().unwrap());
    let allowed: BTreeSet<&str> =
        allowed.split(',').filter(|method| !matches!(*method, "" | "HEAD")).collect();
    let methods = item.as_object().unwrap().keys().filter(|key| *key != "parameters");
    let described: BTreeSet<String> = methods.map(|method| method.to_uppercase()).collect();
    let described: BTreeSet<&str> = described.iter().map(String::as_str).collect();
    if exchange.status != StatusCode::METHOD_NOT_ALLOWED {
        faults.push("a method that is not described is not refused".to_owned());
    } else if allowed != described {
        faults.push(format!("{allowed:?} is allowed, and described is {described:?}"));
    }
    faults
}

/// What is wrong with a refusal.
fn faults_of_problem(exchange: &Exchange<'_>) -> Vec<String> {
    faults_of_answer(exchange, &DESCRIPTION["components"]["responses"]["Problem"])
}

fn faults_of_answer(exchange: &Exchange<'_>, described: &'static Value) -> Vec<String> {
    let schemas = Schemas(&DESCRIPTION);
    let described = schemas.follow(described);
    let mut faults = Vec::new();
    for (name, header) in described["headers"].as_object().into_iter().flatten() {
        // Which of them are there in each case is for the test that is about them.
        let schema = &schemas.follow(header)["schema"];
        if let Some(value) = exchange.headers.get(name) {
            let value = Value::from(value.to_str().unwrap());
            faults.extend(schemas.faults(schema, &value, name));
        }
    }
    let kind = exchange.headers.get("content-type").map_or("", |kind| kind.to_str().unwrap());
    let kind = kind.split(';').next().unwrap_or_default();
    let Some(content) = described["content"].as_object() else {
        let is_empty = kind.is_empty() && exchange.body.unwrap_or_default().is_empty();
        faults.extend((!is_empty).then(|| "it has a body that is not described".to_owned()));
        return faults;
    };
    let Some(content) = content.get(kind) else {
        faults.push(format!("{kind:?} is not described"));
        return faults;
    };
    let is_whole = *exchange.method != Method::HEAD;
    if let Some(body) = exchange.body.filter(|_| is_whole && kind.ends_with("json")) {
        match (serde_json::from_slice::<Value>(body), kind) {
            (Ok(value), _) => faults.extend(faults_of_body(exchange, &content["schema"], &value)),
            // Lines, each of which is JSON.
            (Err(_), "application/x-ndjson") => {}
            (Err(error), _) => faults.push(format!("it is not JSON: {error}")),
        }
    }
    faults
}

fn faults_of_body(exchange: &Exchange<'_>, schema: &'static Value, body: &Value) -> Vec<String> {
    let mut faults = Schemas(&DESCRIPTION).faults(schema, body, "");
    let status = exchange.status.as_u16();
    if status >= 400 && body["status"] != status {
        faults.push(format!("the problem has another status: {}", body["status"]));
    }
    faults
}
