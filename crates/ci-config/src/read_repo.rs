//! Reading `[[repos]]`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use ci_domain::ids::{InvalidId, RepoName};

use crate::address::{clone_url, forge_of};
use crate::diagnostic::Problems;
use crate::environment::{NAME_HINT, NUL_HINT, check_name, plain_text};
use crate::field::{Field, Fields};
use crate::keys;
use crate::node::{Origin, Repo};
use crate::read_secret::{path_text, read_secret};
use crate::source::Source;
use ci_domain::secret::Secret;

/// What stands for a repository in instructions.
const PLACEHOLDER: &str = "OWNER/NAME";

/// Reads the repositories; `forge` is the API of where those are that are not local.
pub(crate) fn read_repos(
    field: Option<&Field<'_>>,
    forge: Option<&str>,
    source: &dyn Source,
    problems: &mut Problems,
) -> Vec<Repo> {
    let mut repos: Vec<Repo> = Vec::new();
    for item in field.and_then(|field| field.items(problems)).unwrap_or_default() {
        let Some(repo) = read_repo(&item, forge, source, problems) else { continue };
        let same = |other: &Repo| other.name.as_str().eq_ignore_ascii_case(repo.name.as_str());
        if repos.iter().any(same) {
            item.report(&format!("{} is there twice", repo.name), "remove one of them", problems);
        }
        repos.push(repo);
    }
    repos
}

fn read_repo(
    field: &Field<'_>,
    forge: Option<&str>,
    source: &dyn Source,
    problems: &mut Problems,
) -> Option<Repo> {
    let fields = field.fields(keys::REPO, problems)?;
    let secrets = fields.get("secrets").map(|field| read_secrets(&field, source, problems));
    let name = fields.require("name", problems).and_then(|name| {
        name.parsed(repo_name, "write its owner, '/' and its name, as in its address", problems)
    });
    let origin = read_origin(&fields, name.as_ref(), forge, problems);
    if let (Some(Origin::Local { path }), Some(local)) = (&origin, fields.get("local"))
        && !source.has_repository(path)
    {
        let message = format!("{} is no bare git repository", path.display());
        local.report(&message, "make it (git init --bare PATH), or name another", problems);
    }
    Some(Repo { name: name?, origin: origin?, secrets: secrets.unwrap_or_default() })
}

fn repo_name(text: &str) -> Result<RepoName, String> {
    if text == PLACEHOLDER {
        return Err(format!("{text:?} stands for a repository and is none"));
    }
    text.parse().map_err(|error: InvalidId| error.to_string())
}

fn read_origin(
    fields: &Fields<'_>,
    name: Option<&RepoName>,
    forge: Option<&str>,
    problems: &mut Problems,
) -> Option<Origin> {
    match (fields.get("clone_url"), fields.get("local"), forge) {
        (Some(_), Some(local), _) => {
            let hint = "remove `local` for a repository on GitHub, else `clone_url`";
            local.report("stands beside clone_url: give one of them", hint, problems);
            None
        }
        (None, Some(local), _) => {
            let path = PathBuf::from(path_text(&local, problems)?);
            Some(Origin::Local { path })
        }
        (_, None, None) => {
            let hint = "add [github] with a token, or name a bare repository by `local`";
            fields.report("is on GitHub, but [github] is missing; or is it local?", hint, problems);
            None
        }
        (Some(url), None, Some(_)) => Some(Origin::Github {
            clone_url: url.parsed(
                clone_url,
                "leave it out, unless git fetches from elsewhere",
                problems,
            )?,
        }),
        (None, None, Some(forge)) => {
            let clone_url = format!("{}/{}.git", forge_of(forge), name?);
            Some(Origin::Github { clone_url })
        }
    }
}

fn read_secrets(
    field: &Field<'_>,
    source: &dyn Source,
    problems: &mut Problems,
) -> BTreeMap<String, Secret> {
    let mut secrets = BTreeMap::new();
    for (entry, field) in field.entries(problems).unwrap_or_default() {
        if let Err(message) = check_name(&entry.key) {
            problems.report(entry.at, message, NAME_HINT);
        }
        let Some(secret) = read_secret(&field, source, problems) else { continue };
        if secret.expose().trim().len() < Secret::LEAST_MASKED {
            let hint = format!("make it {} bytes at least", Secret::LEAST_MASKED);
            field.report("the secret is too short to be kept out of logs", &hint, problems);
        }
        if let Err(message) = plain_text(secret.expose()) {
            field.report(message, NUL_HINT, problems);
        }
        secrets.insert(entry.key.clone(), secret);
    }
    secrets
}
