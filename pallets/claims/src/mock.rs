//! A runtime of balances and claims; devices and stakes are the mock network, commitments a world that a test sets up.

// The runtime macro makes the runtime public, and with it every type that a config names.
#![allow(unreachable_pub)]

use crate as pallet_edge_claims;
use frame_support::{
    derive_impl, parameter_types,
    traits::{fungible::Mutate, ConstU64},
};
use pallet_edge_mocks::{Network, Node};
use pallet_edge_traits::{
    CommitmentFate, EpochClock, Fate, HeldLine, OnEpoch, Redeemed, SampleMore, StakeInspect,
    StakeRedeem, StakeRetire,
};
use selvedge_primitives_types::{DeviceId, Epoch, Millis, Planck, Ppm, Role, ServiceId};
use sp_core::{ed25519, Pair};
use sp_keystore::{testing::MemoryKeystore, KeystoreExt};
use sp_runtime::{
    traits::IdentityLookup, AccountId32, BuildStorage, DispatchError, DispatchResult,
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
        RuntimeFreezeReason,
        RuntimeHoldReason,
        RuntimeTask
    )]
    pub struct Test;

    #[runtime::pallet_index(0)]
    pub type System = frame_system;
    #[runtime::pallet_index(1)]
    pub type Balances = pallet_balances;
    #[runtime::pallet_index(27)]
    pub type Claims = pallet_edge_claims;
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
    type AccountStore = System;
    type ExistentialDeposit = ExistentialDeposit;
}

parameter_types! {
    pub const ExistentialDeposit: Planck = 10;
    pub static ExpressFee: Ppm = Ppm::percent(20);
    pub const DisputeBond: Planck = 500;
}

impl pallet_edge_claims::Config for Test {
    type Currency = Balances;
    type RuntimeHoldReason = RuntimeHoldReason;
    type Clock = Network;
    type Commitments = World;
    type Stakes = Network;
    type Redeem = World;
    type Samples = World;
    type RedeemUntil = ConstU64<REDEEM_UNTIL>;
    type ExpressFee = ExpressFee;
    type DisputeBond = DisputeBond;
    type DisputeEpochs = ConstU64<2>;
    type WeightInfo = pallet_edge_claims::weights::SubstrateWeight<Test>;
    #[cfg(feature = "runtime-benchmarks")]
    type BenchmarkHelper = World;
}

type LineKey = (Epoch, DeviceId, AccountId32, ServiceId);

/// What billing, staking and audits would answer.
#[derive(Default)]
pub struct World {
    /// What commitments came to; others are open.
    pub(crate) fates: BTreeMap<(Epoch, DeviceId), Fate>,
    pub(crate) lines: BTreeMap<LineKey, HeldLine>,
    /// What accounts earned and have not claimed.
    pub(crate) earned: BTreeMap<AccountId32, Planck>,
    /// Gateways that were retired.
    pub(crate) retired: Vec<DeviceId>,
    /// Entries of which more leaves were asked for, and how often as many.
    pub(crate) samples: Vec<(u32, u32)>,
}

thread_local!(static WORLD: RefCell<World> = RefCell::default());

/// Reads or changes what the other pallets answer.
pub(crate) fn world<R>(with: impl FnOnce(&mut World) -> R) -> R {
    WORLD.with_borrow_mut(with)
}

impl CommitmentFate<AccountId32> for World {
    fn fate(gateway: &DeviceId, epoch: Epoch) -> Fate {
        world(|world| world.fates.get(&(epoch, *gateway)).copied()).unwrap_or(Fate::Open)
    }
    fn held_line(
        customer: &AccountId32,
        service: ServiceId,
        gateway: &DeviceId,
        epoch: Epoch,
    ) -> Option<HeldLine> {
        let key = (epoch, *gateway, customer.clone(), service);
        world(|world| world.lines.get(&key).copied())
    }
    /// Half of a charge.
    fn cache_part(amount: Planck) -> Result<Planck, DispatchError> {
        Ok(amount / 2)
    }
    fn garnish(
        from: &AccountId32,
        to: &AccountId32,
        amount: Planck,
    ) -> Result<Planck, DispatchError> {
        let taken = world(|world| {
            let earned = world.earned.entry(from.clone()).or_default();
            let taken = amount.min(*earned);
            *earned -= taken;
            taken
        });
        if taken > 0 {
            Balances::mint_into(to, taken)?;
        }
        Ok(taken)
    }
}

impl StakeRedeem<AccountId32> for World {
    fn redeem(
        device: &DeviceId,
        epoch: Epoch,
        to: &AccountId32,
        pay: Planck,
        burn: Planck,
    ) -> Result<Redeemed, DispatchError> {
        let taken = (pay + burn).min(Network::held_at(device, epoch));
        let paid = (pay * taken).checked_div(pay + burn).unwrap_or(0);
        Network::change(*device, |node| node.stake -= taken);
        Balances::mint_into(to, paid)?;
        Ok(Redeemed {
            paid,
            burnt: taken - paid,
        })
    }
}

