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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::whole_characters;

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
