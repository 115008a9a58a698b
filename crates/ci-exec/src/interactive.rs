//! A shell for people, where the commands of a job would run.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io;
use std::path::Path;

use crate::container::interactive;
use crate::sandbox::{System, arguments};
use crate::spec::{Container, Isolation};

/// Where a shell is, everywhere.
const SH: &str = "/bin/sh";
/// Gives the engine of containers its own environment, and nothing of the shell's.
const CLEAN: [&str; 2] = ["/usr/bin/env", "-i"];

/// Goes to the folder, and becomes the best shell that there is.
const SHELL: &str = "cd -- \"$1\" || exit; \
                     if command -v bash >/dev/null 2>&1; then exec bash -i; else exec sh -i; fi";
/// What a job's sandbox has and a person's must not: without a terminal nobody can stop what runs, and
/// what comes first reaps what the shell leaves.
const NOT_FOR_PEOPLE: [&str; 2] = ["--new-session", "--as-pid-1"];

/// The program, with its arguments, that is an interactive shell in `working_dir`, isolated like a job
/// with the environment `env`. A container gets that by the arguments, which are no place for secrets.
///
/// Whoever starts it gives it a terminal of its own: a program in the sandbox can type into the one that
/// it has.
///
/// # Errors
/// The files that a sandbox would show cannot be looked at, or told to the engine of a container.
pub fn interactive_shell(
    isolation: &Isolation,
    working_dir: &Path,
    env: &BTreeMap<String, String>,
) -> io::Result<Vec<OsString>> {
    let mut words = match isolation {
        Isolation::None => vec![SH.into()],
        Isolation::Namespaces(namespaces) => {
            let mut words = vec![namespaces.bubblewrap.clone().into_os_string()];
            let all = arguments(namespaces, &System::of(namespaces)?);
            let is_left_out = |word: &OsString| NOT_FOR_PEOPLE.iter().any(|name| word == name);
            words.extend(all.into_iter().filter(|word| !is_left_out(word)));
            words.push(SH.into());
            words
        }
        Isolation::Container(container) => contained(container, env)?,
    };
    words.extend(["-c", SHELL, "sh"].map(OsString::from));
    words.push(working_dir.into());
    Ok(words)
}

/// A container of its own for the shell, made by its engine with the environment that the engine needs.
fn contained(container: &Container, env: &BTreeMap<String, String>) -> io::Result<Vec<OsString>> {
    let engine = &container.engine;
    let mut words: Vec<OsString> = CLEAN.map(OsString::from).into();
    words.extend(engine.env.iter().map(|(name, value)| format!("{name}={value}").into()));
    words.push(engine.program.clone().into());
    words.extend(interactive(container, env, SH).map_err(io::Error::other)?);
    Ok(words)
}
