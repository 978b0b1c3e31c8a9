//! `selvedge-devnet`: a whole network on this machine, from keys to a bill that checks out.

use anyhow::Context;
use clap::Parser;
use selvedge_devnet::{
    figures::Figures, job, network::Network, origin::Origin, programs::Programs, Options,
};
use std::{net::SocketAddr, path::PathBuf, process::ExitCode};
use tokio::signal::unix::{signal, Signal, SignalKind};

/// Starts validators, gateways and caches as separate processes, serves a real site through them, waits for the epoch
/// to close, prints the bill with its proof checked and what every node earned, and keeps running.
#[derive(Debug, Parser)]
#[command(name = "selvedge-devnet", version)]
struct Args {
    /// Folder that holds the network's state; a second run resumes from it.
    #[arg(long, default_value = "devnet")]
    dir: PathBuf,

    /// Start over: delete the state of an earlier run first.
    #[arg(long)]
    fresh: bool,

    /// Exit after the job instead of keeping the network running.
    #[arg(long)]
    once: bool,

    /// Origin of the site; a local server of this repository's docs if left out.
    #[arg(long, value_name = "URL")]
    origin: Option<String>,

    /// Paths to visit at that origin; may be given again.
    #[arg(long = "path", value_name = "PATH", default_value = "/")]
    paths: Vec<String>,

    /// Folder the local origin serves.
    #[arg(long, value_name = "FOLDER", default_value = "docs")]
    site: PathBuf,

    /// Rounds of visits.
    #[arg(long, default_value_t = 3)]
    rounds: usize,

    /// Watch the idle network after the job and write figures of the run, as JSON.
    #[arg(long, value_name = "FILE")]
    figures: Option<PathBuf>,

    /// Name server that gateways ask who owns a host name; the system's if left out. Kept in the state folder.
    #[arg(long, value_name = "ADDRESS:PORT")]
    resolver: Option<SocketAddr>,

    /// Runtime blob the chain begins with.
    #[arg(long, value_name = "FILE")]
    runtime: PathBuf,

    /// Validators.
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u8).range(1..=16))]
    validators: u8,

    /// Gateways.
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u8).range(1..=16))]
    gateways: u8,

    /// Caches.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u8).range(1..=16))]
    caches: u8,
}

#[tokio::main]
async fn main() -> ExitCode {
    match run_until_interrupted(Args::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run_until_interrupted(args: Args) -> anyhow::Result<()> {
    let mut interrupts = Interrupts::new()?;
    let options = Options {
        folder: args.dir.clone(),
        fresh: args.fresh,
        runtime: args.runtime.clone(),
        validators: args.validators.into(),
        gateways: args.gateways.into(),
        caches: args.caches.into(),
        resolver: args.resolver,
    };
    let mut figures = Figures::default();
    let mut network = tokio::select! {
        network = Network::start(&options, Programs::beside_this()?, &mut figures) => network?,
        () = interrupts.next() => {
            // What was started is dropped with the future above, which kills its processes and only those.
            eprintln!("\nstopped");
            return Ok(());
        }
    };
    let result = tokio::select! {
        result = work(args, &mut network, figures) => result,
        () = interrupts.next() => {
            eprintln!("\nstopping; once more to kill");
            Ok(())
        }
    };
    let stopped = tokio::select! {
        stopped = network.stop() => stopped,
        () = interrupts.next() => Ok(()),
    };
    result.and(stopped)
}

/// Does the job, and watches the network after it unless it is to be done once.
async fn work(args: Args, network: &mut Network, mut figures: Figures) -> anyhow::Result<()> {
    let local = match args.origin {
        Some(_) => None,
        None => Some(Origin::start(&args.site, network.plan.origin_port).await?),
    };
    let paths = match local {
        Some(_) => job::paths_of(&args.site, 40)?,
        None => args.paths,
    };
    let first = paths.first().context("the site has no pages")?;
    let origin = args
        .origin
        .or(local.as_ref().map(Origin::url))
        .context("the site has an origin")?;

    job::register(network, &origin).await?;
    let first_visits = job::wait_served(network, first).await?;
    let epoch = job::epoch(&network.cli()).await?;
    let received = first_visits.plus(job::visit(network, &paths, args.rounds).await?);
    let bill = job::bill(network, epoch).await?;
    figures.reached("first bill");
    compare(received, job::billed(&bill))?;
    job::wait_credited(network).await?;
    figures.reached("first payout");
    report(network, epoch).await?;
    if let Some(path) = args.figures {
        figures.watch_idle(network).await?;
        figures.write(&path)?;
    }

    if args.once {
        return Ok(());
    }
    summary(network);
    loop {
        tokio::time::sleep(std::time::Duration::from_secs(2)).await;
        network.ensure_running()?;
    }
}

fn compare(received: job::Received, billed: job::Received) -> anyhow::Result<()> {
    anyhow::ensure!(
        received == billed,
        "visitors received {} answers of {} bytes, the bill says {} and {}",
        received.requests,
        received.bytes,
        billed.requests,
        billed.bytes
    );
    eprintln!(" ok  the bill equals what visitors received, to the request and to the byte");
    Ok(())
}

async fn report(network: &Network, epoch: u64) -> anyhow::Result<()> {
    let cli = network.cli();
    let suri = network.plan.customer.suri();
    println!(
        "\nThe bill\n{}",
        cli.show(Some(&suri), &["bill", "--epoch", &epoch.to_string()])
            .await?
    );
    for daemon in &network.plan.daemons {
        let earnings = cli
            .show(None, &["earnings", "show", &daemon.operator.address()])
            .await?;
        println!("{} earned\n{earnings}", daemon.name);
    }
    println!("The nodes\n{}", cli.show(None, &["node", "list"]).await?);
    Ok(())
}

fn summary(network: &Network) {
    let rpc = format!("ws://127.0.0.1:{}", network.rpc_port());
    println!(
        "The network runs. Its state is in {}.",
        network.folder.path().display()
    );
    for gateway in network.plan.of_role("gateway") {
        println!(
            "  {:<12} http://{}:{}/",
            gateway.name,
            job::HOST,
            gateway.http_port
        );
    }
    println!("  {:<12} {rpc}", "JSON-RPC");
    println!(
        "  {:<12} https://polkadot.js.org/apps/?rpc={}#/explorer",
        "polkadot.js",
        rpc.replace(':', "%3A").replace('/', "%2F")
    );
    println!(
        "  {:<12} Ctrl-C; the next start resumes, --fresh starts over",
        "stop"
    );
}

/// What asks this program to end: the user or the system.
struct Interrupts {
    int: Signal,
    term: Signal,
}

impl Interrupts {
    fn new() -> std::io::Result<Self> {
        Ok(Self {
            int: signal(SignalKind::interrupt())?,
            term: signal(SignalKind::terminate())?,
        })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.int.recv() => {}
            _ = self.term.recv() => {}
        }
    }
}
