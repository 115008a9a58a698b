//! `vitals`: looks inside running processes that embed heights.

mod act;
mod check;
mod command;
mod crashes;
mod diff;
mod doctor;
mod dress;
mod failure;
mod info;
mod kept;
mod ls;
mod meant;
mod metrics;
mod names;
mod output;
mod process;
mod proxy;
mod queues;
mod rates;
mod screen;
mod shell;
mod snapshot;
mod source;
mod state;
mod text;
mod top;
mod trace;
mod tree;
mod wait;
mod watch;
mod why;

use std::process::ExitCode;

use clap::{CommandFactory, Parser};
use clap_complete::CompleteEnv;

use crate::command::Vitals;
use crate::failure::Failure;

fn main() -> ExitCode {
    // A shell that asks how a line could go on is answered, and that is all.
    CompleteEnv::with_factory(Vitals::command).var(shell::VARIABLE).complete();
    let vitals = Vitals::parse();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let done = runtime.map_err(Failure::Io).and_then(|runtime| runtime.block_on(vitals.run()));
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(failure) => failure.report(),
    }
}
