//! `doctor`, on a machine that has what is needed and with a GitHub that says what it may.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use ci_domain::forge::{Head, StatusState, StatusWrite};
use ci_domain::ids::{BranchName, CommitSha, Login, RepoName};
use ci_github::Forge;
use ci_github::fake::{FakeGitHub, FakeRepo, FakeResponse, NewPull};
use serde_json::Value;
use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::stand_in::StandIn;
use crate::support::{Done, ci_node};

const UNIT: &str = include_str!("../../src/init/ci-node.service");
const PRIVATE_KEY: &str = include_str!("../../../ci-github/tests/keys/app.pem");
const PUBLIC_KEY: &str = include_str!("../../../ci-github/tests/keys/app.pub.pem");
const TOKEN: &str = "token = { file = \"token\" }";
const APP: &str = "app = { id = 7, private_key = { file = \"app.pem\" } }";

/// A GitHub over HTTP, and a folder with a configuration for it.
struct Office {
    folder: TempDir,
    runtime: Runtime,
    github: FakeGitHub,
    shop: FakeRepo,
    server: StandIn,
    /// Who the node is, in its configuration.
    credentials: &'static str,
}

impl Office {
    fn open() -> Self {
        let runtime = Runtime::new().unwrap();
        let github = FakeGitHub::new();
        let shop = github.add_repo(name(), BranchName::new("main").unwrap(), sha('a'));
        let behind = github.clone();
        let server = runtime.block_on(StandIn::start(move |request| match request.path.as_str() {
            // The node's public address is the same here.
            "/healthz" => FakeResponse { status: 200, headers: Vec::new(), body: b"ok".to_vec() },
            _ => behind.answer(&request),
        }));
        let folder = tempfile::tempdir().unwrap();
        let office = Self { folder, runtime, github, shop, server, credentials: TOKEN };
        office.write("unit.service", UNIT);
        office.write("token", FakeGitHub::TOKEN);
        office
    }

    /// The same for a node that is an app.
    fn of_app() -> Self {
        let office = Self { credentials: APP, ..Self::open() };
        office.github.install_app(PUBLIC_KEY);
        office.write("app.pem", PRIVATE_KEY);
        office
    }

    /// Where webhooks should go.
    fn hook(&self) -> String {
        format!("{}/webhooks/github", self.server.url)
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        fs::write(&path, text).unwrap();
        path
    }

    /// The findings with this configuration besides the necessary, and how the program ended.
    fn doctor(&self, more: &str) -> (i32, Vec<Value>) {
        self.doctor_at(&self.server.url, &[], more)
    }

    /// The same where GitHub is at `url`, in this environment.
    fn doctor_at(&self, url: &str, env: &[(&str, &str)], more: &str) -> (i32, Vec<Value>) {
        let config = format!(
            "data_dir = {:?}\npublic_url = {:?}\n[runner]\nmin_free = \"1MiB\"\n\
             [github]\napi_url = {url:?}\ngraphql_url = \"{url}/graphql\"\n\
             {}\n[[repos]]\nname = \"acme/shop\"\n{more}",
            self.folder.path().join("data"),
            self.server.url,
            self.credentials,
        );
        let config = self.write("ci-node.toml", &config);
        let unit = self.folder.path().join("unit.service");
        let mut command = ci_node(self.folder.path());
        command.args(["doctor", "-o", "json", "--config"]).arg(config).arg("--unit").arg(unit);
        command.envs(env.iter().copied());
        let done = Done::of(command.output().unwrap());
        let report: Value = serde_json::from_str(&done.stdout).expect(&done.stderr);
        assert_eq!(report["schema"], "ci-node.doctor/1");
        (done.code, report["findings"].as_array().unwrap().clone())
    }
}

fn name() -> RepoName {
    RepoName::new("acme/shop").unwrap()
}

fn sha(digit: char) -> CommitSha {
    CommitSha::new(digit.to_string().repeat(40)).unwrap()
}

