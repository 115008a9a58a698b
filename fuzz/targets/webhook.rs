//! A webhook of any headers and any body: believed only if it is signed, understood or refused, and the same
//! as JSON and as a form.
#![no_main]

use ci_github::Secret;
use ci_github::webhook::{Delivery, Headers, sign, verify};
use libfuzzer_sys::fuzz_target;

const EVENTS: [&str; 10] = [
    "ping",
    "push",
    "pull_request",
    "pull_request_review",
    "issue_comment",
    "merge_group",
    "check_suite",
    "repository",
    "installation",
    "an event of tomorrow",
];

fuzz_target!(|bytes: &[u8]| {
    let Some((first, rest)) = bytes.split_first() else { return };
    let (header, body) = rest.split_at(rest.len().min(usize::from(*first)));
    let header = std::str::from_utf8(header).ok();
    let secret = Secret::new("It's a Secret to Everybody");
    assert!(verify(&secret, header, body).is_err(), "believed without the secret");
    assert!(verify(&secret, Some(&sign(&secret, body)), body).is_ok());

    let any = Headers { event: header, delivery: header, content_type: header };
    let _refused = Delivery::parse(any, body);
    let headers = |content_type| Headers {
        event: Some(EVENTS[usize::from(*first) % EVENTS.len()]),
        delivery: Some("1"),
        content_type: Some(content_type),
    };
    let plain = Delivery::parse(headers("application/json"), rest);
    let hexed: String = rest.iter().map(|byte| format!("%{byte:02X}")).collect();
    let form = format!("payload={hexed}");
    let form = Delivery::parse(headers("application/x-www-form-urlencoded"), form.as_bytes());
    if let Ok(plain) = plain {
        assert_eq!(plain, form.expect("it is the same"));
    }
});
