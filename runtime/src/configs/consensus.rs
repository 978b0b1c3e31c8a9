//! Authoring, finality, sessions and offences.

#[cfg(not(feature = "upgrade-rehearsal"))]
use alloc::vec::Vec;
use frame_support::{parameter_types, traits::ConstU32};
use pallet_edge_chain_params::{BabeEpochDuration, MinimumPeriod, SlotDurationOf};
use pallet_session::historical::{self, NoteHistoricalRoot};
use sp_consensus_babe::{AllowedSlots, BabeEpochConfiguration};
use sp_runtime::traits::{ConvertInto, OpaqueKeys};

#[cfg(feature = "upgrade-rehearsal")]
pub use crate::rehearsal::SessionKeys;
use crate::{
    constants::time::DAYS, AccountId, Babe, Balances, Historical, NodeStaking, Offences,
    Reputation, Runtime, RuntimeEvent, Session, UsageClock,
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
    /// Authorities the consensus pallets can hold; staking never elects more than 256.
    pub const MaxAuthorities: u32 = 256;
    /// Sessions of which offences can be proven: a week of BABE epochs of 15 minutes,
    /// 7 × 24 × 4.
    pub const SessionsKept: u32 = 672;
    pub const MaxSetIdSessionEntries: u64 = SessionsKept::get() as u64;
    /// Blocks for which a report of an offence may wait in a pool: a week.
    pub const ReportLongevity: u64 = 7 * DAYS as u64;
}

impl pallet_babe::Config for Runtime {
    type DisabledValidators = Session;
    type EpochChangeTrigger = pallet_babe::ExternalTrigger;
    type EpochDuration = BabeEpochDuration<Runtime>;
    type EquivocationReportSystem =
        pallet_babe::EquivocationReportSystem<Self, Offences, Historical, ReportLongevity>;
    type ExpectedBlockTime = SlotDurationOf<Runtime>;
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
    type MinimumPeriod = MinimumPeriod<Runtime>;
    type Moment = u64;
    /// BABE first: it checks that the time lies in the slot of the block.
    type OnTimestampSet = (Babe, UsageClock);
    type WeightInfo = pallet_timestamp::weights::SubstrateWeight<Runtime>;
}

impl pallet_authorship::Config for Runtime {
    type EventHandler = Reputation;
    type FindAuthor = pallet_session::FindAccountFromAuthorIndex<Self, Babe>;
}

#[cfg(not(feature = "upgrade-rehearsal"))]
sp_runtime::impl_opaque_keys! {
    /// What a validator signs with. Later keys come with `Session::upgrade_keys`.
    pub struct SessionKeys {
        /// Votes for finality.
        pub grandpa: crate::Grandpa,
        /// Claims slots and seals blocks.
        pub babe: Babe,
        /// Publishes the validator's addresses.
        pub authority_discovery: crate::AuthorityDiscovery,
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
    type SessionManager = NoteHistoricalRoot<Self, NodeStaking>;
    type ShouldEndSession = Babe;
    type ValidatorId = AccountId;
    type ValidatorIdOf = ConvertInto;
    type WeightInfo = pallet_session::weights::SubstrateWeight<Runtime>;
}

impl historical::Config for Runtime {
    type FullIdentification = pallet_edge_staking::Exposure;
    type FullIdentificationOf = pallet_edge_staking::ExposureOf<Runtime>;
    type RuntimeEvent = RuntimeEvent;
}

impl pallet_offences::Config for Runtime {
    type IdentificationTuple = historical::IdentificationTuple<Self>;
    type OnOffenceHandler = NodeStaking;
    type RuntimeEvent = RuntimeEvent;
}

impl pallet_authority_discovery::Config for Runtime {
    type MaxAuthorities = MaxAuthorities;
}
