//! 算盘 Suanpan, the binary: one file per command.
//!
//! A command that stays up prints one line of JSON on standard output when it
//! is ready; talk goes to standard error. Exit codes: 0 done, 1 found a
//! problem, 2 bad usage or configuration.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a terminal program prints")]

mod cli;
mod credentials;
mod demo;
mod dev;
mod error;
mod log;
mod migrate;
mod outside;
mod ready;
mod serve;
mod shop;
mod simulator;

use std::process::ExitCode;

use clap::Parser as _;

use crate::cli::{Cli, Command};

fn main() -> ExitCode {
    let cli = Cli::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(cause) => {
            eprintln!("error[SP-RUNTIME]: cannot start threads\n  cause: {cause}");
            return ExitCode::FAILURE;
        }
    };

    let done = runtime.block_on(async {
        match cli.command {
            Command::Demo(arguments) => demo::run(arguments).await,
            Command::Dev(arguments) => dev::run(arguments).await,
            Command::Serve(arguments) => serve::run(arguments).await,
            Command::Simulator(arguments) => simulator::run(arguments).await,
            Command::Migrate(arguments) => migrate::run(arguments).await,
        }
    });
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprint!("{}", error.render());
            ExitCode::from(error.exit)
        }
    }
}
