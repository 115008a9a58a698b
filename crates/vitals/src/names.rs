//! `vitals registry` and `vitals groups`: who answers to which name.

use heights_vitals::wire::{Groups, Keys, Registries};
use serde::Serialize;

use crate::command::{NamesArgs, Vitals};
use crate::failure::Failure;
use crate::output::{List, Output};
use crate::text::{self, known};

/// A name in a registry.
#[derive(Debug, Serialize)]
struct Name {
    registry: String,
    unique: bool,
    key: String,
    value: Option<String>,
    pid: Option<String>,
    path: Option<String>,
}

/// A member of a group.
#[derive(Debug, Serialize)]
struct Member {
    scope: String,
    group: String,
    id: String,
    name: Option<String>,
    pid: Option<String>,
    path: Option<String>,
}

/// Lists the entries of all registries that the application shows.
pub async fn registry(vitals: &Vitals, args: &NamesArgs, output: Output) -> Result<(), Failure> {
    let mut registries = vitals.source().await?.registry().await?;
    for registry in &mut registries.registries {
        registry.entries.retain(|entry| args.means(&registry.name) || args.means(&entry.key));
    }
    let names = names(&registries);
    let list = List {
        schema: "vitals.registry/1",
        row_schema: "vitals.name/1",
        answer: &registries,
        rows: &names,
        name: |name| name.key.clone(),
        text: name_table(&registries, &names),
    };
    output.list(&list).map(|_reads| ())
}

/// Lists ractor's process groups.
pub async fn groups(vitals: &Vitals, args: &NamesArgs, output: Output) -> Result<(), Failure> {
    let mut groups = vitals.source().await?.groups().await?;
    groups.groups.retain(|group| args.means(&group.name) || args.means(&group.scope));
    let members = members(&groups);
    let text = if members.is_empty() {
        "there are no groups\n".to_owned()
    } else {
        let head = ["SCOPE", "GROUP", "ACTOR", "NAME", "PID", "PATH"];
        text::table(&head, members.iter().map(member_cells))
    };
    let list = List {
        schema: "vitals.groups/1",
        row_schema: "vitals.member/1",
        answer: &groups,
        rows: &members,
        name: |member| member.id.clone(),
        text,
    };
    output.list(&list).map(|_reads| ())
}

impl NamesArgs {
    fn means(&self, name: &str) -> bool {
        self.filter.as_ref().is_none_or(|part| name.contains(part))
    }
}

fn names(registries: &Registries) -> Vec<Name> {
    let of = registries.registries.iter().flat_map(|registry| {
        registry.entries.iter().map(|entry| Name {
            registry: registry.name.clone(),
            unique: registry.keys == Keys::Unique,
            key: entry.key.clone(),
            value: entry.value.clone(),
            pid: entry.pid.clone(),
            path: entry.path.clone(),
        })
    });
    of.collect()
}

fn members(groups: &Groups) -> Vec<Member> {
    let of = groups.groups.iter().flat_map(|group| {
        group.members.iter().map(|member| Member {
            scope: group.scope.clone(),
            group: group.name.clone(),
            id: member.id.clone(),
            name: member.name.clone(),
            pid: member.pid.clone(),
            path: member.path.clone(),
        })
    });
    of.collect()
}

fn name_table(registries: &Registries, names: &[Name]) -> String {
    if registries.registries.is_empty() {
        return "the application shows no registry\n".to_owned();
    }
    let cells = |name: &Name| {
        vec![
            name.registry.clone(),
            name.key.clone(),
            known(name.pid.clone()),
            known(name.path.clone()),
            known(name.value.clone()),
        ]
    };
    let mut table =
        text::table(&["REGISTRY", "KEY", "PID", "PATH", "VALUE"], names.iter().map(cells));
    let total: usize = registries.registries.iter().map(|registry| registry.total).sum();
    if let hidden @ 1.. = total.saturating_sub(names.len()) {
        table.push_str(&format!("{hidden} more not shown\n"));
    }
    table
}

fn member_cells(member: &Member) -> Vec<String> {
    vec![
        member.scope.clone(),
        member.group.clone(),
        member.id.clone(),
        known(member.name.clone()),
        known(member.pid.clone()),
        known(member.path.clone()),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use heights_vitals::wire::{Entry, Registry};

    #[test]
    fn names_stand_in_one_table_and_what_is_left_out_is_counted() {
        let entry = Entry {
            key: "job-7".to_owned(),
            value: None,
            pid: Some("9".to_owned()),
            path: Some("ci/jobs/job-7".to_owned()),
        };
        let (keys, entries) = (Keys::Unique, vec![entry]);
        let jobs = Registry { name: "jobs".to_owned(), keys, total: 3, entries };
        let registries = Registries { taken_ms: 0, registries: vec![jobs] };
        let table = name_table(&registries, &names(&registries));
        let expected = "REGISTRY  KEY    PID  PATH           VALUE\n\
                        jobs      job-7  9    ci/jobs/job-7  –\n\
                        2 more not shown\n";
        assert_eq!(table, expected);
    }
}
