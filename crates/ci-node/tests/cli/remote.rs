//! What is asked of a running node, and what is done to its store while none runs.

use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::{Done, Repo};

const CEILING: Duration = Duration::from_secs(60);
/// Between two looks.
const PAUSE: Duration = Duration::from_millis(50);

/// A node that serves one repository with one pull request, which has failed.
struct Node {
    repo: Repo,
    server: Option<Child>,
}

impl Node {
    fn start() -> Self {
        let repo = Repo::with(&[(
            "air/ci.yaml",
            "jobs: {compile: [\"true\"], test: [\"printf '\\\\033[31mout\\\\033[0m of cheese'; exit 3\"]}",
        )]);
        let forge = repo.beside("shop.git");
        repo.git(&["clone", "-q", "--bare", ".", forge.to_str().unwrap()]);
        repo.git(&["checkout", "-q", "-b", "topic"]);
        repo.commit("air/x", "changed");
        repo.git(&["push", "-q", forge.to_str().unwrap(), "HEAD:refs/pull/7/head"]);
        let mut node = Self { repo, server: None };
        let config = format!(
            "data_dir = {:?}\n[http]\nlisten = \"127.0.0.1:0\"\n[runner]\nisolation = \"none\"\n\
             min_free = \"1MiB\"\n[[repos]]\nname = \"acme/shop\"\nlocal = {forge:?}\n",
            node.repo.beside("data"),
        );
        fs::write(node.config(), config).unwrap();
        node.serve();
        node.wait_until("air:test has failed", |pull| job(pull, "air:test")["state"] == "failed");
        node
    }

    fn serve(&mut self) {
        let log = fs::File::create(self.repo.beside("serve.log")).unwrap();
        let mut command = self.repo.command(&["serve"]);
        command.env("CI_NODE_CONFIG", self.config()).stdout(Stdio::null()).stderr(log);
        self.server = Some(command.spawn().unwrap());
    }

    /// Stops the server in order.
    fn stop(&mut self) {
        let mut server = self.server.take().unwrap();
        let pid = server.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
        assert!(server.wait().unwrap().success());
    }

    fn config(&self) -> PathBuf {
        self.repo.beside("ci-node.toml")
    }

    fn ask(&self, args: &[&str]) -> Done {
        let mut command = self.repo.command(args);
        Done::of(command.env("CI_NODE_CONFIG", self.config()).output().unwrap())
    }

    fn json(&self, args: &[&str]) -> Value {
        let args = [args, &["-o", "json"]].concat();
        serde_json::from_str(&self.ask(&args).ended_with(0).stdout).unwrap()
    }

    #[track_caller]
    fn wait_until(&self, what: &str, is_so: impl Fn(&Value) -> bool) {
        self.wait_until_of("7", what, is_so);
    }

    #[track_caller]
    fn wait_until_of(&self, pull: &str, what: &str, is_so: impl Fn(&Value) -> bool) {
        let deadline = Instant::now() + CEILING;
        loop {
            let done = self.ask(&["pr", "show", pull, "-o", "json"]);
            if serde_json::from_str(&done.stdout).is_ok_and(|pull| is_so(&pull)) {
                return;
            }
            let log = fs::read_to_string(self.repo.beside("serve.log")).unwrap();
            assert!(Instant::now() < deadline, "waited {CEILING:?} until {what}: {done:?}\n{log}");
            std::thread::park_timeout(PAUSE);
        }
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        if let Some(server) = &mut self.server {
            server.kill().unwrap();
            server.wait().unwrap();
        }
    }
}

fn job<'a>(pull: &'a Value, name: &str) -> &'a Value {
    let jobs = pull["jobs"].as_array().unwrap();
    jobs.iter().find(|job| job["job"] == name).unwrap_or(&Value::Null)
}

