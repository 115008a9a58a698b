//! Who answers to which name.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The answer to `GET /v1/registry`: the registries that the application shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Registries {
    /// When it was taken, in milliseconds since 1970.
    pub taken_ms: u64,
    /// The registries, by name.
    pub registries: Vec<Registry>,
}

/// One registry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Registry {
    /// What the application calls it.
    pub name: String,
    /// How many entries a key may have.
    pub keys: Keys,
    /// How many entries there are, those included that are left out here.
    pub total: usize,
    /// The entries, sorted by key.
    pub entries: Vec<Entry>,
}

/// How many entries a key may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Keys {
    /// One.
    Unique,
    /// Any number.
    Duplicate,
    /// Something that this version does not know.
    #[serde(other)]
    #[schemars(skip)]
    Unknown,
}

/// An entry of a registry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Entry {
    /// The key.
    pub key: String,
    /// The value, where the application shows it.
    pub value: Option<String>,
    /// The actor that the entry belongs to, if it is one.
    pub pid: Option<String>,
    /// The path of that actor.
    pub path: Option<String>,
}

/// The answer to `GET /v1/groups`: ractor's process groups.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Groups {
    /// When it was taken, in milliseconds since 1970.
    pub taken_ms: u64,
    /// The groups, by scope and name.
    pub groups: Vec<Group>,
}

/// A group of actors.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Group {
    /// Its scope.
    pub scope: String,
    /// Its name.
    pub name: String,
    /// How many members it has, those included that are left out here.
    pub total: usize,
    /// The members.
    pub members: Vec<Member>,
}

/// A member of a group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Member {
    /// The id that ractor gave it.
    pub id: String,
    /// The name that it has with ractor, if it has one.
    pub name: Option<String>,
    /// Its pid, if it is an actor of the tree.
    pub pid: Option<String>,
    /// Its path, if it is an actor of the tree.
    pub path: Option<String>,
}
