//! A network of any size: nodes from genesis, customers that join in blocks, and what they use in an epoch.

use super::{
    phases::{Phase, Sender, SERVED},
    tally::{Cost, Idle, Packer, State},
};
use crate::{
    auditors,
    chain::{config, empty_slots_to, genesis_of, signed_by, Chain, GENESIS, SLOT_MILLIS},
};
use codec::Encode;
use pallet_edge_billing::{types::Status, Call as BillingCall};
use pallet_edge_registry::GenesisDevice;
use pallet_edge_services::Call as ServicesCall;
use pallet_edge_staking::GenesisStake;
use pallet_edge_traits::{EpochClock, HostKeccak};
use selvedge_primitives_math::{price::charge, UsageTrees};
use selvedge_primitives_types::{
    agent::AGENT_KEY_TYPE, Account, DeviceId, Domain, Epoch, Leaf, LeafBody, Planck, Region, Role,
    ServiceId, Signature64, Slice, Usage, UsageClass,
};
use selvedge_runtime::{
    constants::currency::SEL, presets::PRICES, AccountId, Billing, RuntimeCall, UsageClock,
};
use serde_json::{json, Value};
use sp_core::{crypto::KeyTypeId, ed25519, sr25519, Pair};
use sp_io::{hashing::blake2_256, TestExternalities};
use std::env;

/// An epoch of a live network, a BABE epoch, a quarter of it, and an era.
const EPOCH_MILLIS: u64 = 3_600_000;
const BABE_EPOCH_SLOTS: u64 = EPOCH_MILLIS / SLOT_MILLIS / 4;
const EPOCHS_PER_ERA: u64 = 24;

/// Of the time between two blocks at most a minute counts.
const MINUTE_SLOTS: u64 = 60_000 / SLOT_MILLIS;

/// Leaves of a customer at a gateway, each of another cache.
const LEAVES: u32 = 4;

/// What a customer lets an epoch cost at most: enough for every number of requests that is tried.
const CAP: Planck = 200_000 * SEL;
/// What it has on deposit: the ten epochs of that which are reserved.
const DEPOSIT: Planck = 10 * CAP;
/// What it has at first.
const ENDOWMENT: Planck = DEPOSIT + 1_000 * SEL;

/// How large a network is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// Gateways.
    pub gateways: u32,
    /// Caches.
    pub caches: u32,
    /// Customers, with a service each.
    pub customers: u32,
    /// Gateways at which each customer is used.
    pub reach: u32,
    /// Gateways for which each cache works.
    pub cache_reach: u32,
    /// Requests of a leaf.
    pub requests: u64,
}

impl Size {
    /// A network that a test can run.
    pub const SMALL: Self = Self {
        gateways: 2,
        caches: 20,
        customers: 100,
        reach: 2,
        cache_reach: 2,
        requests: 1_000,
    };

    /// The small network with what `COST_GATEWAYS` and the like say instead.
    pub fn from_env() -> Self {
        let read = |name: &str, default: u32| match env::var(format!("COST_{name}")) {
            Ok(text) => text.parse().expect("the size is a number"),
            Err(_) => default,
        };
        let size = Self {
            gateways: read("GATEWAYS", Self::SMALL.gateways),
            caches: read("CACHES", Self::SMALL.caches),
            customers: read("CUSTOMERS", Self::SMALL.customers),
            reach: read("REACH", Self::SMALL.reach),
            cache_reach: read("CACHE_REACH", Self::SMALL.cache_reach),
            requests: read("REQUESTS", Self::SMALL.requests as u32).into(),
        };
        assert!(size.reach <= size.gateways && size.cache_reach <= size.gateways);
        assert!(size.caches * size.cache_reach <= size.customers * size.reach * LEAVES);
        for (all, reach) in [
            (size.customers, size.reach),
            (size.caches, size.cache_reach),
        ] {
            // Else pages are not the same at every gateway.
            assert_eq!(all * reach % size.gateways, 0, "gateways have equal shares");
        }
        size
    }
}

/// A gateway and its agent.
pub struct Gateway {
    index: u32,
    device: ed25519::Pair,
    /// The key of its agent, which is in the keystore.
    pub agent_key: [u8; 32],
    agent: String,
}

impl Gateway {
    fn new(index: u32) -> Self {
        let agent = format!("//agent//{index}");
        let key = sr25519::Pair::from_string(&agent, None).expect("it is a derivation");
        Self {
            index,
            device: device("gateway", index),
            agent_key: key.public().0,
            agent,
        }
    }

    /// Its id.
    pub fn id(&self) -> DeviceId {
        DeviceId(self.device.public().0)
    }
}

fn device(kind: &str, index: u32) -> ed25519::Pair {
    ed25519::Pair::from_seed(&blake2_256(&(kind, index).encode()))
}

fn operator(kind: &str, index: u32) -> AccountId {
    blake2_256(&("operator", kind, index).encode()).into()
}

