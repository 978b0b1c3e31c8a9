//! The words of the command line.

pub mod rules;

use crate::{
    amount::Sel,
    calendar::{Date, Month},
    content::{PinArgs, PointerCommand, UnpinArgs},
};
use clap::{Args, Parser, Subcommand, ValueEnum};
use selvedge_primitives_types::MAX_FACTOR;
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
    /// Put a file or a folder into the network, and print the root that names it.
    #[command(after_help = "\
Only what the caches lack is sent: an interrupted put goes on where it was, and a changed folder sends what changed.

  selvedge put site --service 7 --site         a new version of the site, served at once
  selvedge put film.mp4 --service 7            a file, pinned in three caches
  selvedge put film.mp4 --service 7 --no-pin --gateway http://gateway.example:8081")]
    Put(PutArgs),
    /// Get a file or a folder by its root, every byte checked against it.
    #[command(after_help = "\
What is interrupted is kept as NAME.ROOT.part, and goes on from there.

  selvedge get 0x91... -o site                 a folder
  selvedge get 0x91.../index.html -o -         a file of it, printed")]
    Get(GetArgs),
    /// List a directory by its root, or what a service has pinned.
    Ls(LsArgs),
    /// Have the network keep content for a service; pinned again, it moves to another number of places.
    #[command(after_help = "\
The content is named by its BLAKE3 root, as `selvedge put` prints it. A deposit is held until it is unpinned; what caches keep is on the
bill, at most --bytes times --factor for every epoch.

  selvedge pin 7 0x5a... --length 48120 --factor 3
  selvedge pin 7 0x91... --length 812 --bytes 7340032 --directory")]
    Pin(PinArgs),
    /// Have the network keep content for a service no longer; the deposit comes back.
    Unpin(UnpinArgs),
    /// List what a service has pinned.
    Pins {
        /// The service's number.
        service: u64,
    },
    /// The site of a service: the pinned directory that it is served from in place of its origin.
    #[command(
        subcommand,
        after_help = "\
  selvedge site set 7 0x91...        visitors get this version from now on
  selvedge site rollback 7           and the one before again
  selvedge site rollback 7 --to 3    or version 3
  selvedge site clear 7              the service is served from its origin"
    )]
    Site(PointerCommand),
    /// The rules of a service: check a document, try it out, sign URLs for it, and say which pinned one requests follow.
    #[command(
        subcommand,
        after_help = "\
  selvedge rules check rules.toml    what is wrong with it, if anything
  selvedge rules set 7 0x5a...       requests follow these from now on
  selvedge rules rollback 7          and the ones before again
  selvedge rules clear 7             none"
    )]
    Rules(rules::RulesCommand),
    /// The itemised bill of an epoch, a month or some days, every line checked against the chain and the gateways' proofs.
    #[command(after_help = "\
Gateways keep what is behind a line for a day after it was paid for. With --folder, run it every day: it fetches what is new, and goes on
where it was interrupted; the bill of the month is then whole long after.

  selvedge bill                                         the last epoch that ended
  selvedge bill --month 2026-11 --folder november       a month, item by item
  selvedge bill --from 2026-11-01 --to 2026-11-07 --json --out week.json
  selvedge bill --check november                        the same again, without any network")]
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
    /// What referenda may change: value, default, range, and the track that changes it.
    Parameters(ParametersArgs),
}

/// What to put, and for whom.
#[derive(Debug, Args)]
pub struct PutArgs {
    /// The file or folder.
    pub path: PathBuf,
    /// The service that it is for.
    #[arg(long)]
    pub service: u64,
    /// Base URL of a gateway's public endpoint; those that the chain lists, one after the other, if left out.
    #[arg(long, value_name = "URL")]
    pub gateway: Option<String>,
    /// How many caches keep it.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u8).range(1..=MAX_FACTOR as i64))]
    pub factor: u8,
    /// Serve the service from it from now on.
    #[arg(long, conflicts_with = "no_pin")]
    pub site: bool,
    /// Do not pin it: it is dropped again after an hour.
    #[arg(long)]
    pub no_pin: bool,
    /// Take what symbolic links lead to, within the folder.
    #[arg(long)]
    pub follow: bool,
}

/// What to get, and where to.
#[derive(Debug, Args)]
pub struct GetArgs {
    /// ROOT, ROOT/PATH, or the URL that `selvedge put` printed.
    #[arg(value_name = "ROOT|URL")]
    pub what: String,
    /// Where to; `-` prints a file. In this folder, under its own name, if left out.
    #[arg(short, long, value_name = "PATH")]
    pub output: Option<PathBuf>,
    /// Base URL of a gateway's public endpoint; those that the chain lists, one after the other, if left out.
    #[arg(long, value_name = "URL")]
    pub gateway: Option<String>,
    /// Replace files that are there and have other bytes.
    #[arg(long)]
    pub force: bool,
    /// The most bytes of a folder's files.
    #[arg(long, value_name = "BYTES", default_value_t = 64 << 30)]
    pub max_bytes: u64,
}

