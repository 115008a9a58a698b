//! What is masked, compared with a mask that looks at the whole text at once.

use std::io::Write;
use std::ops::Range;
use std::process::{Command, Stdio};

use ci_domain::secret::Secret;
use proptest::collection::vec;
use proptest::prelude::*;

use super::{Mask, forms};
use crate::secrets::Secrets;

fn secrets(values: &[&str]) -> Secrets {
    let numbered = values.iter().enumerate();
    numbered.map(|(n, value)| (format!("S{n}"), Secret::new(*value))).collect()
}

/// Masks `pieces` as they come; returns what was told after each of them, and at the end.
fn told(mask: &Mask, pieces: &[&[u8]]) -> Vec<String> {
    let (mut masker, mut all) = (mask.masker(), Vec::new());
    for piece in pieces {
        let mut told = Vec::new();
        masker.push(piece, &mut |bytes| told.write_all(bytes)).unwrap();
        all.push(String::from_utf8_lossy(&told).into_owned());
    }
    let mut told = Vec::new();
    masker.finish(&mut |bytes| told.write_all(bytes)).unwrap();
    all.push(String::from_utf8_lossy(&told).into_owned());
    all
}

/// The rule itself: each byte of each occurrence of each pattern is a secret's.
fn secret_bytes(patterns: &[Vec<u8>], text: &[u8]) -> Vec<bool> {
    let mut is_secret = vec![false; text.len()];
    for pattern in patterns {
        for start in (0..text.len()).filter(|start| text[*start..].starts_with(pattern)) {
            is_secret[start..start + pattern.len()].fill(true);
        }
    }
    is_secret
}

fn masked(text: &[u8], is_secret: &[bool]) -> Vec<u8> {
    let mut masked = Vec::new();
    for (at, byte) in text.iter().enumerate() {
        if !is_secret[at] {
            masked.push(*byte);
        } else if at == 0 || !is_secret[at - 1] {
            masked.extend(b"***");
        }
    }
    masked
}

fn check(values: &[&str], text: &str, expected: &str) {
    assert_eq!(Mask::new(&secrets(values)).text(text), expected, "{values:?}");
}

#[test]
fn text_without_secrets_is_told_as_it_is() {
    check(&[], "anything", "anything");
    check(&["hunter2"], "hunter3 and hunte", "hunter3 and hunte");
}

#[test]
fn a_secret_is_masked_in_every_form() {
    let secret = "pä\"s s/wör\\d<1>";
    for text in [
        secret,
        "cMOkInMgcy93w7ZyXGQ8MT4=",
        "cMOkInMgcy93w7ZyXGQ8MT4",
        "p%C3%A4%22s%20s%2Fw%C3%B6r%5Cd%3C1%3E",
        "p%c3%a4%22s%20s/w%c3%b6r%5cd%3c1%3e",
        "p%C3%A4%22s+s%2Fw%C3%B6r%5Cd%3C1%3E",
        "pä\\\"s s/wör\\\\d<1>",
        "p\\u00e4\\\"s s\\/w\\u00f6r\\\\d<1>",
        "p\\u00E4\\\"s s/w\\u00F6r\\\\d\\u003C1\\u003E",
        "pä\\\"s s/wör\\\\d\\u003c1\\u003e",
    ] {
        check(&[secret], &format!("[{text}]"), "[***]");
    }
    check(&["it's it"], "+ echo 'it'\\''s it' 'it'\"'\"'s it'", "+ echo '***' '***'");
}

