//! A runtime of the system, balances and the register; stakes are answered by a set of devices.

// The runtime macro makes the runtime public, and with it every type that a config names.
#![allow(unreachable_pub)]

use crate::{self as pallet_edge_registry, *};
use core::cell::RefCell;
use frame_support::{
    derive_impl,
    traits::{ConstU128, ConstU64},
};
use pallet_edge_mocks::Network;
use pallet_edge_traits::{EpochClock, StakeInspect};
use selvedge_primitives_types::{
    signing::RegisterDevicePayload, Account, Domain, Epoch, Millis, StakeId,
};
use sp_core::{ed25519, Pair, H256};
use sp_keystore::{testing::MemoryKeystore, KeystoreExt};
use sp_runtime::BuildStorage;
use std::collections::BTreeMap;

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
    #[runtime::pallet_index(10)]
    pub type NodeRegistry = pallet_edge_registry;
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

pub(crate) const DEPOSIT: u128 = 50;
pub(crate) const FUNDS: u128 = 1_000;
pub(crate) const GENESIS: [u8; 32] = [7; 32];

impl Config for Test {
    type RuntimeHoldReason = RuntimeHoldReason;
    type Currency = Balances;
    type Clock = Network;
    type Stakes = Stakes;
    type DeviceDeposit = ConstU128<DEPOSIT>;
    type DrainEpochs = ConstU64<2>;
    type DrainRest = ConstU64<3>;
    type WeightInfo = weights::SubstrateWeight<Test>;
    #[cfg(feature = "runtime-benchmarks")]
    type BenchmarkHelper = Stakes;
}

#[cfg(feature = "runtime-benchmarks")]
impl pallet_edge_traits::BenchmarkNodes<AccountId32> for Stakes {
    fn add_node(device: DeviceId, role: Role, owner: &AccountId32, _: [u8; 32]) {
        let entry = GenesisDevice {
            operator: owner.clone(),
            device,
            role,
            region: EU,
            endpoint: "gw.example:443".into(),
            public_url: "https://gw.example".into(),
            capacity: 1,
            agent_key: AGENT,
        };
        NodeRegistry::register_at_genesis(&entry).unwrap();
        Self::assign(device);
    }
}

thread_local! {
    static STAKED: RefCell<BTreeMap<DeviceId, StakeId>> = const { RefCell::new(BTreeMap::new()) };
}

/// Says which stake is assigned to a device.
pub struct Stakes;

impl Stakes {
    /// Puts stake 0 onto the device.
    pub(crate) fn assign(device: DeviceId) {
        Self::put(device, Some(StakeId(0)));
    }

    /// Puts a stake onto the device, or takes it off.
    pub(crate) fn put(device: DeviceId, stake: Option<StakeId>) {
        STAKED.with_borrow_mut(|staked| match stake {
            Some(stake) => staked.insert(device, stake),
            None => staked.remove(&device),
        });
    }
}

impl StakeInspect<AccountId32> for Stakes {
    fn is_active(device: &DeviceId, _: Role, _: Epoch) -> bool {
        Self::stake_of(device).is_some()
    }
    fn owner_at(_: &DeviceId, _: Epoch) -> Option<AccountId32> {
        None
    }
    fn stake_of(device: &DeviceId) -> Option<(StakeId, Planck)> {
        STAKED.with_borrow(|staked| staked.get(device).map(|stake| (*stake, 1)))
    }
    fn stake_at(device: &DeviceId, _: Epoch) -> Option<StakeId> {
        Self::stake_of(device).map(|(stake, _)| stake)
    }
    fn amount_of(_: StakeId) -> Planck {
        1
    }
    fn active_count(_: Role, _: Epoch) -> u32 {
        STAKED.with_borrow(|staked| staked.len() as u32)
    }
    fn active_devices(_: Role, _: u32) -> Vec<DeviceId> {
        STAKED.with_borrow(|staked| staked.keys().copied().collect())
    }
    fn assigned_since(_: &DeviceId) -> Option<Millis> {
        None
    }
    fn boost_of(_: StakeId) -> u32 {
        1_000_000
    }
}

pub(crate) fn account(id: u8) -> AccountId32 {
    AccountId32::new([id; 32])
}

pub(crate) fn signer(id: u8) -> ed25519::Pair {
    ed25519::Pair::from_seed(&[id; 32])
}

pub(crate) fn device(id: u8) -> DeviceId {
    DeviceId(signer(id).public().0)
}

pub(crate) const AGENT: [u8; 32] = [3; 32];
pub(crate) const EU: Region = Region(*b"eu-west\0");

pub(crate) fn text(text: &str) -> Address {
    Address::truncate_from(text.as_bytes().to_vec())
}

/// Epochs in an era.
pub(crate) const ERA: u64 = 4;

/// Goes to the begin of an epoch.
pub(crate) fn go_to(epoch: Epoch) {
    Network::set_now(Network::start_of(epoch));
}

/// The last epoch of an agreement that is made now.
pub(crate) fn soon() -> Epoch {
    Network::current().next()
}

/// The device's signature that this operator may register it until the end of that epoch.
pub(crate) fn agreed(id: u8, operator: u8, until: Epoch, genesis: [u8; 32]) -> Signature64 {
    let payload = RegisterDevicePayload {
        operator: Account([operator; 32]),
        device: device(id),
        agent_key: AGENT,
        until,
    };
    Signature64(
        signer(id)
            .sign(&Domain::RegisterDevice.message(&genesis, &payload))
            .0,
    )
}

/// Registers device `id` under operator `operator`, with an agreement made now.
pub(crate) fn register(id: u8, operator: u8) -> DispatchResult {
    register_with(id, operator, soon(), agreed(id, operator, soon(), GENESIS))
}

/// Registers device `id` under operator `operator` by an agreement.
pub(crate) fn register_with(
    id: u8,
    operator: u8,
    until: Epoch,
    signature: Signature64,
) -> DispatchResult {
    NodeRegistry::register_device(
        RuntimeOrigin::signed(account(operator)),
        device(id),
        Role::Gateway,
        EU,
        text("gw.example:443"),
        text("https://gw.example/audit"),
        10,
        AGENT,
        until,
        signature,
    )
}

pub(crate) fn on_hold(operator: u8) -> u128 {
    Balances::balance_on_hold(&HoldReason::Device.into(), &account(operator))
}

/// Runs a test with operators 1 to 3 and checks the invariants after it.
pub(crate) fn run(test: impl FnOnce()) {
    run_with(Default::default(), test);
}

pub(crate) fn run_with(node_registry: GenesisConfig<Test>, test: impl FnOnce()) {
    externalities(node_registry).execute_with(|| {
        test();
        NodeRegistry::check_invariants().unwrap();
    });
}

/// The first block of a network.
pub(crate) fn externalities(node_registry: GenesisConfig<Test>) -> sp_io::TestExternalities {
    STAKED.take();
    Network::reset();
    Network::set_pace(Millis(3_600_000), ERA);
    let balances = pallet_balances::GenesisConfig {
        balances: (1..=3).map(|id| (account(id), FUNDS)).collect(),
        ..Default::default()
    };
    let genesis = RuntimeGenesisConfig {
        balances,
        node_registry,
        ..Default::default()
    };
    let mut ext: sp_io::TestExternalities = genesis.build_storage().unwrap().into();
    ext.register_extension(KeystoreExt::new(MemoryKeystore::new()));
    ext.execute_with(|| {
        frame_system::BlockHash::<Test>::insert(0, H256(GENESIS));
        System::set_block_number(1);
    });
    ext
}