#[test]
fn a_running_node_tells_and_obeys() {
    let node = Node::start();
    let status = node.ask(&["status"]).ended_with(0).stdout;
    assert!(status.contains(", ready\n") && status.contains("acme/shop   1"), "{status}");
    let list = node.ask(&["pr", "list"]).ended_with(0).stdout;
    assert!(list.contains("acme/shop#7   failure  air:test failed"), "{list}");
    let show = node.ask(&["pr", "show", "7"]).ended_with(0).stdout;
    assert!(show.contains("air:compile  passed"), "{show}");
    let why = node.ask(&["pr", "why", "7"]).ended_with(0).stdout;
    assert!(why.contains("air:test failed: ") && why.contains("awaiting approval: "), "{why}");
    assert!(why.contains("`/ci retry` (here: `ci-node pr retry 7`)"), "{why}");
    let logs = node.ask(&["pr", "logs", "7", "air:test", "-f"]).ended_with(0).stdout;
    assert!(logs.contains("\u{1b}[31mout\u{1b}[0m of cheese"), "{logs:?}");
    let before = job(&node.json(&["pr", "show", "7"]), "air:test")["attempt"].clone();
    assert_eq!(node.ask(&["pr", "retry", "7"]).ended_with(0).stdout, "air:test\n");
    node.wait_until("it has failed again", |pull| {
        let job = job(pull, "air:test");
        job["state"] == "failed" && job["attempt"] != before
    });
    let forced = node.ask(&["pr", "force", "#7", "all", "--clean"]).ended_with(0).stdout;
    assert_eq!(forced, "air:compile\nair:test\n");
    assert_eq!(node.json(&["quarantine", "list"]), serde_json::json!([]));
}

#[test]
fn branches_are_shown_and_forced() {
    let node = Node::start();
    let wait_until = |state: &str| {
        let deadline = Instant::now() + CEILING;
        loop {
            let done = node.ask(&["branch", "show", "main", "-o", "json"]);
            let branch: Value = serde_json::from_str(&done.stdout).unwrap_or_default();
            let is_there = branch["jobs"].as_array().is_some_and(|jobs| !jobs.is_empty());
            if is_there && job(&branch, "air:compile")["state"] == state {
                return;
            }
            assert!(Instant::now() < deadline, "waited {CEILING:?} until {state}: {done:?}");
            std::thread::park_timeout(PAUSE);
        }
    };
    wait_until("passed");
    let listed = node.json(&["branch", "list"]);
    assert_eq!(listed[0]["name"], "main", "{listed}");
    let list = node.ask(&["branch", "list"]).ended_with(0).stdout;
    assert!(list.starts_with("BRANCH") && list.contains("main"), "{list}");
    let forced = node.ask(&["branch", "force", "main", "all"]).ended_with(0).stdout;
    assert_eq!(forced, "air:compile\n");
    wait_until("passed");
    let show = node.ask(&["branch", "show", "main"]).ended_with(0).stdout;
    assert!(show.contains("main of acme/shop") && show.contains("air:compile  passed"), "{show}");
    let logs = node.ask(&["branch", "logs", "main", "air:compile", "-f"]).ended_with(0).stdout;
    assert!(logs.contains("$ true"), "{logs}");
    node.ask(&["branch", "logs", "main", "air:test"]).ended_with(3);
    node.ask(&["branch", "show", "topic"]).ended_with(3);
}

#[test]
fn pull_requests_of_a_local_repository_are_opened_reviewed_and_closed() {
    let node = Node::start();
    let forge = node.repo.beside("shop.git");
    let forge = forge.to_str().unwrap();
    let local = |args: &[&str]| node.ask(&[&["local"], args].concat());
    node.repo.commit(
        "air/ci.yaml",
        "jobs: {compile: [\"true\"], docs: {when: approved, steps: [\"true\"]}}",
    );
    local(&["open", forge, "--head", "docs"]).ended_with(3);
    node.repo.git(&["push", "-q", forge, "HEAD:refs/heads/docs"]);
    let opened = local(&["open", forge, "--head", "docs", "--title", "Docs"]).ended_with(0);
    assert_eq!(opened.stdout, "8\n");
    let wait_until = |is_so: &dyn Fn(&Value) -> bool| node.wait_until_of("8", "the verdict", is_so);
    let is = |words: &'static str| move |pull: &Value| pull["pull"]["description"] == words;
    wait_until(&is("awaiting approval"));
    local(&["request-changes", forge, "8", "--by", "ada"]).ended_with(0);
    wait_until(&is("changes requested"));
    local(&["approve", forge, "8", "--by", "ada"]).ended_with(0);
    wait_until(&is("pull request can be merged"));
    local(&["comment", forge, "7", "--by", "ada", "/ci cancel"]).ended_with(0);
    local(&["approve", forge, "9", "--by", "ada"]).ended_with(3);
    local(&["approve", "/nonexistent", "8", "--by", "ada"]).ended_with(3);
    local(&["close", forge, "8"]).ended_with(0);
    let deadline = Instant::now() + CEILING;
    while node.json(&["pr", "list"]).as_array().unwrap().iter().any(|pull| pull["number"] == 8) {
        assert!(Instant::now() < deadline, "waited {CEILING:?} until it is closed");
        std::thread::park_timeout(PAUSE);
    }
    let shown = node.ask(&["pr", "show", "8"]).ended_with(0).stdout;
    assert!(shown.contains("closed; before that success: pull request can be merged"), "{shown}");
}

