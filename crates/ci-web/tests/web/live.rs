//! Pages and logs as streams of events: what has changed, and nothing twice or not at all.

use ci_web::ReadAccess;
use ci_web::wire::{JobState, Role};
use hyper::StatusCode;
use serde_json::Value;

use crate::support::http::{Ask, Stream, get};
use crate::support::node::Node;
use crate::support::until;

/// An event: its kind, its id and what it says.
#[derive(Debug)]
struct Event {
    kind: String,
    id: String,
    data: String,
}

impl Event {
    fn json(&self) -> Value {
        serde_json::from_str(&self.data).unwrap()
    }
}

/// A stream that is read event by event.
struct Events {
    stream: Stream,
    text: String,
}

impl Events {
    async fn of(node: &Node, ask: Ask) -> Self {
        let stream = ask.header("accept", "text/event-stream").stream(node.address).await;
        assert_eq!(stream.status, StatusCode::OK);
        Self { stream, text: String::new() }
    }

    /// The next event; `None` at the end.
    async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some((event, rest)) = self.text.split_once("\n\n") {
                let field = |name: &str| {
                    let lines = event.lines().filter_map(|line| line.strip_prefix(name));
                    lines.map(str::trim_start).collect::<Vec<_>>().join("\n")
                };
                let event = Event { kind: field("event:"), id: field("id:"), data: field("data:") };
                self.text = rest.to_owned();
                if !event.kind.is_empty() {
                    return Some(event);
                }
                continue;
            }
            let bytes = self.stream.next().await?;
            self.text.push_str(&String::from_utf8_lossy(&bytes));
        }
    }

    /// Reads on until an event is as it should be.
    async fn until(&mut self, is_meant: impl Fn(&Event) -> bool) -> Event {
        loop {
            let event = self.next().await.expect("the stream goes on");
            if is_meant(&event) {
                return event;
            }
        }
    }
}

