//! A runtime of the system and audits; devices and stakes are the mock network, services and
//! commitments a world that a test sets up.

// The runtime macro makes the runtime public, and with it every type that a config names.
#![allow(unreachable_pub)]

use crate as pallet_edge_audits;
use frame_support::{derive_impl, traits::ConstU64};
use pallet_edge_mocks::{Network, Node};
use pallet_edge_traits::{CommitmentVoid, Forfeit, OnEpoch, ServiceInspect, ServiceTerms};
use selvedge_primitives_math::fraud::{Defect, DefectClass};
use selvedge_primitives_types::{
    DeviceId, Epoch, Millis, Planck, Ppm, Prices, Role, ServiceId, UsageCommitment,
};
use sp_core::{ed25519, Pair};
use sp_runtime::{
    traits::{Convert, IdentityLookup},
    AccountId32, BuildStorage, DispatchError,
};
use std::{cell::RefCell, collections::BTreeMap};

#[frame_support::runtime]
mod runtime {
    #[runtime::runtime]
    #[runtime::derive(RuntimeCall, RuntimeEvent, RuntimeError, RuntimeOrigin, RuntimeTask)]
    pub struct Test;

    #[runtime::pallet_index(0)]
    pub type System = frame_system;
    #[runtime::pallet_index(26)]
    pub type Audits = pallet_edge_audits;
}

#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
impl frame_system::Config for Test {
    type Block = frame_system::mocking::MockBlock<Test>;
    type AccountId = AccountId32;
    type Lookup = IdentityLookup<AccountId32>;
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
    type Clock = Network;
    type Commitments = World;
    type Services = World;
    type Stakes = Network;
    type Slash = Network;
    type SlashOf = SlashOf;
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
}

#[cfg(feature = "runtime-benchmarks")]
impl pallet_edge_traits::BenchmarkNodes<AccountId32> for World {
    fn add_node(device: DeviceId, role: Role, owner: &AccountId32, _: [u8; 32]) {
        Network::set(device, Node::new(owner.clone(), role, STAKE));
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

/// What became of a commitment's money.
pub(crate) fn money(gateway: DeviceId, epoch: Epoch) -> Option<Money> {
    world(|world| Some(world.commitments.get(&(epoch, gateway))?.1))
}

/// Moves the clock to the first moment of an epoch, epoch by epoch.
pub(crate) fn begin(epoch: u64) {
    use pallet_edge_traits::EpochClock;
    for began in Network::current().0 + 1..=epoch {
        Network::set_now(Millis(began * LENGTH));
        Audits::on_epoch(Epoch(began - 1), Epoch(began));
    }
}

const LENGTH: u64 = 3_600_000;

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
    Network::set(GATEWAY, Node::new(account(11), Role::Gateway, STAKE));
    for number in [1, 2] {
        let node = Node::new(account(20 + number), Role::Cache, 100);
        Network::set(id_of(&cache(number)), node);
    }
    for (service, owner) in [(0, 1), (1, 2)] {
        serve(service, account(owner), CAP);
    }
    let storage = RuntimeGenesisConfig::default().build_storage().unwrap();
    let mut ext = sp_io::TestExternalities::from(storage);
    ext.execute_with(|| {
        System::set_block_number(1);
        frame_system::BlockHash::<Test>::insert(0, sp_core::H256([7; 32]));
        begin(EPOCH.0 + 1);
    });
    ext
}