/// The level and the words of a finding.
#[track_caller]
fn of<'a>(findings: &'a [Value], subject: &str) -> (&'a str, &'a str) {
    let found = findings.iter().find(|finding| finding["subject"] == subject);
    let found = found.unwrap_or_else(|| panic!("nothing about {subject}: {findings:?}"));
    (found["level"].as_str().unwrap(), found["words"].as_str().unwrap())
}

#[test]
fn what_is_well_is_said_and_nothing_is_written() {
    let office = Office::open();
    let (code, findings) = office.doctor("");
    assert_eq!(code, 0, "{findings:?}");
    for subject in [
        "git",
        "unit",
        "configuration",
        "disk",
        "GitHub",
        "clock",
        "statuses of acme/shop",
        "public address",
    ] {
        assert_eq!(of(&findings, subject).0, "ok", "{subject}: {findings:?}");
    }
    let (level, words) = of(&findings, "permissions of acme/shop");
    assert_eq!((level, words), ("warn", "`Issues: write` could not be tried"));
    assert_eq!(of(&findings, "webhook secret").0, "warn");
    assert_eq!(office.shop.statuses(&sha('a')), []);
}

#[test]
fn another_node_of_the_same_name_is_found_by_where_its_statuses_lead() {
    let office = Office::open();
    let head =
        Head { repo: Some(name()), branch: BranchName::new("topic").unwrap(), sha: sha('b') };
    let number = office.shop.open_pull(NewPull {
        title: "T".to_owned(),
        author: Login::new("ann").unwrap(),
        head,
        base: BranchName::new("main").unwrap(),
        draft: false,
    });
    let status = StatusWrite {
        context: "continuous-integration/ci-node/mergeable".to_owned(),
        state: StatusState::Pending,
        description: "initializing".to_owned(),
        target_url: Some(format!("{}/acme/shop/pull/{number}", office.server.url)),
    };
    let set = |status: &StatusWrite| {
        let (repo, sha) = (name(), sha('b'));
        office.runtime.block_on(office.github.set_status(&repo, &sha, status)).unwrap();
    };
    set(&status);
    let (code, findings) = office.doctor("");
    assert_eq!((code, of(&findings, "statuses of acme/shop").0), (0, "ok"), "{findings:?}");
    assert_eq!(of(&findings, "permissions of acme/shop").0, "ok", "{findings:?}");
    set(&StatusWrite { target_url: Some("https://other.example/x".to_owned()), ..status });
    let (code, findings) = office.doctor("");
    let (level, words) = of(&findings, "statuses of acme/shop");
    assert_eq!((code, level), (1, "fail"), "{findings:?}");
    assert!(words.contains("leads to https://other.example/x"), "{words}");
}

#[test]
fn a_proxy_of_the_environment_is_used() {
    let office = Office::open();
    let url = "http://github.invalid";
    let (_, findings) = office.doctor_at(url, &[("http_proxy", &office.server.url)], "");
    for subject in ["GitHub", "statuses of acme/shop"] {
        assert_eq!(of(&findings, subject).0, "ok", "{subject}: {findings:?}");
    }
    let (_, findings) = office.doctor_at(url, &[], "");
    assert_eq!(of(&findings, "GitHub").0, "fail", "{findings:?}");
}

#[test]
fn a_webhook_that_is_missing_or_does_not_tell_all_is_named() {
    let office = Office::open();
    let webhook = || {
        let (code, findings) = office.doctor("");
        assert_eq!(code, 0, "{findings:?}");
        let (level, words) = of(&findings, "webhook of acme/shop");
        (level.to_owned(), words.to_owned())
    };
    let (level, words) = webhook();
    assert_eq!(level, "warn");
    assert!(words.starts_with(&format!("none delivers to {}", office.hook())), "{words}");
    office.github.set_hook(&office.hook());
    let lacks = "it does not deliver pull_request_review, issue_comment, merge_group, repository";
    assert_eq!(webhook(), ("warn".to_owned(), lacks.to_owned()));
}

