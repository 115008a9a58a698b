//! Reading `ci-node.toml`, section by section, with the defaults of what is left out.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::address::{forge_of, web_url};
use crate::diagnostic::{At, Problems};
use crate::document::{Node, Value};
use crate::field::{Field, Fields, Keys};
use crate::keys;
use crate::node::{
    Artifacts, Github, GithubAuth, IsolationChoice, NodeConfig, Retention, Runner, Tier, Vitals,
};
use crate::quantity::{
    DURATION_HINT, PROCESSORS_HINT, SIZE_HINT, duration, processors, size, some_size,
};
use crate::queue::read_queues;
use crate::read_http::{read_http, read_sign_in};
use crate::read_repo::read_repos;
use crate::read_secret::{path_text, read_secret};
use crate::source::Source;

const SECOND: Duration = Duration::from_secs(1);
const HOUR: Duration = Duration::from_secs(60 * 60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);
const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;

/// How an address of the web is written.
const URL_HINT: &str = "write https://, the host, and no user, password or question mark";
/// How a node is named.
const NAME_HINT: &str = "write small letters, digits and '-': it is part of every status";

/// A section that the file leaves out.
static NOTHING: Node = Node { at: At::START, value: Value::Map(Vec::new()) };

/// Reads the configuration as far as it can be read.
pub(crate) fn read(
    node: &Node,
    source: &dyn Source,
    problems: &mut Problems,
) -> Option<NodeConfig> {
    let fields = Field::root(node).fields(keys::NODE, problems)?;
    let http = read_http(&section(&fields, "http", keys::HTTP, problems), problems);
    let forge = fields.get("github").map(|field| read_github(&field, source, problems));
    let api_url = forge.as_ref().map(|forge| forge.api_url.as_str());
    let public_url =
        fields.get("public_url").and_then(|field| field.parsed(web_url, URL_HINT, problems));
    Some(NodeConfig {
        name: or(&fields, "name", "ci-node".to_owned(), |field| {
            field.parsed(node_name, NAME_HINT, problems)
        }),
        data_dir: or(&fields, "data_dir", PathBuf::from("/var/lib/ci-node"), |field| {
            path_text(field, problems).map(PathBuf::from)
        }),
        public_url: public_url.unwrap_or_else(|| format!("http://{}", http.listen)),
        http,
        repos: read_repos(fields.get("repos").as_ref(), api_url, source, problems),
        github: forge.and_then(|forge| forge.github),
        queues: read_queues(fields.get("queues").as_ref(), problems),
        runner: read_runner(&section(&fields, "runner", keys::RUNNER, problems), problems),
        artifacts: read_artifacts(
            &section(&fields, "artifacts", keys::ARTIFACTS, problems),
            problems,
        ),
        vitals: read_vitals(&section(&fields, "vitals", keys::VITALS, problems), problems),
        retention: read_retention(
            &section(&fields, "retention", keys::RETENTION, problems),
            problems,
        ),
    })
}

/// The fields of a section; none where it is left out, or is something else and thus reported.
fn section<'a>(fields: &Fields<'a>, key: &str, keys: Keys, problems: &mut Problems) -> Fields<'a> {
    let read = fields.get(key).and_then(|field| field.fields(keys, problems));
    let nothing = || Field { name: key.to_owned(), node: &NOTHING }.fields(keys, problems);
    read.or_else(nothing).expect("nothing is a map without entries")
}

