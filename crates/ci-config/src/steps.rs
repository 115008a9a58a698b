//! The steps of a job: commands, groups, and named steps put in their place.

use std::collections::BTreeMap;

use ci_domain::step::{Command, NodeId, Parallel, Sequence, Step};

use crate::diagnostic::Problems;
use crate::document::{Entry, Value};
use crate::environment::{plain_text, read_env};
use crate::field::{Field, Fields, Keys};
use crate::group::{either, group_fields, group_steps};
use crate::keeps::read_keeps;
use crate::keys;
use crate::quantity::{DURATION_HINT, duration};
use crate::suggestion::did_you_mean;
use crate::yaml::MAX_LEVELS;

/// More steps than this, counted where they are used, are refused: a few lines of `use` can double
/// each other into millions.
const MAX_STEPS: usize = 10_000;

/// What makes a map a step, and the keys it may have.
const KINDS: [(&str, Keys); 4] = [
    ("run", keys::COMMAND),
    ("use", keys::USE),
    ("parallel", keys::PARALLEL_STEP),
    ("sequence", keys::SEQUENCE_STEP),
];

const COMMAND_HINT: &str = "write a command of the shell, quoted where it has ': ' or ' #' in it";
const TITLE_HINT: &str = "write one line of words";
const A_STEP: &str = "a command, a list of steps, or a map with run, use, parallel or sequence";

/// Reads the steps of one file.
pub(crate) struct StepReader<'a> {
    definitions: BTreeMap<&'a str, Field<'a>>,
    using: Vec<&'a str>,
    read: usize,
    is_told: bool,
}

/// Where a step is in the tree of its job.
#[derive(Clone)]
struct Place {
    id: NodeId,
    level: usize,
}

impl<'a> StepReader<'a> {
    /// Takes the named steps of `define`, and checks each of them, used or not.
    pub(crate) fn new(define: Option<&Field<'a>>, problems: &mut Problems) -> Self {
        let entries = define.and_then(|define| define.entries(problems)).unwrap_or_default();
        let definitions: BTreeMap<&'a str, Field<'a>> =
            entries.into_iter().map(|(entry, field)| (entry.key.as_str(), field)).collect();
        let mut reader = Self { definitions, using: Vec::new(), read: 0, is_told: false };
        let names: Vec<&'a str> = reader.definitions.keys().copied().collect();
        for name in names {
            reader.definition(name, Place::root(), problems);
        }
        reader.read = 0;
        reader
    }

    /// Reads the steps of a job: a list, or one command.
    pub(crate) fn job(&mut self, field: &Field<'a>, problems: &mut Problems) -> Sequence {
        let id = NodeId::root();
        let steps = match field.node.value {
            Value::List(_) => self.steps(field, &Place::root(), problems),
            _ => self.step(field, Place::root().child(0), problems).into_iter().collect(),
        };
        Sequence { id, name: None, steps }
    }

    fn steps(&mut self, list: &Field<'a>, place: &Place, problems: &mut Problems) -> Vec<Step> {
        let items = list.items(problems).unwrap_or_default();
        if items.is_empty() && matches!(list.node.value, Value::List(_)) {
            list.report("there are no steps", "write a command, or remove this", problems);
        }
        let mut steps = Vec::with_capacity(items.len());
        for (position, item) in items.iter().enumerate() {
            steps.extend(self.step(item, place.child(position), problems));
        }
        steps
    }

    fn step(&mut self, field: &Field<'a>, place: Place, problems: &mut Problems) -> Option<Step> {
        self.read += 1;
        if self.read > MAX_STEPS || place.level > MAX_LEVELS {
            self.too_many(field, problems);
            return None;
        }
        match &field.node.value {
            Value::Text(_) | Value::Plain(_) => {
                let run = field.parsed(shell_text, COMMAND_HINT, problems)?;
                Some(Step::Command(Command::new(place.id, run)))
            }
            Value::List(_) => {
                let steps = self.steps(field, &place, problems);
                Some(Step::Sequence(Sequence { id: place.id, name: None, steps }))
            }
            Value::Map(entries) => self.map(field, entries, place, problems),
            _ => {
                field.expected(A_STEP, COMMAND_HINT, problems);
                None
            }
        }
    }

    /// Tells once for a file that its steps are too many: the limit is met again wherever one looks.
    fn too_many(&mut self, field: &Field<'a>, problems: &mut Problems) {
        self.read = MAX_STEPS;
        if std::mem::replace(&mut self.is_told, true) {
            return;
        }
        let limit =
            format!("{MAX_STEPS} steps or {MAX_LEVELS} levels once each `use` is carried out");
        let hint = "write a script that does all of it, and call that";
        problems.report(field.at(), format!("there are more than {limit}"), hint);
    }

    fn map(
        &mut self,
        field: &Field<'a>,
        entries: &[Entry],
        place: Place,
        problems: &mut Problems,
    ) -> Option<Step> {
        let has = |kind: &str| entries.iter().any(|entry| entry.key == kind);
        let kinds: Vec<_> = KINDS.iter().filter(|(kind, _)| has(kind)).collect();
        let [(kind, keys)] = kinds[..] else {
            report_no_kind(field, entries, &kinds, problems);
            return None;
        };
        let fields = field.fields(*keys, problems)?;
        match *kind {
            "run" => command(&fields, place.id, problems),
            "use" => self.used(&fields, place, problems),
            "parallel" => self.parallel(&fields, place, problems),
            _ => self.sequence(&fields, place, problems),
        }
    }

