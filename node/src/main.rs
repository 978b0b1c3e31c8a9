//! The chain node of Selvedge: validator, full and archive node by the usual Substrate flags.
#![allow(
    clippy::result_large_err,
    reason = "the SDK's service error is large, and every signature of the service carries it"
)]

mod agents;
mod chain_spec;
mod cli;
mod command;
mod commands;
mod fake_runtime;
mod service;

use std::process::ExitCode;

fn main() -> ExitCode {
    match command::run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(sc_cli::Error::Input(reason)) => fail(reason),
        Err(error) => fail(error.to_string()),
    }
}

fn fail(reason: String) -> ExitCode {
    eprintln!("error: {reason}");
    ExitCode::FAILURE
}
