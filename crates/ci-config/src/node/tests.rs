//! `ci-node.toml`: what it says, what is said of its mistakes, and that no secret is.

#[path = "../../tests/support/findings.rs"]
mod findings;

use std::collections::BTreeMap;
use std::io;
use std::num::NonZeroU32;
use std::path::Path;

use proptest::prelude::*;

use findings::assert_found;

use super::*;
use crate::quantity::Rate;

const EXAMPLE: &str = include_str!("../../tests/files/ci-node.toml");

/// Files and variables that are not there but in a test.
#[derive(Default)]
struct Fake(BTreeMap<&'static str, &'static str>);

impl Source for Fake {
    fn env(&self, name: &str) -> Option<String> {
        self.0.get(name).map(ToString::to_string)
    }

    fn file(&self, path: &Path) -> io::Result<String> {
        let content = path.to_str().and_then(|path| self.0.get(path));
        content.map(ToString::to_string).ok_or_else(|| io::Error::other("no such file"))
    }
}

fn source() -> Fake {
    Fake(BTreeMap::from([
        ("/etc/ci-node/webhook-secret", "hunter2\n"),
        ("/etc/ci-node/hex-key", "cafe\r\n"),
        ("FORGE_TOKEN", "ghp_0123"),
        ("/empty", "\n"),
        ("/short", "abc\n"),
    ]))
}

fn parse(text: &str) -> Result<NodeConfig, Vec<Diagnostic>> {
    parse_node("ci-node.toml", text, &source())
}

#[test]
fn reads_all_that_a_node_can_say() {
    let config = parse(EXAMPLE).unwrap();
    assert_eq!(config.public_url, "https://ci.example.com");
    assert_eq!(config.http.listen.to_string(), "0.0.0.0:80");
    assert_eq!(config.http.read, ReadAccess::Public);
    let github = config.github.unwrap();
    assert_eq!(github.webhook_secret.unwrap().expose(), "hunter2");
    assert_eq!(github.auth, GithubAuth::Token(Secret::new("ghp_0123")));
    assert_eq!((github.poll_interval, github.write), (Duration::from_secs(30), false));
    assert_eq!(config.http.proxies.len(), 2);
    assert_eq!(config.http.failed_logins.count.get(), 5);
    assert_eq!(github.web_url, "https://git.example.com");
    let sign_in = github.sign_in.unwrap();
    assert_eq!(
        (sign_in.client_id.as_str(), sign_in.client_secret.expose()),
        ("Iv1.0123", "ghp_0123")
    );
    assert_eq!(sign_in.administrators, [Login::new("ada").unwrap()]);
    assert_eq!(config.runner.isolation, IsolationChoice::None);
    assert_eq!(config.runner.visible, ["/opt/tools", "/home/ci/.cargo"].map(Path::new));
    assert_eq!((config.runner.memory, config.runner.pids), (8 << 30, 1000));
    assert_eq!(config.runner.milli_cpus, Some(1500));
    let Artifacts { file, job, files, total } = config.artifacts;
    assert_eq!((file, job, files, total), (10 << 20, 100 << 20, 10, 1 << 30));
    assert_eq!(config.vitals.tier, Tier::Read);
    assert_eq!(config.retention.logs, Duration::from_secs(7 * 86_400));
}

#[test]
fn repositories_are_on_the_forge_or_local() {
    let config = parse(EXAMPLE).unwrap();
    let origins: Vec<String> = config
        .repos
        .iter()
        .map(|repo| match &repo.origin {
            Origin::Github { clone_url } => format!("{} {clone_url}", repo.name),
            Origin::Local { path } => format!("{} {}", repo.name, path.display()),
        })
        .collect();
    assert_eq!(
        origins,
        [
            "acme/shop https://git.example.com/acme/shop.git",
            "acme/docs https://git.example.com/acme/docs.git",
            "demo/shop /srv/git/shop.git",
        ]
    );
    assert_eq!(config.repos[0].secrets["HEX_KEY"].expose(), "cafe");
}

#[test]
fn an_empty_file_is_all_defaults() {
    let config = parse("").unwrap();
    assert_eq!(config.name, "ci-node");
    assert_eq!(config.data_dir, Path::new("/var/lib/ci-node"));
    assert_eq!(config.public_url, "http://127.0.0.1:8080");
    assert_eq!(config.http.read, ReadAccess::Token);
    assert_eq!(config.github, None);
    assert_eq!(config.runner.isolation, IsolationChoice::Auto);
    assert_eq!(config.runner.job_timeout, Duration::from_secs(3600));
    let names: Vec<&str> = config.queues.keys().map(String::as_str).collect();
    assert_eq!(names, ["github.read", "github.write", "jobs", "jobs.nightly"]);
    let writes = config.queues["github.write"];
    let per_second = Rate { count: NonZeroU32::MIN, per: Duration::from_secs(1) };
    assert_eq!((writes.rate, writes.burst), (Some(per_second), NonZeroU32::new(10)));
}

