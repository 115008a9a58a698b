//! GraphQL: is a question valid, with its variables, and does the answer have the shape that it asks for?

use apollo_compiler::ast::Type;
use apollo_compiler::executable::{Field, Operation, Selection, SelectionSet};
use apollo_compiler::request::coerce_variable_values;
use apollo_compiler::response::JsonMap;
use apollo_compiler::schema::ExtendedType;
use apollo_compiler::validation::Valid;
use apollo_compiler::{ExecutableDocument, Node, Schema};
use serde_json::Value;

/// A schema.
pub struct Graphql(Valid<Schema>);

/// A valid question.
struct Question {
    document: Valid<ExecutableDocument>,
    variables: Value,
}

/// An answer that is to be judged.
struct Answer<'a> {
    schema: &'a Schema,
    question: &'a Question,
}

impl Graphql {
    pub fn read(text: &str) -> Self {
        Self(Schema::parse_and_validate(text, "schema.graphql").unwrap())
    }

    pub fn faults_of_request(&self, body: &[u8]) -> Vec<String> {
        self.question(body).err().into_iter().flatten().collect()
    }

    /// An answer with errors may lack anything.
    pub fn faults_of_response(&self, request: &[u8], response: &[u8]) -> Vec<String> {
        let Ok(question) = self.question(request) else { return Vec::new() };
        let reply: Value = match serde_json::from_slice(response) {
            Ok(reply) => reply,
            Err(error) => return vec![format!("the answer is not JSON: {error}")],
        };
        if let Some(errors) = reply["errors"].as_array() {
            let is_bad = |error: &&Value| !error["message"].is_string();
            return errors
                .iter()
                .filter(is_bad)
                .map(|error| format!("{error} says nothing"))
                .collect();
        }
        let answer = Answer { schema: &self.0, question: &question };
        answer.faults_of_object(&question.operation().selection_set, &reply["data"], "data")
    }

    fn question(&self, body: &[u8]) -> Result<Question, Vec<String>> {
        let words = |error: &dyn ToString| vec![error.to_string()];
        let body: Value = serde_json::from_slice(body).map_err(|error| words(&error))?;
        let text = body["query"].as_str().ok_or_else(|| vec!["there is no query".to_owned()])?;
        let document = ExecutableDocument::parse_and_validate(&self.0, text, "query.graphql")
            .map_err(|invalid| words(&invalid.errors))?;
        let variables = body["variables"].clone();
        let question = Question { document, variables };
        let sent: JsonMap =
            serde_json::from_value(question.variables.clone()).map_err(|error| words(&error))?;
        coerce_variable_values(&self.0, question.operation(), &sent)
            .map_err(|error| vec![format!("the variables {}: {error:?}", question.variables)])?;
        let declared = &question.operation().variables;
        let is_unknown = |name: &&str| declared.iter().all(|variable| variable.name != **name);
        let unknown: Vec<String> = sent
            .keys()
            .map(|name| name.as_str())
            .filter(is_unknown)
            .map(|name| format!("the variable {name} is not declared"))
            .collect();
        if unknown.is_empty() { Ok(question) } else { Err(unknown) }
    }
}

impl Answer<'_> {
    /// What is wrong with an object that answers `set`.
    fn faults_of_object(&self, set: &SelectionSet, value: &Value, place: &str) -> Vec<String> {
        let Some(object) = value.as_object() else {
            return vec![format!("{place} is {value}, no object")];
        };
        let mut asked = Vec::new();
        self.question.fields(set, &mut asked);
        let is_asked = |name: &str| asked.iter().any(|field| field.response_key().as_str() == name);
        let mut faults: Vec<String> = object
            .keys()
            .filter(|name| !is_asked(name))
            .map(|name| format!("{place}.{name} was not asked for"))
            .collect();
        for field in asked {
            let name = field.response_key();
            let place = format!("{place}.{name}");
            match object.get(name.as_str()) {
                Some(value) => {
                    faults.extend(self.faults_of(field, &field.definition.ty, value, &place));
                }
                None => faults.push(format!("{place} is missing")),
            }
        }
        faults
    }

    fn faults_of(&self, field: &Field, kind: &Type, value: &Value, place: &str) -> Vec<String> {
        if value.is_null() {
            return kind.is_non_null().then(|| format!("{place} is null")).into_iter().collect();
        }
        if kind.is_list() {
            let Some(items) = value.as_array() else {
                return vec![format!("{place} is {value}, no list")];
            };
            let each =
                |(n, item)| self.faults_of(field, kind.item_type(), item, &format!("{place}[{n}]"));
            return items.iter().enumerate().flat_map(each).collect();
        }
        let name = kind.inner_named_type();
        let fits = match (&self.schema.types[name], name.as_str()) {
            (ExtendedType::Enum(words), _) => {
                value.as_str().is_some_and(|word| words.values.contains_key(word))
            }
            (ExtendedType::Scalar(_), "Int") => {
                value.as_i64().is_some_and(|number| i32::try_from(number).is_ok())
            }
            (ExtendedType::Scalar(_), "Boolean") => value.is_boolean(),
            (ExtendedType::Scalar(_), "DateTime") => {
                value.as_str().is_some_and(|text| ci_github::TimestampParser::parse(text).is_ok())
            }
            // GitHub's own scalars are written as strings, even its big numbers.
            (ExtendedType::Scalar(_), _) => value.is_string(),
            _ => return self.faults_of_object(&field.selection_set, value, place),
        };
        (!fits).then(|| format!("{place} is {value}, no {name}")).into_iter().collect()
    }
}

impl Question {
    fn operation(&self) -> &Node<Operation> {
        self.document.operations.get(None).expect("a question is one operation")
    }

    /// The fields of `set`, those of fragments too, without what is left out by `@include`.
    fn fields<'a>(&'a self, set: &'a SelectionSet, found: &mut Vec<&'a Field>) {
        for selection in &set.selections {
            let include = selection.directives().get("include");
            let condition = include.and_then(|found| found.specified_argument_by_name("if"));
            let variable = condition.and_then(|value| value.as_variable());
            if variable.is_some_and(|name| self.variables[name.as_str()] == false) {
                continue;
            }
            match selection {
                Selection::Field(field) => found.push(field),
                Selection::FragmentSpread(spread) => {
                    let fragment = &self.document.fragments[&spread.fragment_name];
                    self.fields(&fragment.selection_set, found);
                }
                Selection::InlineFragment(fragment) => self.fields(&fragment.selection_set, found),
            }
        }
    }
}
