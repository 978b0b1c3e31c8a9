//! Builds the runtime and writes the chain specs of its presets.

use anyhow::{bail, Context, Result};
use clap::Args;
use std::{
    env,
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// A chain spec to write.
struct Spec {
    /// The genesis preset.
    preset: &'static str,
    /// The file's name without `.json`, which is what `--chain` takes.
    file: &'static str,
    /// Short name; part of the path of the chain's database.
    id: &'static str,
    /// Name for people.
    name: &'static str,
    /// Kind of the chain.
    chain_type: &'static str,
}

const SPECS: [Spec; 2] = [
    Spec {
        preset: "development",
        file: "development",
        id: "selvedge_dev",
        name: "Selvedge Development",
        chain_type: "development",
    },
    Spec {
        preset: "local_testnet",
        file: "local",
        id: "selvedge_local",
        name: "Selvedge Local",
        chain_type: "local",
    },
];

/// How to write chain specs.
#[derive(Args)]
pub struct Options {
    /// Use this runtime instead of building one
    #[arg(long, value_name = "FILE")]
    runtime: Option<PathBuf>,
    /// Use this node instead of building one
    #[arg(long, value_name = "FILE")]
    node: Option<PathBuf>,
    /// Folder to write to
    #[arg(long, value_name = "FOLDER", default_value = "chain-specs")]
    out: PathBuf,
}

/// Writes the chain spec of every preset.
pub fn run(root: &Path, options: &Options) -> Result<()> {
    let release = target_dir(root).join("release");
    let runtime = match &options.runtime {
        Some(file) => file.clone(),
        None => {
            cargo(
                root,
                ["build", "--release", "--package", "selvedge-runtime-wasm"],
            )?;
            release.join("wbuild/selvedge-runtime/selvedge_runtime.compact.compressed.wasm")
        }
    };
    let node = match &options.node {
        Some(file) => file.clone(),
        None => {
            cargo(root, ["build", "--release", "--package", "selvedge-node"])?;
            release.join("selvedge-node")
        }
    };
    let out = root.join(&options.out);
    fs::create_dir_all(&out).with_context(|| format!("cannot make {}", out.display()))?;
    for spec in &SPECS {
        let file = out.join(spec.file).with_extension("json");
        let arguments: [&OsStr; 14] = [
            "create-chain-spec".as_ref(),
            "--runtime".as_ref(),
            runtime.as_ref(),
            "--preset".as_ref(),
            spec.preset.as_ref(),
            "--name".as_ref(),
            spec.name.as_ref(),
            "--chain-type".as_ref(),
            spec.chain_type.as_ref(),
            "--id".as_ref(),
            spec.id.as_ref(),
            "--raw".as_ref(),
            "--output".as_ref(),
            file.as_ref(),
        ];
        execute(Command::new(&node).args(arguments))?;
        println!("wrote {}", file.display());
    }
    Ok(())
}

/// Where cargo puts what it builds.
fn target_dir(root: &Path) -> PathBuf {
    env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from)
}

/// Runs the cargo that runs this.
pub fn cargo<const N: usize>(root: &Path, arguments: [&str; N]) -> Result<()> {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    execute(Command::new(cargo).current_dir(root).args(arguments))
}

/// Runs a command to its end; its output is shown.
pub fn execute(command: &mut Command) -> Result<()> {
    let program = command.get_program().to_string_lossy().into_owned();
    let status = command
        .status()
        .with_context(|| format!("cannot run {program}"))?;
    if !status.success() {
        bail!("{program} ended with {status}");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The node is stood in for by a program that writes down how it was called.
    #[test]
    fn every_preset_gets_a_raw_spec_of_its_own_name() {
        let folder = env::temp_dir().join(format!("selvedge-spec-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("a temporary folder");
        let node = folder.join("node");
        let script = "#!/bin/sh\nfor last; do :; done\necho \"$@\" > \"$last\"\n";
        fs::write(&node, script).expect("a script");
        execute(Command::new("chmod").arg("+x").arg(&node)).expect("chmod is there");
        let options = Options {
            runtime: Some(PathBuf::from("blob.wasm")),
            node: Some(node),
            out: folder.clone(),
        };
        run(&folder, &options).expect("the script succeeds");
        let read = |file: &str| fs::read_to_string(folder.join(file)).expect("it was written");
        let development = read("development.json");
        assert!(
            development.contains("--preset development "),
            "{development}"
        );
        assert!(
            development.contains("--runtime blob.wasm "),
            "{development}"
        );
        assert!(development.contains("--raw"), "{development}");
        assert!(read("local.json").contains("--preset local_testnet "));
        fs::remove_dir_all(&folder).expect("it is ours");
    }

    #[test]
    fn a_node_that_fails_is_an_error() {
        let options = Options {
            runtime: Some(PathBuf::from("blob.wasm")),
            node: Some(PathBuf::from("false")),
            out: env::temp_dir(),
        };
        assert!(run(&env::temp_dir(), &options).is_err());
    }
}
