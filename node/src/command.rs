//! Runs what the command line asks for.

use std::error::Error as StdError;

use sc_cli::{KeySubcommand, OffchainWorkerEnabled, SubstrateCli};
use sc_network::{config::NetworkBackendType, Litep2pNetworkBackend, NetworkWorker};
use sp_core::crypto::{set_default_ss58_version, Ss58AddressFormat};
use sp_runtime::traits::Block as BlockT;

use crate::{
    agents,
    chain_spec::{self, SS58_PREFIX},
    cli::{BenchmarkCommand, Cli, Command},
    fake_runtime::Block,
    service,
};

/// Exit code of a measurement that ended well and found the machine too slow.
const MACHINE_TOO_SLOW: i32 = 1;

impl SubstrateCli for Cli {
    fn impl_name() -> String {
        "Selvedge Node".into()
    }

    fn impl_version() -> String {
        env!("SUBSTRATE_CLI_IMPL_VERSION").into()
    }

    fn description() -> String {
        "The chain node of Selvedge, a decentralized edge network that anyone can audit.".into()
    }

    fn author() -> String {
        "the Selvedge developers".into()
    }

    fn support_url() -> String {
        "node/README.md".into()
    }

    fn copyright_start_year() -> i32 {
        2026
    }

    fn load_spec(&self, id: &str) -> Result<Box<dyn sc_service::ChainSpec>, String> {
        let spec =
            chain_spec::load(id, &chain_spec::specs_folder()).map_err(|error| error.to_string())?;
        Ok(Box::new(spec))
    }
}

/// Parses the arguments and runs what they ask for.
///
/// # Errors
///
/// Whatever ended the command; the SDK prints it.
pub(crate) fn run() -> sc_cli::Result<()> {
    set_default_ss58_version(Ss58AddressFormat::custom(SS58_PREFIX));
    let cli = Cli::from_args();
    match &cli.command {
        None => run_node(&cli),
        Some(command) => run_command(&cli, command),
    }
}

fn run_node(cli: &Cli) -> sc_cli::Result<()> {
    let agents_file = cli.agents.agents_file.as_deref();
    if agents_file.is_some()
        && matches!(
            cli.run.offchain_worker_params.enabled,
            OffchainWorkerEnabled::Never
        )
    {
        return Err(sc_cli::Error::Input(
            "--agents-file needs the off-chain worker, and --offchain-worker is `never`".into(),
        ));
    }
    let agents = agents_file
        .map(agents::read_file)
        .transpose()
        .map_err(with_causes)?;

    cli.create_runner(&cli.run)?
        .run_node_until_exit(|mut config| async move {
            config.offchain_worker.enabled |= agents.is_some();
            let started = match config.network.network_backend {
                NetworkBackendType::Litep2p => {
                    service::start::<Litep2pNetworkBackend>(config, agents)
                }
                NetworkBackendType::Libp2p => {
                    service::start::<NetworkWorker<Block, <Block as BlockT>::Hash>>(config, agents)
                }
            };
            started.map_err(sc_cli::Error::Service)
        })
}

fn run_command(cli: &Cli, command: &Command) -> sc_cli::Result<()> {
    match command {
        Command::Key(KeySubcommand::GenerateNodeKey(cmd)) => {
            // A key that goes to a file or to standard output belongs to no chain yet.
            let id = match &cmd.chain {
                None if !names_a_base_path() => String::new(),
                chain => cli
                    .load_spec(chain.as_deref().unwrap_or(""))?
                    .id()
                    .to_owned(),
            };
            cmd.run(&id, &Cli::executable_name())
        }
        Command::Key(cmd) => cmd.run(cli),
        Command::CreateChainSpec(cmd) => cmd.run().map_err(with_causes),
        Command::ExportChainSpec(cmd) => cmd.run(cli.load_spec(&cmd.chain)?),
        Command::CheckBlock(cmd) => cli.create_runner(cmd)?.async_run(|config| {
            let parts = service::prepare(&config)?;
            Ok((
                cmd.run(parts.client, parts.prepared.import_queue),
                parts.task_manager,
            ))
        }),
        Command::ExportBlocks(cmd) => cli.create_runner(cmd)?.async_run(|config| {
            let parts = service::prepare(&config)?;
            Ok((cmd.run(parts.client, config.database), parts.task_manager))
        }),
        Command::ImportBlocks(cmd) => cli.create_runner(cmd)?.async_run(|config| {
            let parts = service::prepare(&config)?;
            Ok((
                cmd.run(parts.client, parts.prepared.import_queue),
                parts.task_manager,
            ))
        }),
        Command::PurgeChain(cmd) => cli
            .create_runner(cmd)?
            .sync_run(|config| cmd.run(config.database)),
        Command::Revert(cmd) => cli.create_runner(cmd)?.async_run(|config| {
            let parts = service::prepare(&config)?;
            let revert_engine = Box::new(|client, backend, blocks| {
                selvedge_client_engine::revert(client, backend, blocks)?;
                Ok(())
            });
            Ok((
                cmd.run(parts.client, parts.backend, Some(revert_engine)),
                parts.task_manager,
            ))
        }),
        Command::ChainInfo(cmd) => cli
            .create_runner(cmd)?
            .sync_run(|config| cmd.run::<Block>(&config)),
        Command::Benchmark(BenchmarkCommand::Machine(cmd)) => {
            if !cmd.run().map_err(with_causes)? {
                std::process::exit(MACHINE_TOO_SLOW);
            }
            Ok(())
        }
    }
}

/// Whether a key goes into the folder of a chain. The SDK's command keeps these two arguments to
/// itself.
fn names_a_base_path() -> bool {
    std::env::args()
        .any(|argument| argument.starts_with("--base-path") || argument == "--default-base-path")
}

/// Joins an error with its sources in one line: the SDK prints `Display` only.
fn with_causes(error: impl StdError) -> sc_cli::Error {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    sc_cli::Error::Input(text)
}
