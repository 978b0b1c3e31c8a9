//! A runtime of the system and audits; devices and stakes are the mock network, services and
//! commitments a world that a test sets up.

// The runtime macro makes the runtime public, and with it every type that a config names.
#![allow(unreachable_pub)]

use crate as pallet_edge_audits;
use frame_support::{
    derive_impl, parameter_types,
    traits::{ConstU128, ConstU64, Hooks},
    weights::WeightMeter,
};
use pallet_edge_mocks::{Network, Node};
use pallet_edge_traits::{
    AuditSeed, CommitmentVoid, EpochClock, Forfeit, ServiceInspect, ServiceTerms, TakeInspect,
};
use selvedge_primitives_math::fraud::{Defect, DefectClass};
use selvedge_primitives_types::{
    DeviceId, Epoch, Hash, Millis, Planck, Ppm, Prices, Role, ServiceId, UsageCommitment,
};
use sp_core::{ed25519, sr25519, Pair};
use sp_keystore::{testing::MemoryKeystore, KeystoreExt};
use sp_runtime::{
    traits::{Convert, IdentityLookup},
    AccountId32, BuildStorage, DispatchError, DispatchResult,
};
use std::{cell::RefCell, collections::BTreeMap};

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
    #[runtime::pallet_index(4)]
    pub type Balances = pallet_balances;
    #[runtime::pallet_index(26)]
    pub type Audits = pallet_edge_audits;
}

#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
impl frame_system::Config for Test {
    type Block = frame_system::mocking::MockBlock<Test>;
    type AccountId = AccountId32;
    type Lookup = IdentityLookup<AccountId32>;
    type AccountData = pallet_balances::AccountData<Planck>;
}

#[derive_impl(pallet_balances::config_preludes::TestDefaultConfig)]
impl pallet_balances::Config for Test {
    type Balance = Planck;
    type ExistentialDeposit = ConstU128<1>;
    type AccountStore = System;
}

parameter_types! {
    pub static LeastAmount: Planck = 1;
    pub static MaxPanel: u32 = 32;
    pub static YoungFor: u64 = 0;
    pub static Seed: Option<(Hash, u64)> = None;
    pub static Taken: Planck = 0;
    pub const CanaryShare: Ppm = Ppm::percent(5);
    pub const WithheldSlash: Ppm = Ppm::percent(10);
}

impl TakeInspect for Taken {
    fn take() -> Planck {
        Taken::get()
    }
}

impl AuditSeed for Seed {
    fn seed() -> Option<(Hash, u64)> {
        Seed::get()
    }
}

/// A part for each class that shows which one it was.
pub struct SlashOf;

impl Convert<DefectClass, Ppm> for SlashOf {
    fn convert(class: DefectClass) -> Ppm {
        match class {
            DefectClass::Terms => Ppm::percent(5),
            DefectClass::Leaf => Ppm::percent(20),
            DefectClass::Forgery => Ppm::ONE,
        }
    }
}

impl pallet_edge_audits::Config for Test {
    type RuntimeHoldReason = RuntimeHoldReason;
    type Currency = Balances;
    type Clock = Network;
    type Seed = Seed;
    type Devices = Network;
    type Commitments = World;
    type Services = World;
    type Stakes = Network;
    type Slash = Network;
    type SlashOf = SlashOf;
    type WithheldSlash = WithheldSlash;
    type LeastAmount = LeastAmount;
    type ChallengeBond = ConstU128<BOND>;
    type CanaryOrigin = frame_system::EnsureRoot<AccountId32>;
    type CanaryShare = CanaryShare;
    type Take = Taken;
    type YoungFor = YoungFor;
    type BondDestination = ();
    type MaxPanel = MaxPanel;
    type HistoryDepth = ConstU64<HISTORY>;
    type WeightInfo = pallet_edge_audits::weights::SubstrateWeight<Test>;
    #[cfg(feature = "runtime-benchmarks")]
    type BenchmarkHelper = World;
}

/// What services and billing would answer.
#[derive(Default)]
pub struct World {
    pub(crate) services: BTreeMap<ServiceId, ServiceTerms<AccountId32>>,
    pub(crate) commitments: BTreeMap<(Epoch, DeviceId), (UsageCommitment, Money)>,
    /// Whether hold-backs are over.
    pub(crate) matured: bool,
    /// Bytes that the pins of every service come to.
    pub(crate) kept: u64,
}

