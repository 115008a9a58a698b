//! Journals that are whole, torn and damaged.

use std::fs;
use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::fact::{CommandId, Exit, Outcome, UnixMillis};
use crate::journal::{HEADER, Journal, encode};

fn fact(at: u64) -> Fact {
    Fact::JobEnded { outcome: Outcome::Passed, at: UnixMillis(at) }
}

fn read_all(reader: &mut JournalReader) -> Vec<Fact> {
    std::iter::from_fn(|| reader.next_fact().unwrap()).map(|(_, fact)| fact).collect()
}

#[test]
fn a_torn_tail_is_no_record_until_it_is_whole() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("journal");
    let mut whole = HEADER.to_vec();
    whole.extend(encode(&fact(1)));
    let first = whole.len();
    whole.extend(encode(&fact(2)));
    for cut in 0..whole.len() {
        fs::write(&path, &whole[..cut]).unwrap();
        let mut reader = JournalReader::new(path.clone(), JournalOffset(0));
        let expected = if cut < first { vec![] } else { vec![fact(1)] };
        assert_eq!(read_all(&mut reader), expected, "cut at {cut}");
        fs::write(&path, &whole).unwrap();
        let rest = read_all(&mut reader);
        assert_eq!([expected, rest].concat(), [fact(1), fact(2)], "cut at {cut}");
    }
}

#[test]
fn reading_goes_on_from_any_offset() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("journal");
    let mut journal = Journal::create(&path).unwrap();
    for at in 0..1000 {
        journal.append(&fact(at)).unwrap();
    }
    let mut reader = JournalReader::new(path.clone(), JournalOffset(0));
    let mut offset = JournalOffset(0);
    for at in 0..1000 {
        let from_there = JournalReader::new(path.clone(), offset).next_fact().unwrap();
        let (next, read) = reader.next_fact().unwrap().unwrap();
        assert_eq!((from_there, &read), (Some((next, fact(at))), &fact(at)));
        offset = next;
    }
}

#[test]
fn damage_is_an_error_that_says_where() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("journal");
    let mut bytes = HEADER.to_vec();
    bytes.extend(encode(&fact(1)));
    let at = bytes.len() - 3;
    bytes[at] ^= 1;
    fs::write(&path, bytes).unwrap();
    let error = JournalReader::new(path.clone(), JournalOffset(0)).next_fact().unwrap_err();
    let start = JournalOffset(HEADER.len() as u64);
    assert!(matches!(error, JournalError::Damaged { offset, .. } if offset == start));
    for other in ["something else", "something else\n", "ci-exec journal one\n"] {
        fs::write(&path, other).unwrap();
        let error = JournalReader::new(path.clone(), JournalOffset(0)).next_fact().unwrap_err();
        assert!(matches!(error, JournalError::Format { .. }), "{other}");
    }
}

#[test]
fn what_a_later_program_wrote_is_refused_by_name() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("journal");
    let said = |content: &[u8]| {
        fs::write(&path, content).unwrap();
        let error = JournalReader::new(path.clone(), JournalOffset(0)).next_fact().unwrap_err();
        error.to_string().replace(path.to_str().unwrap(), "J")
    };
    let later = b"ci-exec journal 12\nwhatever that means\n";
    assert_eq!(said(later), "read the journal J: it has version 12, this program knows 1");
    let text = r#"{"fact":"moon_rose","at":7}"#;
    let record = format!("{:08x} {:08x} {text}\n", text.len(), crc32fast::hash(text.as_bytes()));
    assert_eq!(
        said(&[HEADER, record.as_bytes()].concat()),
        "read the journal J: unknown fact at 18"
    );
}

#[test]
fn a_full_disk_is_an_error_of_the_writer() {
    let file = fs::OpenOptions::new().append(true).open("/dev/full").unwrap();
    let error = Journal { file }.append(&fact(1)).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::StorageFull);
}

/// Facts with any text in them.
fn facts() -> impl Strategy<Value = Vec<Fact>> {
    let fact = prop_oneof![
        (".{0,80}", any::<u64>()).prop_map(|(title, at)| Fact::CommandStarted {
            command: CommandId::parse("0.1-2").unwrap(),
            title,
            at: UnixMillis(at),
        }),
        (any::<i32>(), any::<u32>(), any::<u64>()).prop_map(|(code, millis, bytes)| {
            Fact::CommandExited {
                command: CommandId::parse("0.1-2").unwrap(),
                exit: Exit::Code(code),
                duration: Duration::from_millis(millis.into()),
                log_bytes: bytes,
                at: UnixMillis(bytes),
            }
        }),
        ".{0,80}".prop_map(|reason| {
            Fact::JobEnded { outcome: Outcome::Crashed { reason }, at: UnixMillis(1) }
        }),
    ];
    prop::collection::vec(fact, 1..8)
}

/// All that can be read, and whether an error came after it.
fn read_what_is_whole(bytes: &[u8]) -> (Vec<Fact>, bool) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("journal");
    fs::write(&path, bytes).unwrap();
    let (mut reader, mut read) = (JournalReader::new(path, JournalOffset(0)), Vec::new());
    loop {
        match reader.next_fact() {
            Ok(Some((_, fact))) => read.push(fact),
            Ok(None) => return (read, false),
            Err(_) => return (read, true),
        }
    }
}

fn journal_of(facts: &[Fact]) -> Vec<u8> {
    facts.iter().fold(HEADER.to_vec(), |bytes, fact| [bytes, encode(fact)].concat())
}

proptest! {
    #[test]
    fn a_journal_cut_anywhere_is_read_up_to_the_cut(facts in facts(), cut in any::<prop::sample::Index>()) {
        let whole = journal_of(&facts);
        let cut = cut.index(whole.len() + 1);
        let (read, failed) = read_what_is_whole(&whole[..cut]);
        let expected = (0..=facts.len())
            .rev()
            .find(|count| journal_of(&facts[..*count]).len() <= cut)
            .unwrap_or(0);
        prop_assert_eq!((read.as_slice(), failed), (&facts[..expected], false));
    }

    #[test]
    fn a_changed_byte_is_an_error_and_never_another_fact(
        facts in facts(),
        at in any::<prop::sample::Index>(),
        change in 1u8..,
    ) {
        let mut bytes = journal_of(&facts);
        let at = at.index(bytes.len());
        bytes[at] ^= change;
        let (read, failed) = read_what_is_whole(&bytes);
        prop_assert!(facts.starts_with(&read), "{read:?}");
        // A digit in the other case means the same.
        prop_assert!(failed || read == facts, "byte {at} is lost in silence: {read:?}");
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        read_what_is_whole(&[HEADER, &bytes].concat());
        read_what_is_whole(&bytes);
    }
}
