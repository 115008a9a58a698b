//! `ci-node`: continuous integration for pull requests. The same program is the server, its command
//! line, what a developer runs on a laptop, and the runner of each job.

mod args;
mod config_file;
mod exit;
mod gate;
mod logging;
mod output;

mod compose;
mod credential_files;
mod demo;
mod isolation;
mod opener;
mod reload;
mod serve;
mod store;

mod change;
mod check;
mod plan;
mod run;
mod sources;

mod completions;
mod doctor;
mod init;
mod local;
mod remote;
mod schema;

use std::process::ExitCode;

use clap::Parser;

use crate::args::{Arguments, Command};

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if let Command::Runner { run_dir } = &arguments.command {
        // A runner is alone in its process: before any runtime, any thread and any log.
        return ci_exec::runner_main(run_dir);
    }
    logging::start(&arguments.command);
    exit::report(arguments.command.run())
}
