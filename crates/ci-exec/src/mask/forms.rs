//! The forms in which programs print a secret.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use ci_domain::secret::Secret;

/// The lengths of lines at which `base64` and `openssl` break theirs.
const LINE_LENGTHS: [usize; 2] = [76, 64];
/// The last of these lines is searched together with the end of the one before where it is shorter: short
/// forms are slow to find, and are found where they mean nothing.
const SHORT_LINE: usize = 16;
/// The characters besides letters and digits that keep their form in an address: in general, in a
/// path, by `encodeURIComponent` and by `encodeURI`.
const KEPT: [&str; 4] = ["-_.~", "-_.~/", "-_.!~*'()", "-_.!~*'();,/?:@&=+$#"];
/// The same in a form, where a space is a plus besides.
const KEPT_IN_FORM: &str = "*-._";

/// How JSON is written beyond what it asks for.
#[derive(Clone, Copy)]
struct JsonStyle {
    /// By ASCII characters alone.
    ascii: bool,
    /// With `\/` for a slash.
    slash: bool,
    /// With `\u003c` and the like, so that it can stand in a page.
    html: bool,
    /// With large letters in numbers.
    upper: bool,
}

/// All forms of a secret and of each of its lines that are long enough to be told from other text.
pub(super) fn of(secret: &Secret) -> Vec<Vec<u8>> {
    let value = secret.expose();
    let mut forms = base64(value);
    // Spaces around it are no secret, and a program that ends a line must not have to wait for us.
    let whole = value.trim();
    for text in std::iter::once(whole).chain(whole.lines().map(str::trim)) {
        if text.len() < Secret::LEAST_MASKED {
            continue;
        }
        forms.push(text.as_bytes().to_vec());
        forms.extend(base64(text));
        forms.extend(in_addresses(text));
        forms.extend(in_json(text));
        forms.extend(in_shells(text));
    }
    forms.retain(|form| form.len() >= Secret::LEAST_MASKED);
    forms
}

/// The text alone, with the line end that `echo` adds, and in the middle of something else.
fn base64(text: &str) -> Vec<Vec<u8>> {
    let mut forms = Vec::new();
    let line = format!("{text}\n");
    for engine in [STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD] {
        for text in [text, &line] {
            let whole = engine.encode(text).into_bytes();
            for length in LINE_LENGTHS {
                forms.extend(lines(&whole, length));
            }
            forms.push(whole);
        }
    }
    for engine in [STANDARD_NO_PAD, URL_SAFE_NO_PAD] {
        forms.extend((0..3).map(|before| amid(text, before, &engine)));
    }
    forms
}

/// The lines of `length` that `text` is broken into.
fn lines(text: &[u8], length: usize) -> Vec<Vec<u8>> {
    let mut lines: Vec<Vec<u8>> = text.chunks(length).map(<[u8]>::to_vec).collect();
    let last = text.len() - text.len() % length;
    if last > 0 && (1..SHORT_LINE).contains(&(text.len() - last)) {
        lines.pop();
        lines.push([&text[last - SHORT_LINE..last], b"\n", &text[last..]].concat());
    }
    lines
}

/// What each text has in common in which `before` bytes, or a multiple of three more, come before
/// `text`: the characters that stand for bits of it alone.
fn amid(text: &str, before: usize, engine: &impl Engine) -> Vec<u8> {
    let mut bytes = vec![0; before];
    bytes.extend_from_slice(text.as_bytes());
    let encoded = engine.encode(&bytes).into_bytes();
    encoded[(before * 8).div_ceil(6)..bytes.len() * 8 / 6].to_vec()
}

fn in_addresses(text: &str) -> Vec<Vec<u8>> {
    let mut forms = Vec::new();
    for digits in [b"0123456789ABCDEF", b"0123456789abcdef"] {
        let escaped = |kept: &str, space| escape_for_address(text, kept, space, digits);
        forms.extend(KEPT.iter().map(|kept| escaped(kept, None)));
        forms.push(escaped(KEPT_IN_FORM, Some(b'+')));
    }
    forms
}

fn escape_for_address(text: &str, kept: &str, space: Option<u8>, digits: &[u8; 16]) -> Vec<u8> {
    let mut escaped = Vec::with_capacity(text.len());
    for byte in text.bytes() {
        match (byte, space) {
            (b' ', Some(space)) => escaped.push(space),
            _ if byte.is_ascii_alphanumeric() || kept.as_bytes().contains(&byte) => {
                escaped.push(byte);
            }
            _ => {
                let digit = |nibble: u8| digits[usize::from(nibble)];
                escaped.extend([b'%', digit(byte >> 4), digit(byte & 15)]);
            }
        }
    }
    escaped
}

fn in_json(text: &str) -> Vec<Vec<u8>> {
    let bit = |style: u8, number: u8| style >> number & 1 == 1;
    let styles = (0..16).map(|style| JsonStyle {
        ascii: bit(style, 0),
        slash: bit(style, 1),
        html: bit(style, 2),
        upper: bit(style, 3),
    });
    styles.map(|style| escape_for_json(text, style).into_bytes()).collect()
}

fn escape_for_json(text: &str, style: JsonStyle) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '"' => escaped.push_str("\\\""),
            '\\' => escaped.push_str("\\\\"),
            '\u{8}' => escaped.push_str("\\b"),
            '\u{c}' => escaped.push_str("\\f"),
            '\n' => escaped.push_str("\\n"),
            '\r' => escaped.push_str("\\r"),
            '\t' => escaped.push_str("\\t"),
            '/' if style.slash => escaped.push_str("\\/"),
            '\0'..' ' => push_number(character, style, &mut escaped),
            '<' | '>' | '&' if style.html => push_number(character, style, &mut escaped),
            _ if style.ascii && !character.is_ascii() => {
                push_number(character, style, &mut escaped);
            }
            _ => escaped.push(character),
        }
    }
    escaped
}

fn push_number(character: char, style: JsonStyle, escaped: &mut String) {
    for unit in character.encode_utf16(&mut [0; 2]) {
        let number = if style.upper { format!("\\u{unit:04X}") } else { format!("\\u{unit:04x}") };
        escaped.push_str(&number);
    }
}

/// As `set -x` shows it, and as it is written between double quotes.
fn in_shells(text: &str) -> Vec<Vec<u8>> {
    let in_double_quotes = text.chars().flat_map(|character| {
        let is_special = matches!(character, '"' | '\\' | '$' | '`');
        is_special.then_some('\\').into_iter().chain([character])
    });
    let forms =
        [text.replace('\'', "'\\''"), text.replace('\'', "'\"'\"'"), in_double_quotes.collect()];
    forms.map(String::into_bytes).into()
}