#[test]
fn a_github_app_is_another_way_to_be_someone() {
    let config = parse(
        "[github]\napp = { id = 7, private_key = { file = \"/etc/ci-node/hex-key\" } }\n\
            [[repos]]\nname = \"a/b\"\n",
    )
    .unwrap();
    let github = config.github.unwrap();
    assert_eq!(github.auth, GithubAuth::App { id: 7, private_key: Secret::new("cafe") });
    assert_eq!(github.graphql_url, "https://api.github.com/graphql");
    let Origin::Github { clone_url } = &config.repos[0].origin else { panic!("on GitHub") };
    assert_eq!(clone_url, "https://github.com/a/b.git");
}

fn check(text: &str, expected: &[&str]) {
    let diagnostics = parse(text).map(|_| ()).unwrap_err();
    let found = diagnostics.iter().map(ToString::to_string);
    let found: Vec<String> =
        found.map(|text| text.strip_prefix("ci-node.toml:").unwrap().to_owned()).collect();
    assert_found(&found, expected, text);
}

#[test]
fn who_may_come_is_said_without_doubt() {
    check(
        "[http]\nproxies = [\"localhost\"]\nrequests = \"0/m\"\nfailed_logins = 3\n",
        &[
            "2:12: `http.proxies[0]`: \"localhost\" is no IP address",
            "3:12: `http.requests`: \"0/m\" is no rate such as 1/s or 5000/h",
            "4:17: `http.failed_logins`: expected text, found a number",
        ],
    );
    check(
        "[github]\ntoken = { env = \"FORGE_TOKEN\" }\n\
         sign_in = { client_secret = \"x\", administrators = [\"@acme/dev\"] }\n",
        &[
            "3:11: `github.sign_in.client_id` is missing",
            "3:29: `github.sign_in.client_secret`: a secret is { file = \"…\" } or { env = \"…\" }",
            "3:52: `github.sign_in.administrators[0]`: \"@acme/dev\" is no login",
        ],
    );
}

#[test]
fn only_folders_by_their_full_path_are_shown() {
    assert_eq!(
        parse("[runner]\nvisible = \"/opt/x\"").unwrap().runner.visible,
        [Path::new("/opt/x")]
    );
    check(
        "[runner]\nvisible = [\"tools\", \"/\"]\n",
        &[
            "2:12: `runner.visible[0]`: is no folder that can be shown",
            "2:21: `runner.visible[1]`: is no folder that can be shown",
        ],
    );
}

#[test]
fn unknown_keys_are_named() {
    check(
        "nmae = \"x\"\n[http]\nport = 80\n[runner]\nisolaton = \"none\"\n[queues]\njob = { concurrency = 1 }\n\
            jobs.compile = { concurrency = 1 }\n",
        &[
            "1:1: unknown key `nmae`\n  hint: did you mean `name`?",
            "3:1: unknown key `http.port`\n  hint: the keys here are listen, read, proxies, requests, failed_logins",
            "5:1: unknown key `runner.isolaton`\n  hint: did you mean `isolation`?",
            "7:1: unknown queue `job`\n  hint: did you mean `jobs`?",
            "8:1: `queues.jobs`: has neither concurrency nor rate",
            "8:6: unknown key `queues.jobs.compile`\n  hint: the keys here are concurrency, rate, burst",
        ],
    );
}

