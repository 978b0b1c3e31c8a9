//! A runtime of the system, balances and reputation; everything else is the mock network.

// The runtime macro makes the runtime public, and with it every type that a config names.
#![allow(unreachable_pub)]

use crate::types::Probes;
use crate::{self as pallet_edge_reputation, *};
use frame_support::{
    derive_impl,
    traits::{ConstU128, Hooks},
};
use pallet_authorship::EventHandler;
use pallet_edge_mocks::{Network, Node};
use pallet_edge_traits::OnEpoch;
use selvedge_primitives_types::{
    FetchVerdict, Millis, Probe, ProbeAnswer, ProbeFetch, Score, Signature64,
};
use sp_runtime::BuildStorage;

#[frame_support::runtime]
mod runtime {
    #[runtime::runtime]
    #[runtime::derive(
        RuntimeCall,
        RuntimeEvent,
        RuntimeError,
        RuntimeOrigin,
        RuntimeHoldReason,
        RuntimeFreezeReason,
        RuntimeTask,
        RuntimeViewFunction
    )]
    pub struct Test;

    #[runtime::pallet_index(0)]
    pub type System = frame_system;
    #[runtime::pallet_index(4)]
    pub type Balances = pallet_balances;
    #[runtime::pallet_index(23)]
    pub type Reputation = pallet_edge_reputation;
}

#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
impl frame_system::Config for Test {
    type Block = frame_system::mocking::MockBlock<Test>;
    type AccountId = AccountId32;
    type Lookup = sp_runtime::traits::IdentityLookup<AccountId32>;
    type AccountData = pallet_balances::AccountData<u128>;
}

#[derive_impl(pallet_balances::config_preludes::TestDefaultConfig)]
impl pallet_balances::Config for Test {
    type Balance = u128;
    type ExistentialDeposit = ConstU128<1>;
    type AccountStore = System;
}

frame_support::parameter_types! {
    pub static NodesPerBlock: u32 = 64;
    pub static MaxProbers: u32 = 64;
    pub static ProbeSeed: Hash = [7; 32];
    pub static Elected: Vec<AccountId32> = vec![];
}

/// The validators that the test elected.
pub struct Validators;

impl ValidatorSet<AccountId32> for Validators {
    type ValidatorId = AccountId32;
    type ValidatorIdOf = sp_runtime::traits::ConvertInto;

    fn session_index() -> u32 {
        0
    }

    fn validators() -> Vec<AccountId32> {
        Elected::get()
    }
}

/// Gateways 99 %, caches 20 %.
pub struct Expected;

impl Convert<Role, Ppm> for Expected {
    fn convert(role: Role) -> Ppm {
        Ppm::percent(if role == Role::Cache { 20 } else { 99 })
    }
}

/// Takes bonds that are lost.
pub struct Sink;

impl OnUnbalanced<CreditOf<Test>> for Sink {
    fn on_nonzero_unbalanced(credit: CreditOf<Test>) {
        Balances::resolve(&account(SINK), credit).unwrap();
    }
}

impl Config for Test {
    type RuntimeHoldReason = RuntimeHoldReason;
    type Currency = Balances;
    type ProbeSeed = ProbeSeed;
    type Expected = Expected;
    type DisputeBond = ConstU128<BOND>;
    type BondDestination = Sink;
    type MaxProbers = MaxProbers;
    type Clock = Network;
    type Devices = Network;
    type Stakes = Network;
    type Validators = Validators;
    type NodesPerBlock = NodesPerBlock;
    type WeightInfo = weights::SubstrateWeight<Test>;
    #[cfg(feature = "runtime-benchmarks")]
    type BenchmarkHelper = Validators;
}

#[cfg(feature = "runtime-benchmarks")]
impl pallet_edge_traits::BenchmarkNodes<AccountId32> for Validators {
    fn add_node(device: DeviceId, role: Role, owner: &AccountId32, agent_key: [u8; 32]) {
        let mut node = Node::new(owner.clone(), role, STAKE);
        node.agent_key = agent_key;
        Network::set(device, node);
    }
}

#[cfg(feature = "runtime-benchmarks")]
impl benchmarking::BenchmarkHelper for Validators {
    fn set_clock(epoch: Epoch, quarters: u64) {
        Network::set_now(Millis(epoch.0 * EPOCH + EPOCH * quarters / 4));
    }
}

pub(crate) const STAKE: Planck = 1_000;
pub(crate) const BOND: Planck = 50;
pub(crate) const FUNDS: Planck = 1_000;
pub(crate) const SINK: u8 = 255;
pub(crate) const EU: Region = Region(*b"eu-west\0");
pub(crate) const US: Region = Region(*b"us-east\0");
pub(crate) const EPOCH: u64 = 3_600_000;

