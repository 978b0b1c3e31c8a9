//! Authoring, finality, sessions and offences.

use alloc::vec::Vec;
use frame_support::{parameter_types, traits::ConstU32};
use pallet_session::historical::{self, NoteHistoricalRoot};
use sp_consensus_babe::{AllowedSlots, BabeEpochConfiguration};
use sp_runtime::{
    impl_opaque_keys,
    traits::{ConvertInto, OpaqueKeys},
};

use crate::{
    AccountId, AuthorityDiscovery, Babe, Balances, Grandpa, Historical, Offences, Runtime,
    RuntimeEvent, Session,
};

/// Slots with at least one primary author: one in four.
const PRIMARY_PROBABILITY: (u64, u64) = (1, 4);

/// How slots are given out. Secondary slots carry a VRF output too, so that every slot has an
/// author and every block feeds the randomness.
pub const GENESIS_EPOCH_CONFIG: BabeEpochConfiguration = BabeEpochConfiguration {
    c: PRIMARY_PROBABILITY,
    allowed_slots: AllowedSlots::PrimaryAndSecondaryVRFSlots,
};

parameter_types! {
    pub const SlotDuration: u64 = 3_000;
    pub const MinimumPeriod: u64 = SlotDuration::get() / 2;
    pub const BabeEpochDuration: u64 = 20;
    /// Authorities the consensus pallets can hold.
    pub const MaxAuthorities: u32 = 1_000;
    /// Sessions whose validator sets GRANDPA can still prove.
    pub const MaxSetIdSessionEntries: u64 = 1_000;
    pub const ReportLongevity: u64 = 28_800;
}

impl pallet_babe::Config for Runtime {
    type DisabledValidators = Session;
    type EpochChangeTrigger = pallet_babe::ExternalTrigger;
    type EpochDuration = BabeEpochDuration;
    type EquivocationReportSystem =
        pallet_babe::EquivocationReportSystem<Self, Offences, Historical, ReportLongevity>;
    type ExpectedBlockTime = SlotDuration;
    type KeyOwnerProof = sp_session::MembershipProof;
    type MaxAuthorities = MaxAuthorities;
    type MaxNominators = ConstU32<0>;
    type WeightInfo = ();
}

impl pallet_grandpa::Config for Runtime {
    type EquivocationReportSystem =
        pallet_grandpa::EquivocationReportSystem<Self, Offences, Historical, ReportLongevity>;
    type KeyOwnerProof = sp_session::MembershipProof;
    type MaxAuthorities = MaxAuthorities;
    type MaxNominators = ConstU32<0>;
    type MaxSetIdSessionEntries = MaxSetIdSessionEntries;
    type RuntimeEvent = RuntimeEvent;
    type WeightInfo = ();
}

impl pallet_timestamp::Config for Runtime {
    type MinimumPeriod = MinimumPeriod;
    type Moment = u64;
    type OnTimestampSet = Babe;
    type WeightInfo = pallet_timestamp::weights::SubstrateWeight<Runtime>;
}

impl pallet_authorship::Config for Runtime {
    type EventHandler = ();
    type FindAuthor = pallet_session::FindAccountFromAuthorIndex<Self, Babe>;
}

impl_opaque_keys! {
    /// What a validator signs with. Later keys come with `Session::upgrade_keys`.
    pub struct SessionKeys {
        /// Votes for finality.
        pub grandpa: Grandpa,
        /// Claims slots and seals blocks.
        pub babe: Babe,
        /// Publishes the validator's addresses.
        pub authority_discovery: AuthorityDiscovery,
    }
}

/// Keeps the validators of the genesis keys.
pub struct GenesisValidators;

impl pallet_session::SessionManager<AccountId> for GenesisValidators {
    fn new_session(_: u32) -> Option<Vec<AccountId>> {
        None
    }
    fn start_session(_: u32) {}
    fn end_session(_: u32) {}
}

impl historical::SessionManager<AccountId, ()> for GenesisValidators {
    fn new_session(_: u32) -> Option<Vec<(AccountId, ())>> {
        None
    }
    fn new_session_genesis(_: u32) -> Option<Vec<(AccountId, ())>> {
        Some(
            pallet_session::NextKeys::<Runtime>::iter_keys()
                .map(|id| (id, ()))
                .collect(),
        )
    }
    fn start_session(_: u32) {}
    fn end_session(_: u32) {}
}

/// Identifies a validator by itself.
pub struct Itself;

impl sp_runtime::traits::Convert<AccountId, Option<()>> for Itself {
    fn convert(_: AccountId) -> Option<()> {
        Some(())
    }
}

impl pallet_session::Config for Runtime {
    type Currency = Balances;
    type DisablingStrategy = pallet_session::disabling::UpToLimitWithReEnablingDisablingStrategy;
    type KeyDeposit = ();
    type Keys = SessionKeys;
    type NextSessionRotation = Babe;
    type RuntimeEvent = RuntimeEvent;
    type SessionHandler = <SessionKeys as OpaqueKeys>::KeyTypeIdProviders;
    type SessionManager = NoteHistoricalRoot<Self, GenesisValidators>;
    type ShouldEndSession = Babe;
    type ValidatorId = AccountId;
    type ValidatorIdOf = ConvertInto;
    type WeightInfo = pallet_session::weights::SubstrateWeight<Runtime>;
}

impl historical::Config for Runtime {
    type FullIdentification = ();
    type FullIdentificationOf = Itself;
    type RuntimeEvent = RuntimeEvent;
}

impl pallet_offences::Config for Runtime {
    type IdentificationTuple = historical::IdentificationTuple<Self>;
    type OnOffenceHandler = ();
    type RuntimeEvent = RuntimeEvent;
}

impl pallet_authority_discovery::Config for Runtime {
    type MaxAuthorities = MaxAuthorities;
}
