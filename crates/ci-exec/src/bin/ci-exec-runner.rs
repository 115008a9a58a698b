//! The runner by itself, for tests and benchmarks: `ci-exec-runner RUN_DIR`.

use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    match std::env::args_os().nth(1) {
        Some(run_dir) => ci_exec::runner_main(Path::new(&run_dir)),
        None => ExitCode::from(2),
    }
}
