//! A runtime of the system, balances and yields; everything else is the mock network.

// The runtime macro makes the runtime public, and with it every type that a config names.
#![allow(unreachable_pub)]

use crate::{self as pallet_edge_yields, *};
use frame_support::{
    derive_impl,
    traits::{ConstU128, Hooks},
};
use pallet_edge_mocks::{Network, Node};
use pallet_edge_traits::{DeviceInspect, OnEpoch, OnMatured};
use selvedge_primitives_math::yields::{returnable, YEAR_MILLIS};
use selvedge_primitives_types::{DeviceId, Millis};
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
        RuntimeTask
    )]
    pub struct Test;

    #[runtime::pallet_index(0)]
    pub type System = frame_system;
    #[runtime::pallet_index(1)]
    pub type Balances = pallet_balances;
    #[runtime::pallet_index(24)]
    pub type NodeYields = pallet_edge_yields;
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
    type ExistentialDeposit = ConstU128<10>;
    type AccountStore = System;
}

frame_support::parameter_types! {
    pub const YieldsId: PalletId = PalletId(*b"sel/yild");
    pub const TenPercent: Ppm = Ppm::percent(10);
    pub const Half: Ppm = Ppm::percent(50);
    pub const Base: Ppm = Ppm::percent(35);
    pub const Activity: Ppm = Ppm::percent(15);
    pub static NodesPerBlock: u32 = 64;
}

/// The rates of the economy's defaults.
pub struct Terms;

impl Convert<Role, YieldTerms> for Terms {
    fn convert(role: Role) -> YieldTerms {
        let (apr, lambda) = match role {
            Role::Validator => (12, 0),
            Role::Stargate => (20, 10),
            Role::Gateway => (15, 35),
            Role::Cache => (10, 55),
        };
        YieldTerms {
            beta: Ppm::percent(50),
            kappa: Ppm::percent(50),
            apr: Ppm::percent(apr),
            lambda: Ppm::percent(lambda),
            take: Ppm::percent(15),
            referral: Ppm::percent(10),
            audit: Ppm::percent(1),
        }
    }
}

#[cfg(feature = "runtime-benchmarks")]
impl pallet_edge_traits::BenchmarkNodes<AccountId32> for Terms {
    fn add_node(device: DeviceId, role: Role, owner: &AccountId32, _: [u8; 32]) {
        Network::set(device, Node::new(owner.clone(), role, SEL));
    }
}

impl Config for Test {
    type Currency = Balances;
    type Clock = Network;
    type Stakes = Network;
    type Scores = Network;
    type Terms = Terms;
    type EmissionRate = TenPercent;
    type PoolValidators = Half;
    type PoolBase = Base;
    type PoolActivity = Activity;
    type PalletId = YieldsId;
    type NodesPerBlock = NodesPerBlock;
    type WeightInfo = weights::SubstrateWeight<Test>;
    #[cfg(feature = "runtime-benchmarks")]
    type BenchmarkHelper = Terms;
}

/// Ten million tokens of 10^12 planck.
pub(crate) const POOL: Planck = 10_000_000 * SEL;
pub(crate) const SEL: Planck = 1_000_000_000_000;
/// A tenth of a year, in eras of ten epochs: an era is a year.
pub(crate) const EPOCH: u64 = YEAR_MILLIS / 10;

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

/// A node that belongs to the account of its number, with a fresh assignment at every close.
pub(crate) fn node(id: u8, role: Role, stake: Planck) {
    Network::set(
        device(id),
        Node {
            since: Millis(u64::MAX),
            ..Node::new(account(id), role, stake)
        },
    );
}

pub(crate) fn matured(id: u8, amount: Planck) {
    matured_by(
        &Terms::convert(Network::device(&device(id)).unwrap().role),
        id,
        amount,
    );
}

/// Charges that mature while these rates are in force.
pub(crate) fn matured_by(terms: &YieldTerms, id: u8, amount: Planck) {
    let returnable = returnable(terms, amount);
    NodeYields::on_matured(&device(id), Network::current(), amount, returnable);
}

pub(crate) fn payable(id: u8) -> Planck {
    Payouts::<Test>::get(account(id)).payable
}

/// Moves the clock epoch by epoch to the first moment of this one; no block's work is done on the way.
pub(crate) fn begin(epoch: u64) {
    for ended in Network::current().0..epoch {
        Network::set_now(Millis((ended + 1) * EPOCH));
        NodeYields::on_epoch(Epoch(ended), Epoch(ended + 1));
    }
}

/// One block's work; returns the weight it took.
pub(crate) fn block() -> Weight {
    System::set_block_number(System::block_number() + 1);
    let mut meter = WeightMeter::new();
    NodeYields::on_poll(System::block_number(), &mut meter);
    NodeYields::check_invariants().unwrap();
    meter.consumed()
}

/// Goes to an epoch and works until the close is done.
pub(crate) fn close_at(epoch: u64) {
    begin(epoch);
    while Close::<Test>::exists() {
        block();
    }
}

/// Runs a test with a full pool and checks the invariants after it.
pub(crate) fn run(test: impl FnOnce()) {
    run_with(POOL, test);
}

pub(crate) fn run_with(pool: Planck, test: impl FnOnce()) {
    externalities(pool).execute_with(|| {
        test();
        NodeYields::check_invariants().unwrap();
    });
}

/// The first block of a network.
pub(crate) fn externalities(pool: Planck) -> sp_io::TestExternalities {
    Network::reset();
    Network::set_pace(Millis(EPOCH), 10);
    NodesPerBlock::set(64);
    let node_yields = GenesisConfig {
        pool,
        ..Default::default()
    };
    let genesis = RuntimeGenesisConfig {
        node_yields,
        ..Default::default()
    };
    let mut ext: sp_io::TestExternalities = genesis.build_storage().unwrap().into();
    ext.execute_with(|| System::set_block_number(1));
    ext
}
