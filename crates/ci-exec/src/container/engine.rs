//! What podman and docker are asked, as the text of a shell: the runner starts nothing else.

use std::collections::BTreeMap;
use std::path::Path;

use crate::spec::Engine;

/// The label of every container of a job; its value is the run directory.
pub(super) const LABEL: &str = "ci-node.run";

/// The label of the container of a run.
pub(super) fn label(run_dir: &Path) -> String {
    format!("{LABEL}={}", run_dir.display())
}

/// Prints what an image sets in the environment, as JSON; fails where the engine does not have it.
pub(crate) fn inspection(engine: &Engine, image: &str) -> String {
    let words = ["image", "inspect", "--format", "{{json .Config.Env}}", image];
    format!("{} 2> /dev/null", call(engine, &words))
}

/// Removes the container of a run, if there is one.
pub(crate) fn removal(engine: &Engine, run_dir: &Path) -> String {
    let filter = format!("label={}", label(run_dir));
    let list = call(engine, &["ps", "--all", "--quiet", "--no-trunc", "--filter", &filter]);
    let remove = call(engine, &["rm", "--force", "--volumes"]);
    format!("left=$({list}) && if [ -n \"$left\" ]; then {remove} $left; fi")
}

/// The variables that an image sets, from what [`inspection`] has printed.
///
/// What begins with `CI` is kept for the node.
pub(crate) fn variables(printed: &[u8]) -> Option<BTreeMap<String, String>> {
    let pairs: Option<Vec<String>> = serde_json::from_slice(printed).ok()?;
    let pairs = pairs.unwrap_or_default();
    let split = pairs.iter().filter_map(|pair| pair.split_once('='));
    let kept = split.filter(|(name, _)| !name.starts_with("CI"));
    Some(kept.map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
}

/// A call of the engine, in the words of a shell.
pub(crate) fn call(engine: &Engine, words: &[&str]) -> String {
    let program = engine.program.display().to_string();
    let words = std::iter::once(program.as_str()).chain(words.iter().copied());
    words.map(quoted).collect::<Vec<_>>().join(" ")
}

/// A word that a shell takes as it is.
pub(super) fn quoted(word: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/._:=@-".contains(&byte);
    if !word.is_empty() && word.bytes().all(is_plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::EngineKind;

    fn engine() -> Engine {
        let program = "/usr/bin/podman".into();
        Engine { kind: EngineKind::Podman, program, env: BTreeMap::new() }
    }

    #[test]
    fn no_word_means_anything_to_the_shell() {
        assert_eq!(
            inspection(&engine(), "it's; rm -rf /"),
            "/usr/bin/podman image inspect --format '{{json .Config.Env}}' 'it'\\''s; rm -rf /' 2> /dev/null"
        );
        assert_eq!(quoted(""), "''");
        assert_eq!(quoted("$(x)\n"), "'$(x)\n'");
    }

    #[test]
    fn the_container_of_a_run_is_found_by_its_label() {
        assert_eq!(
            removal(&engine(), Path::new("/d/run 1")),
            "left=$(/usr/bin/podman ps --all --quiet --no-trunc --filter 'label=ci-node.run=/d/run 1') \
             && if [ -n \"$left\" ]; then /usr/bin/podman rm --force --volumes $left; fi"
        );
    }

    #[test]
    fn what_an_image_sets_is_read() {
        let check = |printed: &str, expected: Option<&[(&str, &str)]>| {
            let expected = expected.map(|pairs| {
                pairs.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect()
            });
            assert_eq!(variables(printed.as_bytes()), expected, "{printed}");
        };
        check(
            r#"["PATH=/bin","A=b=c","CI=x","CI_JOB=y"]"#,
            Some(&[("A", "b=c"), ("PATH", "/bin")]),
        );
        check("null\n", Some(&[]));
        check("", None);
    }
}