pub(crate) fn account(id: u8) -> AccountId32 {
    AccountId32::new([id; 32])
}

pub(crate) fn device(id: u8) -> DeviceId {
    DeviceId([id; 32])
}

/// The stake of a node.
pub(crate) fn stake(id: u8) -> StakeId {
    StakeId(id.into())
}

/// A node that is its own operator.
pub(crate) fn node(id: u8, role: Role) {
    Network::set(device(id), Node::new(account(id), role, STAKE));
}

pub(crate) fn service(id: u8) -> Score {
    <Reputation as pallet_edge_traits::ScoreInspect>::service(stake(id))
}

/// Lets a validator author blocks.
pub(crate) fn author(id: u8, blocks: u32) {
    for _ in 0..blocks {
        <Reputation as EventHandler<_, _>>::note_author(account(id));
    }
}

/// Moves the clock epoch by epoch to the first moment of this one; no block's work is done on the way.
pub(crate) fn begin(epoch: u64) {
    for ended in Network::current().0..epoch {
        Network::set_now(Millis((ended + 1) * EPOCH));
        Reputation::on_epoch(Epoch(ended), Epoch(ended + 1));
    }
}

/// One block's work; returns the weight it took.
pub(crate) fn block() -> Weight {
    System::set_block_number(System::block_number() + 1);
    let mut meter = WeightMeter::new();
    Reputation::on_poll(System::block_number(), &mut meter);
    Reputation::check_invariants().unwrap();
    meter.consumed()
}

/// Goes to an epoch and works until its round is open and nothing is left to close.
pub(crate) fn turn_to(epoch: u64) {
    begin(epoch);
    while TurnOf::<Test>::exists() || Close::<Test>::exists() {
        block();
    }
}

/// Goes to an epoch's second half, in which reports are taken.
pub(crate) fn report_time(epoch: u64) {
    turn_to(epoch);
    Network::set_now(Millis(epoch * EPOCH + EPOCH / 2));
}

/// What a probe saw of a node that answers after `round_trip` microseconds and sends 64 KiB in twice that.
pub(crate) fn good(probed: DeviceId, round_trip: u32) -> Probe {
    Probe {
        probed,
        answer: Some(ProbeAnswer {
            nonce: [3; 16],
            signature: Signature64::default(),
            round_trip,
        }),
        fetch: Some(ProbeFetch {
            object: [4; 32],
            bytes: 65_536,
            time: 2 * round_trip,
            verdict: FetchVerdict::Right,
        }),
    }
}

/// What a probe saw of a node that did not answer.
pub(crate) fn silent(probed: DeviceId) -> Probe {
    Probe {
        probed,
        answer: None,
        fetch: None,
    }
}

/// Reports without an agent's signature, as if it had been authorised.
pub(crate) fn report(prober: DeviceId, probes: Vec<Probe>) -> DispatchResult {
    let origin = frame_system::RawOrigin::Authorized.into();
    let epoch = Network::current();
    let probes = Probes::truncate_from(probes);
    Reputation::report_probes(origin, prober, epoch, probes, Signature64::default())
}

/// Lets every prober of an epoch report what it sees of the nodes it was drawn for; returns how many reports there were.
pub(crate) fn probe(epoch: u64, see: impl Fn(&Prober, DeviceId) -> Probe) -> usize {
    report_time(epoch);
    let panel = Round::<Test>::get().unwrap().panel;
    let duties = panel
        .iter()
        .map(|prober| (prober, Reputation::duty_of(&prober.device)));
    let reports = duties.filter(|(_, nodes)| !nodes.is_empty());
    reports
        .map(|(prober, nodes)| {
            let probes = nodes.into_iter().map(|node| see(prober, node)).collect();
            report(prober.device, probes).unwrap();
        })
        .count()
}

/// Goes to an epoch and works until the close is done.
pub(crate) fn close_at(epoch: u64) {
    begin(epoch);
    while Close::<Test>::exists() {
        block();
    }
}

/// Runs a test and checks the invariants after it.
pub(crate) fn run(test: impl FnOnce()) {
    externalities().execute_with(|| {
        test();
        Reputation::check_invariants().unwrap();
    });
}

/// The first block of a network.
pub(crate) fn externalities() -> sp_io::TestExternalities {
    Network::reset();
    NodesPerBlock::set(64);
    Elected::set(vec![]);
    MaxProbers::set(64);
    ProbeSeed::set([7; 32]);
    let balances = pallet_balances::GenesisConfig {
        balances: (1..=3).map(|id| (account(id), FUNDS)).collect(),
        ..Default::default()
    };
    let genesis = RuntimeGenesisConfig {
        balances,
        ..Default::default()
    };
    let mut ext = sp_io::TestExternalities::from(genesis.build_storage().unwrap());
    ext.execute_with(|| System::set_block_number(1));
    ext
}
