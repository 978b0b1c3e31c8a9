//! Every process of a network is killed (`kill -9`) at moments that a seed draws, while visitors come, and started again. What is
//! charged is what was delivered, what was committed stays, and the books add up.
//!
//! `SELVEDGE_CRASH_SEED` repeats a run's draws, `SELVEDGE_CRASH_EPOCHS` makes it longer; `scripts/crash.sh` sets both.

use crate::{
    books::{self, Commitment},
    env_path, invariants, site,
    site::Site,
    traffic, NETWORKS,
};
use anyhow::Context;
use http::StatusCode;
use rand::{rngs::StdRng, seq::SliceRandom, Rng, SeedableRng};
use selvedge_devnet::{
    client,
    figures::Figures,
    genesis,
    job::{self, Received, HOST},
    plan::Daemon,
    process::wait_for,
    programs::Programs,
    Network, Options,
};
use selvedge_primitives_types::DeviceId;
use std::{
    sync::{
        atomic::{AtomicBool, Ordering},
        Arc,
    },
    time::{Duration, Instant},
};
use tokio::task::JoinSet;

/// Length of an epoch.
const EPOCH: Duration = Duration::from_secs(30);

/// Epochs of load, unless the environment says otherwise.
const EPOCHS: u64 = 3;

/// How long any step may take.
const LIMIT: Duration = Duration::from_secs(240);

/// Visitors of each gateway, one request at a time each.
const VISITORS: u64 = 3;

/// Visits of a visitor a second, at most.
const PACE: Duration = Duration::from_millis(100);

/// The longest between two deaths, and between a daemon's and its return.
const QUIET: Duration = Duration::from_secs(4);
const DEAD: Duration = Duration::from_secs(2);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_is_killed_nothing_is_lost_or_charged_twice() -> anyhow::Result<()> {
    let _turn = NETWORKS.acquire().await?;
    let seed = from_env("SELVEDGE_CRASH_SEED")?.unwrap_or_else(rand::random);
    let epochs = from_env("SELVEDGE_CRASH_EPOCHS")?.unwrap_or(EPOCHS);
    println!("SELVEDGE_CRASH_SEED={seed} SELVEDGE_CRASH_EPOCHS={epochs}");
    run(seed, epochs)
        .await
        .with_context(|| format!("SELVEDGE_CRASH_SEED={seed}"))
}

fn from_env(name: &str) -> anyhow::Result<Option<u64>> {
    match std::env::var(name) {
        Ok(text) => Ok(Some(text.parse().context(name.to_owned())?)),
        Err(_) => Ok(None),
    }
}

async fn run(seed: u64, epochs: u64) -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let options = Options {
        folder: folder.path().join("network"),
        fresh: true,
        runtime: env_path("SELVEDGE_RUNTIME_WASM"),
        validators: 4,
        gateways: 2,
        caches: 2,
        resolver: None,
    };
    let programs = Programs::in_folder(&env_path("SELVEDGE_BIN_DIR"))?;
    let length = genesis::epochs_of(EPOCH);
    let mut network =
        Network::start_with(&options, programs, &mut Figures::default(), &length).await?;
    let site = Site::start().await?;
    job::register(&network, &site.url()).await?;
    let begun = job::epoch(&network.cli()).await?;
    let seen = job::wait_served(&network, "/brief/1").await?;

    let first = job::epoch(&network.cli()).await?;
    let load = Load::start(&network, seed);
    let mut reaper = Reaper::new(&network, seed);
    let mut made = Commitment::new();
    loop {
        reaper.strike(&mut network).await?;
        let now = books::commitments(network.rpc_port()).await?;
        ensure_kept(&made, &now)?;
        made.extend(now);
        let epoch = job::epoch(&network.cli()).await?;
        if epoch >= first + epochs && reaper.has_killed_everybody() {
            break;
        }
    }
    let delivered = load.stop().await?;
    let last = job::epoch(&network.cli()).await?;
    println!(
        "{} deaths in epochs {first} to {last}: {delivered:?}",
        reaper.deaths
    );

    let charged = settled(&network, begun, last, &made).await?;
    for ((gateway, paid), (of, delivered)) in charged.iter().zip(&delivered) {
        anyhow::ensure!(gateway == of);
        // One visit of each gateway found that it served.
        let whole = delivered.whole.plus(Received {
            requests: 1,
            bytes: seen.bytes / charged.len() as u64,
        });
        let longest = site::length(traffic::PAGES - 1) as u64;
        let requests = whole.requests..=whole.requests + delivered.torn;
        let bytes = whole.bytes..=whole.bytes + delivered.torn * longest;
        anyhow::ensure!(
            requests.contains(&paid.requests) && bytes.contains(&paid.bytes),
            "{gateway}: charged {paid:?}, delivered {whole:?} and {} torn",
            delivered.torn
        );
        println!(
            "{gateway}: charged {paid:?}, delivered {whole:?} and {} torn",
            delivered.torn
        );
    }
    invariants::check(network.rpc_port())
        .await
        .context("invariants")?;
    network.ensure_running()?;
    network.stop().await
}

