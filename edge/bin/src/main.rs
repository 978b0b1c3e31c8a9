//! `selvedge-edge`: the data plane. Parses, loads, starts, waits, stops.

mod cli;
mod config;
mod key;
mod options;
mod run;

use clap::Parser;
use cli::{Cli, Command};
use std::process::ExitCode;

fn main() -> ExitCode {
    let done = match Cli::parse().command {
        Command::Run(args) => config::load(&args).and_then(run::run),
        Command::CheckConfig(args) => config::load(&args).and_then(|config| config.report()),
        Command::PrintConfig(args) => config::load(&args).and_then(|config| config.print()),
        Command::Key(command) => key::run(command),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
