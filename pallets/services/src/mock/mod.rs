//! A runtime with services and balances, and what the tests do with it.

mod answers;

pub use answers::*;

use crate as pallet_edge_services;
use crate::types::ServiceSummary;
use frame_support::{derive_impl, parameter_types, traits::ConstU32};
use frame_system::EnsureRoot;
use pallet_edge_traits::{EpochClock, OnEpoch};
use selvedge_primitives_types::{
    agent::HostCheckVerdict, ContentKind, ContentRef, Domain, Epoch, Pin, Planck, Prices,
    ServiceId, Signature64,
};
use sp_core::{crypto::AccountId32, ed25519, Pair};
use sp_runtime::{traits::IdentityLookup, BuildStorage};

pub type Balance = u128;

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
        RuntimeTask,
        RuntimeViewFunction
    )]
    pub struct Test;

    #[runtime::pallet_index(0)]
    pub type System = frame_system;
    #[runtime::pallet_index(1)]
    pub type Balances = pallet_balances;
    #[runtime::pallet_index(2)]
    pub type Services = pallet_edge_services;
}

#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
impl frame_system::Config for Test {
    type Block = frame_system::mocking::MockBlock<Test>;
    type AccountId = AccountId32;
    type Lookup = IdentityLookup<AccountId32>;
    type AccountData = pallet_balances::AccountData<Balance>;
}

#[derive_impl(pallet_balances::config_preludes::TestDefaultConfig)]
impl pallet_balances::Config for Test {
    type AccountStore = System;
    type Balance = Balance;
    type ExistentialDeposit = frame_support::traits::ConstU128<1>;
    type RuntimeHoldReason = RuntimeHoldReason;
}

parameter_types! {
    pub storage AllowLocalNames: bool = true;
    pub storage HostDeposit: Planck = 5;
    pub storage PinDeposit: Planck = 7;
    pub storage MaxPins: u32 = 100;
    pub const ServiceDeposit: Planck = 100;
    pub const HistoryDepth: u64 = 30;
    pub const PriceNotice: u64 = 2;
    pub const ProofPeriod: u64 = 4;
    pub const Seed: [u8; 32] = [7; 32];
}

impl crate::Config for Test {
    type Currency = Balances;
    type RuntimeHoldReason = RuntimeHoldReason;
    type Clock = Clock;
    type Prepaid = Prepaid;
    type Stakes = Stakes;
    type Seed = Seed;
    type PriceOrigin = EnsureRoot<AccountId32>;
    type AllowLocalNames = AllowLocalNames;
    type ServiceDeposit = ServiceDeposit;
    type HostDeposit = HostDeposit;
    type PinDeposit = PinDeposit;
    type MaxPins = MaxPins;
    type HistoryDepth = HistoryDepth;
    type PriceNotice = PriceNotice;
    type ProofPeriod = ProofPeriod;
    type MaxCheckers = ConstU32<8>;
    type WeightInfo = ();
    #[cfg(feature = "runtime-benchmarks")]
    type BenchmarkHelper = ();
}

#[cfg(feature = "runtime-benchmarks")]
impl crate::BenchmarkHelper<AccountId32> for () {
    fn fund(who: &AccountId32, _: u128) {
        use frame_support::traits::fungible::Mutate;
        Balances::set_balance(who, 1_000_000);
    }
}

pub const ALICE: AccountId32 = AccountId32::new([1; 32]);
pub const BOB: AccountId32 = AccountId32::new([2; 32]);
pub const FREE: Balance = 10_000;

/// Runs a test in epoch 10 and checks every invariant after it.
pub fn run(test: impl FnOnce()) {
    ext().execute_with(|| {
        test();
        Services::do_try_state().unwrap();
    });
}

/// A fresh chain in epoch 10, with two accounts and price list 1.
pub fn ext() -> sp_io::TestExternalities {
    answers::reset();
    let genesis = RuntimeGenesisConfig {
        balances: pallet_balances::GenesisConfig {
            balances: vec![(ALICE, FREE), (BOB, FREE)],
            ..Default::default()
        },
        services: crate::GenesisConfig {
            prices: Prices([1; 6]),
            ..Default::default()
        },
        ..Default::default()
    };
    let mut ext = sp_io::TestExternalities::new(genesis.build_storage().unwrap());
    ext.register_extension(sp_keystore::KeystoreExt::new(
        sp_keystore::testing::MemoryKeystore::new(),
    ));
    ext.execute_with(|| System::set_block_number(1));
    ext
}

/// Moves to an epoch and tells the pallet.
pub fn go_to(epoch: u64) {
    let ended = answers::set_epoch(epoch);
    Services::on_epoch(ended, Epoch(epoch));
}

/// A gateway's answer for the current epoch, signed by it.
pub fn answer(
    pair: &ed25519::Pair,
    service: ServiceId,
    host: &str,
    found: bool,
) -> (HostCheckVerdict, Signature64) {
    let verdict = HostCheckVerdict {
        device: device(pair),
        service,
        host: host.into(),
        epoch: Clock::current(),
        found,
    };
    let message = Domain::HostCheck.message(&pallet_edge_traits::genesis_hash::<Test>(), &verdict);
    let signature = Signature64(pair.sign(&message).0);
    (verdict, signature)
}

/// Creates a service of ALICE with a cap of 1,000 planck; returns its id.
pub fn create(hosts: &[&str]) -> ServiceId {
    let id = crate::NextId::<Test>::get();
    let hosts = hosts.iter().map(|host| host.as_bytes().to_vec()).collect();
    let origin = b"https://origin.example".to_vec();
    Services::create_service(RuntimeOrigin::signed(ALICE), hosts, origin, 1_000, 1).unwrap();
    id
}

/// A directory, or a file, of 1,000 bytes that is kept in three places, by the first byte of its root.
pub fn pin_of(n: u8, kind: ContentKind) -> Pin {
    Pin {
        content: ContentRef {
            root: [n; 32],
            length: 1_000,
            kind,
        },
        bytes: 1_000,
        factor: 3,
    }
}

/// Pins a directory for a service of ALICE.
pub fn pin_directory(service: ServiceId, n: u8) -> Pin {
    let pin = pin_of(n, ContentKind::Directory);
    Services::pin(RuntimeOrigin::signed(ALICE), service, pin).unwrap();
    pin
}

pub fn summary(service: ServiceId) -> ServiceSummary<AccountId32> {
    Services::summary_at(service, Clock::current()).unwrap()
}

pub fn on_hold(who: &AccountId32) -> Balance {
    use frame_support::traits::fungible::InspectHold;
    Balances::balance_on_hold(&crate::HoldReason::Deposit.into(), who)
}

/// The pallet's own latest event.
pub fn last_event() -> crate::Event<Test> {
    let mut events = System::events()
        .into_iter()
        .rev()
        .map(|record| record.event);
    events
        .find_map(|event| match event {
            RuntimeEvent::Services(event) => Some(event),
            _ => None,
        })
        .unwrap()
}