/// What `read` makes of the field `key`; the default where it is left out, or bad and thus reported.
pub(crate) fn or<T>(
    fields: &Fields<'_>,
    key: &str,
    default: T,
    read: impl FnOnce(&Field<'_>) -> Option<T>,
) -> T {
    fields.get(key).and_then(|field| read(&field)).unwrap_or(default)
}

/// `[github]` as far as it could be read.
struct Forge {
    /// Where its API is, which says where repositories are.
    api_url: String,
    github: Option<Github>,
}

fn read_github(field: &Field<'_>, source: &dyn Source, problems: &mut Problems) -> Forge {
    let usual = "https://api.github.com".to_owned();
    let Some(fields) = field.fields(keys::GITHUB, problems) else {
        return Forge { api_url: usual, github: None };
    };
    let api_url = or(&fields, "api_url", usual, |field| field.parsed(web_url, URL_HINT, problems));
    let graphql_url =
        fields.get("graphql_url").and_then(|field| field.parsed(web_url, URL_HINT, problems));
    let webhook_secret =
        fields.get("webhook_secret").and_then(|field| read_secret(&field, source, problems));
    let sign_in = fields.get("sign_in").and_then(|field| read_sign_in(&field, source, problems));
    let poll_interval = time(&fields, "poll_interval", 30 * SECOND, problems);
    let write = or(&fields, "write", true, |field| field.boolean(problems));
    let github = read_auth(&fields, source, problems).map(|auth| Github {
        graphql_url: graphql_url.unwrap_or_else(|| graphql_of(&api_url)),
        api_url: api_url.clone(),
        web_url: forge_of(&api_url).to_owned(),
        webhook_secret,
        sign_in,
        poll_interval,
        write,
        auth,
    });
    Forge { api_url, github }
}

/// Beside the API, where GitHub has it: `/graphql`, and on a server of one's own `/api/graphql`.
fn graphql_of(api_url: &str) -> String {
    format!("{}/graphql", api_url.strip_suffix("/v3").unwrap_or(api_url))
}

fn read_auth(
    fields: &Fields<'_>,
    source: &dyn Source,
    problems: &mut Problems,
) -> Option<GithubAuth> {
    match (fields.get("token"), fields.get("app")) {
        (Some(token), None) => read_secret(&token, source, problems).map(GithubAuth::Token),
        (None, Some(app)) => {
            let fields = app.fields(keys::APP, problems)?;
            let id = fields.require("id", problems).and_then(|id| id.number(1, problems));
            let private_key = fields.require("private_key", problems)?;
            let private_key = read_secret(&private_key, source, problems)?;
            Some(GithubAuth::App { id: id?, private_key })
        }
        (Some(_), Some(app)) => {
            let hint = "remove `token` for an App, else [github.app]";
            app.report("stands beside github.token: give one of them", hint, problems);
            None
        }
        (None, None) => {
            let hint = "add token = { file = \"…\" }, or [github.app]";
            fields.report("neither token nor app says who the node is", hint, problems);
            None
        }
    }
}

/// A folder by its full path; not the root, which would show everything.
fn folder(field: &Field<'_>, problems: &mut Problems) -> Option<PathBuf> {
    let path = PathBuf::from(path_text(field, problems)?);
    if path.is_absolute() && path != Path::new("/") {
        return Some(path);
    }
    field.report("is no folder that can be shown", "write a full path, and not / itself", problems);
    None
}

fn read_runner(fields: &Fields<'_>, problems: &mut Problems) -> Runner {
    let isolation = [
        ("auto", IsolationChoice::Auto),
        ("none", IsolationChoice::None),
        ("namespaces", IsolationChoice::Namespaces),
        ("container", IsolationChoice::Container),
    ];
    let runner = Runner {
        isolation: or(fields, "isolation", IsolationChoice::Auto, |field| {
            field.word(&isolation, problems)
        }),
        visible: or(fields, "visible", Vec::new(), |field| {
            let items = field.one_or_many(problems)?;
            Some(items.iter().filter_map(|item| folder(item, problems)).collect())
        }),
        job_timeout: time(fields, "job_timeout", HOUR, problems),
        max_job_timeout: time(fields, "max_job_timeout", 6 * HOUR, problems),
        grace: time(fields, "grace", 5 * SECOND, problems),
        orphan_limit: time(fields, "orphan_limit", HOUR, problems),
        memory: bytes(fields, "memory", 4 * GIB, problems),
        pids: or(fields, "pids", 4096, |field| field.number(1, problems)),
        milli_cpus: fields.get("cpus").and_then(|field| cpus(&field, problems)),
        log_limit: bytes(fields, "log_limit", 256 * MIB, problems),
        min_free: or(fields, "min_free", 2 * GIB, |field| field.parsed(size, SIZE_HINT, problems)),
    };
    if runner.job_timeout > runner.max_job_timeout {
        let hint = "raise max_job_timeout, which is 6h where it is left out";
        fields.report("job_timeout is longer than max_job_timeout", hint, problems);
    }
    runner
}

/// A number of processors, in thousandths of one.
fn cpus(field: &Field<'_>, problems: &mut Problems) -> Option<u32> {
    let Value::Literal(text) = &field.node.value else {
        field.expected("a number of processors", PROCESSORS_HINT, problems);
        return None;
    };
    let number = processors(text);
    if number.is_none() {
        let message = format!("{text} is no number of processors");
        field.report(&message, PROCESSORS_HINT, problems);
    }
    number
}

fn read_vitals(fields: &Fields<'_>, problems: &mut Problems) -> Vitals {
    let tiers = [("read", Tier::Read), ("trace", Tier::Trace), ("control", Tier::Control)];
    Vitals { tier: or(fields, "tier", Tier::Control, |field| field.word(&tiers, problems)) }
}

fn read_retention(fields: &Fields<'_>, problems: &mut Problems) -> Retention {
    Retention {
        logs: time(fields, "logs", 30 * DAY, problems),
        builds: time(fields, "builds", 180 * DAY, problems),
        workspaces: bytes(fields, "workspaces", 100 * GIB, problems),
    }
}

fn read_artifacts(fields: &Fields<'_>, problems: &mut Problems) -> Artifacts {
    Artifacts {
        file: bytes(fields, "file", 256 * MIB, problems),
        job: bytes(fields, "job", GIB, problems),
        files: or(fields, "files", 1000, |field| field.number(1, problems)),
        total: bytes(fields, "total", 20 * GIB, problems),
    }
}

fn time(fields: &Fields<'_>, key: &str, default: Duration, problems: &mut Problems) -> Duration {
    or(fields, key, default, |field| field.parsed(duration, DURATION_HINT, problems))
}

fn bytes(fields: &Fields<'_>, key: &str, default: u64, problems: &mut Problems) -> u64 {
    or(fields, key, default, |field| field.parsed(some_size, SIZE_HINT, problems))
}

fn node_name(text: &str) -> Result<String, String> {
    let valid = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-');
    if text.is_empty() || text.len() > 60 || !text.bytes().all(valid) {
        return Err(format!("{text:?} is no name: 1 to 60 characters of [a-z0-9-]"));
    }
    Ok(text.to_owned())
}