/// What a page says is shown by it.
fn shown(page: &str) -> String {
    let (_, rest) = page.split_once("data-shown=\"").expect("the page can be live");
    rest.split('"').next().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_tells_what_has_changed_and_only_that() {
    let node = Node::start(ReadAccess::Public).await;
    let go = node.path("go");
    let wait = node.wait_for(&go);
    let number = node.open_pull("slow", &format!("  slow:\n    - {wait}\n"));
    node.job(number, |job| job.since_ms.is_some()).await;
    let page = get("/acme/shop/pull/1").of(node.address).await.text();
    let mut fresh = Events::of(&node, get("/acme/shop/pull/1")).await;
    let first = fresh.next().await.unwrap();
    assert_eq!((first.kind.as_str(), first.json().get("start")), ("page", None), "all of it");
    let is_same = first.id == shown(&page);
    let known = if is_same { shown(&page) } else { first.id.clone() };

    let address = format!("/acme/shop/pull/1?shown={known}");
    let mut viewer = Events::of(&node, get(&address)).await;
    std::fs::write(go, "").unwrap();
    let passed = |event: &Event| event.data.contains("can be merged");
    let news = viewer.until(passed).await;
    assert_ne!(news.id, known, "what is shown already is not told");
    let change = fresh.until(passed).await;
    assert!(change.json().get("start").is_some(), "only what is different: {change:?}");
    assert!(change.data.len() < first.data.len() + 2_000, "{change:?}");

    // Who comes back with what they saw last is told nothing; with something older, what is shown now.
    let settled = until("the page to settle", async || {
        let page = get("/acme/shop/pull/1").of(node.address).await.text();
        page.contains("can be merged").then(|| shown(&page))
    })
    .await;
    let older = get("/acme/shop/pull/1").header("last-event-id", &known);
    let told = Events::of(&node, older).await.next().await.unwrap();
    assert_eq!((told.id, told.kind.as_str()), (settled, "page"));
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_is_for_those_who_may_look_and_ends_with_that() {
    let node = Node::start(ReadAccess::Token).await;
    let stranger = Events::of(&node, get("/")).await.next().await.unwrap();
    assert_eq!((stranger.kind.as_str(), stranger.data.as_str()), ("gone", "401"));
    let token = node.token(Role::Read).await;
    let session = node.log_in(&token).await;
    let mut known = Events::of(&node, get("/").cookie(&session)).await;
    assert_eq!(known.next().await.unwrap().kind, "page");
    let client = node.client().await;
    for token in client.tokens().await.unwrap() {
        client.revoke_token(&token.id).await.unwrap();
    }
    let end = known.until(|event| event.kind != "page").await;
    assert_eq!((end.kind.as_str(), end.data.as_str()), ("gone", "401"));
    assert!(known.next().await.is_none(), "the stream has ended");
    node.stop().await;
}

/// The numbers and the texts of the lines that events told.
fn lines(html: &str) -> Vec<String> {
    let parts = html.split("<div class=\"l\" id=\"L").skip(1);
    let line = |part: &str| {
        let number = part.split('"').next().unwrap();
        let (_, text) = part.split_once("</span><span>").unwrap();
        format!("{number} {}", text.split("</span></div>").next().unwrap())
    };
    parts.map(line).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_is_followed_by_many_line_by_line_and_resumed() {
    let node = Node::start(ReadAccess::Public).await;
    let (go, end) = (node.path("go"), node.path("end"));
    let (until_go, until_end) = (node.wait_for(&go), node.wait_for(&end));
    let job = format!(
        "  slow:\n    - echo one; printf tw; {until_go}; echo o; seq 3 40000; {until_end}; printf last\n"
    );
    let number = node.open_pull("slow", &job);
    let attempt = node.job(number, |job| job.since_ms.is_some()).await.attempt.unwrap();
    let id = until("the first line", async || {
        let run = node.client().await.job_run(&attempt.parse().unwrap()).await.ok()?;
        run.commands.first().filter(|command| command.log_bytes >= 6).map(|first| first.id.clone())
    })
    .await;
    let address = format!("/logs/{id}/follow?next=0.1");
    let mut first = Events::of(&node, get(&address)).await;
    let event = first.next().await.unwrap();
    assert_eq!((event.kind.as_str(), event.id.as_str()), ("lines", "4.2"));
    assert_eq!(lines(event.json()["html"].as_str().unwrap()), ["1 one"]);
    let rest = first.next().await.unwrap();
    assert_eq!((rest.kind.as_str(), rest.id.as_str()), ("rest", ""));
    assert_eq!(lines(rest.json()["html"].as_str().unwrap()), ["2 tw"]);

    let mut second = Events::of(&node, get(&format!("/logs/{id}/follow?next=4.2"))).await;
    std::fs::write(go, "").unwrap();
    let (mut told, mut cut) = (vec!["1 one".to_owned()], None);
    while told.len() < 40_000 {
        let event = first.until(|event| event.kind == "lines").await;
        told.extend(lines(event.json()["html"].as_str().unwrap()));
        cut.get_or_insert((event.id.clone(), told.len()));
    }
    let expected: Vec<String> = (1..=40_000)
        .map(|line| match line {
            1 => "1 one".to_owned(),
            2 => "2 two".to_owned(),
            line => format!("{line} {line}"),
        })
        .collect();
    assert!(told == expected, "the first one was told {} lines", told.len());

    // One comes back in the middle, another has seen all and stays.
    let (id_seen, seen) = cut.unwrap();
    let again = get(&address).header("last-event-id", &id_seen);
    let mut again = Events::of(&node, again).await;
    std::fs::write(end, "").unwrap();
    let mut rest = expected[..seen].to_vec();
    let mut others = vec!["1 one".to_owned()];
    for (stream, told) in [(&mut again, &mut rest), (&mut second, &mut others)] {
        loop {
            let event = stream.until(|event| event.kind != "rest").await;
            if event.kind == "end" {
                break;
            }
            told.extend(lines(event.json()["html"].as_str().unwrap()));
        }
        assert_eq!(told.last().map(String::as_str), Some("40001 last"));
        assert!(told[..40_000] == expected, "{} lines were told", told.len());
    }
    node.job(number, |job| job.state == JobState::Passed).await;
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_log_is_shown_in_parts() {
    let node = Node::start(ReadAccess::Public).await;
    let number = node.open_pull("long", "  long:\n    - seq 1 60000; exit 1\n");
    let attempt = node.job(number, |job| job.state == JobState::Failed).await.attempt.unwrap();
    let job = format!("/acme/shop/pull/1/jobs/{attempt}");
    let page = get(&job).of(node.address).await.text();
    let (_, rest) = page.split_once(&format!("href=\"{job}/log/")).expect("the way to the log");
    let log = format!("{job}/log/{}", rest.split('"').next().unwrap());
    let at = async |query: &str| get(&format!("{log}{query}")).of(node.address).await.text();
    let all =
        |from: u64, to: u64| (from..=to).map(|line| format!("{line} {line}")).collect::<Vec<_>>();
    let failed = at("").await;
    assert_eq!(lines(&failed), all(59_001, 60_000), "a failure is at the end");
    assert!(failed.contains("lines 59001 to 60000 of 60000") && failed.contains("data-end"));
    assert_eq!(lines(&at("?line=12345").await), all(12_001, 13_000));
    assert_eq!(lines(&at("?line=99999999").await), all(59_001, 60_000));
    let found = at("?find=4321").await;
    assert!(
        found.contains("16 lines contain") && found.contains("?line=14321&amp;find=4321#L14321")
    );
    let (_, rest) = failed.split_once("data-log=\"").unwrap();
    let base = rest.split('"').next().unwrap();
    let part = get(&format!("{base}/lines?from=58001")).of(node.address).await.text();
    assert_eq!(lines(&part), all(58_001, 59_000));
    for nothing in ["/9-1", "/x", "/..%2F..%2Fx"] {
        let answer = get(&format!("{job}/log{nothing}")).of(node.address).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{nothing}");
    }
    node.stop().await;
}
