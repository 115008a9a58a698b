//! The description and the routes are about the same paths.

use std::collections::BTreeSet;

use super::OPENAPI;

/// What makes the routes, for nobody can ask a router for them.
const SOURCE: &str = include_str!("../api.rs");

#[test]
fn every_route_is_described_and_everything_described_has_a_route() {
    let description: serde_json::Value = serde_json::from_str(OPENAPI).unwrap();
    let paths = description["paths"].as_object().unwrap();
    let described: BTreeSet<String> = paths.keys().cloned().collect();
    let routes = SOURCE.split(".route(").skip(1);
    let path = |route: &str| format!("/api/v1{}", route.split('"').nth(1).unwrap());
    assert_eq!(routes.map(path).collect::<BTreeSet<_>>(), described);
}