#[test]
fn bad_values_name_their_key() {
    check(
        "name = \"CI Node\"\npublic_url = \"ci.example.com\"\n[http]\nlisten = \"8080\"\nread = \"all\"\n\
            [runner]\ngrace = \"5\"\nmemory = \"4G\"\npids = 0\nlog_limit = 5\n\
            [retention]\nlogs = \"forever\"\n[vitals]\ntier = true\n",
        &[
            "1:8: `name`: \"CI Node\" is no name: 1 to 60 characters of [a-z0-9-]",
            "2:14: `public_url`: is no address such as https://ci.example.com",
            "4:10: `http.listen`: \"8080\" is no address such as 127.0.0.1:8080",
            "5:8: `http.read`: \"all\" is none of token, public",
            "7:9: `runner.grace`: \"5\" is no duration such as 30s, 20m or 1h30m",
            "8:10: `runner.memory`: \"4G\" is no size such as 256MiB or 4GiB",
            "9:8: `runner.pids`: expected a whole number from 1 on, found 0",
            "10:13: `runner.log_limit`: expected text, found a number\n  \
                hint: write a whole number with B, KiB, MiB, GiB or TiB",
            "12:8: `retention.logs`: \"forever\" is no duration such as 30s, 20m or 1h30m",
            "14:8: `vitals.tier`: expected one of read, trace, control, found a truth value",
        ],
    );
    check(
        "[queues]\njobs = {}\n\"github.read\" = { concurrency = 0 }\n\"github.write\" = { rate = \"1/w\" }\n\
            git = { concurrency = 1, burst = 2 }\n",
        &[
            "2:8: `queues.jobs`: has neither concurrency nor rate",
            "3:33: `queues.github.read.concurrency`: expected a whole number from 1 on, found 0",
            "4:27: `queues.github.write.rate`: \"1/w\" is no rate such as 1/s or 5000/h",
            "5:7: `queues.git`: has a burst but no rate",
        ],
    );
    check(
        "[runner]\njob_timeout = \"7h\"\n",
        &["1:1: `runner`: job_timeout is longer than max_job_timeout"],
    );
}

#[test]
fn repositories_are_checked() {
    check(
        "[[repos]]\n[[repos]]\nname = \"shop\"\n[[repos]]\nname = \"a/b\"\n[[repos]]\nname = \"c/d\"\n\
            local = \"/x\"\nclone_url = \"https://x/y\"\n[[repos]]\nname = \"E/f\"\nlocal = \"/e\"\n\
            [[repos]]\nname = \"e/F\"\nlocal = \"/e\"\n",
        &[
            "1:1: `repos[0].name` is missing",
            "1:1: `repos[0]`: is on GitHub, but [github] is missing; or is it local?",
            "2:1: `repos[1]`: is on GitHub, but [github] is missing; or is it local?",
            "3:8: `repos[1].name`: repository \"shop\" is invalid: owner/name of letters, digits, '-', '_' and '.'",
            "4:1: `repos[2]`: is on GitHub, but [github] is missing; or is it local?",
            "8:9: `repos[3].local`: stands beside clone_url: give one of them",
            "13:1: `repos[5]`: e/F is there twice",
        ],
    );
}

#[test]
fn no_mistake_hides_another() {
    check(
        "http = 1\ngithub = { token = { env = \"NOPE\" }, poll_interval = 5, wirte = false }\nrunner = 2\nvitals = 3\n\
            retention = 4\nqueues = 5\n[[repos]]\nname = \"OWNER/NAME\"\nclone_url = \"x\"\n",
        &[
            "1:8: `http`: expected a map, found a number",
            "2:28: `github.token.env`: the environment has no variable \"NOPE\"",
            "2:54: `github.poll_interval`: expected text, found a number",
            "2:57: unknown key `github.wirte`\n  hint: did you mean `write`?",
            "3:10: `runner`: expected a map, found a number",
            "4:10: `vitals`: expected a map, found a number\n  hint: write `vitals: {tier: …}`",
            "5:13: `retention`: expected a map, found a number",
            "6:10: `queues`: expected a map, found a number",
            "8:8: `repos[0].name`: \"OWNER/NAME\" stands for a repository and is none\n  \
                hint: write its owner, '/' and its name, as in its address",
            "9:13: `repos[0].clone_url`: is nothing git can fetch from: https://, http://, ssh://, file://, \
                host:path or an absolute path",
        ],
    );
}

#[test]
fn toml_errors_have_a_place() {
    let diagnostics = parse("name = \"a\"\n[http\nlisten = 1\nname = \"b\"\n").unwrap_err();
    let lines: Vec<usize> = diagnostics.iter().map(|diagnostic| diagnostic.line).collect();
    assert!(lines.contains(&2), "{diagnostics:?}");
    check(
        "name = ci\n[github]\ntoken = \n",
        &[
            "1:8: `name`: string values must be quoted, expected literal string\n  \
                hint: mend this line first; what follows may be read wrongly",
            "3:9: `github.token`: string values must be quoted, expected literal string",
        ],
    );
}

