//! The command line: Substrate's usual flags and subcommands, and the few of our own.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use sc_cli::RunCmd;

use crate::commands::{CreateChainSpecCmd, MachineCmd};

/// Everything `selvedge-node` understands.
#[derive(Debug, Parser)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,

    #[command(flatten)]
    pub(crate) run: RunCmd,

    #[command(flatten)]
    pub(crate) agents: AgentsArgs,
}

/// Edge daemons that the off-chain worker of this node drives.
#[derive(Debug, Args)]
pub(crate) struct AgentsArgs {
    /// The edge daemons this node drives, one `[[agent]]` table each, in TOML.
    ///
    /// A table has `device` (device id, hex), `url` (http, loopback), `token` (hex) and,
    /// optionally, `edge_key` (secret URI). The file replaces the daemons of an earlier run and
    /// turns the off-chain worker on. Keep it readable by the node's user only.
    #[arg(long, value_name = "FILE")]
    pub(crate) agents_file: Option<PathBuf>,
}

/// What to do instead of running the node.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Make, inspect and insert keys.
    #[command(subcommand)]
    Key(sc_cli::KeySubcommand),

    /// Build a chain spec from a runtime and one of its genesis presets.
    CreateChainSpec(CreateChainSpecCmd),

    /// Print a chain spec, plain or raw.
    ExportChainSpec(sc_cli::ExportChainSpecCmd),

    /// Execute a stored block again and check the result.
    CheckBlock(sc_cli::CheckBlockCmd),

    /// Write blocks to a file.
    ExportBlocks(sc_cli::ExportBlocksCmd),

    /// Read blocks from a file.
    ImportBlocks(sc_cli::ImportBlocksCmd),

    /// Delete the database of a chain; keys and network identity stay.
    PurgeChain(sc_cli::PurgeChainCmd),

    /// Take blocks back, down to the last finalised one at most.
    Revert(sc_cli::RevertCmd),

    /// Print best, finalised and genesis block as JSON.
    ChainInfo(sc_cli::ChainInfoCmd),

    /// Measure.
    #[command(subcommand)]
    Benchmark(BenchmarkCommand),
}

/// What to measure.
#[derive(Debug, Subcommand)]
pub(crate) enum BenchmarkCommand {
    /// Measure processor, memory and disk against what a validator needs.
    Machine(MachineCmd),
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;
    use sc_cli::{CliConfiguration, SubstrateCli};

    fn parse(args: &[&str]) -> Result<Cli, clap::Error> {
        Cli::try_from_iter(std::iter::once("selvedge-node").chain(args.iter().copied()))
    }

    #[test]
    fn the_declared_arguments_do_not_contradict_each_other() {
        Cli::command().debug_assert();
    }

    #[test]
    fn full_archive_and_validator_are_the_usual_flags() {
        let full = parse(&["--chain", "local"]).unwrap();
        assert!(full.command.is_none());
        assert!(matches!(full.run.role(false), Ok(sc_service::Role::Full)));

        let archive = parse(&[
            "--chain",
            "local",
            "--state-pruning",
            "archive",
            "--blocks-pruning",
            "archive",
        ])
        .unwrap();
        let params = archive.run.pruning_params().unwrap();
        assert!(matches!(
            params.state_pruning(),
            Ok(Some(sc_service::PruningMode::ArchiveAll))
        ));

        let validator = parse(&["--chain", "local", "--validator", "--sync", "warp"]).unwrap();
        assert!(matches!(
            validator.run.role(false),
            Ok(sc_service::Role::Authority)
        ));
    }

    #[test]
    fn an_agents_file_belongs_to_a_running_node_only() {
        let cli = parse(&["--validator", "--agents-file", "/etc/selvedge/agents.toml"]).unwrap();
        assert_eq!(
            cli.agents.agents_file,
            Some(PathBuf::from("/etc/selvedge/agents.toml"))
        );
        assert!(parse(&["--agents-file", "a.toml", "chain-info"]).is_err());
    }

    #[test]
    fn every_subcommand_parses() {
        for args in [
            &["key", "generate"][..],
            &["key", "generate-node-key", "--file", "node.key"],
            &["export-chain-spec", "--chain", "local", "--raw"],
            &["check-block", "1"],
            &["export-blocks", "blocks.bin", "--binary"],
            &["import-blocks", "blocks.bin", "--binary"],
            &["purge-chain", "-y"],
            &["revert", "3"],
            &["chain-info"],
            &["benchmark", "machine", "--json"],
            &[
                "create-chain-spec",
                "--runtime",
                "r.wasm",
                "--preset",
                "development",
                "-o",
                "s.json",
            ],
        ] {
            assert!(
                parse(args).is_ok_and(|cli| cli.command.is_some()),
                "{args:?}"
            );
        }
    }

    #[test]
    fn a_chain_spec_needs_its_runtime_preset_and_output() {
        for args in [
            &[
                "create-chain-spec",
                "--preset",
                "development",
                "-o",
                "s.json",
            ][..],
            &["create-chain-spec", "--runtime", "r.wasm", "-o", "s.json"],
            &[
                "create-chain-spec",
                "--runtime",
                "r.wasm",
                "--preset",
                "development",
            ],
        ] {
            let error = parse(args).unwrap_err();
            assert_eq!(
                error.kind(),
                clap::error::ErrorKind::MissingRequiredArgument,
                "{args:?}"
            );
        }
    }
}
