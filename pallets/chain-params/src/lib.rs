#![doc = include_str!("../README.md")]
#![cfg_attr(not(feature = "std"), no_std)]
#![forbid(unsafe_code)]
#![warn(missing_docs)]

#[cfg(test)]
mod mock;
#[cfg(test)]
mod tests;

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use core::marker::PhantomData;
use frame_support::traits::Get;
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};

pub use pallet::*;

/// What authors and finalises blocks.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Default,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
    Serialize,
    Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum EngineKind {
    /// BABE authors, GRANDPA finalises.
    #[default]
    #[codec(index = 0)]
    BabeGrandpa,
}

/// Shortest slot, in milliseconds: below it, blocks of the usual sizes do not reach the other validators in time.
pub const MIN_SLOT_MILLIS: u64 = 1_000;

/// The slot length in milliseconds.
pub struct SlotDurationOf<T>(PhantomData<T>);

impl<T: Config> Get<u64> for SlotDurationOf<T> {
    fn get() -> u64 {
        SlotDuration::<T>::get()
    }
}

/// The least time between two blocks that the timestamp accepts: half a slot, in milliseconds.
pub struct MinimumPeriod<T>(PhantomData<T>);

impl<T: Config> Get<u64> for MinimumPeriod<T> {
    fn get() -> u64 {
        SlotDuration::<T>::get() / 2
    }
}

/// The length of a BABE epoch in slots.
pub struct BabeEpochDuration<T>(PhantomData<T>);

impl<T: Config> Get<u64> for BabeEpochDuration<T> {
    fn get() -> u64 {
        BabeEpochLength::<T>::get()
    }
}

/// What referenda count as a day, in blocks.
pub struct ReferendumDayOf<T>(PhantomData<T>);

impl<T: Config> Get<u32> for ReferendumDayOf<T> {
    fn get() -> u32 {
        ReferendumDay::<T>::get()
    }
}

/// Whether local host names need no ownership proof.
pub struct LocalNames<T>(PhantomData<T>);

impl<T: Config> Get<bool> for LocalNames<T> {
    fn get() -> bool {
        AllowLocalNames::<T>::get()
    }
}

/// How long a new node's first earnings are kept back, in milliseconds, unless a referendum says otherwise.
pub struct FirstHoldBackOf<T>(PhantomData<T>);

impl<T: Config> Get<u64> for FirstHoldBackOf<T> {
    fn get() -> u64 {
        FirstHoldBack::<T>::get()
    }
}

/// What a check of a commitment costs an auditor, in planck, unless a referendum says otherwise.
pub struct CheckCostOf<T>(PhantomData<T>);

impl<T: Config> Get<u128> for CheckCostOf<T> {
    fn get() -> u128 {
        CheckCost::<T>::get()
    }
}

#[frame_support::pallet]
pub mod pallet {
    use super::*;
    use frame_support::pallet_prelude::*;
    use frame_system::pallet_prelude::*;

    #[pallet::pallet]
    pub struct Pallet<T>(_);

    /// The pallet asks nothing of the runtime.
    #[pallet::config]
    pub trait Config: frame_system::Config {}

    /// The consensus engine. Written at genesis, never again.
    #[pallet::storage]
    pub type Engine<T> = StorageValue<_, EngineKind, ValueQuery>;

    /// Length of a slot in milliseconds. Written at genesis, never again.
    #[pallet::storage]
    pub type SlotDuration<T> = StorageValue<_, u64, ValueQuery, DefaultSlotDuration>;

    /// Slots in a BABE epoch. Written at genesis, never again.
    #[pallet::storage]
    pub type BabeEpochLength<T> = StorageValue<_, u64, ValueQuery, DefaultBabeEpochLength>;

    /// Whether local host names need no ownership proof. Written at genesis, never again.
    #[pallet::storage]
    pub type AllowLocalNames<T> = StorageValue<_, bool, ValueQuery>;

    /// What referenda count as a day, in blocks. Written at genesis, never again.
    #[pallet::storage]
    pub type ReferendumDay<T> = StorageValue<_, u32, ValueQuery, DefaultReferendumDay>;

    /// How long a new node's first earnings are kept back, in milliseconds, unless a referendum says otherwise. Written at
    /// genesis, never again.
    #[pallet::storage]
    pub type FirstHoldBack<T> = StorageValue<_, u64, ValueQuery, DefaultFirstHoldBack>;

