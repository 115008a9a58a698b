//! The protocol, told to programs: a JSON Schema of every answer and every request.

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::{Map, Value, json};

use super::{
    ActorDetail, ControlOutcome, ControlRequest, Crashes, ErrorBody, Event, Groups, Hello,
    Judgement, PROTOCOL, Picture, Registries, StateView, TraceEvent, TraceRequest, Tree, Why,
};

/// What a program may rely on.
const PROMISE: &str = "Fields, words and paths are only ever added within one protocol: ignore those that you do \
                       not know. Numbers that cannot be known are null, never 0.";

/// Where the types of answers are, and those of requests, which are stricter.
const ANSWERS: &str = "/$defs";
const REQUESTS: &str = "/requests";

/// Returns the JSON Schema of everything that travels over the socket.
///
/// `paths` names the type of the answer of each path, of its body, and its parameters; the types
/// themselves are in `$defs`, those of bodies in `requests`. Where `stream` is true, the answer is
/// a stream of server-sent events, of which each is of the type.
///
/// ```
/// let schema = heights_vitals::wire::schema();
/// assert_eq!(schema["paths"]["GET /v1/tree"]["answer"]["$ref"], "#/$defs/Tree");
/// assert_eq!(schema["$defs"]["Tree"]["properties"]["total"]["type"], "integer");
/// ```
pub fn schema() -> Value {
    let mut types = Types::new();
    let paths = paths(&mut types);
    let refusal = types.answer::<ErrorBody>();
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": format!("urn:heights:vitals:{PROTOCOL}"),
        "title": "What the inspector of a heights process answers",
        "description": PROMISE,
        "protocol": PROTOCOL,
        "paths": paths,
        "refusal": refusal,
        "$defs": types.answers.take_definitions(true),
        "requests": types.requests.take_definitions(true),
    })
}

fn paths(types: &mut Types) -> Map<String, Value> {
    let looks = [
        ("/v1/hello", types.answer::<Hello>(), &[] as &[&str]),
        ("/v1/tree", types.answer::<Tree>(), &[]),
        ("/v1/actors", types.answer::<Tree>(), &["sort", "limit", "filter"]),
        ("/v1/actors/{ref}", types.answer::<ActorDetail>(), &[]),
        ("/v1/actors/{ref}/state", types.answer::<StateView>(), &["bytes"]),
        ("/v1/actors/{ref}/why", types.answer::<Why>(), &[]),
        ("/v1/crashes", types.answer::<Crashes>(), &[]),
        ("/v1/picture", types.answer::<Picture>(), &[]),
        ("/v1/judge", types.answer::<Judgement>(), &["condition"]),
        ("/v1/registry", types.answer::<Registries>(), &["limit"]),
        ("/v1/groups", types.answer::<Groups>(), &["limit"]),
    ];
    let looks = looks.map(|(path, answer, parameters)| {
        (format!("GET {path}"), json!({"answer": answer, "parameters": parameters}))
    });
    let others = [
        ("GET /v1/schema", json!({"answer": {"type": "object"}})),
        ("GET /v1/metrics", json!({"answer": {"type": "string"}})),
        ("GET /v1/watch", json!({"answer": types.answer::<Event>(), "stream": true})),
        (
            "POST /v1/traces",
            json!({
                "request": types.request::<TraceRequest>(),
                "answer": types.answer::<TraceEvent>(),
                "stream": true,
            }),
        ),
        (
            "POST /v1/actors/{ref}/{action}",
            json!({
                "request": types.request::<ControlRequest>(),
                "answer": types.answer::<ControlOutcome>(),
                "parameters": ["wait_ms"],
            }),
        ),
    ];
    looks.into_iter().chain(others.map(|(path, told)| (path.to_owned(), told))).collect()
}

/// Collects the types that paths name.
struct Types {
    answers: SchemaGenerator,
    requests: SchemaGenerator,
}

impl Types {
    fn new() -> Self {
        let with = |settings: SchemaSettings, path: &'static str| {
            settings.with(|settings| settings.definitions_path = path.into()).into_generator()
        };
        let draft = SchemaSettings::draft2020_12;
        Self {
            answers: with(draft().for_serialize(), ANSWERS),
            requests: with(draft().for_deserialize(), REQUESTS),
        }
    }

    fn answer<T: JsonSchema>(&mut self) -> Schema {
        self.answers.subschema_for::<T>()
    }

    fn request<T: JsonSchema>(&mut self) -> Schema {
        self.requests.subschema_for::<T>()
    }
}
