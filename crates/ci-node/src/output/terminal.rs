//! Letting somebody else's bytes onto a terminal: colors may pass, nothing that moves or listens.

const ESCAPE: u8 = 0x1b;
const BELL: u8 = 0x07;
/// A color sequence is shorter; what is longer is none.
const MAX_SEQUENCE: usize = 64;

/// Takes what is dangerous out of a stream of bytes, across any boundary between its chunks.
#[derive(Debug, Default)]
pub(crate) struct Tame {
    state: State,
    /// The sequence that has begun.
    held: Vec<u8>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Text,
    /// After an ESC.
    Escape,
    /// In a control sequence, up to its final byte.
    Control,
    /// In a string, such as a title, up to its end.
    String,
}

impl Tame {
    /// What of `chunk`, and of what was held back before, may pass now.
    pub(crate) fn pass(&mut self, chunk: &[u8]) -> Vec<u8> {
        let mut passed = Vec::with_capacity(chunk.len());
        for byte in chunk {
            self.step(*byte, &mut passed);
        }
        passed
    }

    fn step(&mut self, byte: u8, passed: &mut Vec<u8>) {
        self.state = match self.state {
            State::Text => self.text(byte, passed),
            State::Escape => match byte {
                b'[' => {
                    self.held.clear();
                    State::Control
                }
                b']' | b'P' | b'X' | b'^' | b'_' => State::String,
                ESCAPE => State::Escape,
                b'\n' => self.text(byte, passed),
                _ => State::Text,
            },
            State::Control => self.control(byte, passed),
            State::String => match byte {
                BELL => State::Text,
                ESCAPE => State::Escape,
                b'\n' => self.text(byte, passed),
                _ => State::String,
            },
        };
    }

    fn text(&mut self, byte: u8, passed: &mut Vec<u8>) -> State {
        match byte {
            ESCAPE => return State::Escape,
            b'\n' | b'\t' | b'\r' => passed.push(byte),
            0x00..0x20 | 0x7f => {}
            _ => passed.push(byte),
        }
        State::Text
    }

    fn control(&mut self, byte: u8, passed: &mut Vec<u8>) -> State {
        match byte {
            b'm' if self.held.len() <= MAX_SEQUENCE => {
                passed.extend(b"\x1b[");
                passed.append(&mut self.held);
                passed.push(b'm');
                State::Text
            }
            b'0'..=b'9' | b';' | b':' => {
                if self.held.len() <= MAX_SEQUENCE {
                    self.held.push(byte);
                }
                State::Control
            }
            // Other parameters make it another sequence, whatever its end.
            0x20..=0x3f => {
                self.held.resize(MAX_SEQUENCE + 1, b'?');
                State::Control
            }
            b'\n' => self.text(byte, passed),
            ESCAPE => State::Escape,
            _ => State::Text,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colors_pass_and_nothing_else_does() {
        let check = |text: &[u8], expected: &[u8]| {
            assert_eq!(Tame::default().pass(text), expected, "{text:?}");
            let mut tame = Tame::default();
            let split: Vec<u8> = text.iter().flat_map(|byte| tame.pass(&[*byte])).collect();
            assert_eq!(split, expected, "{text:?} in single bytes");
        };
        check(b"plain\ttext\r\n", b"plain\ttext\r\n");
        check("größer 🚀".as_bytes(), "größer 🚀".as_bytes());
        check(b"\x1b[1;31mred\x1b[0m", b"\x1b[1;31mred\x1b[0m");
        check(b"\x1b[2Jcleared\x1b[10;1H", b"cleared");
        check(b"\x1b]0;title\x07text", b"text");
        check(b"\x1b]52;c;cGFzdGU=\x1b\\text", b"text");
        check(b"\x1b[?1049htext\x1b[>1m", b"text");
        check(b"\x1bctext\x08\x00\x7f", b"text");
        check(b"\x1b[31\nnext", b"\nnext");
        check(b"\x1b\x1b[31mred", b"\x1b[31mred");
    }
}
