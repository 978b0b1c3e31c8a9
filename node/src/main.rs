//! The chain node of Selvedge: validator, full and archive node by the usual Substrate flags.

mod agents;
mod chain_spec;
mod cli;
mod command;
mod commands;
mod fake_runtime;
mod service;

fn main() -> sc_cli::Result<()> {
    command::run()
}
