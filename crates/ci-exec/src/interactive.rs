//! A shell for people, where the commands of a job would run.

use std::ffi::OsString;
use std::io;
use std::path::Path;

use crate::sandbox::{System, arguments};
use crate::spec::Isolation;

/// Goes to the folder, and becomes the best shell that there is.
const SHELL: &str = "cd -- \"$1\" || exit; \
                     if command -v bash >/dev/null 2>&1; then exec bash -i; else exec sh -i; fi";
/// What a job's sandbox has and a person's must not: without a terminal nobody can stop what runs, and
/// what comes first reaps what the shell leaves.
const NOT_FOR_PEOPLE: [&str; 2] = ["--new-session", "--as-pid-1"];

/// The program, with its arguments, that is an interactive shell in `working_dir`, isolated like a job.
///
/// Whoever starts it gives it a terminal of its own: a program in the sandbox can type into the one that
/// it has.
///
/// # Errors
/// The files that a sandbox would show cannot be looked at.
pub fn interactive_shell(isolation: &Isolation, working_dir: &Path) -> io::Result<Vec<OsString>> {
    let mut words = match isolation {
        Isolation::None => Vec::new(),
        Isolation::Namespaces(namespaces) => {
            let mut words = vec![namespaces.bubblewrap.clone().into_os_string()];
            let all = arguments(namespaces, &System::of(namespaces)?);
            let is_left_out = |word: &OsString| NOT_FOR_PEOPLE.iter().any(|name| word == name);
            words.extend(all.into_iter().filter(|word| !is_left_out(word)));
            words
        }
    };
    words.extend(["/bin/sh", "-c", SHELL, "sh"].map(OsString::from));
    words.push(working_dir.into());
    Ok(words)
}
