//! `ci-node.toml`.

use std::io;
use std::path::Path;

use ci_config::parse_node;
use ci_config::schema::Format;
use ci_config::source::Source;

use crate::policy::{A_MAP, A_TRUTH, TEXT};
use crate::{Key, Sweep, key};

const VALUES: &[&str] = &[
    "",
    "word",
    "\"\"",
    "0",
    "5",
    "-1",
    "99999999999999999999",
    "1.5",
    "true",
    "1979-05-27",
    "\"word\"",
    "\"Two words\"",
    "\"30s\"",
    "\"0s\"",
    "\"-1s\"",
    "\"99999999999h\"",
    "\"1KiB\"",
    "\"0B\"",
    "\"99999999TiB\"",
    "[]",
    "[[]]",
    "[5]",
    "[\"\"]",
    "{}",
    "{x = \"y\"}",
];
const FROM_1: &str = "expected a whole number from 1 on, found a list";
const A_SECRET: &str = "a secret is { file = \"…\" } or { env = \"…\" }";
const DURATION: &[&str] = &["\"30s\""];
/// What is more than no room.
const SIZE: &[&str] = &["\"1KiB\""];
/// Any text can be a path.
const ANY_PATH: &[&str] = &[
    "\"word\"",
    "\"Two words\"",
    "\"30s\"",
    "\"0s\"",
    "\"-1s\"",
    "\"99999999999h\"",
    "\"1KiB\"",
    "\"0B\"",
    "\"99999999TiB\"",
];

/// What has no space in it.
const WORDS: &[&str] = &[
    "\"word\"",
    "\"30s\"",
    "\"0s\"",
    "\"-1s\"",
    "\"99999999999h\"",
    "\"1KiB\"",
    "\"0B\"",
    "\"99999999TiB\"",
];
/// The same, or a list of it.
const WORDS_OR_NONE: &[&str] = &[
    "[]",
    "\"word\"",
    "\"30s\"",
    "\"0s\"",
    "\"-1s\"",
    "\"99999999999h\"",
    "\"1KiB\"",
    "\"0B\"",
    "\"99999999TiB\"",
];