#[test]
fn an_app_is_looked_at_as_one() {
    let office = Office::of_app();
    office.github.set_hook(&office.hook());
    let (code, findings) = office.doctor("");
    assert_eq!(code, 0, "{findings:?}");
    let known = format!("{} knows us as ci-app[bot]", office.server.url);
    assert_eq!(of(&findings, "GitHub"), ("ok", known.as_str()));
    assert_eq!(of(&findings, "permissions of acme/shop"), ("ok", "all that is needed"));
    let (level, words) = of(&findings, "webhook of acme/shop");
    assert_eq!(level, "warn");
    assert!(words.starts_with("it does not deliver "), "{words}");

    office.github.take_permission("statuses");
    office.github.take_permission("checks");
    let (code, findings) = office.doctor("");
    assert_eq!(code, 1, "{findings:?}");
    let of_permissions = findings.iter().filter(|one| one["subject"] == "permissions of acme/shop");
    let said: Vec<String> = of_permissions
        .map(|one| format!("{} {}", one["level"].as_str().unwrap(), one["words"].as_str().unwrap()))
        .collect();
    assert!(
        said[0].contains("`Commit statuses: write` missing") && said[0].starts_with("fail"),
        "{said:?}"
    );
    assert!(said[1].starts_with("warn `Checks: write` missing"), "{said:?}");
    assert!(!findings.iter().any(|one| one.to_string().contains("PRIVATE KEY")));
}

#[test]
fn a_repository_of_this_machine_is_looked_at() {
    let folder = tempfile::tempdir().unwrap();
    let shop = folder.path().join("shop.git");
    let config = format!(
        "data_dir = {:?}\n[[repos]]\nname = \"acme/shop\"\nlocal = {shop:?}\n",
        folder.path().join("data")
    );
    let file = folder.path().join("ci-node.toml");
    fs::write(&file, config).unwrap();
    let line = || {
        let mut command = ci_node(folder.path());
        let done = Done::of(command.args(["doctor", "--config"]).arg(&file).output().unwrap());
        let mut lines = done.stdout.lines();
        lines.find(|line| line.contains("repository acme/shop")).unwrap_or_default().to_owned()
    };
    assert!(line().starts_with("fail  repository acme/shop"), "{}", line());
    assert!(line().contains("shop.git is no bare git repository; make it"), "{}", line());
    let made = Command::new("git").args(["init", "-q", "--bare"]).arg(&shop).status().unwrap();
    assert!(made.success());
    assert!(line().starts_with("ok    repository acme/shop"), "{}", line());
}

#[test]
fn what_is_wrong_is_a_failure_with_its_remedy() {
    let office = Office::open();
    office.write("token", "other-token");
    office.write("unit.service", &UNIT.replace("KillMode=process", "KillMode=mixed"));
    let (code, findings) = office.doctor("");
    assert_eq!(code, 1);
    assert_eq!(of(&findings, "GitHub").0, "fail", "{findings:?}");
    assert_eq!(of(&findings, "permissions of acme/shop").0, "fail", "{findings:?}");
    assert!(of(&findings, "unit").1.contains("KillMode=mixed ends all jobs"), "{findings:?}");
    assert!(!findings.iter().any(|one| one.to_string().contains("other-token")), "{findings:?}");
    let remedies = findings.iter().filter(|one| one["level"] != "ok").map(|one| &one["remedy"]);
    assert!(remedies.clone().all(Value::is_string), "{findings:?}");
}

#[test]
fn without_a_configuration_only_the_machine_is_looked_at() {
    let folder = tempfile::tempdir().unwrap();
    let unit = folder.path().join("unit.service");
    fs::write(&unit, UNIT).unwrap();
    let doctor = |more: &[&Path]| {
        let mut command = ci_node(folder.path());
        command.args(["doctor", "--unit"]).arg(&unit).args(more);
        Done::of(command.output().unwrap())
    };
    let done = doctor(&[]).ended_with(0);
    let lines: Vec<&str> = done.stdout.lines().collect();
    assert!(lines.iter().any(|line| line.starts_with("ok    git")), "{}", done.stdout);
    assert!(lines.iter().any(|line| line.contains("say --config FILE")), "{}", done.stdout);
    let done = doctor(&[Path::new("--config"), Path::new("nowhere.toml")]).ended_with(1);
    assert!(
        done.stdout.contains("failed to read the configuration nowhere.toml"),
        "{}",
        done.stdout
    );
}
