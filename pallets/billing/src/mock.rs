//! A runtime of balances and billing, with foreign answers that a test sets.

use crate as pallet_edge_billing;
use frame_support::{derive_impl, parameter_types, traits::ConstU32, PalletId};
use frame_system::EnsureRoot;
use pallet_edge_traits::{
    DeviceInfo, DeviceInspect, EpochClock, OnMatured, ServiceInspect, ServiceTerms, StakeInspect,
};
use selvedge_primitives_types::{
    DeviceId, Epoch, Millis, Planck, Ppm, Prices, Region, Role, ServiceId, StakeId,
};
use sp_core::{crypto::Pair as _, sr25519::Pair};
use sp_keystore::{testing::MemoryKeystore, KeystoreExt};
use sp_runtime::{traits::IdentityLookup, AccountId32, BuildStorage};
use std::{cell::RefCell, collections::BTreeMap};

pub(crate) type AccountId = AccountId32;

frame_support::construct_runtime!(
    pub enum Test {
        System: frame_system,
        Balances: pallet_balances,
        Billing: pallet_edge_billing,
    }
);

#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
impl frame_system::Config for Test {
    type Block = frame_system::mocking::MockBlock<Test>;
    type AccountId = AccountId;
    type Lookup = IdentityLookup<AccountId>;
    type AccountData = pallet_balances::AccountData<Planck>;
}

#[derive_impl(pallet_balances::config_preludes::TestDefaultConfig)]
impl pallet_balances::Config for Test {
    type Balance = Planck;
    type AccountStore = System;
    type ExistentialDeposit = ExistentialDeposit;
    type RuntimeFreezeReason = ();
    type FreezeIdentifier = [u8; 1];
    type MaxFreezes = ConstU32<1>;
}

parameter_types! {
    pub const BillingPalletId: PalletId = PalletId(*b"sel/bill");
    pub const ExistentialDeposit: Planck = 10;
    pub const MinDeposit: Planck = 50;
    pub static UnsettledEpochs: u64 = 7;
    pub static HoldBackEpochs: u64 = 2;
    pub static HistoryEpochs: u64 = 20;
    pub const WarnEpochs: u64 = 4;
    pub const MaxLate: u8 = 3;
    pub const LatePenalty: Ppm = Ppm::percent(5);
    pub static Take: Ppm = Ppm::percent(15);
    pub const StargateShare: Ppm = Ppm::percent(10);
    pub const CacheShare: Ppm = Ppm::percent(60);
    pub const AuditFee: Ppm = Ppm::percent(1);
    pub const Referral: Ppm = Ppm::percent(10);
    pub static Burn: Ppm = Ppm::percent(2);
    pub TreasuryAccount: AccountId = account(200);
}

impl pallet_edge_billing::Config for Test {
    type Currency = Balances;
    type RuntimeHoldReason = RuntimeHoldReason;
    type Clock = World;
    type Devices = World;
    type Stakes = World;
    type Services = World;
    type OnMatured = World;
    type VoidOrigin = EnsureRoot<AccountId>;
    type PalletId = BillingPalletId;
    type Treasury = TreasuryAccount;
    type MaxOpen = ConstU32<64>;
    type MinDeposit = MinDeposit;
    type UnsettledEpochs = UnsettledEpochs;
    type WarnEpochs = WarnEpochs;
    type HoldBackEpochs = HoldBackEpochs;
    type HistoryEpochs = HistoryEpochs;
    type MaxLate = MaxLate;
    type LatePenalty = LatePenalty;
    type Take = Take;
    type StargateShare = StargateShare;
    type CacheShare = CacheShare;
    type AuditFee = AuditFee;
    type Referral = Referral;
    type Burn = Burn;
    type WeightInfo = ();
    #[cfg(feature = "runtime-benchmarks")]
    type BenchmarkHelper = World;
}

/// What the other pallets would answer. Terms hold from epoch 0 on unless a test changes them.
#[derive(Clone, Default)]
pub struct World {
    pub(crate) epoch: u64,
    /// Quarters of the current epoch that have run.
    pub(crate) quarters: u64,
    pub(crate) active: BTreeMap<(Role, DeviceId), AccountId>,
    pub(crate) agents: BTreeMap<DeviceId, [u8; 32]>,
    pub(crate) services: BTreeMap<ServiceId, ServiceTerms<AccountId>>,
    pub(crate) prices: BTreeMap<u32, Prices>,
    /// Highest allowances of anybody's former services that may still be charged.
    pub(crate) former_caps: Planck,
    pub(crate) matured: Vec<(DeviceId, Epoch, Planck)>,
}

thread_local!(static WORLD: RefCell<World> = RefCell::default());

/// Length of an epoch in the mock.
pub(crate) const LENGTH: u64 = 60_000;

/// Reads or changes what the other pallets answer.
pub(crate) fn world<R>(with: impl FnOnce(&mut World) -> R) -> R {
    WORLD.with(|world| with(&mut world.borrow_mut()))
}

impl EpochClock for World {
    fn current() -> Epoch {
        Epoch(world(|world| world.epoch))
    }
    fn now() -> Millis {
        Millis(Self::start_of(Self::current()).0 + world(|world| world.quarters) * LENGTH / 4)
    }
    fn start_of(epoch: Epoch) -> Millis {
        Millis(1_000_000 + epoch.0 * LENGTH)
    }
    fn length() -> Millis {
        Millis(LENGTH)
    }
    fn epochs_per_era() -> u64 {
        4
    }
}

