//! Pages for everybody: what a screen reader needs, and colors that can be told from their background.

use ci_web::ReadAccess;
use ci_web::wire::JobState;
use serde_json::Value;
use tokio::task::block_in_place;

use crate::support::browser::{Browser, Window};
use crate::support::node::Node;

/// What is checked on every page. Answers with a list of what is wrong.
const CHECKS: &str = include_str!("accessibility.js");

const WINDOWS: [Window; 3] =
    [Window(390, 844, "light"), Window(1280, 900, "dark"), Window(2560, 1440, "light")];

/// Says where `axe.min.js` is, for those who have it: `npm pack axe-core`.
const AXE: &str = "AXE_CORE";

/// What axe finds wrong; nothing where it is not installed.
fn axe(browser: &mut Browser) -> Vec<String> {
    let Some(path) = std::env::var_os(AXE) else { return Vec::new() };
    let text = std::fs::read_to_string(path).unwrap();
    browser.value(&format!("{text}; 0"));
    let found = browser.value(
        "axe.run({resultTypes: ['violations']}).then(found => found.violations.map(one => \
         one.id + ': ' + one.help + ': ' + one.nodes.map(node => node.target).slice(0, 3).join(' ')))",
    );
    texts(&found)
}

fn texts(list: &Value) -> Vec<String> {
    let texts = list.as_array().unwrap().iter();
    texts.map(|text| text.as_str().unwrap().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_is_for_everybody() {
    let Some(mut browser) = Browser::start() else { return };
    if std::env::var_os(AXE).is_none() {
        eprintln!("SKIPPED in part (needs axe: npm pack axe-core, and {AXE}=…/axe.min.js)");
    }
    let node = Node::start(ReadAccess::Public).await;
    node.push_branch("release/1", "  test: {on: [branch], steps: [\"echo shipped\"]}\n");
    let colors = "for c in 30 31 32 33 34 35 36 37 90 91 92 93 94 95 96 97; do printf \"\\033[${c}m$c\\033[0m\\n\"; done";
    let jobs = format!("  bad:\n    - {colors}; exit 3\n  good:\n    - echo fine\n");
    let number = node.open_pull("A <title>", &jobs);
    let attempt = node.job(number, |job| job.state == JobState::Failed).await.attempt.unwrap();
    node.job(number, |job| job.state == JobState::Passed).await;
    let job = format!("/acme/shop/pull/1/jobs/{attempt}");
    block_in_place(|| {
        browser.call("Page.setBypassCSP", &serde_json::json!({"enabled": true}));
        browser.open(&format!("http://{}{job}", node.address));
        let log = browser.value("document.querySelector('details a[href*=\"/log/\"]').pathname");
        let log = log.as_str().unwrap().to_owned();
        let branch = "/acme/shop/branch/release%2F1";
        let mut wrong = Vec::new();
        for page in [
            "/",
            "/acme/shop",
            "/acme/shop/pull/1",
            branch,
            &job,
            &log,
            "/queues",
            "/system",
            "/login",
            "/no/no/no",
        ] {
            for window in WINDOWS {
                browser.resize(window);
                browser.open(&format!("http://{}{page}", node.address));
                let mut found = texts(&browser.value(CHECKS));
                found.extend(axe(&mut browser));
                wrong.extend(found.into_iter().map(|what| format!("{page} {window:?}: {what}")));
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    });
    node.stop().await;
}
