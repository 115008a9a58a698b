//! Where text may be cut.

/// The length of the longest head of `bytes` that does not end within a character. Bytes that are no
/// UTF-8 at all count as characters.
pub(crate) fn whole_characters(bytes: &[u8]) -> usize {
    // A character has four bytes at most, so one that is cut began among the last three.
    let tail = bytes.len().saturating_sub(3);
    for at in (tail..bytes.len()).rev() {
        let length = match bytes[at] {
            0x80..0xC0 => continue,
            0xC0..0xE0 => 2,
            0xE0..0xF0 => 3,
            0xF0..0xF8 => 4,
            _ => 1,
        };
        return if at + length > bytes.len() { at } else { bytes.len() };
    }
    bytes.len()
}

/// The length of the whole lines at the head of `bytes`. A line that is longer than `longest` is cut.
pub(crate) fn whole_lines(bytes: &[u8], longest: usize) -> usize {
    match memchr::memrchr(b'\n', bytes) {
        Some(last) => last + 1,
        None if bytes.len() >= longest => whole_characters(bytes),
        None => 0,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{whole_characters, whole_lines};

    #[test]
    fn a_cut_character_is_left_for_later() {
        let check = |bytes: &[u8], expected| assert_eq!(whole_characters(bytes), expected);
        check(b"", 0);
        check(b"abc", 3);
        check("aé".as_bytes(), 3);
        check(&"aé".as_bytes()[..2], 1);
        check(&"€".as_bytes()[..2], 0);
        check(&"a🚀".as_bytes()[..4], 1);
        check("🚀".as_bytes(), 4);
        check(&[0x80, 0x80, 0x80, 0x80], 4);
        check(&[0xff], 1);
    }

    #[test]
    fn a_line_is_shown_when_it_is_whole_or_too_long_to_wait_for() {
        let check = |text: &str, expected| assert_eq!(whole_lines(text.as_bytes(), 8), expected);
        check("", 0);
        check("one", 0);
        check("one\ntwo", 4);
        check("one\ntwo\n", 8);
        check("12345678", 8);
        check("1234567é", 9);
    }

    proptest! {
        #[test]
        fn text_cut_anywhere_is_put_together_again(text in "\\PC{0,20}", cut in 0usize..80) {
            let bytes = text.as_bytes();
            let cut = cut.min(bytes.len());
            let head = whole_characters(&bytes[..cut]);
            let parts = [&bytes[..head], &bytes[head..]].map(String::from_utf8_lossy);
            prop_assert_eq!(parts.concat(), text);
        }
    }
}
