//! The words of the command line.

use clap::{Args, Parser, Subcommand};
use std::{net::SocketAddr, path::PathBuf};

/// Serves visitors as a gateway, or gateways as a cache, driven by a chain node beside it.
#[derive(Debug, Parser)]
#[command(name = "selvedge-edge", version, arg_required_else_help = true)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the daemon.
    Run(ConfigArgs),
    /// Say whether a configuration would work, without starting anything.
    CheckConfig(ConfigArgs),
    /// Print the configuration in force, defaults and overrides included.
    PrintConfig(ConfigArgs),
    /// The device key.
    #[command(subcommand)]
    Key(KeyCommand),
}

/// Where the configuration is, and what takes precedence over it: flags, then the environment, then
/// the file, then defaults.
#[derive(Debug, Default, Args)]
pub struct ConfigArgs {
    /// The configuration file.
    #[arg(
        long,
        value_name = "FILE",
        env = "SELVEDGE_EDGE_CONFIG",
        default_value = "edge.toml"
    )]
    pub config: PathBuf,

    /// Folder of everything that must survive a restart.
    #[arg(long, value_name = "FOLDER", env = "SELVEDGE_EDGE_STATE_DIR")]
    pub state_dir: Option<PathBuf>,

    /// File with the device's key.
    #[arg(long, value_name = "FILE", env = "SELVEDGE_EDGE_DEVICE_KEY_FILE")]
    pub device_key_file: Option<PathBuf>,

    /// Where the chain node reaches the daemon, on loopback.
    #[arg(long, value_name = "ADDRESS", env = "SELVEDGE_EDGE_CONTROL_LISTEN")]
    pub control_listen: Option<SocketAddr>,

    /// Where health and metrics are.
    #[arg(long, value_name = "ADDRESS", env = "SELVEDGE_EDGE_ADMIN_LISTEN")]
    pub admin_listen: Option<SocketAddr>,

    /// Where a gateway listens for HTTP; may be given again.
    #[arg(
        long = "http",
        value_name = "ADDRESS",
        env = "SELVEDGE_EDGE_HTTP",
        value_delimiter = ','
    )]
    pub http: Option<Vec<SocketAddr>>,

    /// Which messages are logged, such as `info` or `selvedge_edge=debug`.
    #[arg(long, value_name = "FILTER", env = "SELVEDGE_EDGE_LOG")]
    pub log: Option<String>,
}

#[derive(Debug, Subcommand)]
pub enum KeyCommand {
    /// Make a new device key. A file that is there is never replaced.
    Generate {
        /// Where to write it, readable by its owner only.
        #[arg(long, value_name = "FILE", default_value = "device.key")]
        file: PathBuf,
    },
    /// Print the device id of a key.
    Show {
        /// The key file.
        #[arg(long, value_name = "FILE", default_value = "device.key")]
        file: PathBuf,
    },
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