#[test]
fn tokens_are_made_listed_and_revoked() {
    let node = Node::start();
    let made = node.json(&["token", "create", "--role", "build", "--label", "phone"]);
    let id = made["token"]["id"].as_str().unwrap();
    let list = node.ask(&["token", "list"]).ended_with(0).stdout;
    assert!(list.contains(id) && list.contains("phone"), "{list}");
    assert!(!list.contains(made["text"].as_str().unwrap()));
    node.ask(&["token", "revoke", id]).ended_with(0);
    node.ask(&["token", "revoke", id]).ended_with(3);
    node.ask(&["token", "create", "--role", "king"]).ended_with(2);
}

#[test]
fn what_was_done_is_listed() {
    let node = Node::start();
    let made = node.json(&["token", "create", "--role", "read"]);
    let id = made["token"]["id"].as_str().unwrap();
    node.ask(&["token", "revoke", id]).ended_with(0);
    node.ask(&["token", "list"]).ended_with(0);
    let shown = node.ask(&["audit"]).ended_with(0).stdout;
    let lines: Vec<&str> = shown.lines().collect();
    assert_eq!(lines.len(), 3, "a heading and what was changed: {shown}");
    assert!(lines[1].contains("operator") && lines[1].contains("uid "), "{shown}");
    assert!(lines[1].ends_with("make a token with the role read /api/v1/tokens"), "{shown}");
    assert!(lines[2].ends_with(&format!("DELETE /api/v1/tokens/{id}")), "{shown}");
    let newest = node.json(&["audit", "-n", "1"]);
    assert_eq!((newest.as_array().unwrap().len(), &newest[0]["id"]), (1, &serde_json::json!(2)));
    assert_eq!(node.json(&["audit", "--before", "2"])[0]["status"], 201);
    node.ask(&["audit", "-n", "0"]).ended_with(2);
}

#[test]
fn refusals_have_their_exit_codes() {
    let mut node = Node::start();
    let check = |node: &Node, args: &[&str], code: i32, words: &str| {
        let done = node.ask(args).ended_with(code);
        assert!(done.stderr.contains(words), "{args:?}: {}", done.stderr);
        assert_eq!(done.stdout, "", "{args:?}");
    };
    check(&node, &["pr", "show", "9"], 3, "no open pull request 9");
    check(&node, &["pr", "show", "7", "--repo", "acme/other"], 3, "acme/other");
    check(&node, &["pr", "logs", "7", "air:lint"], 3, "it has: air:compile, air:test");
    check(&node, &["pr", "show", "seven"], 2, "expected the number");
    check(&node, &["quarantine", "lift", "7"], 3, "not quarantined");
    check(&node, &["pr", "list", "--socket", "/nonexistent/admin.sock"], 6, "none listens");
    let pid = node.server.as_ref().unwrap().id();
    check(&node, &["store", "compact"], 1, &format!("held by process {pid}"));
    check(&node, &["store", "import", "/dev/null"], 1, &format!("held by process {pid}"));
    node.stop();
    check(&node, &["status"], 6, "none listens");
}

#[test]
fn a_store_moves_to_another_house() {
    let mut node = Node::start();
    node.ask(&["store", "check"]).ended_with(0);
    let live = node.ask(&["store", "export"]).ended_with(0).stdout;
    assert!(live.lines().all(|line| serde_json::from_str::<Value>(line).is_ok()));
    node.stop();
    let checked = node.json(&["store", "check"]);
    assert!(
        checked["records"].as_u64().unwrap() > 0 && checked["findings"] == serde_json::json!([])
    );
    let export = node.ask(&["store", "export"]).ended_with(0).stdout;
    let file = node.repo.beside("export.ndjson");
    fs::write(&file, &export).unwrap();
    let file = file.to_str().unwrap();
    node.ask(&["store", "import", file]).ended_with(1);
    fs::remove_dir_all(node.repo.beside("data")).unwrap();
    node.ask(&["store", "check"]).ended_with(3);
    node.ask(&["store", "import", file]).ended_with(0);
    node.ask(&["store", "compact"]).ended_with(0);
    let again = node.ask(&["store", "export"]).ended_with(0).stdout;
    // The first line has the time, and the last a sum of all.
    let is_record = |line: &&str| line.starts_with("{\"record\":");
    let records =
        |text: &str| -> Vec<String> { text.lines().filter(is_record).map(str::to_owned).collect() };
    assert!(!records(&export).is_empty());
    assert_eq!(records(&again), records(&export));
    node.serve();
    node.wait_until("it knows", |pull| job(pull, "air:test")["state"] == "failed");
}