impl StakeRetire for World {
    fn retire(device: &DeviceId, _epoch: Epoch) {
        world(|world| world.retired.push(*device));
    }
}

impl SampleMore for World {
    fn sample_more(_: &DeviceId, _: Epoch, entry: u32, times: u32) -> DispatchResult {
        world(|world| world.samples.push((entry, times)));
        Ok(())
    }
}

#[cfg(feature = "runtime-benchmarks")]
impl pallet_edge_traits::BenchmarkNodes<AccountId32> for World {
    fn add_node(device: DeviceId, role: Role, owner: &AccountId32, _: [u8; 32]) {
        Network::set(device, Node::new(owner.clone(), role, 1_000_000));
        Balances::mint_into(owner, 1_000).expect("issuance has room");
    }
}

#[cfg(feature = "runtime-benchmarks")]
impl crate::benchmarking::BenchmarkHelper for World {
    fn set_epoch(epoch: Epoch) {
        Network::set_now(Network::start_of(epoch));
    }
    fn paid(commitment: selvedge_primitives_types::UsageCommitment, gateway_share: Planck) {
        let (epoch, gateway) = (commitment.epoch, commitment.gateway);
        let owner = Network::owner_at(&gateway, epoch).expect("the node was added");
        let fate = Fate::Paid {
            commitment,
            gateway_share,
        };
        world(|world| {
            world.fates.insert((epoch, gateway), fate);
            world.earned.insert(owner, gateway_share);
        });
    }
    fn held(
        commitment: selvedge_primitives_types::UsageCommitment,
        customer: &AccountId32,
        service: ServiceId,
        amount: Planck,
        matures: Epoch,
    ) {
        let key = (
            commitment.epoch,
            commitment.gateway,
            customer.clone(),
            service,
        );
        let line = HeldLine {
            amount,
            entry: 0,
            matures,
        };
        world(|world| world.lines.insert(key, line));
    }
    fn void(gateway: DeviceId, epoch: Epoch) {
        set_fate(gateway, epoch, Fate::Void);
    }
}

/// Epochs in which a voucher counts.
pub(crate) const REDEEM_UNTIL: u64 = 30;
pub(crate) const STAKE: Planck = 24_000;
/// The epoch served in.
pub(crate) const EPOCH: Epoch = Epoch(10);

/// The key of a node.
pub(crate) fn pair(number: u8) -> ed25519::Pair {
    ed25519::Pair::from_seed(&[number; 32])
}

pub(crate) fn device(number: u8) -> DeviceId {
    DeviceId(pair(number).public().0)
}

pub(crate) fn account(number: u8) -> AccountId32 {
    AccountId32::new([number; 32])
}

pub(crate) fn set_fate(gateway: DeviceId, epoch: Epoch, fate: Fate) {
    world(|world| world.fates.insert((epoch, gateway), fate));
}

/// Moves the clock to the first moment of an epoch, epoch by epoch.
pub(crate) fn begin(epoch: u64) {
    for began in Network::current().0 + 1..=epoch {
        Network::set_now(Millis(began * LENGTH));
        Claims::on_epoch(Epoch(began - 1), Epoch(began));
    }
}

const LENGTH: u64 = 3_600_000;

/// Runs a test in epoch 11 and checks the invariants after it.
pub(crate) fn run(test: impl FnOnce()) {
    externalities().execute_with(|| {
        test();
        assert_eq!(Claims::check_invariants(), Ok(()));
    });
}

/// Gateway 1 and caches 2 and 3 of the accounts 11, 12 and 13, and account 4 with a line, in epoch 11.
pub(crate) fn externalities() -> sp_io::TestExternalities {
    Network::reset();
    world(|world| *world = World::default());
    ExpressFee::set(Ppm::percent(20));
    Network::set(device(1), Node::new(account(11), Role::Gateway, STAKE));
    for number in [2, 3] {
        let node = Node::new(account(10 + number), Role::Cache, 100);
        Network::set(device(number), node);
    }
    let balances = [4, 12, 13].map(|number| (account(number), 10_000));
    let genesis = RuntimeGenesisConfig {
        balances: pallet_balances::GenesisConfig {
            balances: balances.to_vec(),
            ..Default::default()
        },
        ..Default::default()
    };
    let mut ext = sp_io::TestExternalities::from(genesis.build_storage().unwrap());
    ext.register_extension(KeystoreExt::new(MemoryKeystore::new()));
    ext.execute_with(|| {
        System::set_block_number(1);
        frame_system::BlockHash::<Test>::insert(0, sp_core::H256([7; 32]));
        begin(EPOCH.0 + 1);
    });
    ext
}
