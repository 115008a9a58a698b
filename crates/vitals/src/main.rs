//! `vitals`: looks inside running processes that embed heights.

mod command;
mod crashes;
mod end;
mod failure;
mod info;
mod ls;
mod output;
mod process;
mod text;
mod top;
mod tree;

use std::process::ExitCode;

use clap::Parser;

use crate::command::Vitals;
use crate::failure::Failure;

fn main() -> ExitCode {
    let vitals = Vitals::parse();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let done = runtime.map_err(Failure::Io).and_then(|runtime| runtime.block_on(vitals.run()));
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}