/// The network, and the chain it is on.
pub struct World {
    size: Size,
    state: TestExternalities,
    chain: Chain,
    gateways: Vec<Gateway>,
    caches: Vec<ed25519::Pair>,
    customers: Vec<sr25519::Pair>,
    idle: Idle,
}

impl World {
    /// Nodes that are active from the beginning; customers that only have tokens.
    pub fn new(size: Size) -> Self {
        let gateways: Vec<_> = (0..size.gateways).map(Gateway::new).collect();
        let caches: Vec<_> = (0..size.caches)
            .map(|index| device("cache", index))
            .collect();
        let customers: Vec<_> = (0..size.customers)
            .map(|index| sr25519::Pair::from_seed(&blake2_256(&("customer", index).encode())))
            .collect();
        let mut state = genesis_of(genesis(&gateways, &caches, &customers));
        let chain = Chain::start(&mut state);
        state.execute_with(|| {
            for gateway in &gateways {
                let agent = gateway.agent.clone().into_bytes();
                let key = sp_io::crypto::sr25519_generate(KeyTypeId(AGENT_KEY_TYPE), Some(agent));
                assert_eq!(key.0, gateway.agent_key);
            }
            for auditor in auditors::ALL {
                let seed = auditor.to_seed().into_bytes();
                sp_io::crypto::sr25519_generate(KeyTypeId(AGENT_KEY_TYPE), Some(seed));
            }
        });
        Self {
            size,
            state,
            chain,
            gateways,
            caches,
            customers,
            idle: Idle::default(),
        }
    }

    /// Every customer makes a deposit and a service.
    pub fn join_customers(&mut self) -> Cost {
        let customers = &self.customers;
        let chain = &mut self.chain;
        self.state.execute_with(|| {
            let mut packer = Packer::new(chain);
            for (index, customer) in customers.iter().enumerate() {
                let create = ServicesCall::create_service {
                    hosts: vec![format!("c{index}.localhost").into_bytes()],
                    origin_url: b"http://127.0.0.1:8000".to_vec(),
                    cap: CAP,
                    price_version: 1,
                };
                let deposit = BillingCall::deposit { amount: DEPOSIT };
                let calls: [RuntimeCall; 2] = [deposit.into(), create.into()];
                let account = AccountId::from(customer.public());
                for call in calls {
                    let sign = |message: &[u8]| customer.sign(message).into();
                    packer.send(signed_by(&account, call, sign));
                }
            }
            packer.finish()
        })
    }

    /// Goes on to where an epoch has run for some quarters, with as few blocks as the clock allows.
    fn leap_to(&mut self, epoch: Epoch, quarters: u64) {
        let (chain, idle) = (&mut self.chain, &mut self.idle);
        let mut goes_on = true;
        while goes_on {
            goes_on = self.state.execute_with(|| {
                let before = UsageClock::current();
                let Some(empty) = empty_slots_to(epoch, quarters) else {
                    return false;
                };
                chain.stop(empty.min(MINUTE_SLOTS - 1));
                idle.block(chain);
                idle.epochs += UsageClock::current().0 - before.0;
                true
            });
            self.state
                .commit_all()
                .expect("no storage transaction is open");
        }
    }

    /// Makes empty blocks until the phase is due for every gateway.
    fn wait(&mut self, phase: &Phase) {
        let (chain, idle, gateways) = (&mut self.chain, &mut self.idle, &self.gateways);
        self.state.execute_with(|| {
            let blocks = (0..1_000).take_while(|_| !gateways.iter().all(phase.is_due));
            let made = blocks.map(|_| idle.block(chain)).count();
            assert!(made < 1_000, "{} is never due", phase.name);
        });
    }

    /// Goes on to a phase, and has every gateway send what it sends in it.
    pub fn play(&mut self, phase: &Phase) -> Cost {
        let epoch = self.state.execute_with(|| phase.epoch());
        self.leap_to(epoch, phase.quarters);
        self.wait(phase);
        let mut packer = self.state.execute_with(|| Packer::new(&mut self.chain));
        let submit = match phase.sender {
            Sender::Gateways(submit) => submit,
            Sender::Auditors(submit) => {
                return self.state.execute_with(|| {
                    auditors::ALL.into_iter().for_each(submit);
                    packer.send_submitted();
                    packer.finish()
                });
            }
        };
        for gateway in &self.gateways {
            if gateway.index % 20 == 0 {
                let (done, all) = (gateway.index, self.size.gateways);
                eprintln!("{}: {done} of {all} gateways", phase.name);
            }
            let trees = trees(
                self.size,
                gateway,
                &self.gateways,
                &self.caches,
                &self.customers,
            );
            self.state.execute_with(|| {
                submit(gateway, &trees);
                packer.send_submitted();
            });
            // A block's root is computed over all that was not committed.
            self.state
                .commit_all()
                .expect("no storage transaction is open");
        }
        self.state.execute_with(|| packer.finish())
    }

