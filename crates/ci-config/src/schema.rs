//! JSON Schemas of the three formats, for editors.

/// One of the three formats.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// `ci.yaml`.
    Component,
    /// `ci-policy.yaml`.
    Policy,
    /// `ci-node.toml`.
    Node,
}

/// The JSON Schema of a format.
#[must_use]
pub fn schema(format: Format) -> &'static str {
    match format {
        Format::Component => include_str!("schema/component.json"),
        Format::Policy => include_str!("schema/policy.json"),
        Format::Node => include_str!("schema/node.json"),
    }
}

#[cfg(test)]
mod tests;