impl DeviceInspect<AccountId> for World {
    fn device(device: &DeviceId) -> Option<DeviceInfo<AccountId>> {
        let agent_key = world(|world| world.agents.get(device).copied())?;
        Some(DeviceInfo {
            operator: account(100),
            role: Role::Gateway,
            region: Region::parse("eu")?,
            endpoint: Vec::new(),
            public_url: Vec::new(),
            capacity: 1,
            agent_key,
            draining: false,
        })
    }
}

impl StakeInspect<AccountId> for World {
    fn is_active(device: &DeviceId, role: Role, _epoch: Epoch) -> bool {
        world(|world| world.active.contains_key(&(role, *device)))
    }
    fn owner_at(device: &DeviceId, _epoch: Epoch) -> Option<AccountId> {
        let of = |(key, owner): (&(Role, DeviceId), &AccountId)| {
            (key.1 == *device).then(|| owner.clone())
        };
        world(|world| world.active.iter().find_map(of))
    }
    fn stake_of(_device: &DeviceId) -> Option<(StakeId, Planck)> {
        None
    }
    fn active_count(role: Role, _epoch: Epoch) -> u32 {
        world(|world| world.active.keys().filter(|key| key.0 == role).count() as u32)
    }
    fn active_devices(_role: Role, _limit: u32) -> Vec<DeviceId> {
        Vec::new()
    }
    fn assigned_since(_device: &DeviceId) -> Option<Millis> {
        None
    }
    fn boost_of(_device: &DeviceId) -> u32 {
        1_000_000
    }
}

impl ServiceInspect<AccountId> for World {
    fn terms_at(service: ServiceId, _epoch: Epoch) -> Option<ServiceTerms<AccountId>> {
        world(|world| world.services.get(&service).cloned())
    }
    fn caps_of(owner: &AccountId, _from: Epoch, _to: Epoch) -> Planck {
        let of = |terms: &&ServiceTerms<AccountId>| terms.owner == *owner && terms.active;
        world(|world| {
            let caps = world.services.values().filter(of).map(|terms| terms.cap);
            world.former_caps + caps.sum::<Planck>()
        })
    }
    fn prices(version: u32) -> Option<Prices> {
        world(|world| world.prices.get(&version).copied())
    }
}

impl OnMatured for World {
    fn on_matured(device: &DeviceId, epoch: Epoch, amount: Planck) {
        world(|world| world.matured.push((*device, epoch, amount)));
    }
}

pub(crate) fn account(number: u8) -> AccountId {
    AccountId32::new([number; 32])
}

pub(crate) fn agent(device: &DeviceId) -> Pair {
    Pair::from_seed(&device.0)
}

/// Storage in epoch 10 with accounts 1 to 5 endowed.
pub(crate) fn bare() -> sp_io::TestExternalities {
    world(|world| {
        *world = World {
            epoch: 10,
            ..Default::default()
        }
    });
    // A thread may run several tests.
    UnsettledEpochs::set(7);
    HoldBackEpochs::set(2);
    HistoryEpochs::set(20);
    Take::set(Ppm::percent(15));
    Burn::set(Ppm::percent(2));
    let balances = (1..=5).map(|number| (account(number), 1_000_000)).collect();
    let genesis = RuntimeGenesisConfig {
        balances: pallet_balances::GenesisConfig {
            balances,
            ..Default::default()
        },
        ..Default::default()
    };
    let mut ext = sp_io::TestExternalities::new(genesis.build_storage().unwrap());
    ext.register_extension(KeystoreExt::new(MemoryKeystore::new()));
    ext.execute_with(|| {
        System::set_block_number(1);
        frame_system::BlockHash::<Test>::insert(0, sp_core::H256([7; 32]));
    });
    ext
}

/// Runs a test, then checks that the books balance to the unit.
pub(crate) fn run(test: impl FnOnce()) {
    bare().execute_with(|| {
        test();
        assert_eq!(Billing::check_invariants(), Ok(()));
        assert_eq!(Billing::pot_surplus(), Some(0), "nobody donated to the pot");
    });
}

#[cfg(feature = "runtime-benchmarks")]
impl crate::benchmarking::BenchmarkHelper for World {
    fn set_clock(epoch: Epoch, quarters: u64) {
        world(|world| (world.epoch, world.quarters) = (epoch.0, quarters));
    }
    fn add_node(device: DeviceId, role: Role, owner: &AccountId, agent_key: [u8; 32]) {
        world(|world| {
            world.active.insert((role, device), owner.clone());
            world.agents.insert(device, agent_key);
        });
    }
    fn add_service(owner: &AccountId, cap: Planck) -> ServiceId {
        let terms = ServiceTerms {
            owner: owner.clone(),
            cap,
            price_version: 1,
            active: true,
        };
        world(|world| {
            let id = ServiceId(world.services.len() as u64);
            world.prices.insert(1, Prices([1 << 32, 0, 0, 0, 0, 0]));
            world.services.insert(id, terms);
            id
        })
    }
}