/// What to list.
#[derive(Debug, Args)]
pub struct LsArgs {
    /// ROOT, ROOT/PATH, the URL that `selvedge put` printed, or the number of a service, for what it has pinned.
    #[arg(value_name = "ROOT|URL|SERVICE")]
    pub what: String,
    /// Base URL of a gateway's public endpoint; those that the chain lists, one after the other, if left out.
    #[arg(long, value_name = "URL")]
    pub gateway: Option<String>,
    /// List what is below its directories too.
    #[arg(long, short)]
    pub recursive: bool,
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
    /// Have what is stored of a service fetched or validated anew, at every gateway and cache.
    #[command(after_help = "\
Prints the purge's number, how many nodes obey it, and which have not said so. With --json it prints the receipt, which
`purge-verify` checks. Nothing is sent to the chain and nothing is charged.

  selvedge service purge 7 --page https://www.example.org/a.css
  selvedge service purge 7 --tag product-42 --soft
  selvedge service purge 7 --everything --json > receipt.json")]
    Purge(PurgeArgs),
    /// Check every signature in the receipt of a purge against the nodes on the chain.
    PurgeVerify(PurgeVerifyArgs),
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
    /// Watch what visitors get now, at each gateway and together.
    #[command(after_help = "\
Asks every gateway that the chain lists, with a token that the account signs; nothing is sent to the chain.
Rates are those of the last --window seconds. Times are from a request's head to its answer's.

  selvedge service top                       the account's only service, again every two seconds
  selvedge service top 7 --window 5m --once  the last five minutes, once
  selvedge service top 7 --once --json       for a program")]
    Top(TopArgs),
    /// Follow the access log at all gateways.
    #[command(after_help = "\
Shows requests from now on, until Ctrl-C. If more come than can be read, a line says how many were left out.

  selvedge service logs 7
  selvedge service logs www.example.org --json --seconds 60 > minute.jsonl")]
    Logs(LogsArgs),
    /// Say what would answer a URL at each gateway, and why: hit or not, by which rule, stored where.
    #[command(after_help = "\
Nothing is fetched from the origin, served or charged.

  selvedge service explain https://www.example.org/a
  selvedge service explain https://www.example.org/a --field 'accept-language: de'
  selvedge service explain https://www.example.org/a --method POST")]
    Explain(ExplainArgs),
    /// Print a token with which another program may read about a service for a while.
    #[command(after_help = "\
  curl -H \"$(selvedge service token 7 --scope analytics)\" http://gw1.example.net:9802/analytics/v1/7")]
    Token(TokenArgs),
    /// Change the origin.
    SetOrigin {
        /// The service's number.
        service: u64,
        /// Base URL of the origin.
        origin: String,
    },
}

/// Whom to ask.
#[derive(Debug, Args)]
pub struct AboutArgs {
    /// Public URL of a gateway to ask in place of those that the chain lists; may be given again. No chain node is asked
    /// then, so the service is named by its number.
    #[arg(long = "gateway", value_name = "URL")]
    pub gateways: Vec<String>,
}

#[derive(Debug, Args)]
pub struct TopArgs {
    /// The service's number or one of its host names; the account's only one if left out.
    pub service: Option<String>,
    /// How far back the figures reach: 1s to 1h.
    #[arg(long, default_value = "10s")]
    pub window: String,
    /// Seconds between two looks.
    #[arg(long, default_value_t = 2, value_name = "SECONDS")]
    pub interval: u64,
    /// Look once and end.
    #[arg(long)]
    pub once: bool,
    #[command(flatten)]
    pub about: AboutArgs,
}

#[derive(Debug, Args)]
pub struct LogsArgs {
    /// The service's number or one of its host names.
    pub service: String,
    /// End after this many seconds.
    #[arg(long)]
    pub seconds: Option<u64>,
    #[command(flatten)]
    pub about: AboutArgs,
}

#[derive(Debug, Args)]
pub struct ExplainArgs {
    /// The whole URL.
    #[arg(value_name = "URL")]
    pub request: String,
    /// The service's number, where the host name is not enough.
    #[arg(long)]
    pub service: Option<String>,
    /// The request's method.
    #[arg(long, default_value = "GET")]
    pub method: String,
    /// A field of the request, 'name: value'; may be given again.
    #[arg(long = "field", value_name = "FIELD")]
    pub fields: Vec<String>,
    #[command(flatten)]
    pub about: AboutArgs,
}

#[derive(Debug, Args)]
pub struct TokenArgs {
    /// The service's number or one of its host names.
    pub service: String,
    /// What may be read.
    #[arg(long, value_enum)]
    pub scope: ScopeName,
    /// For how long.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=14))]
    pub minutes: u64,
    #[command(flatten)]
    pub about: AboutArgs,
}

