//! `vitals`: looks inside running processes that embed heights.

mod command;
mod end;
mod failure;
mod info;
mod ls;
mod output;
mod process;
mod text;
mod tree;

use std::process::ExitCode;

use clap::Parser;

use crate::command::{Command, Vitals};
use crate::failure::Failure;
use crate::output::Output;

fn main() -> ExitCode {
    let vitals = Vitals::parse();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let done = runtime.map_err(Failure::Io).and_then(|runtime| runtime.block_on(run(&vitals)));
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}

async fn run(vitals: &Vitals) -> Result<(), Failure> {
    let output = Output::new(vitals.output);
    match &vitals.command {
        Command::Ls => ls::run(vitals, output).await,
        Command::Tree(args) => tree::run(vitals, args, output).await,
        Command::Info(args) => info::run(vitals, args, output).await,
        Command::Stop(args) => end::stop(vitals, args, output).await,
        Command::Kill(args) => end::kill(vitals, args, output).await,
    }
}