    fn used(&mut self, fields: &Fields<'a>, place: Place, problems: &mut Problems) -> Option<Step> {
        let field = fields.get("use")?;
        let name = field.text(problems)?;
        let Some((name, _)) = self.definitions.get_key_value(name) else {
            let hint = did_you_mean(name, self.definitions.keys().copied())
                .unwrap_or_else(|| "name the steps under `define`".to_owned());
            field.report(&format!("no steps are defined as `{name}`"), &hint, problems);
            return None;
        };
        if let Some(first) = self.using.iter().position(|each| each == name) {
            let circle = [&self.using[first..], &[*name]].concat().join(" → ");
            let hint = "remove one of these `use`";
            field.report(&format!("steps use themselves: {circle}"), hint, problems);
            return None;
        }
        self.definition(name, place, problems)
    }

    fn definition(&mut self, name: &'a str, place: Place, problems: &mut Problems) -> Option<Step> {
        let field = self.definitions.get(name)?.clone();
        self.using.push(name);
        let step = self.step(&field, place, problems);
        self.using.pop();
        match step? {
            Step::Sequence(sequence) if sequence.name.is_none() => {
                Some(Step::Sequence(Sequence { name: Some(name.to_owned()), ..sequence }))
            }
            step => Some(step),
        }
    }

    fn parallel(
        &mut self,
        outer: &Fields<'a>,
        place: Place,
        problems: &mut Problems,
    ) -> Option<Step> {
        let field = outer.get("parallel")?;
        let inner = group_fields(&field, keys::PARALLEL, problems);
        let option = |key, problems: &mut Problems| either(key, outer, inner.as_ref(), problems);
        let name =
            option("name", problems).and_then(|name| name.parsed(title, TITLE_HINT, problems));
        let limit = option("limit", problems).and_then(|limit| limit.number(1_u32, problems));
        let limit = limit.and_then(std::num::NonZeroU32::new);
        let fail_fast = option("fail_fast", problems).and_then(|flag| flag.boolean(problems));
        let steps = group_steps(field, inner.as_ref(), problems)?;
        let steps = self.steps(&steps, &place, problems);
        let fail_fast = fail_fast.unwrap_or(false);
        Some(Step::Parallel(Parallel { id: place.id, name, limit, fail_fast, steps }))
    }

    fn sequence(
        &mut self,
        outer: &Fields<'a>,
        place: Place,
        problems: &mut Problems,
    ) -> Option<Step> {
        let field = outer.get("sequence")?;
        let inner = group_fields(&field, keys::SEQUENCE, problems);
        let name = either("name", outer, inner.as_ref(), problems)
            .and_then(|name| name.parsed(title, TITLE_HINT, problems));
        let steps = group_steps(field, inner.as_ref(), problems)?;
        let steps = self.steps(&steps, &place, problems);
        Some(Step::Sequence(Sequence { id: place.id, name, steps }))
    }
}

impl Place {
    fn root() -> Self {
        Self { id: NodeId::root(), level: 0 }
    }

    fn child(&self, position: usize) -> Self {
        Self { id: self.id.child(position), level: self.level + 1 }
    }
}

fn command(fields: &Fields<'_>, id: NodeId, problems: &mut Problems) -> Option<Step> {
    let run = fields.get("run").and_then(|run| run.parsed(shell_text, COMMAND_HINT, problems));
    let name = fields.get("name").and_then(|name| name.parsed(title, TITLE_HINT, problems));
    let timeout =
        fields.get("timeout").and_then(|timeout| timeout.parsed(duration, DURATION_HINT, problems));
    let retry = fields.get("retry").and_then(|retry| retry.number(0, problems)).unwrap_or(0);
    let env = fields.get("env").map(|env| read_env(&env, problems)).unwrap_or_default();
    let mut flag =
        |key: &str| fields.get(key).and_then(|flag| flag.boolean(problems)).unwrap_or(false);
    let (allow_failure, always) = (flag("allow_failure"), flag("always"));
    let keeps = read_keeps(fields, problems);
    let run = run?;
    Some(Step::Command(Command {
        id,
        run,
        name,
        timeout,
        retry,
        env,
        allow_failure,
        always,
        keeps,
    }))
}

fn report_no_kind(
    field: &Field<'_>,
    entries: &[Entry],
    kinds: &[&(&str, Keys)],
    problems: &mut Problems,
) {
    if !kinds.is_empty() {
        let kinds: Vec<&str> = kinds.iter().map(|(kind, _)| *kind).collect();
        let message = format!("a step is one of {}, not all of them", kinds.join(", "));
        field.report(&message, "make steps of their own of the others", problems);
        return;
    }
    let known = KINDS.map(|(kind, _)| kind);
    let near = entries.iter().find_map(|entry| did_you_mean(&entry.key, &known));
    let hint = match near {
        Some(near) => near,
        None if entries.iter().any(|entry| entry.key.contains(' ')) => {
            "a command with ': ' in it must be quoted".to_owned()
        }
        None => "a map is a step only with run, use, parallel or sequence".to_owned(),
    };
    field.report("this is no step", &hint, problems);
}

fn shell_text(text: &str) -> Result<String, &'static str> {
    if text.trim().is_empty() { Err("the command is empty") } else { plain_text(text) }
}

fn title(text: &str) -> Result<String, &'static str> {
    let printable = !text.trim().is_empty() && !text.chars().any(char::is_control);
    if printable { Ok(text.to_owned()) } else { Err("a name is one line of printable text") }
}