/// What a token opens.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum ScopeName {
    /// Figures.
    Analytics,
    /// The access log.
    Logs,
    /// Explanations.
    Explain,
}

/// What to purge, and how.
#[derive(Debug, Args)]
pub struct PurgeArgs {
    /// The service's number.
    pub service: u64,
    #[command(flatten)]
    pub what: PurgeWhat,
    /// Let it be validated before it is used again, rather than never be used again.
    #[arg(long)]
    pub soft: bool,
    /// Public URL of the gateway to send it to; the first on the chain that answers if left out.
    #[arg(long, value_name = "URL")]
    pub gateway: Option<String>,
}

/// One of these.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub struct PurgeWhat {
    /// One URL with all its variants.
    #[arg(long = "page", value_name = "URL")]
    pub page: Option<String>,
    /// Every URL that begins with this.
    #[arg(long, value_name = "URL")]
    pub prefix: Option<String>,
    /// Every URL of one host name.
    #[arg(long, value_name = "NAME")]
    pub host: Option<String>,
    /// Every response with this Cache-Tag or Surrogate-Key.
    #[arg(long)]
    pub tag: Option<String>,
    /// Everything.
    #[arg(long)]
    pub everything: bool,
}

#[derive(Debug, Args)]
pub struct PurgeVerifyArgs {
    /// The file with the receipt.
    pub receipt: PathBuf,
    /// The account that owns the service; the signing one if left out.
    #[arg(long)]
    pub account: Option<String>,
}

#[derive(Debug, Args)]
pub struct BillArgs {
    /// The epoch; the last one that ended if neither this nor a period is given.
    #[arg(long, conflicts_with_all = ["month", "from", "check"])]
    pub epoch: Option<u64>,
    /// A month of UTC, such as 2026-11; as far as it has passed.
    #[arg(long, conflicts_with_all = ["from", "check"])]
    pub month: Option<Month>,
    /// The first day, such as 2026-11-01, of UTC.
    #[arg(long, value_name = "DAY", conflicts_with = "check")]
    pub from: Option<Date>,
    /// The last day; today if left out.
    #[arg(long, value_name = "DAY", requires = "from")]
    pub to: Option<Date>,
    /// Keep what is fetched in this folder, and fetch only what is not there.
    #[arg(long, value_name = "FOLDER", conflicts_with_all = ["epoch", "check"])]
    pub folder: Option<PathBuf>,
    /// Make the bill of what is in a folder; nothing is asked of anybody.
    #[arg(long, value_name = "FOLDER", conflicts_with_all = ["account", "wait"])]
    pub check: Option<PathBuf>,
    /// Write the bill of a period into this file.
    #[arg(long, value_name = "FILE", conflicts_with = "epoch")]
    pub out: Option<PathBuf>,
    /// The account; the signing one if left out.
    #[arg(long)]
    pub account: Option<String>,
    /// Wait until every gateway's commitment is settled, at most this many seconds.
    #[arg(long, value_name = "SECONDS", conflicts_with_all = ["month", "from"])]
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
    /// Explain a node's scores: every component, and what it was computed from.
    Score {
        /// The device id.
        device: String,
    },
    /// Explain what a node earned: base and activity of its stake by era, and what each is made of.
    Earnings(NodeEarningsArgs),
    /// Let a node that is out count again, once it is well.
    Rejoin {
        /// The device id.
        device: String,
    },
    /// Dispute that a node is in the region it claims; holds a bond that is lost if it is.
    DisputeRegion {
        /// The device id.
        device: String,
        /// Take the dispute back, when no era decided it for more than two.
        #[arg(long)]
        withdraw: bool,
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
    /// Look for what is wrong with a gateway's commitment, with the leaves it shows in public.
    Audit {
        /// The gateway's device id.
        gateway: String,
        /// The epoch it served in.
        epoch: u64,
        /// Send the proof to the chain if anything is wrong. The signing account gets a share of the slash.
        #[arg(long)]
        report: bool,
    },
    /// Ask to serve nothing new for some epochs, before maintenance or leaving; `status` tells until when, and when again.
    Drain {
        /// The device id.
        device: String,
        /// End the drain instead.
        #[arg(long)]
        end: bool,
    },
}

/// Whose earnings are explained.
#[derive(Debug, Args)]
pub struct NodeEarningsArgs {
    /// The device id: of the stake that it carries.
    #[arg(required_unless_present = "stake", conflicts_with = "stake")]
    pub device: Option<String>,
    /// The stake's number, whatever carries it.
    #[arg(long)]
    pub stake: Option<u64>,
    /// How many eras to explain, of 84 at most; 3 if left out. With --json all are given.
    #[arg(long)]
    pub eras: Option<usize>,
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

#[derive(Debug, Args)]
pub struct ParametersArgs {
    /// Only those whose name has this in it, such as stakes or take.
    pub part: Option<String>,
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