/// What became of a commitment's money.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Money {
    /// Nothing yet.
    AtStake,
    /// Forfeited.
    Void,
    /// Payment has begun.
    Paid,
}

thread_local!(static WORLD: RefCell<World> = RefCell::default());

/// Reads or changes what services and billing answer.
pub(crate) fn world<R>(with: impl FnOnce(&mut World) -> R) -> R {
    WORLD.with_borrow_mut(with)
}

impl ServiceInspect<AccountId32> for World {
    fn terms_at(service: ServiceId, _epoch: Epoch) -> Option<ServiceTerms<AccountId32>> {
        world(|world| world.services.get(&service).cloned())
    }
    fn caps_of(_owner: &AccountId32, _from: Epoch, _to: Epoch) -> Planck {
        0
    }
    fn prices(version: u32) -> Option<Prices> {
        (version == 1).then_some(PRICES)
    }
    fn kept_at(_service: ServiceId, _epoch: Epoch) -> u64 {
        world(|world| world.kept)
    }
}

impl CommitmentVoid for World {
    fn commitment_of(gateway: &DeviceId, epoch: Epoch) -> Option<UsageCommitment> {
        world(|world| Some(world.commitments.get(&(epoch, *gateway))?.0))
    }
    fn is_at_stake(gateway: &DeviceId, epoch: Epoch) -> bool {
        money(*gateway, epoch) == Some(Money::AtStake)
    }
    fn forfeit(gateway: &DeviceId, epoch: Epoch, _: Defect) -> Result<Forfeit, DispatchError> {
        world(|world| {
            let known = world.commitments.get_mut(&(epoch, *gateway));
            let (_, money) = known.ok_or(DispatchError::CannotLookup)?;
            Ok(match money {
                Money::AtStake => {
                    *money = Money::Void;
                    Forfeit::Voided
                }
                Money::Void => Forfeit::AlreadyVoid,
                Money::Paid => Forfeit::AlreadyPaid,
            })
        })
    }
    fn withhold(gateway: &DeviceId, epoch: Epoch) -> DispatchResult {
        let known = money(*gateway, epoch).filter(|money| *money == Money::AtStake);
        known.ok_or(DispatchError::CannotLookup)?;
        spend(*gateway, epoch, Money::Void);
        Ok(())
    }
    fn is_challengeable(gateway: &DeviceId, epoch: Epoch) -> bool {
        Self::is_at_stake(gateway, epoch) && !world(|world| world.matured)
    }
}

#[cfg(feature = "runtime-benchmarks")]
impl pallet_edge_traits::BenchmarkNodes<AccountId32> for World {
    fn add_node(device: DeviceId, role: Role, owner: &AccountId32, agent_key: [u8; 32]) {
        let mut node = Node::new(owner.clone(), role, STAKE);
        node.agent_key = agent_key;
        Network::set(device, node);
    }
}

#[cfg(feature = "runtime-benchmarks")]
impl crate::benchmarking::BenchmarkHelper for World {
    fn commit(commitment: UsageCommitment) {
        commit(commitment);
    }
    fn add_service(owner: &AccountId32, cap: Planck) -> ServiceId {
        serve(9, owner.clone(), cap);
        ServiceId(9)
    }
    fn set_take(take: Planck) {
        Taken::set(take);
    }
    fn set_clock(epoch: Epoch, quarters: u64) {
        Network::set_now(Millis(epoch.0 * LENGTH + LENGTH * quarters / 4));
    }
}

/// A planck per request, half a planck per byte.
pub(crate) const PRICES: Prices = Prices([1 << 32, 1 << 31, 0, 0, 0, 0]);
/// Allowance of a service per epoch; the only gateway leases all of it.
pub(crate) const CAP: Planck = 1_000;
pub(crate) const STAKE: Planck = 25_000;
/// Epochs of which terms are known.
pub(crate) const HISTORY: u64 = 20;
/// The epoch served in.
pub(crate) const EPOCH: Epoch = Epoch(10);
pub(crate) const GATEWAY: DeviceId = DeviceId([101; 32]);

pub(crate) fn account(number: u8) -> AccountId32 {
    AccountId32::new([number; 32])
}

/// The key of a cache.
pub(crate) fn cache(number: u8) -> ed25519::Pair {
    ed25519::Pair::from_seed(&[number; 32])
}

pub(crate) fn id_of(pair: &ed25519::Pair) -> DeviceId {
    DeviceId(pair.public().0)
}

