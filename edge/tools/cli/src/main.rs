//! `selvedge`: the command line for customers and operators.
//!
//! Standard output is the answer, standard error the talk; `--json` is a contract for programs. Exit codes are in
//! [`error::Failure`].

mod amount;
mod audit;
mod bill;
mod calendar;
mod chain;
mod cli;
mod commands;
mod content;
mod error;
mod http;
mod insight;
mod keys;
mod output;
mod publish;
mod receipt;
mod views;

use clap::Parser;

#[tokio::main]
async fn main() -> std::process::ExitCode {
    let cli = cli::Cli::parse();
    let output = output::Output::new(cli.json);
    match commands::run(cli, &output).await {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(error) => {
            let code = error::exit_code(&error);
            output.failure(&error);
            std::process::ExitCode::from(code)
        }
    }
}
