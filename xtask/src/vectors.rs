//! Compares the golden vectors with what the code makes, or approves what it makes.

use crate::spec::execute;
use anyhow::Result;
use std::{env, path::Path, process::Command};

/// Packages with a test that compares their vectors, and the environment variable that lets it
/// write them instead.
const KEEPERS: [&str; 5] = [
    "selvedge-primitives-math",
    "selvedge-edge-core-content",
    "selvedge-edge-core-purge",
    "selvedge-edge-core-rules",
    "selvedge-runtime",
];

/// Set while vectors are approved.
const APPROVE: &str = "APPROVE_VECTORS";

/// Runs the comparing tests of every keeper.
pub fn run(root: &Path, approve: bool) -> Result<()> {
    for package in KEEPERS {
        let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let mut command = Command::new(cargo);
        command.current_dir(root).args([
            "test",
            "--release",
            "--package",
            package,
            "--test",
            "it",
            "vectors",
        ]);
        if approve {
            command.env(APPROVE, "1");
        } else {
            command.env_remove(APPROVE);
        }
        execute(&mut command)?;
    }
    println!(
        "{}",
        if approve {
            "approved; look at the difference"
        } else {
            "unchanged"
        }
    );
    Ok(())
}