    /// Every commitment is paid in full, and the books balance.
    pub fn judge(&mut self) {
        let gateways = &self.gateways;
        self.state.execute_with(|| {
            for gateway in gateways {
                let record = Billing::commitment(&gateway.id(), SERVED).expect("it committed");
                assert_eq!(record.status, Status::Credited);
            }
            selvedge_runtime::check_invariants().expect("every invariant holds");
        });
    }

    /// Size of the state after one more block, in which the events of the last one go.
    pub fn state(&mut self) -> State {
        self.state.execute_with(|| self.chain.block([]));
        State::of(&mut self.state)
    }

    /// What was counted while nobody sent anything.
    pub fn idle(&self) -> Idle {
        self.idle
    }

    /// Epochs in a day, and blocks in an epoch.
    pub fn pace(&mut self) -> (u64, u64) {
        let length = self.state.execute_with(|| UsageClock::length().0);
        (86_400_000 / length, length / SLOT_MILLIS)
    }
}

/// A live network's genesis with these nodes, and tokens for these customers.
fn genesis(gateways: &[Gateway], caches: &[ed25519::Pair], customers: &[sr25519::Pair]) -> Value {
    let mut config = config("local_testnet");
    config["chainParams"]["babeEpochLength"] = json!(BABE_EPOCH_SLOTS);
    config["chainParams"]["checkCost"] = json!(125_000_000);
    config["usageClock"]["epochLengthMs"] = json!(EPOCH_MILLIS);
    config["usageClock"]["epochsPerEra"] = json!(EPOCHS_PER_ERA);
    let gateways = gateways
        .iter()
        .map(|one| (one.id(), one.agent_key, "gateway", Role::Gateway, one.index));
    let caches = caches.iter().zip(0..).map(|(cache, index)| {
        let id = cache.public().0;
        (DeviceId(id), id, "cache", Role::Cache, index)
    });
    let [mut devices, mut stakes, mut balances] = [const { Vec::<Value>::new() }; 3];
    for (device, agent_key, kind, role, index) in gateways.chain(caches) {
        let operator = operator(kind, index);
        balances.push(json!((&operator, 100_000 * SEL)));
        stakes.push(json!(GenesisStake {
            owner: operator.clone(),
            device,
            role,
            amount: None,
        }));
        devices.push(json!(GenesisDevice {
            operator,
            device,
            role,
            region: Region::parse("eu-west").expect("it is a region"),
            endpoint: "203.0.113.7:9000".into(),
            public_url: "https://node.example.net:9802".into(),
            capacity: 1,
            agent_key,
        }));
    }
    for customer in customers {
        let account = AccountId::from(customer.public());
        balances.push(json!((account, ENDOWMENT)));
    }
    for (list, more) in [
        (["nodeRegistry", "devices"], devices),
        (["nodeStaking", "stakes"], stakes),
        (["balances", "balances"], balances),
    ] {
        let list = &mut config[list[0]][list[1]];
        list.as_array_mut().expect("it is a list").extend(more);
    }
    config
}

/// What a gateway served: each of its customers through some of its caches, so that it used all of them.
fn trees(
    size: Size,
    gateway: &Gateway,
    gateways: &[Gateway],
    caches: &[ed25519::Pair],
    customers: &[sr25519::Pair],
) -> UsageTrees {
    // Whoever has index n goes to gateways n, n + 1, and so on.
    let count = gateways.len() as u32;
    let goes = |one: u32, reach: u32| (gateway.index + count - one % count) % count < reach;
    let own = caches.iter().zip(0..);
    let own: Vec<_> = own
        .filter(|(_, one)| goes(*one, size.cache_reach))
        .collect();
    let used = customers.iter().zip(0..);
    let used = used.filter(|(_, one)| goes(*one, size.reach)).enumerate();
    let places = used.flat_map(|(place, customer)| {
        (0..LEAVES).map(move |leaf| (customer, place * LEAVES as usize + leaf as usize, leaf))
    });
    let leaves = places.map(|((customer, service), place, slice)| {
        let (cache, _) = own[place % own.len()];
        let paid = Usage::ZERO
            .with(UsageClass::Requests, size.requests)
            .with(UsageClass::EgressBytes, size.requests * 10_000);
        let body = LeafBody {
            gateway: gateway.id(),
            epoch: SERVED,
            customer: Account(customer.public().0),
            service: ServiceId(u64::from(service)),
            cache: DeviceId(cache.public().0),
            slice: Slice(slice as u16),
            price_version: 1,
            paid,
            amount: charge(&paid, &PRICES).expect("it fits"),
            ..Default::default()
        };
        let signature = cache.sign(&Domain::Leaf.message(&GENESIS.0, &body));
        Leaf {
            body,
            cache_signature: Signature64(signature.0),
        }
    });
    UsageTrees::build::<HostKeccak>(leaves.collect()).expect("honest leaves")
}
