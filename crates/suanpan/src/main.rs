//! Suanpan, the binary: a payment backend for WeChat Mini Programs, and a WeChat to develop against.
//!
//! | command     | file          | what it does                                             |
//! |-------------|---------------|----------------------------------------------------------|
//! | `dev`       | [`dev`]       | simulator, backend and a tea shop; stays up              |
//! | `demo`      | [`demo`]      | two payments in the terminal, and compares three books   |
//! | `init`      | [`init`]      | asks, and writes a first configuration                   |
//! | `serve`     | [`serve`]     | the backend                                              |
//! | `simulator` | [`simulate`]  | the simulator of WeChat                                  |
//! | `migrate`   | [`migrate`], [`moving`] | brings a database up to date, or moves to another |
//! | `archive`   | [`archive`]   | moves orders of long ago into files                      |
//! | `reconcile` | [`reconcile`] | compares a day with WeChat's bills                       |
//! | `operators` | [`operators`] | lists, adds and resets the console's people              |
//! | `replay`    | [`replay`]    | delivers webhooks once more                              |
//! | `api`       | [`api`]       | prints the OpenAPI document                              |
//! | `explain`   | [`explain`]   | says what an error means                                 |
//! | `doctor`    | [`doctor`]    | looks a configuration over                               |
//! | `sign`      | [`sign`]      | says what is wrong with a signature                      |
//!
//! A command that stays up prints one line of JSON on standard output when it is
//! ready, and talks on standard error. Exit codes: 0 done, 1 found a problem, 2
//! bad usage or configuration.

mod api;
mod archive;
mod caller;
mod cli;
mod demo;
mod dev;
mod doctor;
mod explain;
mod init;
mod log;
mod mask;
mod migrate;
mod moving;
mod operators;
mod private_file;
mod problem;
mod reconcile;
mod replay;
#[cfg(test)]
#[path = "../tests/cli/secrets.rs"]
mod secrets;
mod serve;
mod shop;
mod sign;
mod simulate;
mod stage;
mod stop;
mod talk;
mod tape;

use std::process::ExitCode;

use cli::Command;
use problem::Problem;

#[tokio::main]
async fn main() -> ExitCode {
    let command = match cli::read() {
        Ok(command) => command,
        Err(exit) => return exit,
    };
    let json = command.is_json();
    match run(command).await {
        Ok(Verdict::Good) => ExitCode::SUCCESS,
        Ok(Verdict::Bad) => ExitCode::from(Problem::FOUND),
        Err(problem) => {
            talk::problem(&problem, json);
            ExitCode::from(problem.exit)
        }
    }
}

/// What a command found out; it has said so.
enum Verdict {
    Good,
    Bad,
}

async fn run(command: Command) -> Result<Verdict, Problem> {
    let good = |()| Verdict::Good;
    match command {
        Command::Demo(arguments) => demo::run(&arguments).await,
        Command::Dev(arguments) => dev::run(&arguments).await.map(good),
        Command::Init(arguments) => init::run(&arguments).map(good),
        Command::Serve(arguments) => serve::run(&arguments).await.map(good),
        Command::Simulator(arguments) => simulate::run(&arguments).await.map(good),
        Command::Migrate(arguments) => migrate::run(&arguments).await,
        Command::Archive(arguments) => archive::run(&arguments).await,
        Command::Reconcile(arguments) => reconcile::run(&arguments).await,
        Command::Operators(arguments) => operators::run(&arguments).await.map(good),
        Command::Replay(arguments) => replay::run(&arguments).await,
        Command::Api(arguments) => {
            api::run(&arguments);
            Ok(Verdict::Good)
        }
        Command::Explain(arguments) => explain::run(&arguments),
        Command::Doctor(arguments) => doctor::run(&arguments).await,
        Command::Sign(arguments) => sign::run(&arguments),
    }
}
