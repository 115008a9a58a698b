//! The dashboard as people have it: in a real browser, with a script and without.

use std::time::Duration;

use ci_web::ReadAccess;
use ci_web::wire::{JobState, Role};
use serde_json::json;
use tokio::task::block_in_place;

use crate::support::browser::{Browser, Window};
use crate::support::node::Node;
use crate::support::until;

const DESK: Window = Window(1280, 900, "light");

impl Node {
    fn at(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }
}

/// The lines that are shown, as one text.
const LINES: &str = "[...document.querySelectorAll('#log .block .l')].map(line => \
                     line.firstElementChild.textContent + ' ' + line.lastElementChild.textContent).join('\\n')";

#[tokio::test(flavor = "multi_thread")]
async fn a_log_is_watched_while_it_is_printed() {
    let Some(mut browser) = Browser::start() else { return };
    let node = Node::start(ReadAccess::Public).await;
    let go = node.path("go");
    let wait = node.wait_for(&go);
    let number = node.open_pull("slow", &format!("  slow:\n    - echo one; {wait}; echo two\n"));
    let attempt = node.job(number, |job| job.since_ms.is_some()).await.attempt.unwrap();
    block_in_place(|| {
        browser.resize(DESK);
        browser.open(&node.at("/acme/shop"));
        browser.until("the pull request", "document.querySelector('.rows a[href$=\"/pull/1\"]')");
        browser.value("document.querySelector('.rows a[href$=\"/pull/1\"]').click()");
        browser.until("the job to run", "document.querySelector('tr.live a')");
        browser.value("window.isSamePage = true");
        let job = format!("/acme/shop/pull/1/jobs/{attempt}");
        let mut second = Browser::start().unwrap();
        second.resize(DESK);
        second.open(&node.at(&job));
        second.until("the way to the log", "document.querySelector('details a[href*=\"/log/\"]')");
        second.value("document.querySelector('details a[href*=\"/log/\"]').click()");
        second.until("the first line", &format!("{LINES} === '1 one'"));
        second.value("window.isSamePage = true");
        std::fs::write(&go, "").unwrap();
        second.until("the second line", &format!("{LINES} === '1 one\\n2 two'"));
        second.until("the end", "document.querySelector('.badge.good')");
        browser.until("the verdict", "document.querySelector('.verdict.good')");
        browser.until(
            "the icon",
            "document.querySelector('link[rel=icon]').href.endsWith('good.svg')",
        );
        for browser in [&mut browser, &mut second] {
            assert_eq!(browser.value("window.isSamePage"), true, "nothing was loaded anew");
            assert_eq!(browser.complaints(), Vec::<String>::new());
        }
    });
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_watches_a_log_loses_nothing_when_the_server_is_killed() {
    let Some(mut browser) = Browser::start() else { return };
    let node = Node::start(ReadAccess::Public).await;
    let steps: Vec<_> = (0..3).map(|step| node.path(&format!("go-{step}"))).collect();
    let waits: Vec<String> = steps.iter().map(|step| node.wait_for(step)).collect();
    let job = format!(
        "  slow:\n    - seq 1 2500; {}; seq 2501 3000; {}; seq 3001 3500; {}\n",
        waits[0], waits[1], waits[2]
    );
    let number = node.open_pull("slow", &job);
    let attempt = node.job(number, |job| job.since_ms.is_some()).await.attempt.unwrap();
    let has_lines = |from: u64, to: u64| {
        let lines: Vec<String> = (from..=to).map(|line| format!("{line} {line}")).collect();
        format!("{LINES}.endsWith({})", json!(lines.join("\n")))
    };
    block_in_place(|| {
        browser.resize(DESK);
        browser.open(&node.at(&format!("/acme/shop/pull/1/jobs/{attempt}")));
        browser.until("the way to the log", "document.querySelector('details a[href*=\"/log/\"]')");
        browser.value("document.querySelector('details a[href*=\"/log/\"]').click()");
        browser.until("what was printed", &has_lines(2001, 2500));
        browser.value("window.isSamePage = true");
    });
    for (step, last) in [(0, 3000), (1, 3500)] {
        let web = node.process.hub().find("ci-node/web").unwrap();
        web.kill();
        web.gone().await;
        std::fs::write(&steps[step], "").unwrap();
        block_in_place(|| {
            browser.until("what came meanwhile", &has_lines(2001, last));
        });
    }
    std::fs::write(&steps[2], "").unwrap();
    block_in_place(|| {
        browser.until("the end", "document.querySelector('.badge.good')");
        browser.until("no word about it", "document.getElementById('away').textContent === ''");
        assert_eq!(browser.value(&has_lines(2001, 3500)), true, "nothing was told twice");
        assert_eq!(browser.value("window.isSamePage"), true);
        assert_eq!(browser.complaints(), Vec::<String>::new());
    });
    node.job(number, |job| job.state == JobState::Passed).await;
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_is_run_again_by_who_has_a_token() {
    let Some(mut browser) = Browser::start() else { return };
    let node = Node::start(ReadAccess::Public).await;
    let number = node.open_pull("red", "  bad:\n    - echo no; exit 3\n");
    let first = node.job(number, |job| job.state == JobState::Failed).await.attempt.unwrap();
    let token = node.token(Role::Build).await;
    block_in_place(|| {
        browser.resize(Window(390, 844, "dark"));
        browser.open(&node.at("/login?next=%2Facme%2Fshop%2Fpull%2F1"));
        browser.value(&format!("document.getElementById('token').value = {}", json!(token)));
        browser.value("document.querySelector('form.login button').click()");
        browser.until("the pull request", "location.pathname === '/acme/shop/pull/1'");
        browser.until("a button", "document.querySelector('.jobs form button')");
        browser.value("document.querySelector('.jobs form button').click()");
    });
    let is_new = |job: &ci_web::wire::Job| {
        job.state == JobState::Failed && job.attempt.as_deref() != Some(&first)
    };
    let second = node.job(number, is_new).await.attempt.unwrap();
    block_in_place(|| {
        let link = format!("document.querySelector('.jobs a[href$=\"{second}\"]')");
        browser.until("the new attempt", &link);
        assert_eq!(browser.complaints(), Vec::<String>::new());
    });
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_log_is_read_anywhere_without_being_there_as_a_whole() {
    let Some(mut browser) = Browser::start() else { return };
    let node = Node::start(ReadAccess::Public).await;
    let number = node.open_pull("long", "  long:\n    - seq 1 60000\n");
    let attempt = node.job(number, |job| job.state == JobState::Passed).await.attempt.unwrap();
    let page = format!("/acme/shop/pull/1/jobs/{attempt}");
    let is_seen = |line: u64| {
        format!(
            "(() => {{ const box = document.getElementById('L{line}')?.getBoundingClientRect(); \
             return box && box.top >= 0 && box.bottom <= innerHeight; }})()"
        )
    };
    block_in_place(|| {
        browser.resize(DESK);
        browser.open(&node.at(&page));
        browser.until("the way to the log", "document.querySelector('details a[href*=\"/log/\"]')");
        let log = browser.value("document.querySelector('details a[href*=\"/log/\"]').pathname");
        let log = log.as_str().unwrap().to_owned();
        browser.open(&node.at(&format!("{log}?line=30000#L30000-L30010")));
        browser.until("a line in the middle", &is_seen(30_000));
        browser.until("all chosen lines", "document.querySelectorAll('.l.chosen').length === 11");
        browser.value("scrollTo(0, document.documentElement.scrollHeight)");
        browser.until("the last line", "document.getElementById('L60000')");
        for part in 0..40 {
            browser.value(&format!(
                "scrollTo(0, document.documentElement.scrollHeight * {part} / 40)"
            ));
            browser.until(
                "what is there",
                "[...document.querySelectorAll('.block')].every(block => { \
                const box = block.getBoundingClientRect(); \
                return box.bottom < 0 || box.top > innerHeight || block.childElementCount > 0; })",
            );
        }
        let there = browser.value("document.querySelectorAll('#log .l').length");
        assert!(there.as_u64().unwrap() <= 40_000, "{there} of 60000 lines are there");
        // A range is chosen with the mouse, and its address leads there.
        browser.open(&node.at(&format!("{log}?line=1")));
        browser.until("the first line", "document.getElementById('L7')");
        browser.value("document.querySelector('#L3 > a').click()");
        browser.value("document.querySelector('#L7 > a').dispatchEvent(new MouseEvent('click', {bubbles: true, cancelable: true, shiftKey: true}))");
        assert_eq!(browser.value("location.search + location.hash"), "?line=3#L3-L7");
        assert_eq!(browser.value("document.querySelectorAll('.l.chosen').length"), 5);
        assert_eq!(browser.complaints(), Vec::<String>::new());
        // Without a script there are links.
        browser.call("Emulation.setScriptExecutionDisabled", &json!({"value": true}));
        browser.open(&node.at(&log));
        browser.until("the parts of the log", "document.querySelector('.pager').checkVisibility()");
        browser.value("document.querySelectorAll('.pager a')[1].click()");
        browser.until("the end", "document.getElementById('L60000')");
    });
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_open_stays_open_while_a_page_changes() {
    let Some(mut browser) = Browser::start() else { return };
    let node = Node::start(ReadAccess::Public).await;
    let go = node.path("go");
    let wait = node.wait_for(&go);
    let job = format!("  two:\n    - echo first\n    - {wait}; echo second\n");
    let number = node.open_pull("two", &job);
    let attempt = node.job(number, |job| job.since_ms.is_some()).await.attempt.unwrap();
    // What is running is open to begin with.
    until("the first command to end", async || {
        let run = node.client().await.job_run(&attempt.parse().unwrap()).await.ok()?;
        run.commands.first()?.end
    })
    .await;
    block_in_place(|| {
        browser.resize(DESK);
        browser.open(&node.at(&format!("/acme/shop/pull/1/jobs/{attempt}")));
        let closed = "document.querySelector('details.command:not([open]) summary')";
        browser.until("a command that has passed", closed);
        browser.value(&format!("window.opened = {closed}, opened.click(), opened.focus()"));
        std::fs::write(&go, "").unwrap();
        browser.until("the end", "document.querySelector('h1 ~ .good .badge.good')");
        assert_eq!(browser.value("opened.isConnected && opened.parentElement.open"), true);
        assert_eq!(browser.value("document.activeElement === opened"), true);
        assert_eq!(browser.complaints(), Vec::<String>::new());
    });
    tokio::time::timeout(Duration::from_secs(60), node.stop()).await.unwrap();
}