/// Waits until every commitment was charged, and sums up the use it names, charged or free, by gateway.
///
/// Every epoch of every gateway that was visited in it is committed, though it may be late, and what was made stays.
async fn settled(
    network: &Network,
    first: u64,
    last: u64,
    made: &Commitment,
) -> anyhow::Result<Vec<(DeviceId, Received)>> {
    for epoch in first..=last {
        job::bill(network, epoch).await?;
    }
    let all = books::commitments(network.rpc_port()).await?;
    ensure_kept(made, &all)?;
    let mut charged = Vec::new();
    for gateway in network.plan.of_role("gateway") {
        let device = DeviceId(gateway.device.ed25519());
        let mut received = Received::default();
        for ((of, epoch), record) in &all {
            if *of != device || !(first..=last).contains(&epoch.0) {
                continue;
            }
            let sum = &record.commitment.customers.sum;
            anyhow::ensure!(record.books.charged == sum.amount, "{record:?}");
            received = received.plus(books::used(sum));
        }
        charged.push((device, received));
    }
    Ok(charged)
}

/// No commitment that was in a final block is lost or another.
fn ensure_kept(before: &Commitment, now: &Commitment) -> anyhow::Result<()> {
    for (key, made) in before {
        let kept = now.get(key).map(|record| record.commitment);
        anyhow::ensure!(kept == Some(made.commitment), "{key:?} is gone");
    }
    Ok(())
}

/// Kills and starts again: everybody once, in an order that the seed draws, and then whoever it draws.
struct Reaper {
    rng: StdRng,
    names: Vec<String>,
    /// How many of the names were not killed yet.
    alive: usize,
    deaths: usize,
}

impl Reaper {
    fn new(network: &Network, seed: u64) -> Self {
        let mut rng = StdRng::seed_from_u64(seed);
        let validators = network.plan.validators.iter().map(|one| &one.name);
        let daemons = network.plan.daemons.iter().map(|one| &one.name);
        let mut names: Vec<_> = validators.chain(daemons).cloned().collect();
        names.shuffle(&mut rng);
        Self {
            alive: names.len(),
            rng,
            names,
            deaths: 0,
        }
    }

    fn has_killed_everybody(&self) -> bool {
        self.alive == 0
    }

    /// Lets some time go by, kills somebody and starts it again.
    async fn strike(&mut self, network: &mut Network) -> anyhow::Result<()> {
        // The moment itself is drawn: nothing is waited for.
        tokio::time::sleep(self.rng.gen_range(Duration::ZERO..QUIET)).await;
        let index = match self.alive.checked_sub(1) {
            Some(left) => {
                self.alive = left;
                left
            }
            None => self.rng.gen_range(0..self.names.len()),
        };
        let name = &self.names[index];
        self.deaths += 1;
        network.kill(name).await?;
        let mut validators = network.plan.validators.iter();
        match validators.position(|one| one.name == *name) {
            Some(index) => revive_validator(network, index).await,
            None => {
                tokio::time::sleep(self.rng.gen_range(Duration::ZERO..DEAD)).await;
                network.restart(name).await
            }
        }
        .with_context(|| format!("death {} was {name}'s", self.deaths))
    }
}

