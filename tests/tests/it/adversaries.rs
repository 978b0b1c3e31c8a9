//! One network with everybody in it who cheats: real gateways behind agents that lie, real visitors, and the chain's word on
//! how each of them ends. `docs/adversaries.md` has the table.

use crate::{
    agent,
    books::{self, Commitment},
    env_path, invariants,
    lazy::LazyAuditor,
    pulse::Pulse,
    site::{self, Site},
    state, traffic,
    wallet::Wallet,
    NETWORKS,
};
use anyhow::Context;
use frame_support::traits::fungible::InspectHold;
use pallet_edge_audits::{types::Fraud, Frauds};
use pallet_edge_billing::{
    agent::commit_payload,
    types::{CommitmentRecord, Status, VoidReason},
    Accounts, Call as Billing, Error as BillingError,
};
use pallet_edge_staking::HoldReason;
use pallet_edge_traits::Forfeit;
use selvedge_devnet::{
    client, edge,
    figures::Figures,
    genesis,
    identity::Person,
    job::{self, Received},
    plan::{free_port, Daemon},
    process::wait_for,
    programs::Programs,
    Network, Options,
};
use selvedge_edge_tools_testkit::lying_agent::{AgentLie, Ends, LyingAgent};
use selvedge_primitives_math::fraud::Defect;
use selvedge_primitives_types::{DeviceId, Epoch, Planck, UsageCommitment};
use selvedge_runtime::{
    constants::currency::SEL, AccountId, Balances, Reputation, Runtime, RuntimeCall,
};
use std::{collections::BTreeMap, net::SocketAddr, time::Duration};

/// Length of an epoch: short, so that a commitment lives through all its days in minutes.
const EPOCH: Duration = Duration::from_secs(30);

/// How long any step may take: the longest waits for the end of a commitment that is never settled, eight epochs.
const LIMIT: Duration = Duration::from_secs(480);

/// What a finality of three-second blocks may take on a machine that has much else to do.
const STALL: Duration = Duration::from_secs(45);

/// Visits to each gateway: of pages, and of a file of 3 MiB so often that what it charges is worth an audit.
const VISITS: usize = 60;
const FILES: usize = 24;

/// The same of who makes ten times as much of it, so that it stays within its lease.
const FEW_FILES: usize = 8;

/// How many blocks become final while an agent makes noise of a kind.
const NOISE: u64 = 4;

/// A gateway's stake.
const STAKE: Planck = 25_000 * SEL;

