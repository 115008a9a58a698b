//! A pull request whose actors cannot live is left alone, and says so; the others never notice.

use std::path::Path;
use std::process::{Command, Output};

use ci_domain::ids::PullNumber;
use heights_vitals::wire::ControlRequest;
use serde_json::{Value, json};

use crate::actors::{actors, vitals};
use crate::node::PROGRAM;
use crate::repository::Change;
use crate::wait::{LIMIT, wait_for};
use crate::world::{NO_APPROVAL, World};

const FILES: [(&str, &str); 3] = [
    NO_APPROVAL,
    ("lib/ci.yaml", "jobs: {test: ['echo $CI_PULL >> {outside}']}\n"),
    ("lib/word", "hello\n"),
];
const GREEN: &str = "success pull request can be merged";

fn word(word: &str) -> [Change; 1] {
    [Change::file("lib/word", word)]
}

fn ask(world: &World, arguments: &[&str]) -> Output {
    let config = world.folder().join("ci-node.toml");
    Command::new(PROGRAM).args(arguments).arg("--config").arg(config).output().unwrap()
}

/// What `arguments` print.
fn answer(world: &World, arguments: &[&str]) -> String {
    let output = ask(world, arguments);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Makes records of that kind in the stream of a pull request into something that nobody understands, in
/// all lines of an export but the last, which sums them up.
fn poison(lines: &str, pull: PullNumber, kind: &str) -> String {
    let (stream, kind) =
        (format!("\"stream\":\"pull/acme/shop/{pull}\""), format!("\"kind\":\"{kind}\""));
    let spoil = |line: &str| match line.contains(&stream) && line.contains(&kind) {
        true => line.replace(&kind, "\"kind\":\"poison\"") + "\n",
        false => line.to_owned() + "\n",
    };
    let spoilt: String = lines.lines().map(spoil).collect();
    assert_ne!(spoilt, lines, "there is nothing of {kind} in {stream}");
    spoilt
}

/// Writes the last line of an export anew.
fn sealed(lines: &str, end: &str) -> String {
    let mut end: Value = serde_json::from_str(end).unwrap();
    end["end"]["records"] = json!(lines.matches("{\"record\":").count());
    end["end"]["crc32"] = json!(crc32(lines.as_bytes()));
    format!("{lines}{end}\n")
}

/// Makes the stream of a pull request a snapshot that nobody understands.
fn fold_into_nonsense(lines: &str, pull: PullNumber) -> String {
    let stream = format!("pull/acme/shop/{pull}");
    let is_of_it = |line: &&str| line.contains(&format!("\"stream\":\"{stream}\""));
    let seq = lines.lines().filter(is_of_it).count();
    let snapshot = json!({"snapshot": {"stream": stream, "seq": seq, "body": {"version": 99}}});
    let first = lines.lines().position(|line| is_of_it(&line)).unwrap();
    let mut kept: Vec<String> =
        lines.lines().filter(|line| !is_of_it(line)).map(str::to_owned).collect();
    kept.insert(first, snapshot.to_string());
    kept.join("\n") + "\n"
}

/// The sum that closes an export, bit by bit.
fn crc32(bytes: &[u8]) -> u32 {
    let bit = |sum: u32, _| if sum & 1 == 1 { (sum >> 1) ^ 0xedb8_8320 } else { sum >> 1 };
    !bytes.iter().fold(!0, |sum, byte| (0..8).fold(sum ^ u32::from(*byte), bit))
}

fn restore(world: &World, export: &str, file: &Path) {
    std::fs::write(file, export).unwrap();
    std::fs::rename(world.data().join("store"), world.data().join("store.old")).unwrap();
    let output = ask(world, &["store", "import", file.to_str().unwrap()]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_no_actor_can_begin_with_isolates_its_pull_request_only() {
    let world = World::new(&FILES).await;
    let node = world.start().await;
    let [headless, planless, healthy] =
        ["headless", "planless", "healthy"].map(|name| world.open(name, &word(name)));
    world.deliver(&node).await;
    for pull in [headless, planless, healthy] {
        world.says(pull, GREEN).await;
    }
    node.terminate().await;
    let export = answer(&world, &["store", "export"]);
    let end = export.lines().last().unwrap();
    let lines = export.strip_suffix(&format!("{end}\n")).unwrap();
    let spoilt = poison(&poison(lines, headless, "observed"), planless, "prepared");
    restore(&world, &sealed(&spoilt, end), &world.folder().join("export.jsonl"));

    let node = world.start().await;
    let is_quarantined = |pull| world.umbrella(pull).starts_with("error quarantined: its actors");
    for pull in [headless, planless] {
        world.until("the quarantine to be told", || is_quarantined(pull)).await;
        assert!(world.umbrella(pull).contains("\"poison\""), "{}", world.umbrella(pull));
    }
    world.push_pull(healthy, &word("healthier\n"));
    let opened = world.open("opened", &word("opened\n"));
    world.deliver(&node).await;
    for pull in [healthy, opened] {
        world.says(pull, GREEN).await;
    }

    let number = planless.to_string();
    answer(&world, &["quarantine", "lift", &number]);
    world.says(planless, GREEN).await;
    let runs = |pull: &str| world.outside().iter().filter(|line| *line == pull).count();
    assert_eq!(runs(&number), 1, "what had passed counts still");
    world.push_pull(headless, &word("mended\n"));
    world.deliver(&node).await;
    world.says(headless, GREEN).await;
    assert_eq!(answer(&world, &["quarantine", "list"]).lines().count(), 1, "only the heading");
}

#[tokio::test(flavor = "multi_thread")]
async fn builds_are_counted_on_where_nothing_of_a_pull_request_can_be_read() {
    let world = World::new(&FILES).await;
    let node = world.start().await;
    let pull = world.open("forgetful", &word("forgetful\n"));
    world.deliver(&node).await;
    world.says(pull, GREEN).await;
    node.terminate().await;
    let export = answer(&world, &["store", "export"]);
    let end = export.lines().last().unwrap();
    let lines = export.strip_suffix(&format!("{end}\n")).unwrap();
    let spoilt = sealed(&fold_into_nonsense(lines, pull), end);
    restore(&world, &spoilt, &world.folder().join("export.jsonl"));

    let _node = world.start().await;
    let is_quarantined = || world.umbrella(pull).starts_with("error quarantined: its actors");
    world.until("the quarantine to be told", is_quarantined).await;
    let number = pull.to_string();
    answer(&world, &["quarantine", "lift", &number]);
    world.says(pull, GREEN).await;
    assert_eq!(world.outside(), [&*number, &*number], "what came of the first build is lost");
    let shown = answer(&world, &["pr", "show", &number, "-o", "json"]);
    let shown: Value = serde_json::from_str(&shown).unwrap();
    assert_eq!(shown["last_build"], 2, "the first keeps its number: {shown:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pull_request_whose_actor_dies_again_and_again_is_isolated() {
    let world = World::new(&FILES).await;
    let node = world.start().await;
    let [poor, healthy] = ["poor", "healthy"].map(|name| world.open(name, &word(name)));
    world.deliver(&node).await;
    for pull in [poor, healthy] {
        world.says(pull, GREEN).await;
    }
    let vitals = vitals(&world, &node);
    let suffix = format!("/pull-{poor}/pull");
    let request = ControlRequest { dry_run: false, reason: Some("a story".to_owned()) };
    let mut killed = None;
    while !world.umbrella(poor).starts_with("error quarantined: ") {
        let find = async || {
            let found = actors(&vitals).await.into_iter().find(|a| a.path.ends_with(&suffix));
            let pid = found.and_then(|actor| actor.pid);
            let is_over = world.umbrella(poor).starts_with("error");
            (is_over || pid.is_some() && pid != killed).then_some(pid)
        };
        let Some(pid) = wait_for("the next life, or the end", LIMIT, find).await else { break };
        // One that is gone meanwhile needs no killing.
        let _gone = vitals.kill(&pid, &request).await;
        killed = Some(pid);
    }
    world.until("the quarantine", || world.umbrella(poor).starts_with("error quarantined")).await;
    let said = world.said(poor);
    let lift = format!("ci-node quarantine lift {poor} --repo acme/shop");
    assert!(said.iter().any(|said| said.contains(&lift)), "{said:?}");
    assert!(said.iter().any(|said| said.contains("too often, at last: `killed`")), "{said:?}");
    world.push_pull(healthy, &word("healthier\n"));
    world.deliver(&node).await;
    world.says(healthy, GREEN).await;
    answer(&world, &["quarantine", "lift", &poor.to_string()]);
    world.says(poor, GREEN).await;
}
