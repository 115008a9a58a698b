//! The commands that can be typed after `:`.

use super::model::{Order, View};

/// What a line says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Word {
    Nothing,
    Quit,
    Turn(View),
    Sort(Order),
    Filter(String),
    /// The page of an actor.
    Open(String),
    Trace(String),
    Act(&'static str, String),
}

const ACTIONS: [&str; 6] = ["stop", "drain", "restart", "kill", "suspend", "resume"];

/// Reads a line.
pub fn parse(line: &str) -> Result<Word, String> {
    let (name, rest) = line.trim().split_once(' ').unwrap_or((line.trim(), ""));
    let rest = rest.trim();
    let reference = || match rest {
        "" => Err(format!("{name}: which actor?")),
        rest => Ok(rest.to_owned()),
    };
    if let Some(action) = ACTIONS.iter().find(|action| **action == name) {
        return Ok(Word::Act(action, reference()?));
    }
    match name {
        "" => Ok(Word::Nothing),
        "q" | "quit" => Ok(Word::Quit),
        "trace" if !rest.is_empty() => Ok(Word::Trace(rest.to_owned())),
        "info" | "why" | "state" => reference().map(Word::Open),
        "filter" => Ok(Word::Filter(rest.to_owned())),
        "sort" => match Order::ALL.iter().find(|(_, known)| *known == rest) {
            Some((order, _)) => Ok(Word::Sort(*order)),
            None => Err(format!("sort: one of {}", Order::ALL.map(|(_, name)| name).join(", "))),
        },
        name => match View::ALL.iter().find(|(_, known)| *known == name) {
            Some((view, _)) => Ok(Word::Turn(*view)),
            None => Err(format!("there is no command {name:?}; ? shows them")),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_a_view_an_actor_or_an_action() {
        let open = |path: &str| Ok(Word::Open(path.to_owned()));
        for (line, expected) in [
            ("", Ok(Word::Nothing)),
            (" top ", Ok(Word::Turn(View::Top))),
            ("trace", Ok(Word::Turn(View::Trace))),
            ("trace ci/queue", Ok(Word::Trace("ci/queue".to_owned()))),
            ("why ci/queue", open("ci/queue")),
            ("info  7", open("7")),
            ("sort rate", Ok(Word::Sort(Order::Rate))),
            ("sort color", Err("sort: one of mailbox, busy, rate, wait, restarts".to_owned())),
            ("kill store", Ok(Word::Act("kill", "store".to_owned()))),
            ("kill", Err("kill: which actor?".to_owned())),
            ("dance", Err("there is no command \"dance\"; ? shows them".to_owned())),
        ] {
            assert_eq!(parse(line), expected, "{line}");
        }
    }
}
