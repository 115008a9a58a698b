//! "Did you mean": the known word that someone probably wanted to write.

/// Two words further apart than this are not taken for each other.
const MAX_EDITS: usize = 2;
/// Longer words are not compared; the comparison takes their product in steps.
const MAX_LENGTH: usize = 64;

/// A hint with the word of `known` that is nearest to `word`, if one is near.
pub(crate) fn did_you_mean<'a>(
    word: &str,
    known: impl IntoIterator<Item = &'a (impl AsRef<str> + 'a + ?Sized)>,
) -> Option<String> {
    let lowercase = word.to_lowercase();
    let near = known.into_iter().map(AsRef::as_ref).filter_map(|each| {
        if each.to_lowercase() == lowercase {
            return Some((0, each));
        }
        let edits = distance(word, each)?;
        (edits <= MAX_EDITS && edits * 2 < each.chars().count().max(2)).then_some((edits, each))
    });
    let (_, nearest) = near.min()?;
    Some(format!("did you mean `{nearest}`?"))
}

/// How many characters must be put in, taken out, replaced or swapped to make one word of the other.
fn distance(one: &str, other: &str) -> Option<usize> {
    let (one, other): (Vec<char>, Vec<char>) = (one.chars().collect(), other.chars().collect());
    if one.len() > MAX_LENGTH || other.len() > MAX_LENGTH {
        return None;
    }
    let mut edits = vec![vec![0; other.len() + 1]; one.len() + 1];
    for a in 0..=one.len() {
        for b in 0..=other.len() {
            if a == 0 || b == 0 {
                edits[a][b] = a + b;
                continue;
            }
            let differ = usize::from(one[a - 1] != other[b - 1]);
            let changed =
                (edits[a - 1][b - 1] + differ).min(edits[a - 1][b] + 1).min(edits[a][b - 1] + 1);
            let swapped =
                a > 1 && b > 1 && one[a - 1] == other[b - 2] && one[a - 2] == other[b - 1];
            edits[a][b] = if swapped { changed.min(edits[a - 2][b - 2] + 1) } else { changed };
        }
    }
    Some(edits[one.len()][other.len()])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(word: &str, expected: Option<&str>) {
        let known = ["depends_on", "inputs", "jobs", "env", "on"];
        let expected = expected.map(|word| format!("did you mean `{word}`?"));
        assert_eq!(did_you_mean(word, &known), expected, "{word}");
    }

    #[test]
    fn suggests_what_is_near() {
        check("depend_on", Some("depends_on"));
        check("input", Some("inputs"));
        check("job", Some("jobs"));
        check("envs", Some("env"));
        check("evn", Some("env"));
        check("DEPENDS_ON", Some("depends_on"));
        check("Jobs", Some("jobs"));
        check("services", None);
        check("", None);
    }
}