const KEYS: &[Key] = &[
    key(
        "name",
        "name = @",
        TEXT,
        &["\"word\"", "\"30s\"", "\"0s\"", "\"-1s\"", "\"99999999999h\""],
    ),
    key("data_dir", "data_dir = @", TEXT, ANY_PATH),
    key("public_url", "public_url = @", TEXT, &[]),
    key("http", "http = @", A_MAP, &["{}"]),
    key("http.listen", "[http]\nlisten = @", TEXT, &[]),
    key("http.read", "[http]\nread = @", "expected one of token, public, found a list", &[]),
    key("http.proxies", "[http]\nproxies = @", TEXT, &["[]"]),
    key("http.requests", "[http]\nrequests = @", TEXT, &[]),
    key("http.failed_logins", "[http]\nfailed_logins = @", TEXT, &[]),
    key("github", "github = @", A_MAP, &[]),
    key("github.api_url", "github.token.env = \"T\"\n[github]\napi_url = @", TEXT, &[]),
    key("github.graphql_url", "github.token.env = \"T\"\n[github]\ngraphql_url = @", TEXT, &[]),
    key("github.webhook_secret", "[github]\ntoken.env = \"T\"\nwebhook_secret = @", A_SECRET, &[]),
    key("github.token", "[github]\ntoken = @", A_SECRET, &[]),
    key("github.token.env", "[github]\ntoken = {env = @}", TEXT, ANY_PATH),
    key("github.token.file", "[github]\ntoken = {file = @}", TEXT, ANY_PATH),
    key("github.app", "[github]\napp = @", A_MAP, &[]),
    key("github.app.id", "[github.app]\nprivate_key.env = \"T\"\nid = @", FROM_1, &["5"]),
    key("github.app.private_key", "[github.app]\nid = 1\nprivate_key = @", A_SECRET, &[]),
    key("github.sign_in", "[github]\ntoken.env = \"T\"\nsign_in = @", A_MAP, &[]),
    key(
        "github.sign_in.client_id",
        "github.token.env = \"T\"\n[github.sign_in]\nclient_secret.env = \"T\"\nclient_id = @",
        TEXT,
        WORDS,
    ),
    key(
        "github.sign_in.client_secret",
        "github.token.env = \"T\"\n[github.sign_in]\nclient_id = \"x\"\nclient_secret = @",
        A_SECRET,
        &[],
    ),
    key(
        "github.sign_in.administrators",
        "github.token.env = \"T\"\n[github.sign_in]\nclient_id = \"x\"\nclient_secret.env = \"T\"\nadministrators = @",
        TEXT,
        WORDS_OR_NONE,
    ),
    key("github.poll_interval", "[github]\ntoken.env = \"T\"\npoll_interval = @", TEXT, DURATION),
    key("github.write", "[github]\ntoken.env = \"T\"\nwrite = @", A_TRUTH, &["true"]),
    key("repos", "repos = @", A_MAP, &["[]"]),
    key("repos[0].name", "[[repos]]\nlocal = \"/x\"\nname = @", TEXT, &[]),
    key(
        "repos[0].clone_url",
        "github.token.env = \"T\"\n[[repos]]\nname = \"a/b\"\nclone_url = @",
        TEXT,
        &[],
    ),
    key("repos[0].local", "[[repos]]\nname = \"a/b\"\nlocal = @", TEXT, ANY_PATH),
    key(
        "repos[0].secrets",
        "[[repos]]\nname = \"a/b\"\nlocal = \"/x\"\nsecrets = @",
        A_MAP,
        &["{}"],
    ),
    key(
        "repos[0].secrets.K",
        "[[repos]]\nname = \"a/b\"\nlocal = \"/x\"\nsecrets = {K = @}",
        A_SECRET,
        &[],
    ),
    key("queues", "queues = @", A_MAP, &["{}"]),
    key("queues.jobs", "[queues]\njobs = @", A_MAP, &[]),
    key("queues.jobs.concurrency", "[queues]\njobs = {concurrency = @}", FROM_1, &["5"]),
    key("queues.jobs.rate", "[queues]\njobs = {rate = @}", TEXT, &[]),
    key("queues.jobs.burst", "[queues]\njobs = {rate = \"1/s\", burst = @}", FROM_1, &["5"]),
    key("runner", "runner = @", A_MAP, &["{}"]),
    key(
        "runner.isolation",
        "[runner]\nisolation = @",
        "expected one of auto, none, namespaces, container, found a list",
        &[],
    ),
    key("runner.visible", "[runner]\nvisible = @", TEXT, &["[]"]),
    key("runner.job_timeout", "[runner]\njob_timeout = @", TEXT, DURATION),
    key(
        "runner.max_job_timeout",
        "[runner]\njob_timeout = \"1s\"\nmax_job_timeout = @",
        TEXT,
        DURATION,
    ),
    key("runner.grace", "[runner]\ngrace = @", TEXT, DURATION),
    key("runner.orphan_limit", "[runner]\norphan_limit = @", TEXT, DURATION),
    key("runner.memory", "[runner]\nmemory = @", TEXT, SIZE),
    key("runner.pids", "[runner]\npids = @", FROM_1, &["5"]),
    key(
        "runner.cpus",
        "[runner]\ncpus = @",
        "expected a number of processors, found a list",
        &["5", "1.5"],
    ),
    key("runner.log_limit", "[runner]\nlog_limit = @", TEXT, SIZE),
    // Nothing need be free, if one wants it so.
    key("runner.min_free", "[runner]\nmin_free = @", TEXT, &["\"1KiB\"", "\"0B\""]),
    key("artifacts", "artifacts = @", A_MAP, &["{}"]),
    key("artifacts.file", "[artifacts]\nfile = @", TEXT, SIZE),
    key("artifacts.job", "[artifacts]\njob = @", TEXT, SIZE),
    key("artifacts.files", "[artifacts]\nfiles = @", FROM_1, &["5"]),
    key("artifacts.total", "[artifacts]\ntotal = @", TEXT, SIZE),
    key("vitals", "vitals = @", A_MAP, &["{}"]),
    key(
        "vitals.tier",
        "[vitals]\ntier = @",
        "expected one of read, trace, control, found a list",
        &[],
    ),
    key("retention", "retention = @", A_MAP, &["{}"]),
    key("retention.logs", "[retention]\nlogs = @", TEXT, DURATION),
    key("retention.builds", "[retention]\nbuilds = @", TEXT, DURATION),
    key("retention.workspaces", "[retention]\nworkspaces = @", TEXT, SIZE),
];

/// Every variable is set, and every file that has a name is there.
struct Secrets;

impl Source for Secrets {
    fn env(&self, name: &str) -> Option<String> {
        Some("secret".to_owned()).filter(|_| !name.is_empty())
    }

    fn file(&self, _path: &Path) -> io::Result<String> {
        Ok("secret".to_owned())
    }
}

#[test]
fn every_key_of_a_node_says_what_it_wants() {
    let read = |text: &str| parse_node("ci-node.toml", text, &Secrets).err().unwrap_or_default();
    Sweep { format: Format::Node, keys: KEYS, values: VALUES, read }.run();
}
