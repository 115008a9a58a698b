//! The test binary started once more, as the runner of a job.

use std::io::Write;
use std::path::Path;

use ci_exec::Launcher;

/// Runs only the test that becomes a runner. What the test harness prints must not reach whoever waits for
/// the runner's word, so that waits on standard input until the harness is done.
const SCRIPT: &str = "exec \"$0\" --exact support::runner::becomes_a_runner --test-threads=1 --nocapture \
                      \"$@\" 0>&1 1>/dev/null";

/// Starts runners from this binary.
pub fn launcher() -> Launcher {
    let program = std::env::current_exe().unwrap();
    let arguments = ["-c".into(), SCRIPT.into(), program.into_os_string()];
    Launcher::new("/bin/sh", arguments)
}

/// Does nothing unless the last argument is a run directory.
#[test]
fn becomes_a_runner() {
    let last = std::env::args_os().next_back().unwrap_or_default();
    let run_dir = Path::new(&last);
    if !run_dir.is_absolute() || !run_dir.is_dir() {
        return;
    }
    std::io::stdout().flush().unwrap();
    rustix::stdio::dup2_stdout(std::io::stdin()).unwrap();
    rustix::stdio::dup2_stdin(std::fs::File::open("/dev/null").unwrap()).unwrap();
    let _ended = ci_exec::runner_main(run_dir);
    // The harness has nothing to say about this.
    std::process::exit(0);
}