    /// What a check of a commitment costs an auditor, in planck, unless a referendum says otherwise. Written at genesis, never
    /// again.
    #[pallet::storage]
    pub type CheckCost<T> = StorageValue<_, u128, ValueQuery, DefaultCheckCost>;

    /// Three seconds: a block reaches every continent well within half of it.
    #[pallet::type_value]
    pub fn DefaultSlotDuration() -> u64 {
        3_000
    }

    /// 300 slots × 3 s = 15 min, a quarter of a usage epoch of an hour: audits need randomness of a whole BABE epoch
    /// drawn after the usage epoch closed.
    #[pallet::type_value]
    pub fn DefaultBabeEpochLength() -> u64 {
        300
    }

    /// A day of slots of three seconds: 86,400 / 3.
    #[pallet::type_value]
    pub fn DefaultReferendumDay() -> u32 {
        28_800
    }

    /// 14 days: a node that invents its traffic is seen through before it is paid.
    #[pallet::type_value]
    pub fn DefaultFirstHoldBack() -> u64 {
        14 * 24 * 60 * 60 * 1_000
    }

    /// 0.000125 SEL of 10^12 planck: 44 leaves with two paths of 1.5 KiB each are 132 KiB, an eighth of a thousandth of a
    /// gibibyte, which the first price list has at 1 SEL.
    #[pallet::type_value]
    pub fn DefaultCheckCost() -> u128 {
        125_000_000
    }

    /// The parameters of a network.
    #[pallet::genesis_config]
    pub struct GenesisConfig<T: Config> {
        /// The consensus engine.
        pub engine: EngineKind,
        /// Length of a slot in milliseconds.
        pub slot_duration_ms: u64,
        /// Slots in a BABE epoch.
        pub babe_epoch_length: u64,
        /// Whether local host names need no ownership proof.
        pub allow_local_names: bool,
        /// What referenda count as a day, in blocks.
        pub referendum_day_blocks: u32,
        /// How long a new node's first earnings are kept back, in milliseconds.
        pub first_hold_back_ms: u64,
        /// What a check of a commitment costs an auditor, in planck: of less than it pays for nobody is drawn.
        pub check_cost: u128,
        /// Nothing.
        #[serde(skip)]
        pub _config: PhantomData<T>,
    }

    impl<T: Config> Default for GenesisConfig<T> {
        fn default() -> Self {
            Self {
                engine: EngineKind::BabeGrandpa,
                slot_duration_ms: DefaultSlotDuration::get(),
                babe_epoch_length: DefaultBabeEpochLength::get(),
                allow_local_names: false,
                referendum_day_blocks: DefaultReferendumDay::get(),
                first_hold_back_ms: DefaultFirstHoldBack::get(),
                check_cost: DefaultCheckCost::get(),
                _config: PhantomData,
            }
        }
    }

    #[pallet::genesis_build]
    impl<T: Config> BuildGenesisConfig for GenesisConfig<T> {
        fn build(&self) {
            Engine::<T>::put(self.engine);
            SlotDuration::<T>::put(self.slot_duration_ms);
            BabeEpochLength::<T>::put(self.babe_epoch_length);
            AllowLocalNames::<T>::put(self.allow_local_names);
            ReferendumDay::<T>::put(self.referendum_day_blocks);
            FirstHoldBack::<T>::put(self.first_hold_back_ms);
            CheckCost::<T>::put(self.check_cost);
            Pallet::<T>::check_invariants().expect("the chain parameters are usable");
        }
    }

    #[pallet::hooks]
    impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
        #[cfg(feature = "try-runtime")]
        fn try_state(_: BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
            Self::check_invariants().map_err(Into::into)
        }
    }

    impl<T: Config> Pallet<T> {
        /// Checks the numbered invariants of the README against storage.
        pub fn check_invariants() -> Result<(), &'static str> {
            let slot = SlotDuration::<T>::get();
            ensure!(
                slot >= MIN_SLOT_MILLIS && slot.is_multiple_of(2),
                "invariant 1: a slot lasts at least a second, in even milliseconds"
            );
            ensure!(
                BabeEpochLength::<T>::get() > 0,
                "invariant 2: a BABE epoch has at least one slot"
            );
            ensure!(
                ReferendumDay::<T>::get() > 0,
                "invariant 3: a day of referenda has at least one block"
            );
            Ok(())
        }
    }
}
