//! The scores as a table, and the reasons below it.

use std::fmt::Write;

use crate::heights::Heights;
use crate::lines::lines;
use crate::score::{Score, Why, score};

/// Scores everybody that this build knows.
pub fn scores() -> Vec<Score> {
    let heights = score::<Heights>();
    #[cfg(feature = "peers")]
    return vec![heights, score::<crate::RactorSupervisor>(), score::<crate::Kameo>()];
    #[cfg(not(feature = "peers"))]
    vec![heights]
}

/// Renders a table in Markdown, and why a line does not hold.
pub fn table(scores: &[Score]) -> String {
    let lines = lines::<Heights>();
    let mut table = String::new();
    let mut row = |cells: Vec<String>| {
        writeln!(table, "| {} |", cells.join(" | ")).expect("writing into a string never fails");
    };
    let names = scores.iter().map(|score| score.name.to_owned());
    row([String::new(), "line".to_owned()].into_iter().chain(names).collect());
    row(vec!["---".to_owned(); 2]
        .into_iter()
        .chain(scores.iter().map(|_| ":-:".to_owned()))
        .collect());
    for (at, line) in lines.iter().enumerate() {
        let marks = scores.iter().map(|score| mark(score, at).to_owned());
        row([line.number.to_owned(), line.says.to_owned()].into_iter().chain(marks).collect());
    }
    let kept = scores.iter().map(|score| format!("**{}**", score.kept()));
    row([String::new(), format!("**of {}**", lines.len())].into_iter().chain(kept).collect());
    for score in scores.iter().filter(|score| score.kept() < lines.len()) {
        write!(table, "\n{}:\n\n", score.name).expect("writing into a string never fails");
        for (line, verdict) in lines.iter().zip(&score.verdicts) {
            let why = match verdict {
                Ok(()) => continue,
                Err(Why::Missing(why)) => format!("cannot be said: {why}"),
                Err(Why::Fails(why)) => why.clone(),
            };
            writeln!(table, "- {}: {why}", line.number).expect("writing into a string never fails");
        }
    }
    table
}

fn mark(score: &Score, at: usize) -> &'static str {
    match score.verdicts[at] {
        Ok(()) => "yes",
        Err(Why::Fails(_)) => "no",
        Err(Why::Missing(_)) => "–",
    }
}
