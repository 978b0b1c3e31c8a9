//! A runtime of the system and reputation; everything else is the mock network.

// The runtime macro makes the runtime public, and with it every type that a config names.
#![allow(unreachable_pub)]

use crate::{self as pallet_edge_reputation, *};
use frame_support::{derive_impl, traits::Hooks};
use pallet_authorship::EventHandler;
use pallet_edge_mocks::{Network, Node};
use pallet_edge_traits::OnEpoch;
use selvedge_primitives_types::{Millis, Score};
use sp_runtime::BuildStorage;

#[frame_support::runtime]
mod runtime {
    #[runtime::runtime]
    #[runtime::derive(RuntimeCall, RuntimeEvent, RuntimeError, RuntimeOrigin, RuntimeTask)]
    pub struct Test;

    #[runtime::pallet_index(0)]
    pub type System = frame_system;
    #[runtime::pallet_index(23)]
    pub type Reputation = pallet_edge_reputation;
}

#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
impl frame_system::Config for Test {
    type Block = frame_system::mocking::MockBlock<Test>;
    type AccountId = AccountId32;
    type Lookup = sp_runtime::traits::IdentityLookup<AccountId32>;
}

frame_support::parameter_types! {
    pub static NodesPerBlock: u32 = 64;
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

impl Config for Test {
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
    fn add_node(device: DeviceId, role: Role, owner: &AccountId32, _: [u8; 32]) {
        Network::set(device, Node::new(owner.clone(), role, STAKE));
    }
}

pub(crate) const STAKE: Planck = 1_000;
pub(crate) const EPOCH: u64 = 3_600_000;

pub(crate) fn account(id: u8) -> AccountId32 {
    AccountId32::new([id; 32])
}

pub(crate) fn device(id: u8) -> DeviceId {
    DeviceId([id; 32])
}

/// A node that is its own operator.
pub(crate) fn node(id: u8, role: Role) {
    Network::set(device(id), Node::new(account(id), role, STAKE));
}

pub(crate) fn service(id: u8) -> Score {
    <Reputation as pallet_edge_traits::ScoreInspect>::service(&device(id))
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
    let storage = RuntimeGenesisConfig::default().build_storage().unwrap();
    let mut ext = sp_io::TestExternalities::from(storage);
    ext.execute_with(|| System::set_block_number(1));
    ext
}
