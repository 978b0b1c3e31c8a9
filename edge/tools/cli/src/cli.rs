//! The words of the command line.

use crate::amount::Sel;
use clap::{Args, Parser, Subcommand};
use std::path::PathBuf;

/// Selvedge: accounts, services, bills and nodes.
#[derive(Debug, Parser)]
#[command(
    name = "selvedge",
    version,
    propagate_version = true,
    arg_required_else_help = true
)]
pub struct Cli {
    /// JSON-RPC of a chain node.
    #[arg(
        long,
        global = true,
        env = "SELVEDGE_URL",
        default_value = "ws://127.0.0.1:9944"
    )]
    pub url: String,

    #[command(flatten)]
    pub key: KeyArgs,

    /// Print JSON instead of tables.
    #[arg(long, global = true)]
    pub json: bool,

    #[command(subcommand)]
    pub command: Command,
}

/// The account that signs.
#[derive(Debug, Args)]
pub struct KeyArgs {
    /// Secret of the signing account: a seed phrase, a 0x seed, or a development path such as //Alice.
    #[arg(
        long,
        global = true,
        env = "SELVEDGE_SURI",
        hide_env_values = true,
        conflicts_with = "key_file"
    )]
    pub suri: Option<String>,

    /// File that holds the secret of the signing account.
    #[arg(long, global = true, env = "SELVEDGE_KEY_FILE", value_name = "FILE")]
    pub key_file: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Accounts: keys, balances, the prepaid deposit.
    #[command(subcommand)]
    Account(AccountCommand),
    /// Services: sites that the network serves.
    #[command(subcommand)]
    Service(ServiceCommand),
    /// The itemised bill of an epoch, every line checked against the chain and the gateways' proofs.
    Bill(BillArgs),
    /// What an account earned, and claiming it.
    #[command(subcommand)]
    Earnings(EarningsCommand),
    /// Nodes: registration, stake, status.
    #[command(subcommand)]
    Node(NodeCommand),
    /// The network: usage clock and price lists.
    #[command(subcommand)]
    Network(NetworkCommand),
}

#[derive(Debug, Subcommand)]
pub enum AccountCommand {
    /// Make a new account and print its secret phrase once.
    New,
    /// Show balances and the state of the prepaid deposit.
    Show {
        /// The account; the signing one if left out.
        account: Option<String>,
    },
    /// Send SEL to another account.
    Transfer {
        /// Who receives it.
        to: String,
        /// How much, in SEL.
        amount: Sel,
    },
    /// Put SEL on deposit to pay for services.
    Deposit {
        /// How much, in SEL.
        amount: Sel,
    },
    /// Take back what no allowance reserves.
    Withdraw {
        /// How much, in SEL.
        amount: Sel,
    },
    /// Close the prepaid account and take back all of it.
    Close,
}

#[derive(Debug, Subcommand)]
pub enum ServiceCommand {
    /// Put a site on the network.
    Create {
        /// Host name it answers to; may be given again.
        #[arg(long = "host", required = true)]
        hosts: Vec<String>,
        /// Base URL of the origin.
        #[arg(long)]
        origin: String,
        /// The most it may cost per epoch, in SEL.
        #[arg(long)]
        cap: Sel,
        /// Price list to pin; the newest in force if left out.
        #[arg(long)]
        prices: Option<u32>,
    },
    /// Have a service answer to one more host name; `list` tells how to prove that it is yours.
    AddHost {
        /// The service's number.
        service: u64,
        /// The host name.
        host: String,
    },
    /// Have a service answer to a host name no longer.
    RemoveHost {
        /// The service's number.
        service: u64,
        /// The host name.
        host: String,
    },
    /// List the services of an account, and what proves that their host names are its own.
    List {
        /// The account; the signing one if left out.
        account: Option<String>,
    },
    /// Stop serving from the next epoch on.
    Pause {
        /// The service's number.
        service: u64,
    },
    /// Serve again from the next epoch on.
    Resume {
        /// The service's number.
        service: u64,
    },
    /// Change the most it may cost per epoch, from the next epoch on.
    SetCap {
        /// The service's number.
        service: u64,
        /// How much, in SEL.
        cap: Sel,
    },
    /// Change the origin.
    SetOrigin {
        /// The service's number.
        service: u64,
        /// Base URL of the origin.
        origin: String,
    },
}

#[derive(Debug, Args)]
pub struct BillArgs {
    /// The epoch; the last one that ended if left out.
    #[arg(long)]
    pub epoch: Option<u64>,
    /// The account; the signing one if left out.
    #[arg(long)]
    pub account: Option<String>,
    /// Wait until every gateway's commitment is settled, at most this many seconds.
    #[arg(long, value_name = "SECONDS")]
    pub wait: Option<u64>,
}

#[derive(Debug, Subcommand)]
pub enum EarningsCommand {
    /// Show what an account earned.
    Show {
        /// The account; the signing one if left out.
        account: Option<String>,
    },
    /// Pay out what the signing account earned from usage and yields.
    Claim,
}

#[derive(Debug, Subcommand)]
pub enum NodeCommand {
    /// List registered nodes.
    List,
    /// Show a node: stake, scores and earnings by era.
    Status {
        /// The device id.
        device: String,
    },
    /// Register a device to the signing operator.
    Register(RegisterArgs),
    /// Hold the stake of a role.
    Stake {
        /// validator, stargate, gateway or cache.
        role: String,
    },
    /// Assign a stake to a device, which co-signs.
    Assign {
        /// The stake's number.
        stake: u64,
        /// File with the device's key, as `selvedge-edge key generate` wrote it.
        #[arg(long, value_name = "FILE")]
        device_key: PathBuf,
    },
    /// Take a stake off its device from the next epoch on.
    Unassign {
        /// The stake's number.
        stake: u64,
    },
    /// Ask to serve nothing new, before maintenance or leaving.
    Drain {
        /// The device id.
        device: String,
        /// End the drain instead.
        #[arg(long)]
        end: bool,
    },
}

#[derive(Debug, Args)]
pub struct RegisterArgs {
    /// validator, stargate, gateway or cache.
    #[arg(long)]
    pub role: String,
    /// Region, such as eu-west.
    #[arg(long)]
    pub region: String,
    /// host:port where other nodes reach it.
    #[arg(long)]
    pub endpoint: String,
    /// Base URL of its public audit endpoint.
    #[arg(long)]
    pub public_url: String,
    /// Relative capacity, at least 1.
    #[arg(long, default_value_t = 1)]
    pub capacity: u32,
    /// The sr25519 key, 0x and 64 hex digits, with which its chain node signs for it.
    #[arg(long)]
    pub agent_key: String,
    /// File with the device's key, as `selvedge-edge key generate` wrote it.
    #[arg(long, value_name = "FILE")]
    pub device_key: PathBuf,
}

#[derive(Debug, Subcommand)]
pub enum NetworkCommand {
    /// Show the usage clock.
    Clock,
    /// Show published price lists.
    Prices,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_words_do_not_contradict_each_other() {
        Cli::command().debug_assert();
    }
}
