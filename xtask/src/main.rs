//! Automates what the project checks about itself.
//!
//! `cargo xtask <name>`: each command stands alone and prints what it found; it never changes a
//! source file.

mod graph;
mod layers;
mod spec;
mod vectors;

use clap::{Parser, Subcommand};
use std::{path::PathBuf, process::ExitCode};

#[derive(Parser)]
#[command(name = "cargo xtask", about)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Check that no crate imports one that it may not know
    CheckLayers,
    /// Build the runtime and write the chain specs of its presets
    Spec(spec::Options),
    /// Compare the golden vectors with what the code makes
    Vectors {
        /// Write them anew: an act of approval, not a way to turn a test green
        #[arg(long)]
        approve: bool,
    },
}

fn main() -> ExitCode {
    let outcome = match Arguments::parse().command {
        Command::CheckLayers => layers::run(&root()),
        Command::Spec(options) => spec::run(&root(), &options),
        Command::Vectors { approve } => vectors::run(&root(), approve),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// The folder of the workspace.
fn root() -> PathBuf {
    let here = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    here.parent().map(PathBuf::from).unwrap_or(here)
}