#[test]
fn secrets_are_read_from_elsewhere_and_never_shown() {
    check(
        "[github]\nwebhook_secret = \"hunter2\"\ntoken = { file = \"/nowhere\" }\n",
        &[
            "2:18: `github.webhook_secret`: a secret is { file = \"…\" } or { env = \"…\" }\n  \
                hint: secrets are never written into this file",
            "3:18: `github.token.file`: cannot read \"/nowhere\": no such file",
        ],
    );
    check(
        "[github]\nwebhook_secret = { file = \"/empty\" }\ntoken = { env = \"NOPE\" }\n",
        &[
            "2:18: `github.webhook_secret`: the secret is empty",
            "3:17: `github.token.env`: the environment has no variable \"NOPE\"",
        ],
    );
    check("[github]\n", &["1:1: `github`: neither token nor app says who the node is"]);
    check(
        "[[repos]]\nname = \"a/b\"\nlocal = \"/x\"\nsecrets = { CI_X = { env = \"FORGE_TOKEN\" }, B = 1 }\n",
        &[
            "4:13: `CI_X` is reserved: the node sets variables that start with CI",
            "4:49: `repos[0].secrets.B`: a secret is { file = \"…\" } or { env = \"…\" }\n  \
                hint: secrets are never written into this file",
        ],
    );
    check(
        "[[repos]]\nname = \"a/b\"\nlocal = \"/x\"\nsecrets = { B = { file = \"/short\" } }\n",
        &["4:17: `repos[0].secrets.B`: the secret is too short to be kept out of logs\n  \
            hint: make it 4 bytes at least"],
    );
}

#[test]
fn no_configuration_prints_a_secret() {
    let config = parse(EXAMPLE).unwrap();
    for text in [format!("{config:?}"), format!("{config:#?}"), Secret::new("hunter2").to_string()]
    {
        for secret in ["hunter2", "ghp_0123", "cafe"] {
            assert!(!text.contains(secret), "{text}");
        }
    }
}

#[test]
fn no_mistake_makes_a_message_quote_a_secret() {
    let wrong = [
        "token = \"s3cr3t\"",
        "token = [\"s3cr3t\"]",
        "token = { file = [\"s3cr3t\"] }",
        "token = { value = \"s3cr3t\" }",
        "tokn = \"s3cr3t\"",
        "app = \"s3cr3t\"",
        "app = { id = \"s3cr3t\", private_key = \"s3cr3t\" }",
        "api_url = \"https://user:s3cr3t@host\"",
        "token = \"s3cr3t",
        "token = s3cr3t",
        "token = \"s3cr3t\" x",
        "token = \"s3cr3t\"\ntoken = \"s3cr3t\"",
    ];
    for line in wrong {
        let diagnostics = parse(&format!("[github]\n{line}\n")).unwrap_err();
        let text: Vec<String> = diagnostics.iter().map(ToString::to_string).collect();
        assert!(!text.concat().contains("s3cr3t"), "{line}: {text:?}");
    }
    let url = "[github]\ntoken = { env = \"FORGE_TOKEN\" }\n[[repos]]\nname = \"a/b\"\n\
        clone_url = \"https://x:s3cr3t@host/a\"\n";
    assert!(!format!("{:?}", parse(url).unwrap_err()).contains("s3cr3t"));
}

#[test]
fn a_reload_takes_repositories_queues_and_secrets() {
    let old = parse(EXAMPLE).unwrap();
    let check = |from: &str, to: &str, expected: &[&str]| {
        assert!(EXAMPLE.contains(from), "{from}");
        let mut source = source();
        source.0.insert("OTHER", "ghp_4567");
        let new = parse_node("ci-node.toml", &EXAMPLE.replace(from, to), &source).unwrap();
        assert_eq!(old.frozen_changes(&new), expected, "{to}");
    };
    check("# All", "# all", &[]);
    check("FORGE_TOKEN", "OTHER", &[]);
    check("concurrency = 4", "concurrency = 5", &[]);
    check("acme/docs\"", "acme/books\"", &[]);
    check("0.0.0.0:80", "0.0.0.0:81", &["http.listen"]);
    check("name = \"ci-node\"", "name = \"other\"", &["name"]);
    check("pids = 1_000", "pids = 1_001", &["runner"]);
    check("write = false", "write = true", &["github.write"]);
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in "[\\PC\n]{0,200}") {
        let _ = parse(&text);
    }

    #[test]
    fn no_words_make_it_panic(words in prop::collection::vec(word(), 0..30)) {
        let _ = parse(&words.concat());
    }
}

fn word() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "[",
        "]",
        "[[",
        "]]",
        "repos",
        "github",
        "queues",
        "=",
        " ",
        "\n",
        "\"",
        "'''",
        "{",
        "}",
        ".",
        ",",
        "name",
        "token",
        "file",
        "1",
        "true",
        "2020-01-01",
        "#",
        "é",
        "\\u0000",
        "\t",
    ])
}