/// Adds a service of an account that pins price list 1.
pub(crate) fn serve(service: u64, owner: AccountId32, cap: Planck) {
    let terms = ServiceTerms {
        owner,
        cap,
        price_version: 1,
        active: true,
    };
    world(|world| world.services.insert(ServiceId(service), terms));
}

/// Keeps a commitment as if it had just been made.
pub(crate) fn commit(commitment: UsageCommitment) {
    let key = (commitment.epoch, commitment.gateway);
    world(|world| world.commitments.insert(key, (commitment, Money::AtStake)));
}

/// Sets what became of a commitment's money.
pub(crate) fn spend(gateway: DeviceId, epoch: Epoch, money: Money) {
    world(|world| {
        if let Some(known) = world.commitments.get_mut(&(epoch, gateway)) {
            known.1 = money;
        }
    });
}

/// What became of a commitment's money.
pub(crate) fn money(gateway: DeviceId, epoch: Epoch) -> Option<Money> {
    world(|world| Some(world.commitments.get(&(epoch, gateway))?.1))
}

/// Moves the clock to the first moment of an epoch, with one block at the begin of each on the way.
pub(crate) fn begin(epoch: u64) {
    for began in Network::current().0 + 1..=epoch {
        Network::set_now(Millis(began * LENGTH));
        block();
    }
}

/// Moves the clock to where an epoch has run for so many eighths, with a block there, and one at the
/// begin of each on the way.
pub(crate) fn run_to(epoch: u64, eighths: u64) {
    begin(epoch);
    Network::set_now(Millis(epoch * LENGTH + LENGTH * eighths / 8));
    block();
}

/// A block, with all the weight that the pallet may want.
pub(crate) fn block() {
    let number = System::block_number() + 1;
    System::set_block_number(number);
    Audits::on_poll(number, &mut WeightMeter::new());
}

/// The device of an auditor, and its agent's key.
pub(crate) fn auditor(number: u8) -> (DeviceId, sr25519::Pair) {
    let agent = sr25519::Pair::from_seed(&[100 + number; 32]);
    (DeviceId([200 + number; 32]), agent)
}

/// Adds an active validator of account `40 + number`.
pub(crate) fn add_auditor(number: u8) {
    let (device, agent) = auditor(number);
    let mut node = Node::new(account(40 + number), Role::Validator, STAKE);
    node.agent_key = agent.public().0;
    Network::set(device, node);
}

/// The gateway's agent.
pub(crate) fn gateway_agent() -> sr25519::Pair {
    sr25519::Pair::from_seed(&[99; 32])
}

const LENGTH: u64 = 3_600_000;
/// What a challenge puts at stake.
pub(crate) const BOND: Planck = 50;

/// Runs a test in epoch 11 and checks the invariants after it.
pub(crate) fn run(test: impl FnOnce()) {
    externalities().execute_with(|| {
        test();
        assert_eq!(Audits::check_invariants(), Ok(()));
    });
}

/// A gateway, caches 1 and 2, and services 0 and 1 of accounts 1 and 2, in epoch 11.
pub(crate) fn externalities() -> sp_io::TestExternalities {
    Network::reset();
    world(|world| *world = World::default());
    let mut gateway = Node::new(account(11), Role::Gateway, STAKE);
    gateway.agent_key = gateway_agent().public().0;
    Network::set(GATEWAY, gateway);
    // A thread may run several tests.
    Seed::set(None);
    LeastAmount::set(1);
    MaxPanel::set(32);
    YoungFor::set(0);
    Taken::set(0);
    for number in [1, 2] {
        let node = Node::new(account(20 + number), Role::Cache, 100);
        Network::set(id_of(&cache(number)), node);
    }
    for (service, owner) in [(0, 1), (1, 2)] {
        serve(service, account(owner), CAP);
    }
    let genesis = RuntimeGenesisConfig {
        balances: pallet_balances::GenesisConfig {
            balances: (1..=11).map(|number| (account(number), 1_000)).collect(),
            ..Default::default()
        },
        ..Default::default()
    };
    let storage = genesis.build_storage().unwrap();
    let mut ext = sp_io::TestExternalities::from(storage);
    ext.register_extension(KeystoreExt::new(MemoryKeystore::new()));
    ext.execute_with(|| {
        System::set_block_number(1);
        frame_system::BlockHash::<Test>::insert(0, sp_core::H256([7; 32]));
        begin(EPOCH.0 + 1);
    });
    ext
}