/// The others finalise two more blocks before a killed validator comes back, and it catches up.
async fn revive_validator(network: &mut Network, index: usize) -> anyhow::Result<()> {
    let validators = &network.plan.validators;
    let dead = (validators[index].name.clone(), validators[index].rpc_port);
    let other = validators[(index + 1) % validators.len()].rpc_port;
    let before = client::finalised(other).await?;
    wait_final("the others' finality", other, before + 2).await?;
    network.restart(&dead.0).await?;
    wait_final(&dead.0, dead.1, before + 2).await
}

async fn wait_final(what: &str, port: u16, number: u64) -> anyhow::Result<()> {
    wait_for(what, LIMIT, || async move {
        Ok((client::finalised(port).await? >= number).then_some(()))
    })
    .await
}

/// What visitors of a gateway received.
#[derive(Clone, Copy, Debug, Default)]
struct Delivered {
    /// In answers that came whole.
    whole: Received,
    /// Answers that broke off with their gateway. They may be charged or not.
    torn: u64,
}

/// Visitors of all gateways.
struct Load {
    gateways: Vec<DeviceId>,
    visitors: JoinSet<anyhow::Result<(DeviceId, Delivered)>>,
    is_over: Arc<AtomicBool>,
}

impl Load {
    fn start(network: &Network, seed: u64) -> Self {
        let mut load = Self {
            gateways: Vec::new(),
            visitors: JoinSet::new(),
            is_over: Arc::default(),
        };
        for (index, gateway) in network.plan.of_role("gateway").enumerate() {
            load.gateways.push(DeviceId(gateway.device.ed25519()));
            for visitor in 0..VISITORS {
                let seed = seed ^ (index as u64 * VISITORS + visitor + 1);
                let visits = visit(gateway.clone(), seed, load.is_over.clone());
                load.visitors.spawn(visits);
            }
        }
        load
    }

    /// Lets the visits under way end; what was received of each gateway.
    async fn stop(mut self) -> anyhow::Result<Vec<(DeviceId, Delivered)>> {
        self.is_over.store(true, Ordering::Release);
        let mut all: Vec<_> = self
            .gateways
            .iter()
            .map(|gateway| (*gateway, Delivered::default()))
            .collect();
        while let Some(visitor) = self.visitors.join_next().await {
            let (gateway, delivered) = visitor??;
            let of = all.iter_mut().find(|(of, _)| *of == gateway);
            let (_, sum) = of.context("a gateway")?;
            sum.whole = sum.whole.plus(delivered.whole);
            sum.torn += delivered.torn;
        }
        for (gateway, delivered) in &all {
            anyhow::ensure!(delivered.whole.requests > 0, "{gateway} served nobody");
        }
        Ok(all)
    }
}

/// One visitor of one gateway, until it is over.
async fn visit(
    gateway: Daemon,
    seed: u64,
    is_over: Arc<AtomicBool>,
) -> anyhow::Result<(DeviceId, Delivered)> {
    let mut rng = StdRng::seed_from_u64(seed);
    let mut delivered = Delivered::default();
    let mut next = Instant::now();
    while !is_over.load(Ordering::Acquire) {
        tokio::time::sleep_until(next.into()).await;
        next = Instant::now() + PACE;
        let path = format!("/brief/{}", rng.gen_range(0..traffic::PAGES));
        match client::get(gateway.http_port, HOST, &path).await {
            Ok(answer) if answer.status() == StatusCode::OK => {
                delivered.whole = delivered.whole.plus(Received {
                    requests: 1,
                    bytes: answer.body().len() as u64,
                });
            }
            // A gateway's own excuses are free.
            Ok(answer) => anyhow::ensure!(
                answer.headers().contains_key("x-selvedge-reason"),
                "{path}: {}",
                answer.status()
            ),
            Err(_) => {
                delivered.torn += 1;
                wait_for(&gateway.name, LIMIT, || async {
                    let health = client::get(gateway.admin_port, "localhost", "/healthz").await?;
                    Ok(health.status().is_success().then_some(()))
                })
                .await?;
            }
        }
    }
    Ok((DeviceId(gateway.device.ed25519()), delivered))
}