#[test]
fn base64_is_masked_wherever_the_secret_stands_in_what_was_encoded() {
    let encoded = |text: &str| {
        let mut base64 = Command::new("base64")
            .args(["-w", "0"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        base64.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
        String::from_utf8(base64.wait_with_output().unwrap().stdout).unwrap()
    };
    let secret = "swordfish-?>7";
    let mask = Mask::new(&secrets(&[secret]));
    for before in ["", "u", "us", "use", "user:"] {
        for after in ["", "\n", "@host", "!?"] {
            let text = encoded(&format!("{before}{secret}{after}"));
            let masked = mask.text(&text);
            // One character at each side may stand for bits of the neighbors too.
            let most = (before.len() * 4).div_ceil(3) + (after.len() * 4).div_ceil(3) + 3 + 4;
            assert!(masked.contains("***") && masked.len() <= most, "{text} is {masked}");
            let in_addresses = text.replace('+', "-").replace('/', "_");
            assert_eq!(mask.text(&in_addresses).len(), masked.len(), "{in_addresses}");
        }
    }
}

#[test]
fn of_many_lines_each_is_masked() {
    let key = "-----BEGIN KEY-----\r\nabcdefgh\r\n  ijklmnop\n}\n-----END KEY-----\n";
    check(&[key], "1 abcdefgh 2\nijklmnop\n}\n", "1 *** 2\n***\n}\n");
    check(&[key], key, "***\n");
    check(&[key], "YWJjZGVmZ2g=", "***");
    check(
        &[key.trim()],
        &key.trim().replace('\r', "").replace('\n', "\\n"),
        "***\\n***\\n  ***\\n}\\n***",
    );
}

#[test]
fn long_base64_is_masked_though_it_is_broken_into_lines() {
    let secret: String = (0..300).map(|n| char::from(b'a' + (n * 7 % 26) as u8)).collect();
    // The last line is long, and so short that it takes the one before it to be known.
    for (width, length) in [("76", 300), ("64", 300), ("76", 115), ("64", 98)] {
        let secret = &secret[..length];
        let mask = Mask::new(&secrets(&[secret]));
        let mut base64 = Command::new("base64")
            .args(["-w", width])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        base64.stdin.take().unwrap().write_all(secret.as_bytes()).unwrap();
        let text = String::from_utf8(base64.wait_with_output().unwrap().stdout).unwrap();
        let masked = mask.text(&text);
        assert!(masked.lines().all(|line| line == "***"), "{masked}");
    }
}

#[test]
fn short_lines_are_no_secrets_of_their_own() {
    check(&["{\nabcd\n}"], "{ x } abcd {\nabcd\n}", "{ x } *** ***");
    check(&["abc"], "abc", "abc");
}

#[test]
fn secrets_that_overlap_leave_nothing_of_each_other() {
    check(&["abcdef", "defghi"], "xabcdefghiy", "x***y");
    check(&["abcdef", "cd12"], "abcdef abcd12", "*** ab***");
    check(&["aaaa"], "aaaaaaaaab", "***b");
}

#[test]
fn what_cannot_be_a_secret_is_told_at_once() {
    let mask = Mask::of(vec![b"secret".to_vec(), b"crazy".to_vec()]);
    let check = |pieces: &[&str], expected: &[&str]| {
        let pieces: Vec<&[u8]> = pieces.iter().map(|piece| piece.as_bytes()).collect();
        assert_eq!(told(&mask, &pieces), expected);
    };
    check(&["password: "], &["password: ", ""]);
    check(&["a sec", "ond"], &["a ", "second", ""]);
    check(&["a sec", "ret", " b"], &["a ", "***", " b", ""]);
    check(&["secr", "secret", "s"], &["", "secr***", "", "s"]);
    // The end of what could be one secret is the beginning of another.
    check(&["secra", "z", "y"], &["se", "", "***", ""]);
    check(&["sec"], &["", "sec"]);
    check(&["secretsecret", "!"], &["***", "!", ""]);
}

#[test]
fn a_secret_that_another_begins_with_keeps_what_follows_open() {
    let mask = Mask::of(vec![b"abcd".to_vec(), b"cdefgh".to_vec()]);
    assert_eq!(told(&mask, &[b"abcd", b"efgh", b"!"]), ["***", "", "!", ""]);
    assert_eq!(told(&mask, &[b"abcd", b"efg", b"!"]), ["***", "", "efg!", ""]);
    let mask = Mask::of(vec![b"abcd".to_vec(), b"abcdefgh".to_vec()]);
    assert_eq!(told(&mask, &[b"abcdef", b"gh", b"abcd"]), ["***", "", "", ""]);
    assert_eq!(told(&mask, &[b"abcde", b"x"]), ["***", "ex", ""]);
}

/// Few letters, so that secrets, their parts and their overlaps are frequent.
fn letters(length: Range<usize>) -> impl Strategy<Value = Vec<u8>> {
    vec(prop::sample::select(b"ab".to_vec()), length)
}

proptest! {
    #[test]
    fn pieces_are_masked_as_the_whole_is(
        patterns in vec(letters(4..10), 1..5),
        text in vec(letters(1..12), 0..12),
    ) {
        let mask = Mask::of(patterns.clone());
        let pieces: Vec<&[u8]> = text.iter().map(Vec::as_slice).collect();
        let (text, told) = (text.concat(), told(&mask, &pieces).concat());
        let expected = masked(&text, &secret_bytes(&patterns, &text));
        prop_assert_eq!(told.as_bytes(), expected);
    }

    #[test]
    fn only_what_could_be_the_beginning_of_a_secret_is_kept_back(
        patterns in vec(letters(4..10), 1..5),
        text in letters(1..40),
    ) {
        let told = told(&Mask::of(patterns.clone()), &[&text]).swap_remove(0);
        let is_secret = secret_bytes(&patterns, &text);
        let is_open = |start: usize| {
            let end = &text[start..];
            patterns.iter().any(|pattern| pattern != end && pattern.starts_with(end))
        };
        let open = (0..text.len()).find(|start| is_open(*start)).unwrap_or(text.len());
        // What is a secret's already is not kept back either.
        let decided = (open..text.len()).find(|at| !is_secret[*at]).unwrap_or(text.len());
        prop_assert_eq!(told.as_bytes(), masked(&text[..decided], &is_secret));
    }
}

proptest! {
    // Each case masks all forms of a secret.
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn a_secret_in_any_text_leaves_no_form_of_itself(
        secret in "[ -~é€\n]{4,40}",
        before in "[ -~\n]{0,20}",
        after in "[ -~\n]{0,20}",
        pieces in 1usize..9,
    ) {
        let secret = Secret::new(secret);
        let mask = Mask::new(&[("S".to_owned(), secret.clone())].into_iter().collect());
        for form in forms::of(&secret) {
            let text = [before.as_bytes(), &form, after.as_bytes()].concat();
            let pieces: Vec<&[u8]> = text.chunks(pieces).collect();
            let masked = told(&mask, &pieces).concat();
            prop_assert!(masked.contains("***"), "{:?}", masked);
            let form = String::from_utf8_lossy(&form);
            // Stars are no secret.
            let is_left = masked.replace("***", "").contains(&*form);
            prop_assert!(!is_left, "{:?} in {:?}", form, masked);
        }
    }
}

#[test]
fn the_beginning_of_a_text_has_no_beginning_of_a_secret() {
    let mask = Mask::new(&secrets(&["correct horse"]));
    assert_eq!(mask.beginning_of("a correct horse b corr"), "a *** b ");
    assert_eq!(mask.text("a correct horse b corr"), "a *** b corr");
}