/// Everybody, in the order of the gateways' numbers: the fifth shares a chain node with the first and the ninth.
const CAST: [AgentLie; 9] = [
    AgentLie::None,
    AgentLie::None,
    AgentLie::Inflate,
    AgentLie::Fat,
    AgentLie::Garbage,
    AgentLie::Hide,
    AgentLie::Vanish,
    AgentLie::ForeignCache,
    AgentLie::Slander,
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_cheats_loses_and_whoever_does_not_is_paid() -> anyhow::Result<()> {
    let _turn = NETWORKS.acquire().await?;
    let folder = tempfile::tempdir()?;
    let options = Options {
        folder: folder.path().join("network"),
        fresh: true,
        runtime: env_path("SELVEDGE_RUNTIME_WASM"),
        validators: 4,
        gateways: CAST.len(),
        caches: 2,
        resolver: None,
    };
    let programs = Programs::in_folder(&env_path("SELVEDGE_BIN_DIR"))?;
    let epochs = genesis::epochs_of(EPOCH);
    let network = Network::start_with(&options, programs, &mut Figures::default(), &epochs).await?;
    let site = Site::start().await?;
    job::register(&network, &site.url()).await?;
    let stage = Stage::set(network).await.context("the stage")?;
    let pulse = Pulse::watch(stage.port());
    let validators = &stage.network.plan.validators;
    let lazy = validators.last().context("validators")?;
    let lazy = LazyAuditor::take_over(&stage.network, lazy)?;

    let (served, received) = stage.serve().await.context("visits")?;
    let meanwhile = async {
        stage.report(served).await.context("a report")?;
        stage.withdraw().await.context("a customer who withdraws")
    };
    tokio::try_join!(async { stage.noise().await.context("noise") }, meanwhile)?;
    stage.audit(served).await.context("audits")?;
    stage
        .commit_twice(served)
        .await
        .context("a second commitment")?;
    stage.end().await.context("the end")?;

    stage
        .verdicts(served, &received)
        .await
        .context("verdicts")?;
    stage.slander().await.context("a slanderer")?;
    books::check_payouts(&stage.network, &stage.public)
        .await
        .context("payouts")?;
    invariants::check(stage.network.rpc_port())
        .await
        .context("invariants")?;
    anyhow::ensure!(lazy.passed() > 0, "the lazy auditor passed nothing");
    let longest = pulse.longest();
    anyhow::ensure!(longest < STALL, "no block was final for {longest:?}");
    // Liars first: they have nobody to ask when the gateways behind them stop.
    let Stage {
        mut network,
        agents,
        ..
    } = stage;
    drop(agents);
    network.ensure_running()?;
    network.stop().await
}

/// The network with a liar in front of each gateway but the first.
struct Stage {
    network: Network,
    agents: BTreeMap<DeviceId, (AgentLie, LyingAgent)>,
    /// Where gateways themselves show leaves.
    public: BTreeMap<DeviceId, u16>,
}

/// Epochs in which visits were made.
#[derive(Clone, Copy)]
struct Served {
    first: Epoch,
    last: Epoch,
}

fn device(daemon: &Daemon) -> DeviceId {
    DeviceId(daemon.device.ed25519())
}

fn ends(daemon: &Daemon) -> Ends {
    let local = |port| SocketAddr::from(([127, 0, 0, 1], port));
    Ends {
        control: local(daemon.control_port),
        public: local(daemon.audit_port),
    }
}

impl Stage {
    /// Moves every gateway but the first to other ports and has its liar listen where the chain knows it.
    async fn set(mut network: Network) -> anyhow::Result<Self> {
        let gateways: Vec<_> = network.plan.of_role("gateway").cloned().collect();
        let (mut agents, mut public) = (BTreeMap::new(), BTreeMap::new());
        for (index, (gateway, lie)) in gateways.iter().zip(CAST).enumerate() {
            if index == 0 {
                public.insert(device(gateway), gateway.audit_port);
                continue;
            }
            let mut moved = gateway.clone();
            (moved.control_port, moved.audit_port) = (free_port()?, free_port()?);
            network.kill(&gateway.name).await?;
            edge::configure(&network.folder, &moved, None)?;
            network.restart(&gateway.name).await?;
            // Noise comes later, or there would be nothing to tell.
            let begins = match lie {
                AgentLie::Garbage => AgentLie::None,
                lie => lie,
            };
            let agent = LyingAgent::start(ends(gateway), ends(&moved), begins).await?;
            agents.insert(device(gateway), (lie, agent));
            public.insert(device(gateway), moved.audit_port);
        }
        Ok(Self {
            network,
            agents,
            public,
        })
    }

    fn port(&self) -> u16 {
        self.network.rpc_port()
    }

    fn lie_of(&self, gateway: &DeviceId) -> Option<AgentLie> {
        Some(self.agents.get(gateway)?.0)
    }

    fn of(&self, lie: AgentLie) -> anyhow::Result<(DeviceId, &LyingAgent)> {
        let mut all = self.agents.iter();
        let found = all.find(|(_, (its, _))| *its == lie);
        let (device, (_, agent)) = found.context("it is in the cast")?;
        Ok((*device, agent))
    }

    /// Has each gateway visited; what visitors received of which.
    async fn serve(&self) -> anyhow::Result<(Served, BTreeMap<DeviceId, Received>)> {
        let before = job::epoch(&self.network.cli()).await?;
        job::wait_served(&self.network, "/brief/1").await?;
        let mut received = BTreeMap::new();
        for (index, gateway) in self.network.plan.of_role("gateway").enumerate() {
            let ports = [gateway.http_port];
            let files = match CAST[index] {
                AgentLie::Fat => FEW_FILES,
                _ => FILES,
            };
            let pages = traffic::brief(&ports, VISITS, index as u64).await?;
            let files = traffic::files(&ports, files).await?;
            received.insert(device(gateway), pages.plus(files));
        }
        let last = job::epoch(&self.network.cli()).await?;
        let served = Served {
            first: Epoch(before),
            last: Epoch(last),
        };
        Ok((served, received))
    }

    /// The customer takes out what it can while it is being charged: nothing that is reserved for what was used.
    async fn withdraw(&self) -> anyhow::Result<()> {
        let (wallet, customer) = (Wallet::new(&self.network), &self.network.plan.customer);
        let (cli, suri) = (self.network.cli(), customer.suri());
        let shown = cli.run(Some(&suri), &["account", "show"]).await?;
        let figure = |name: &str| -> anyhow::Result<Planck> {
            let text = shown["prepaid"][name].as_str();
            Ok(text.with_context(|| format!("{shown}"))?.parse()?)
        };
        let (balance, reserved) = (figure("balance")?, figure("reserved")?);
        anyhow::ensure!(reserved > 0, "something is reserved");
        let take = |amount| wallet.send(customer, Billing::<Runtime>::withdraw { amount });
        let refused = BillingError::<Runtime>::AboveWithdrawable;
        take(balance).await?.refused(refused)?;
        // A SEL stays for what is charged meanwhile.
        take(balance - reserved - SEL).await?.succeeded()?;
        let refused = BillingError::<Runtime>::AboveWithdrawable;
        take(reserved).await?.refused(refused)
    }

    /// One agent makes every noise at its chain node, which goes on as before.
    async fn noise(&self) -> anyhow::Result<()> {
        let (_, agent) = self.of(AgentLie::Garbage)?;
        for lie in [AgentLie::Garbage, AgentLie::Slow, AgentLie::Flood] {
            agent.lie(lie);
            let before = client::finalised(self.port()).await?;
            self.network.wait_finalised(before + NOISE, STALL).await?;
        }
        agent.lie(AgentLie::None);
        Ok(())
    }

    /// Somebody who is no auditor looks at what one gateway committed, and reports what is wrong.
    async fn report(&self, served: Served) -> anyhow::Result<()> {
        let (fat, _) = self.of(AgentLie::Fat)?;
        wait_for("a commitment", LIMIT, || async {
            let all = books::commitments(self.port()).await?;
            Ok(all.contains_key(&(fat, served.last)).then_some(()))
        })
        .await?;
        let (fat, epoch) = (fat.to_string(), served.last.to_string());
        let words = ["node", "audit", &fat, &epoch, "--report"];
        let reporter = self.reporter()?.suri();
        wait_for("a report", LIMIT, || async {
            match self.network.cli().run(Some(&reporter), &words).await {
                Ok(found) => {
                    let is_reported = found["finding"] == "fraud" && !found["reported"].is_null();
                    anyhow::ensure!(is_reported, "{found}");
                    Ok(Some(()))
                }
                // Auditors prove when their votes are sealed, and may be first.
                Err(error) if error.to_string().contains("AlreadyReported") => Ok(Some(())),
                // Nothing is heard before.
                Err(error) if error.to_string().contains("TooEarly") => Ok(None),
                Err(error) => Err(error),
            }
        })
        .await
    }

    /// Who reports: the operator of a cache.
    fn reporter(&self) -> anyhow::Result<&Person> {
        let last = self.network.plan.daemons.last();
        Ok(&last.context("there are caches")?.operator)
    }

    /// Anybody can look at all commitments, with nothing but the command line.
    async fn audit(&self, served: Served) -> anyhow::Result<()> {
        let all = self.committed(served).await?;
        for (gateway, epoch) in all.keys() {
            let words = ["node", "audit", &gateway.to_string(), &epoch.to_string()];
            let found = self.network.cli().run(None, &words).await;
            match self.lie_of(gateway) {
                Some(AgentLie::Inflate | AgentLie::Fat | AgentLie::ForeignCache) => {
                    let found = found?;
                    anyhow::ensure!(found["finding"] == "fraud", "{found}");
                }
                Some(AgentLie::Hide | AgentLie::Vanish) => {
                    let refusal = found.err().context("leaves are hidden")?;
                    anyhow::ensure!(refusal.to_string().contains("404"), "{refusal:#}");
                }
                _ => {
                    let found = found?;
                    anyhow::ensure!(found["finding"] == "sound", "{gateway}: {found}");
                }
            }
        }
        Ok(())
    }

    /// Waits until every gateway committed to the visits: whoever makes noise late.
    async fn committed(&self, served: Served) -> anyhow::Result<Commitment> {
        wait_for("commitments", LIMIT, || async {
            let all = books::commitments(self.port()).await?;
            let all: Commitment = all
                .into_iter()
                .filter(|((_, epoch), _)| (served.first..=served.last).contains(epoch))
                .collect();
            let has = |gateway: &DeviceId| all.contains_key(&(*gateway, served.last));
            Ok(self.public.keys().all(has).then_some(all))
        })
        .await
    }

    /// A key that committed for an epoch cannot do so again, with whatever it is.
    async fn commit_twice(&self, served: Served) -> anyhow::Result<()> {
        let mut gateways = self.network.plan.of_role("gateway");
        let gateway = gateways.nth(1).context("a second gateway")?;
        let (_, agent) = &self.agents[&device(gateway)];
        let first = agent.commitment(served.last, AgentLie::None).await?;
        let second = agent.commitment(served.last, AgentLie::Fat).await?;
        let made = books::commitments(self.port()).await?;
        let made = &made[&(device(gateway), served.last)].commitment;
        anyhow::ensure!(*made == first && first != second, "another commitment");

        let refusal = self.commit(gateway, second).await.err();
        let refusal = refusal.context("a second commitment was taken")?;
        anyhow::ensure!(format!("{refusal:#}").contains("outdated"), "{refusal:#}");
        // What is refused is the repetition: for an epoch that has not ended it may yet become right.
        let mut early = second;
        early.epoch = early.epoch.plus(1_000);
        let refusal = self.commit(gateway, early).await.err();
        let refusal = refusal.context("a commitment for the future was taken")?;
        anyhow::ensure!(format!("{refusal:#}").contains("future"), "{refusal:#}");
        let after = books::commitments(self.port()).await?;
        anyhow::ensure!(after[&(device(gateway), served.last)].commitment == first);
        Ok(())
    }

    /// Sends a commitment as the gateway's own chain node would.
    async fn commit(&self, gateway: &Daemon, commitment: UsageCommitment) -> anyhow::Result<()> {
        let payload = commit_payload(&commitment);
        let call = |agent_signature| {
            RuntimeCall::Billing(Billing::commit_usage {
                commitment: commitment.into(),
                agent_signature,
            })
        };
        agent::send(self.port(), &gateway.agent, &payload, call).await
    }

    /// Waits until every commitment has come to its end.
    async fn end(&self) -> anyhow::Result<()> {
        wait_for("the end of all commitments", LIMIT, || async {
            let all = books::commitments(self.port()).await?;
            let open = all
                .values()
                .find(|record| !matches!(record.status, Status::Credited | Status::Void));
            match open {
                Some(open) => anyhow::bail!("{:?}: {:?}", open.commitment.gateway, open.status),
                None => Ok(Some(())),
            }
        })
        .await
    }

    /// How everybody ended.
    async fn verdicts(
        &self,
        served: Served,
        received: &BTreeMap<DeviceId, Received>,
    ) -> anyhow::Result<()> {
        let all = books::commitments(self.port()).await?;
        let mut state = state::externalities(self.port()).await?;
        let reporter = AccountId::from(self.reporter()?.account());
        for ((gateway, epoch), record) in &all {
            let fraud = state.execute_with(|| Frauds::<Runtime>::get(epoch, gateway));
            let lie = self.lie_of(gateway).unwrap_or_default();
            let is_ours = fraud
                .as_ref()
                .is_some_and(|fraud| fraud.reporter == reporter);
            // What nobody reported, the auditors proved themselves.
            anyhow::ensure!(!is_ours || lie == AgentLie::Fat, "{lie}: {fraud:?}");
            verdict(lie, record, fraud).with_context(|| format!("{lie} in {epoch}"))?;
        }
        // A forgery costs everything, an impossible cache and hidden leaves a twentieth for each epoch.
        for gateway in self.network.plan.of_role("gateway") {
            let owner = AccountId::from(gateway.operator.account());
            let reason = HoldReason::Stake.into();
            let held = state.execute_with(|| Balances::balance_on_hold(&reason, &owner));
            let lie = self.lie_of(&device(gateway)).unwrap_or_default();
            let expected = match lie {
                AgentLie::Inflate | AgentLie::Fat => 0..=0,
                AgentLie::ForeignCache | AgentLie::Hide | AgentLie::Vanish => {
                    STAKE / 10 * 9..=STAKE / 20 * 19
                }
                _ => STAKE..=STAKE,
            };
            anyhow::ensure!(expected.contains(&held), "{lie}: {held}");
        }
        // Nobody who is paid served more or less than visitors received; each was visited once more to see whether it serves.
        for (gateway, received) in received {
            let lie = self.lie_of(gateway).unwrap_or_default();
            if !is_paid(lie) {
                continue;
            }
            let used = (served.first.0..=served.last.0)
                .filter_map(|epoch| all.get(&(*gateway, Epoch(epoch))))
                .map(|record| books::used(&record.commitment.customers.sum))
                .fold(Received::default(), Received::plus);
            let first = Received {
                requests: 1,
                bytes: site::length(1) as u64,
            };
            let expected = received.plus(first);
            anyhow::ensure!(used == expected, "{lie}: {used:?}, not {expected:?}");
        }
        // The customer paid for what was credited, and for nothing else.
        let customer = AccountId::from(self.network.plan.customer.account());
        let account = state.execute_with(|| Accounts::<Runtime>::get(&customer));
        let account = account.context("the customer has an account")?;
        let credited = |record: &&CommitmentRecord| record.status == Status::Credited;
        let credited = all.values().filter(credited);
        let credited: Planck = credited
            .map(|one| one.commitment.customers.sum.amount)
            .sum();
        let paid = account.charged - account.refunded;
        anyhow::ensure!(paid == credited, "{paid}, not {credited}");
        Ok(())
    }

    /// Nodes keep the name that the others give them: the word of one does not move a median.
    async fn slander(&self) -> anyhow::Result<()> {
        let (_, agent) = self.of(AgentLie::Slander)?;
        anyhow::ensure!(agent.slandered() > 0, "nobody was slandered");
        let mut state = state::externalities(self.port()).await?;
        let mut sampled = 0;
        for daemon in &self.network.plan.daemons {
            let node = device(daemon);
            // Who lost its stake over something else is not seen any more.
            if !is_paid(self.lie_of(&node).unwrap_or_default()) {
                continue;
            }
            let explained = state.execute_with(|| Reputation::explain(&node));
            let explained = explained.context("the node is registered")?;
            let seen = explained.probes.observed;
            sampled += seen.sampled;
            anyhow::ensure!(
                seen.answered == seen.sampled && explained.out.is_none(),
                "{}: {explained:?}",
                daemon.name
            );
        }
        anyhow::ensure!(sampled > 0, "no probe counted");
        Ok(())
    }
}

/// Whether what such a gateway commits is true and shown.
fn is_paid(lie: AgentLie) -> bool {
    matches!(lie, AgentLie::None | AgentLie::Garbage | AgentLie::Slander)
}

fn verdict(
    lie: AgentLie,
    record: &CommitmentRecord,
    fraud: Option<Fraud<AccountId>>,
) -> anyhow::Result<()> {
    let books = &record.books;
    let is_conserved = books.charged == books.refunded || record.status == Status::Credited;
    anyhow::ensure!(books.escrow == 0 && is_conserved, "{record:?}");
    let void = |reason: VoidReason| {
        let is_void = record.status == Status::Void && record.void_reason == Some(reason);
        anyhow::ensure!(is_void, "{record:?}");
        Ok(())
    };
    let proven = |defect: Defect| {
        let fraud = fraud.as_ref().context("no defect was proven")?;
        let is_in_time = fraud.forfeit != Forfeit::AlreadyPaid;
        anyhow::ensure!(fraud.defect == defect && is_in_time, "{fraud:?}");
        Ok(())
    };
    match lie {
        AgentLie::Inflate | AgentLie::Fat => {
            proven(Defect::BadSignature)?;
            void(VoidReason::Fraud(Defect::BadSignature))
        }
        AgentLie::ForeignCache => {
            // The chain looks at the caches' entries itself, when they are shown.
            proven(Defect::UnassignedCache)?;
            void(VoidReason::UnknownCache)
                .or_else(|_| void(VoidReason::Fraud(Defect::UnassignedCache)))
        }
        AgentLie::Hide | AgentLie::Vanish => {
            anyhow::ensure!(books.charged == 0 && fraud.is_none(), "{record:?}");
            void(VoidReason::LeavesWithheld)
        }
        _ => {
            let is_paid = record.status == Status::Credited && fraud.is_none();
            anyhow::ensure!(is_paid && books.charged > 0, "{record:?}");
            Ok(())
        }
    }
}
