//! A runtime of the system, balances, staking and real sessions; clock and register are set by the test.

// The runtime macro makes the runtime public, and with it every type that a config names.
#![allow(unreachable_pub)]

mod world;

pub(crate) use world::*;

use crate::{self as pallet_edge_staking, types::DAY, *};
use frame_support::{derive_impl, traits::ConstU128};
use pallet_session::historical;
use sp_core::H256;
use sp_keystore::{testing::MemoryKeystore, KeystoreExt};
use sp_runtime::{impl_opaque_keys, testing::UintAuthorityId, traits::ConvertInto, BuildStorage};

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
    #[runtime::pallet_index(11)]
    pub type NodeStaking = pallet_edge_staking;
    #[runtime::pallet_index(13)]
    pub type Historical = pallet_session::historical;
    #[runtime::pallet_index(14)]
    pub type Session = pallet_session;
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

impl_opaque_keys! {
    pub struct Keys {
        pub dummy: UintAuthorityId,
    }
}

type Every = pallet_session::PeriodicSessions<
    frame_support::traits::ConstU64<1>,
    frame_support::traits::ConstU64<0>,
>;

impl pallet_session::Config for Test {
    type RuntimeEvent = RuntimeEvent;
    type ValidatorId = AccountId32;
    type ValidatorIdOf = ConvertInto;
    type ShouldEndSession = Every;
    type NextSessionRotation = Every;
    type SessionManager = historical::NoteHistoricalRoot<Test, NodeStaking>;
    type SessionHandler = pallet_session::TestSessionHandler;
    type Keys = Keys;
    type DisablingStrategy = pallet_session::disabling::UpToLimitDisablingStrategy<3>;
    type WeightInfo = ();
    type Currency = Balances;
    type KeyDeposit = ConstU128<0>;
}

impl historical::Config for Test {
    type RuntimeEvent = RuntimeEvent;
    type FullIdentification = Exposure;
    type FullIdentificationOf = ExposureOf<Test>;
}

pub(crate) const FUNDS: u128 = 1_000_000;
pub(crate) const GENESIS: [u8; 32] = [7; 32];
pub(crate) const EPOCH: u64 = 3_600_000;
pub(crate) const HOLD_BACK: u64 = 24;
pub(crate) const FEES: u8 = 200;
pub(crate) const SLASHES: u8 = 201;

frame_support::parameter_types! {
    pub static MaxValidators: u32 = 4;
    pub static GatewayAmount: Planck = 25_000;
    /// Time of the first block.
    pub static FirstBlock: u64 = 0;
    pub const Fee: Ppm = Ppm::percent(25);
    pub const ReporterShare: Ppm = Ppm::percent(10);
}

/// What a role takes in the tests.
pub struct RoleAmount;

impl Convert<Role, Planck> for RoleAmount {
    fn convert(role: Role) -> Planck {
        match role {
            Role::Validator => 50_000,
            Role::Stargate => 250_000,
            Role::Gateway => GatewayAmount::get(),
            Role::Cache => 100,
        }
    }
}

/// Pays what it gets into an account.
pub struct PaidTo<const ID: u8>;

impl<const ID: u8> OnUnbalanced<CreditOf<Test>> for PaidTo<ID> {
    fn on_nonzero_unbalanced(credit: CreditOf<Test>) {
        Balances::resolve(&account(ID), credit).unwrap();
    }
}

impl Config for Test {
    type RuntimeHoldReason = RuntimeHoldReason;
    type Currency = Balances;
    type Clock = Clock;
    type Devices = Devices;
    type OnAbsence = Absences;
    type Sessions = Session;
    type RoleAmount = RoleAmount;
    type MaxValidators = MaxValidators;
    type UnlockPeriod = frame_support::traits::ConstU64<{ 90 * DAY.0 }>;
    type ExpressFee = Fee;
    type HoldBackEpochs = frame_support::traits::ConstU64<HOLD_BACK>;
    type OffenceWindow = frame_support::traits::ConstU64<{ 2 * DAY.0 }>;
    type HistoryDepth = ConstU32<10>;
    type MaxNodesPerRole = ConstU32<6>;
    type SessionsKept = ConstU32<3>;
    type ReporterShare = ReporterShare;
    type ReporterMax = ConstU128<1_000>;
    type FeeDestination = PaidTo<FEES>;
    type SlashDestination = PaidTo<SLASHES>;
    type WeightInfo = weights::SubstrateWeight<Test>;
}

/// Runs a test with funded accounts 1 to 9 and checks the invariants after it.
pub(crate) fn run(test: impl FnOnce()) {
    run_with(&[], test);
}

/// As [`run`], with validators of a preset: device and owner have the same number, and keys.
pub(crate) fn run_with(validators: &[u8], test: impl FnOnce()) {
    externalities(validators).execute_with(|| {
        test();
        NodeStaking::check_invariants().unwrap();
    });
}

/// The first block of a network.
pub(crate) fn externalities(validators: &[u8]) -> sp_io::TestExternalities {
    reset();
    validators
        .iter()
        .for_each(|id| register(*id, *id, Role::Validator));
    let stakes = validators.iter().map(|id| GenesisStake {
        owner: account(*id),
        device: device(*id),
        role: Role::Validator,
        amount: None,
    });
    let keys = validators.iter().map(|id| {
        (
            validator(*id),
            validator(*id),
            Keys {
                dummy: UintAuthorityId((*id).into()),
            },
        )
    });
    let genesis = RuntimeGenesisConfig {
        balances: pallet_balances::GenesisConfig {
            balances: (1..=9)
                .chain([FEES, SLASHES])
                .map(|id| (account(id), FUNDS))
                .collect(),
            ..Default::default()
        },
        node_staking: GenesisConfig {
            stakes: stakes.collect(),
            ..Default::default()
        },
        session: pallet_session::GenesisConfig {
            keys: keys.collect(),
            ..Default::default()
        },
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
